/** Where one repository is read from: a registry that speaks, or a folder of files. */

import { InvalidDocumentError } from '../errors.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { FetchedDocument } from './fetched-document.ts';

export interface ReadOptions {
  readonly signal: AbortSignal;
}

export interface ImageSource {
  /** In words, for messages: `registry localhost:5000`, `layout https://example.org/registry/`. */
  readonly name: string;
  /** True for the registry that the reference names itself, false for a mirror. */
  readonly isOrigin: boolean;
  /**
   * The index or manifest that a tag or a digest names; bytes verified against
   * every digest that is known. `wanted` chooses where a source has several
   * manifests under one name. Errors: ManifestUnknown, RegistryUnreachable,
   * RegistryDenied, RegistryResponse, DigestMismatch, SizeMismatch, InvalidDocument,
   * UnsupportedMediaType, NoMatchingPlatform, Cancelled.
   */
  resolve(
    named: { readonly tag?: string; readonly digest?: Digest },
    options: ReadOptions & { readonly wanted?: Platform },
  ): Promise<FetchedDocument>;
  /** A manifest or nested index by its descriptor, size and digest verified. Errors as `resolve`. */
  document(descriptor: Descriptor, options: ReadOptions): Promise<FetchedDocument>;
  /** A small blob whole, size and digest verified; `what` names it for errors. */
  blob(descriptor: Descriptor, what: string, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** What to fetch a large blob with; the headers may hold a token and go stale after a minute. */
  blobRequest(descriptor: Descriptor, options: ReadOptions): Promise<BlobAddress>;
}

export interface BlobAddress {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Throws InvalidDocumentError for a document that says it is larger than any may be, before it is fetched. */
export function requireSmall(descriptor: Descriptor, what: string, limit: number): void {
  if (descriptor.size <= limit) return;
  throw new InvalidDocumentError(`${what} has ${descriptor.size} bytes: at most ${limit} are allowed`, {
    what,
    size: descriptor.size,
    limit,
  });
}
