/** From compressed bytes to the content of a chunk. */

import { GzipDecoder } from '../archive/gzip-decoder.ts';
import type { Unpackers } from '../archive/unpackers.ts';
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

/** What a decoder may give at once beyond what was asked for. */
const slack = 1 << 20;

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

/** The same by codecs.wasm, for both. */
export function unpackStart(unpackers: Unpackers, format: 'gzip' | 'zstd'): DecodeStart {
  return async (compressed, length) => {
    const unpacker = await unpackers.take();
    try {
      unpacker.start({ format, capacity: length + slack });
      for (const _ of unpacker.push(compressed)) {
        // what follows in the stream is of no use
        if (unpacker.end >= length) return unpacker.view(0, length).slice();
      }
      throw new CorruptLayerError(
        `${compressed.length} bytes of ${format} decode to ${unpacker.end}, not to ${length}`,
      );
    } finally {
      unpackers.giveBack(unpacker);
    }
  };
}
