/** Verified chunks in memory, up to a size: those read last stay. */

export class ChunkCache {
  readonly limit: number;
  /** Least recently read first: a Map keeps the order of insertion. */
  readonly #chunks = new Map<number, Uint8Array<ArrayBuffer>>();
  #size = 0;

  /** `limit` in bytes; the chunk added last is kept even when it is larger. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes held. */
  get size(): number {
    return this.#size;
  }

  has(chunk: number): boolean {
    return this.#chunks.has(chunk);
  }

  get(chunk: number): Uint8Array<ArrayBuffer> | undefined {
    const content = this.#chunks.get(chunk);
    if (content === undefined) return undefined;
    this.#chunks.delete(chunk);
    this.#chunks.set(chunk, content);
    return content;
  }

  add(chunk: number, content: Uint8Array<ArrayBuffer>): void {
    this.#size += content.length - (this.#chunks.get(chunk)?.length ?? 0);
    this.#chunks.delete(chunk);
    this.#chunks.set(chunk, content);
    for (const [oldest, { length }] of this.#chunks) {
      if (this.#size <= this.limit || oldest === chunk) break;
      this.#chunks.delete(oldest);
      this.#size -= length;
    }
  }

  clear(): void {
    this.#chunks.clear();
    this.#size = 0;
  }
}
