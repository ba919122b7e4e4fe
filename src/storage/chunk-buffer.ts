/**
 * Gathers small writes into one chunk. Its memory grows with what is in it, up
 * to the chunk's size, and is used again for the next chunk.
 */
export class ChunkBuffer {
  readonly #capacity: number;
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Bytes gathered. */
  get length(): number {
    return this.#length;
  }

  /** Takes from `source`, from `at` on, what fits; returns how many bytes it took. */
  append(source: Uint8Array<ArrayBuffer>, at: number): number {
    const count = Math.min(source.byteLength - at, this.#capacity - this.#length);
    this.#reserve(this.#length + count);
    this.#bytes.set(source.subarray(at, at + count), this.#length);
    this.#length += count;
    return count;
  }

  /** What was gathered as a Blob, which copies it; starts afresh. */
  takeBlob(): Blob {
    const blob = new Blob([this.#bytes.subarray(0, this.#length)]);
    this.#length = 0;
    return blob;
  }

  /** What was gathered in a buffer of exactly its size: storing a view would store all that lies behind it. */
  takeBytes(): ArrayBuffer {
    const bytes = this.#bytes.slice(0, this.#length).buffer;
    this.#length = 0;
    return bytes;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(Math.min(this.#capacity, Math.max(length, 2 * this.#bytes.byteLength)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
