/** Opening a layer by its table of contents: fetched by ranges, its digest verified, then read. */

import { joinBytes } from '../archive/join-bytes.ts';
import { CorruptLayerError, DigestMismatchError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type DiffID, type Digest, digestOf, splitDigest } from '../oci/digest.ts';
import type { BlobRanges } from './blob-ranges.ts';
import { CannotBeLazy } from './cannot-be-lazy.ts';
import { type DecodeStart, gunzipStart, partOf } from './decode-chunk.ts';
import { type LazyFormat, lazyFormat, tocLimit } from './lazy-format.ts';
import { LazyLayer } from './lazy-layer.ts';
import type { Pace } from './pace.ts';
import { stargzFooter, stargzFooterLimit } from './stargz-footer.ts';
import { readTableOfContents, type TableOfContents } from './table-of-contents.ts';
import { tocFile } from './toc-file.ts';

export interface LazySource {
  readonly blob: Descriptor;
  readonly diffID: DiffID;
  readonly ranges: BlobRanges;
  /** Default: `gunzipStart`. */
  readonly decodeGzip?: DecodeStart;
  /** Undefined: layers in zstd are fetched whole. */
  readonly decodeZstd?: DecodeStart;
  /** In words, for errors: `layer sha256:0123... of busybox:latest`. */
  readonly what: string;
  /** Bytes of content to keep in memory. */
  readonly cacheLimit?: number;
  readonly pace?: Pick<Pace, 'begin' | 'end'>;
}

/** Bytes from the end of an eStargz blob that are fetched at once: most tables of contents are within them. */
const tailLength = 256 << 10;

/**
 * The layer, or undefined when it has no table of contents. Errors: CannotBeLazy when
 * it must be fetched whole, DigestMismatch and CorruptLayer naming the
 * layer and the entry, those of `BlobRanges.read`. After each of them the whole layer may still be
 * good: it has a digest of its own.
 */
export async function openLazyLayer(source: LazySource, signal: AbortSignal): Promise<LazyLayer | undefined> {
  const format = lazyFormat(source.blob);
  if (format === undefined) return undefined;
  const { what, ranges, cacheLimit, pace } = source;
  try {
    const isStargz = format.kind === 'estargz';
    const table = isStargz
      ? await readStargz(source, format.tocDigest, signal)
      : await readChunked(source, format, signal);
    const decode = isStargz ? (source.decodeGzip ?? gunzipStart) : zstdOf(source);
    return new LazyLayer({
      table,
      ranges,
      decode,
      what,
      ...(cacheLimit !== undefined && { cacheLimit }),
      ...(pace && { pace }),
    });
  } catch (error) {
    if (!(error instanceof CorruptLayerError)) throw error;
    throw new CorruptLayerError(`${what}: ${error.message}`, { ...error.data, what }, { cause: error });
  }
}

async function readStargz(
  source: LazySource,
  tocDigest: Digest,
  signal: AbortSignal,
): Promise<TableOfContents> {
  const { blob, diffID, ranges } = source;
  const { size } = blob;
  const tailStart = Math.max(0, size - tailLength);
  if (size < stargzFooterLimit) throw new CannotBeLazy('it is too small for a table of contents');
  const tail = await ranges.read(tailStart, size, signal);
  const footer = stargzFooter(tail, size);
  if (footer === undefined) throw new CannotBeLazy('it does not end as an eStargz layer does');
  const { tocOffset } = footer;
  const tocEnd = size - footer.length;
  if (tocEnd - tocOffset > tocLimit)
    throw new CannotBeLazy(`its table of contents is larger than ${tocLimit} bytes`);
  const before = tocOffset < tailStart ? await ranges.read(tocOffset, tailStart, signal) : new Uint8Array(0);
  const compressed = joinBytes([
    before,
    tail.subarray(Math.max(0, tocOffset - tailStart), tocEnd - tailStart),
  ]);
  const { entry, json } = tocFile(compressed);
  await verify(json, tocDigest, source.what);
  const chunk = { size: entry.size, offset: tocOffset, end: tocEnd, inner: entry.offset, digest: tocDigest };
  return readTableOfContents(json, { diffID, payloadEnd: tocOffset, ownEntry: { entry, chunk } });
}

async function readChunked(
  source: LazySource,
  format: LazyFormat & { readonly kind: 'zstd:chunked' },
  signal: AbortSignal,
): Promise<TableOfContents> {
  const { diffID, ranges, what } = source;
  const { offset, length, uncompressedLength } = format;
  const compressed = await ranges.read(offset, offset + length, signal);
  await verify(compressed, format.tocDigest, what);
  const json = partOf(await zstdOf(source)(compressed, uncompressedLength), 0, uncompressedLength);
  // a skippable frame's header of 8 bytes stands before the table
  return readTableOfContents(json, { diffID, payloadEnd: offset - 8 });
}

function zstdOf({ decodeZstd }: LazySource): DecodeStart {
  if (decodeZstd === undefined) throw new CannotBeLazy('there is no decoder for zstd');
  return decodeZstd;
}

async function verify(bytes: Uint8Array<ArrayBuffer>, expected: Digest, what: string): Promise<void> {
  const actual = await digestOf(bytes, splitDigest(expected).algorithm);
  if (actual === expected) return;
  throw new DigestMismatchError(
    `${what}: its table of contents has the digest ${actual}, not ${expected} as the manifest promises; it was changed in the registry or on the way`,
    { what, expected, actual },
  );
}
