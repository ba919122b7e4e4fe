/** One blob on its way into the content store: hashed and stored, piece by piece, from where it lies in memory. */

import type { GatheredBytes } from '../archive/gathered-bytes.ts';
import type { Digest } from '../oci/digest.ts';
import type { HashingWriter } from './hashing-writer.ts';

/** Bytes: few enough to stay in a processor's cache between hashing and storing, enough to make each write cheap. */
export const pieceLength = 1 << 20;

/** A blob of an ingest on its way into the content store. Of what was written nothing is kept. */
export class IngestStage {
  readonly #writer: HashingWriter;
  readonly #bytes: GatheredBytes;
  /** What the writer was given. */
  #sent = 0;

  /** For the blob that comes to lie in `bytes`. */
  constructor(writer: HashingWriter, bytes: GatheredBytes) {
    this.#writer = writer;
    this.#bytes = bytes;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#bytes.end;
  }

  /** Takes up what has come to lie in memory; no more may come before it resolves. Throws what the store throws. */
  async advance(): Promise<void> {
    while (this.size - this.#sent >= pieceLength) await this.#send(this.#sent + pieceLength);
  }

  /** The digest of everything. */
  async finish(): Promise<Digest> {
    await this.advance();
    if (this.#sent < this.size) await this.#send(this.size);
    this.#writer.finish();
    return this.#writer.digest();
  }

  commit(digest: Digest): Promise<void> {
    return this.#writer.commit(digest);
  }

  /** Leaves nothing staged. */
  abort(): Promise<void> {
    return this.#writer.abort();
  }

  async #send(end: number): Promise<void> {
    await this.#writer.write(this.#bytes.view(this.#sent, end));
    this.#sent = end;
    this.#bytes.drop(end);
  }
}
