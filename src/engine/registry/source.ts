/** Where one repository is read from: a registry that speaks, or a folder of files. */

import { InvalidDocumentError } from '../errors.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { RenewHeaders } from './blob.ts';
import type { FetchedDocument } from './fetched-document.ts';

export interface ReadOptions {
  readonly signal: AbortSignal;
}

/** What is here already of what a tag stood for when it was pulled last. */
export interface LocalCopy {
  /** Of the index or manifest that the tag named. */
  readonly descriptor: Descriptor;
  /** A blob of the content store, or undefined. */
  read(digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

export interface ResolveOptions extends ReadOptions {
  readonly wanted?: Platform;
  /** With it a source asks first whether the tag still stands for what is here, and fetches it only if not. */
  readonly local?: LocalCopy;
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
    options: ResolveOptions,
  ): Promise<FetchedDocument>;
  /** A manifest or nested index by its descriptor, size and digest verified. Errors as `resolve`. */
  document(descriptor: Descriptor, options: ReadOptions): Promise<FetchedDocument>;
  /** A small blob whole, size and digest verified; `what` names it for errors. */
  blob(descriptor: Descriptor, what: string, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** What to fetch a large blob with; the headers may hold a token and go stale after a minute. */
  blobRequest(descriptor: Descriptor, options: ReadOptions): Promise<BlobAddress>;
  /**
   * The repository's tags, in the source's order, a page after the other. Errors: RepositoryUnknown is
   * ManifestUnknown; else as `resolve`.
   */
  tags(options: ReadOptions): AsyncGenerator<readonly string[], void>;
  /**
   * Descriptors of the manifests whose subject is this one (distribution-spec, "Listing Referrers"); none when nothing
   * refers to it. `artifactType` leaves those of that type. Errors as `resolve`.
   */
  referrers(
    subject: Digest,
    options: ReadOptions & { readonly artifactType?: string },
  ): Promise<readonly Descriptor[]>;
}

export interface BlobAddress {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Headers that are good later, and after a 401; absent where they never change. */
  readonly renew?: RenewHeaders;
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
