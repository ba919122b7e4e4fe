/**
 * Which layers can be read before they are here, told by the annotations of
 * their descriptors. The manifest that holds these is verified, and so the
 * digest of the table of contents that they name is as good as the layer's own.
 *
 * - eStargz: stargz-snapshotter, docs/estargz.md, "Content Verification in eStargz".
 * - zstd:chunked: containers/storage, pkg/chunked/internal/minimal. Until 2022 the
 *   same annotations had names without `github`, and stargz-snapshotter's own
 *   converter writes them so to this day.
 */

import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { layerCompression } from '../oci/media-type.ts';
import { CannotBeLazy } from './cannot-be-lazy.ts';

export type LazyFormat =
  | {
      readonly kind: 'estargz';
      /** Of the JSON of the table of contents. */
      readonly tocDigest: Digest;
    }
  | {
      readonly kind: 'zstd:chunked';
      /** Of the compressed table of contents. */
      readonly tocDigest: Digest;
      /** Where the compressed table starts in the blob, and its lengths, in bytes. */
      readonly offset: number;
      readonly length: number;
      readonly uncompressedLength: number;
    };

const tocDigestKey = 'containerd.io/snapshot/stargz/toc.digest';
const chunkedPrefixes = ['io.github.containers.zstd-chunked.', 'io.containers.zstd-chunked.'] as const;

/** More is not read: as JSON it would take many times as much memory. */
export const tocLimit = 64 << 20;

/** The format of a layer that says it has a table of contents, or undefined for all others. Throws CannotBeLazy for annotations that cannot be. */
export function lazyFormat(blob: Descriptor): LazyFormat | undefined {
  const { annotations = {} } = blob;
  const compression = layerCompression(blob.mediaType);
  const tocDigest = annotations[tocDigestKey];
  if (tocDigest !== undefined && compression === 'gzip') {
    return { kind: 'estargz', tocDigest: digestIn(tocDigestKey, tocDigest) };
  }
  if (compression !== 'zstd') return undefined;
  for (const prefix of chunkedPrefixes) {
    const checksum = annotations[`${prefix}manifest-checksum`];
    const position = annotations[`${prefix}manifest-position`];
    if (checksum === undefined || position === undefined) continue;
    return {
      kind: 'zstd:chunked',
      tocDigest: digestIn(`${prefix}manifest-checksum`, checksum),
      ...positionIn(position, blob.size),
    };
  }
  return undefined;
}

function digestIn(key: string, value: string): Digest {
  if (isDigest(value)) return value;
  throw new CannotBeLazy(`the annotation ${key} is no digest: ${JSON.stringify(value.slice(0, 100))}`);
}

/** `offset:length:uncompressed length:type`, in decimal; type 1 is the table that stargz has, and there is no other. */
function positionIn(
  position: string,
  size: number,
): { offset: number; length: number; uncompressedLength: number } {
  const match = /^([0-9]{1,15}):([0-9]{1,15}):([0-9]{1,15}):1$/.exec(position);
  const refuse = (reason: string) =>
    new CannotBeLazy(`the table of contents at ${JSON.stringify(position.slice(0, 100))} ${reason}`);
  if (match === null) throw refuse('is at no position that is known');
  const [offset = 0, length = 0, uncompressedLength = 0] = match.slice(1).map(Number);
  if (offset === 0 || length === 0 || offset + length > size) {
    throw refuse(`is not within the ${size} bytes of the layer`);
  }
  if (length > tocLimit || uncompressedLength > tocLimit) throw refuse(`is larger than ${tocLimit} bytes`);
  return { offset, length, uncompressedLength };
}
