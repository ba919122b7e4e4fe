/** What it costs to get at chunks: a stream is decoded from its start, whatever of it is wanted. */

import type { ChunkTable } from './chunk-table.ts';

export class DecodedLength {
  readonly #chunks: ChunkTable;
  #stream = -1;
  /** Of that stream. */
  #reached = 0;
  #total = 0;

  constructor(chunks: ChunkTable) {
    this.#chunks = chunks;
  }

  /** Bytes that are decoded for the chunks so far. */
  get total(): number {
    return this.#total;
  }

  /** Takes another stored chunk. Neighbours in one stream are decoded together; one that comes back to a stream counts again. */
  add(chunk: number): void {
    const chunks = this.#chunks;
    const end = chunks.inner(chunk) + chunks.start(chunk + 1) - chunks.start(chunk);
    const isSame = chunks.offset(chunk) === this.#stream;
    this.#total += Math.max(0, end - (isSame ? this.#reached : 0));
    this.#reached = isSame ? Math.max(end, this.#reached) : end;
    this.#stream = chunks.offset(chunk);
  }
}
