/** From compressed bytes to the content of a chunk. */

import { GzipDecoder } from '../archive/gzip-decoder.ts';
import { CorruptLayerError } from '../errors.ts';

/**
 * The first `length` bytes of what `compressed` decodes to: it starts with a gzip
 * member or a zstd frame, and may hold more than is wanted, or end in the middle of that.
 * Throws CorruptLayerError when it is damaged or decodes to less.
 */
export type DecodeStart = (
  compressed: Uint8Array<ArrayBuffer>,
  length: number,
) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;

export const gunzipStart: DecodeStart = (compressed, length) => {
  const content = new Uint8Array(length);
  let filled = 0;
  for (const piece of new GzipDecoder().push(compressed)) {
    const wanted = piece.subarray(0, length - filled);
    content.set(wanted, filled);
    filled += wanted.length;
    if (filled === length) return content;
  }
  if (filled === length) return content;
  throw new CorruptLayerError(`${compressed.length} bytes of gzip decode to ${filled}, not to ${length}`);
};
