/**
 * Random reads of blobs through a cache of blocks: what the lowers of a union
 * read through. A block that is there answers without a promise, so that most
 * reads of a guest cost a lookup; one that is not costs one read of the store.
 */

import type { Digest } from '../oci/digest.ts';
import type { ContentStore } from './content.ts';

export interface ContentReader {
  /**
   * `length` bytes from `offset`, fewer at the end of the blob. The bytes may be
   * a view of the cache: whoever gets them must not change them. Rejects with
   * ContentMissingError, and with whatever the store throws.
   */
  read(
    digest: Digest,
    offset: number,
    length: number,
  ): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;
}

export interface BlockCacheOptions {
  /** Bytes of one block. */
  readonly blockSize?: number;
  /** Bytes of all blocks together. */
  readonly capacity?: number;
}

interface CachedBlob {
  /** Keys of its blocks are `number * blocksPerBlob + block`. */
  readonly number: number;
  /** Where the last read ended: one that starts there is sequential. */
  end: number;
}

/** No blob has more blocks than this, whatever the block size: 2^31 blocks of 4 KB are 8 TB. */
const blocksPerBlob = 2 ** 31;

export class CachedContentReader implements ContentReader {
  readonly #content: Pick<ContentStore, 'read'>;
  readonly #blockSize: number;
  readonly #capacity: number;
  readonly #blobs = new Map<Digest, CachedBlob>();
  /** Least recently read first: a Map keeps the order of insertion. */
  readonly #blocks = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #loading = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  #size = 0;

  constructor(content: Pick<ContentStore, 'read'>, options: BlockCacheOptions = {}) {
    this.#content = content;
    this.#blockSize = options.blockSize ?? 256 * 1024;
    this.#capacity = options.capacity ?? 64 * 1024 * 1024;
  }

  /** Bytes held. */
  get size(): number {
    return this.#size;
  }

  read(
    digest: Digest,
    offset: number,
    length: number,
  ): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    if (!(offset >= 0 && length >= 0)) {
      throw new RangeError(`cannot read ${length} bytes from ${offset} of ${digest}`);
    }
    if (length === 0) return new Uint8Array(0);
    const blob = this.#blob(digest);
    const first = Math.floor(offset / this.#blockSize);
    const last = Math.floor((offset + length - 1) / this.#blockSize);
    const sequential = offset === blob.end;
    blob.end = offset + length;

    const blocks: (Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>)[] = [];
    let loads = false;
    for (let block = first; block <= last; block += 1) {
      const found = this.#block(digest, blob, block);
      blocks.push(found);
      if (found instanceof Promise) loads = true;
      else if (found.byteLength < this.#blockSize) break;
    }
    if (sequential) this.#readAhead(digest, blob, last);
    const skip = offset - first * this.#blockSize;
    if (loads) return Promise.all(blocks).then((loaded) => cut(loaded, skip, length));
    return cut(
      blocks.filter((block) => block instanceof Uint8Array),
      skip,
      length,
    );
  }

  #blob(digest: Digest): CachedBlob {
    let blob = this.#blobs.get(digest);
    if (blob === undefined) {
      blob = { number: this.#blobs.size, end: -1 };
      this.#blobs.set(digest, blob);
    }
    return blob;
  }

  #block(
    digest: Digest,
    blob: CachedBlob,
    block: number,
  ): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    const key = blob.number * blocksPerBlob + block;
    const cached = this.#blocks.get(key);
    if (cached === undefined) return this.#loading.get(key) ?? this.#load(digest, key, block);
    this.#blocks.delete(key);
    this.#blocks.set(key, cached);
    return cached;
  }

  #load(digest: Digest, key: number, block: number): Promise<Uint8Array<ArrayBuffer>> {
    const loading = this.#content
      .read(digest, block * this.#blockSize, this.#blockSize)
      .then((bytes) => {
        this.#keep(key, bytes);
        return bytes;
      })
      .finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  #keep(key: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#blocks.set(key, bytes);
    this.#size += bytes.byteLength;
    for (const [oldest, dropped] of this.#blocks) {
      if (this.#size <= this.#capacity) break;
      this.#blocks.delete(oldest);
      this.#size -= dropped.byteLength;
    }
  }

  #readAhead(digest: Digest, blob: CachedBlob, last: number): void {
    const key = blob.number * blocksPerBlob + last;
    const end = this.#blocks.get(key);
    if (end !== undefined && end.byteLength < this.#blockSize) return;
    if (this.#blocks.has(key + 1) || this.#loading.has(key + 1)) return;
    // Nobody asked for this block yet: its error is for the read that does, which tries again.
    this.#load(digest, key + 1, last + 1).catch(() => undefined);
  }
}

function cut(
  blocks: readonly Uint8Array<ArrayBuffer>[],
  skip: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const [first] = blocks;
  if (first !== undefined && blocks.length === 1) return first.subarray(skip, skip + length);
  let total = 0;
  for (const block of blocks) total += block.byteLength;
  const bytes = new Uint8Array(Math.max(0, Math.min(length, total - skip)));
  let at = -skip;
  for (const block of blocks) {
    const from = Math.max(0, -at);
    const part = block.subarray(from, Math.max(from, bytes.byteLength - at));
    bytes.set(part, at + from);
    at += block.byteLength;
  }
  return bytes;
}
