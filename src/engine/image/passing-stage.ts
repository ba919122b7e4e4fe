/**
 * A stage of which another worker hashes and stores every piece as it comes: of
 * a blob nothing is kept here, and the end has little left to do.
 */

import type { GatheredBytes } from '../archive/gathered-bytes.ts';
import type { Digest } from '../oci/digest.ts';
import type { ContentWriter } from '../store/content.ts';
import { pieceLength, type Stage } from './ingest-stage.ts';

/** A content writer that also hashes what it is given. */
export interface HashingWriter extends ContentWriter {
  /** The digest of all that was written, after `finish`. Throws what a write failed with. */
  digest(): Promise<Digest>;
}

/** Opens the ingest `id` of the content store. */
export type OpenHashingWriter = (id: string, algorithm: 'sha256' | 'sha512') => Promise<HashingWriter>;

export class PassingStage implements Stage {
  readonly #writer: HashingWriter;
  readonly #bytes: GatheredBytes;
  #sent = 0;

  constructor(writer: HashingWriter, bytes: GatheredBytes) {
    this.#writer = writer;
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.end;
  }

  async advance(): Promise<void> {
    while (this.size - this.#sent >= pieceLength) await this.#send(this.#sent + pieceLength);
  }

  async finish(): Promise<Digest> {
    await this.advance();
    if (this.#sent < this.size) await this.#send(this.size);
    this.#writer.finish();
    return this.#writer.digest();
  }

  commit(digest: Digest): Promise<void> {
    return this.#writer.commit(digest);
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }

  async #send(end: number): Promise<void> {
    await this.#writer.write(this.#bytes.view(this.#sent, end));
    this.#sent = end;
    this.#bytes.drop(end);
  }
}
