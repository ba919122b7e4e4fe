/** A manifest or an index as it came, verified, and what kind of document it is. */

import {
  DigestMismatchError,
  InvalidDocumentError,
  SizeMismatchError,
  UnsupportedMediaTypeError,
} from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestOf, splitDigest } from '../oci/digest.ts';
import { type Field, MANIFEST_LIMIT, parseDocument } from '../oci/document.ts';
import { checkVersion } from '../oci/manifest.ts';
import { documentKind, OCI_INDEX, OCI_MANIFEST } from '../oci/media-type.ts';

export interface FetchedDocument {
  readonly kind: 'index' | 'manifest';
  readonly descriptor: Descriptor;
  /** Verbatim. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The document in these bytes. Its own mediaType is believed; without one the
 * type it was announced as (the descriptor's, then the Content-Type), then its
 * shape. InvalidDocument when it is of another kind than its descriptor says,
 * UnsupportedMediaType for schema 1 and for what is no image document.
 */
export async function openDocument(
  bytes: Uint8Array<ArrayBuffer>,
  about: {
    readonly what: string;
    readonly descriptor?: Descriptor;
    readonly contentType?: string;
    readonly digest?: Digest;
  },
): Promise<FetchedDocument> {
  const { descriptor, what } = about;
  const root = parseDocument(bytes, what, MANIFEST_LIMIT);
  checkVersion(root);
  const announced = descriptor?.mediaType ?? about.contentType;
  const mediaType = root.optional('mediaType')?.string() ?? knownType(announced) ?? typeByShape(root);
  const kind = documentKind(mediaType);
  if (kind === undefined || kind === 'schema1') {
    throw new UnsupportedMediaTypeError(`${what} is no image: it is of type ${JSON.stringify(mediaType)}`, {
      what,
      mediaType,
    });
  }
  const expected = descriptor === undefined ? undefined : documentKind(descriptor.mediaType);
  if (expected !== undefined && expected !== kind) {
    throw new InvalidDocumentError(`${what} is invalid: it is announced as ${expected} and is an ${kind}`, {
      what,
      field: 'mediaType',
    });
  }
  const digest = about.digest ?? descriptor?.digest ?? (await digestOf(bytes));
  // what the descriptor carries of the content is in `bytes`
  const { data: _, ...described } = descriptor ?? {};
  return { kind, bytes, descriptor: { ...described, mediaType, digest, size: bytes.length } };
}

function knownType(type: string | undefined): string | undefined {
  const bare = type?.split(';')[0]?.trim().toLowerCase();
  return bare !== undefined && documentKind(bare) !== undefined ? bare : undefined;
}

function typeByShape(root: Field): string {
  if (root.has('manifests')) return OCI_INDEX;
  if (root.has('layers')) return OCI_MANIFEST;
  return root.fail('is neither a manifest nor an index');
}

/** Throws DigestMismatchError unless the bytes have this digest. */
export async function verifyDigest(
  bytes: Uint8Array<ArrayBuffer>,
  digest: Digest,
  what: string,
): Promise<void> {
  const found = await digestOf(bytes, splitDigest(digest).algorithm);
  if (found === digest) return;
  throw new DigestMismatchError(`${what} is not what was asked for: its digest is ${found}, not ${digest}`, {
    what,
    expected: digest,
    found,
  });
}

/** Throws SizeMismatchError or DigestMismatchError unless the bytes are what the descriptor says. */
export async function verifyDescriptor(
  bytes: Uint8Array<ArrayBuffer>,
  descriptor: Descriptor,
  what: string,
): Promise<void> {
  if (bytes.length !== descriptor.size) {
    throw new SizeMismatchError(`${what} has ${bytes.length} bytes, not the ${descriptor.size} announced`, {
      what,
      expected: descriptor.size,
      found: bytes.length,
    });
  }
  await verifyDigest(bytes, descriptor.digest, what);
}
