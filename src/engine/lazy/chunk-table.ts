/**
 * Where the content of a layer's files lies in its blob, chunk by chunk, packed.
 *
 * Nobody knows where the tar of a layer that is not here has its content. So the
 * files of a table of contents have addresses of their own: one after the other
 * in the order of the table, without gaps, from `addressBase` on. These are the
 * offsets in the LayerIndex of a lazy layer, and what this table is searched by.
 */

import { type Digest, splitDigest } from '../oci/digest.ts';
import { CannotBeLazy } from './cannot-be-lazy.ts';

/** No tar is so long that an offset in it could be taken for an address. */
export const addressBase = 2 ** 52;

export interface NewChunk {
  /** Bytes of content. */
  readonly size: number;
  /** Where the stream that holds it starts in the blob; undefined for a run of zeros. */
  readonly offset: number | undefined;
  /** Where it ends at the latest; undefined when that is where the next stream starts. */
  readonly end: number | undefined;
  /** Bytes that the stream decodes to before the content. */
  readonly inner: number;
  /** Of the content; undefined for a run of zeros. */
  readonly digest: Digest | undefined;
}

const digestLength = 32;
const zeros = -1;

export interface ChunkTable {
  /** Number of chunks. */
  readonly count: number;
  /** Bytes of content in all. */
  readonly size: number;
  /** The chunk that holds an address from `addressBase` to below `addressBase + size`. */
  find(address: number): number;
  /** Address of a chunk's first byte; of `count`, the end of all. */
  start(chunk: number): number;
  /** False for a run of zeros. */
  isStored(chunk: number): boolean;
  /** `[offset, end)` in the blob of the stream with a stored chunk. */
  offset(chunk: number): number;
  end(chunk: number): number;
  inner(chunk: number): number;
  digest(chunk: number): Digest;
}

export class ChunkTableBuilder {
  readonly #chunks: NewChunk[] = [];
  #end = addressBase;

  /** Takes the next file, by its chunks; returns its address. */
  addFile(chunks: readonly NewChunk[]): number {
    const address = this.#end;
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#end += chunk.size;
    }
    if (!Number.isSafeInteger(this.#end)) throw new CannotBeLazy('its files have more than 2^52 bytes');
    return address;
  }

  /** The table. `payloadEnd`: where in the blob the last stream of content ends. */
  finish(payloadEnd: number): ChunkTable {
    return new PackedChunkTable(this.#chunks, payloadEnd);
  }
}

class PackedChunkTable implements ChunkTable {
  readonly count: number;
  readonly size: number;
  readonly #starts: Float64Array;
  readonly #offsets: Float64Array;
  readonly #ends: Float64Array;
  readonly #inners: Float64Array;
  readonly #digests: Uint8Array;

  constructor(chunks: readonly NewChunk[], payloadEnd: number) {
    const count = chunks.length;
    this.count = count;
    this.#starts = new Float64Array(count + 1);
    this.#offsets = new Float64Array(count);
    this.#ends = new Float64Array(count);
    this.#inners = new Float64Array(count);
    this.#digests = new Uint8Array(count * digestLength);
    let start = addressBase;
    chunks.forEach((chunk, number) => {
      this.#starts[number] = start;
      start += chunk.size;
      this.#offsets[number] = chunk.offset ?? zeros;
      this.#ends[number] = chunk.end ?? 0;
      this.#inners[number] = chunk.inner;
      if (chunk.digest !== undefined) this.#digests.set(bytesOf(chunk.digest), number * digestLength);
    });
    this.#starts[count] = start;
    this.size = start - addressBase;
    this.#closeStreams(payloadEnd);
  }

  /** A stream whose end nobody says ends where the next one starts, wherever in the table that is. */
  #closeStreams(payloadEnd: number): void {
    const sorted = Float64Array.from(this.#offsets).sort();
    for (let chunk = 0; chunk < this.count; chunk++) {
      if (!this.isStored(chunk)) continue;
      const said = this.end(chunk);
      const next = said === 0 ? (sorted[firstAbove(sorted, this.offset(chunk))] ?? payloadEnd) : said;
      this.#ends[chunk] = Math.min(next, this.offset(chunk) + longest(this, chunk));
    }
  }

  find(address: number): number {
    return firstAbove(this.#starts, address) - 1;
  }

  start(chunk: number): number {
    return this.#starts[chunk] ?? addressBase + this.size;
  }

  isStored(chunk: number): boolean {
    return this.#offsets[chunk] !== zeros;
  }

  offset(chunk: number): number {
    return this.#offsets[chunk] ?? 0;
  }

  end(chunk: number): number {
    return this.#ends[chunk] ?? 0;
  }

  inner(chunk: number): number {
    return this.#inners[chunk] ?? 0;
  }

  digest(chunk: number): Digest {
    let hex = '';
    for (let at = chunk * digestLength; at < (chunk + 1) * digestLength; at++) {
      hex += (this.#digests[at] ?? 0).toString(16).padStart(2, '0');
    }
    return `sha256:${hex}`;
  }
}

/** Compressed bytes that are enough for a chunk: what cannot be compressed grows by a thousandth, and each stream has a header. */
function longest(table: ChunkTable, chunk: number): number {
  const decoded = table.inner(chunk) + table.start(chunk + 1) - table.start(chunk);
  return decoded + Math.ceil(decoded / 512) + 4096;
}

/** Place of the first number above `value` in a sorted list; its length when there is none. */
function firstAbove(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function bytesOf(digest: Digest): Uint8Array {
  const { algorithm, hex } = splitDigest(digest);
  if (algorithm !== 'sha256') throw new CannotBeLazy('the digests of its chunks are no sha256');
  return Uint8Array.from({ length: digestLength }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}
