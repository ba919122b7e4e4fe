/** A blob on its way into the content store whose digest nobody knows before its last byte. */

import { Sha256 } from '../archive/sha256.ts';
import type { StreamingHash } from '../archive/streaming-hash.ts';
import type { Unpackers } from '../archive/unpackers.ts';
import type { Digest } from '../oci/digest.ts';
import type { ContentStore, ContentWriter } from '../store/content.ts';

/** Bytes of one write of the store: each costs a transaction. */
const PIECE = 4 << 20;

export class HashedBlob {
  readonly #writer: ContentWriter;
  readonly #hash: StreamingHash;
  #piece = new Uint8Array(0);
  #filled = 0;
  #size = 0;

  private constructor(writer: ContentWriter, hash: StreamingHash) {
    this.#writer = writer;
    this.#hash = hash;
  }

  /** Opens the ingest `id`. */
  static async open(content: ContentStore, unpackers: Unpackers, id: string): Promise<HashedBlob> {
    const hash = await Sha256.create(await unpackers.module());
    return new HashedBlob(await content.ingest(id), hash);
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** The bytes may be changed once this resolved. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#size += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const step = Math.min(bytes.length - at, PIECE - this.#filled);
      this.#reserve(this.#filled + step);
      this.#piece.set(bytes.subarray(at, at + step), this.#filled);
      this.#filled += step;
      at += step;
      if (this.#filled === PIECE) await this.#flush();
    }
  }

  /** The digest of all that was written. Nothing may be written after it. */
  async finish(): Promise<Digest> {
    await this.#flush();
    this.#writer.finish();
    return `sha256:${this.#hash.digest()}`;
  }

  commit(digest: Digest): Promise<void> {
    return this.#writer.commit(digest);
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }

  /** Most blobs are small: their memory is, too. */
  #reserve(length: number): void {
    if (length <= this.#piece.length) return;
    const larger = new Uint8Array(Math.min(PIECE, Math.max(length, 2 * this.#piece.length)));
    larger.set(this.#piece.subarray(0, this.#filled));
    this.#piece = larger;
  }

  async #flush(): Promise<void> {
    if (this.#filled === 0) return;
    await this.#writer.write(this.#piece.slice(0, this.#filled));
    this.#filled = 0;
  }
}
