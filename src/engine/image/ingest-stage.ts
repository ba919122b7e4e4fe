/** One blob on its way into the content store: staged in big pieces and digested, each byte copied once. */

import { Digester } from '../archive/digester.ts';
import { type Digest, splitDigest } from '../oci/digest.ts';
import type { ContentStore, ContentWriter } from '../store/content.ts';

/**
 * Large, because each write of a store costs a transaction; a buffer of its
 * own, because a store that clones a view clones all of the buffer behind it.
 */
const pieceLength = 16 << 20;
const firstLength = 256 << 10;

export class IngestStage {
  readonly #writer: ContentWriter;
  readonly #digester: Digester;
  #piece: Uint8Array<ArrayBuffer> = new Uint8Array(firstLength);
  #filled = 0;
  #size = 0;
  /** The one write that is under way; a second waits for it, so that memory stays bounded. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(writer: ContentWriter, digester: Digester) {
    this.#writer = writer;
    this.#digester = digester;
  }

  /** Opens the ingest `id` for a blob that is to have a digest like `digest`. */
  static async open(content: ContentStore, id: string, digest: Digest): Promise<IngestStage> {
    return new IngestStage(await content.ingest(id), new Digester(splitDigest(digest).algorithm));
  }

  /** Bytes taken so far. */
  get size(): number {
    return this.#size;
  }

  /** Takes the next bytes; they are copied. Throws what the store throws. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#size += bytes.length;
    let at = 0;
    while (at < bytes.length) {
      if (this.#filled === this.#piece.length) {
        if (this.#filled === pieceLength) await this.#flush();
        else this.#grow();
      }
      const step = Math.min(bytes.length - at, this.#piece.length - this.#filled);
      this.#piece.set(bytes.subarray(at, at + step), this.#filled);
      this.#filled += step;
      at += step;
    }
  }

  /** The digest of everything, once everything is staged. */
  async finish(): Promise<Digest> {
    await this.#flush();
    // the last pieces are stored while the digest is made
    const [digest] = await Promise.all([this.#digester.digest(), this.#writing]);
    return digest;
  }

  async commit(digest: Digest): Promise<void> {
    await this.#writer.commit(digest);
  }

  /** Leaves nothing staged. */
  async abort(): Promise<void> {
    // the write's own failure was or will be thrown to whoever wrote
    await Promise.allSettled([this.#writing]);
    await this.#writer.abort();
  }

  #grow(): void {
    const larger = new Uint8Array(Math.min(pieceLength, this.#piece.length * 4));
    larger.set(this.#piece);
    this.#piece = larger;
  }

  async #flush(): Promise<void> {
    if (this.#filled === 0) return;
    const whole = this.#filled === this.#piece.length;
    const piece = whole ? this.#piece : this.#piece.slice(0, this.#filled);
    this.#piece = new Uint8Array(pieceLength);
    this.#filled = 0;
    await this.#writing;
    await this.#digester.update(piece);
    this.#writing = this.#writer.write(piece);
    // observed here so that a failure while nobody waits is not reported as unhandled; the next write throws it
    this.#writing.catch(() => undefined);
  }
}
