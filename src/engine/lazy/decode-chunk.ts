/** From compressed bytes to the content of a chunk. */

import { GzipDecoder } from '../archive/gzip-decoder.ts';
import type { Unpackers } from '../archive/unpackers.ts';
import { CorruptLayerError } from '../errors.ts';

/** The start of what a stream decodes to. */
export interface DecodedStart {
  /** As many as were asked for, or all that came before `failure`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Why there are fewer. */
  readonly failure?: unknown;
}

/**
 * The first `length` bytes of what `compressed` decodes to: it starts with a gzip
 * member or a zstd frame, and may hold more than is wanted, or end in the middle of that.
 * What comes before damage is given all the same: it may be all that somebody wants of it.
 */
export type DecodeStart = (
  compressed: Uint8Array<ArrayBuffer>,
  length: number,
) => DecodedStart | Promise<DecodedStart>;

/** Bytes `[from, to)` of it, not shared with others. Throws why there are fewer. */
export function partOf({ bytes, failure }: DecodedStart, from: number, to: number): Uint8Array<ArrayBuffer> {
  if (bytes.length < to) throw failure ?? new RangeError(`${bytes.length} bytes were decoded, not ${to}`);
  return from === 0 && to === bytes.length ? bytes : bytes.slice(from, to);
}

/** What a decoder may give at once beyond what was asked for. */
const slack = 1 << 20;

export const gunzipStart: DecodeStart = (compressed, length) => {
  const content = new Uint8Array(length);
  let filled = 0;
  try {
    for (const piece of new GzipDecoder().push(compressed)) {
      const wanted = piece.subarray(0, length - filled);
      content.set(wanted, filled);
      filled += wanted.length;
      if (filled === length) return { bytes: content };
    }
  } catch (failure) {
    if (failure instanceof CorruptLayerError) return { bytes: content.subarray(0, filled), failure };
    throw failure;
  }
  if (filled === length) return { bytes: content };
  return { bytes: content.subarray(0, filled), failure: tooFew(compressed, 'gzip', filled, length) };
};

/** The same by codecs.wasm, for both. */
export function unpackStart(unpackers: Unpackers, format: 'gzip' | 'zstd'): DecodeStart {
  return async (compressed, length) => {
    const unpacker = await unpackers.take();
    const start = () => unpacker.view(0, Math.min(unpacker.end, length)).slice();
    try {
      unpacker.start({ format, capacity: length + slack });
      for (const _ of unpacker.push(compressed)) {
        // what follows in the stream is of no use
        if (unpacker.end >= length) return { bytes: start() };
      }
      return { bytes: start(), failure: tooFew(compressed, format, unpacker.end, length) };
    } catch (failure) {
      if (failure instanceof CorruptLayerError) return { bytes: start(), failure };
      throw failure;
    } finally {
      unpackers.giveBack(unpacker);
    }
  };
}

function tooFew(compressed: Uint8Array, format: string, decoded: number, length: number): Error {
  return new CorruptLayerError(
    `${compressed.length} bytes of ${format} decode to ${decoded}, not to ${length}`,
  );
}
