/** One blob on its way into the content store: hashed and sent, piece by piece, from where it lies in memory. */

import type { GatheredBytes } from '../archive/gathered-bytes.ts';
import { type StreamingHash, streamingHash } from '../archive/streaming-hash.ts';
import { type Digest, splitDigest } from '../oci/digest.ts';
import type { ContentStore, ContentWriter } from '../store/content.ts';

/** Bytes: few enough to stay in a processor's cache between hashing and storing, enough to make each write cheap. */
export const pieceLength = 1 << 20;

/** A blob of an ingest on its way into the content store. */
export interface Stage {
  /** Bytes so far. */
  readonly size: number;
  /** Takes up what has come to lie in memory; no more may come before it resolves. Throws what the store throws. */
  advance(): Promise<void>;
  /** The digest of everything. */
  finish(): Promise<Digest>;
  commit(digest: Digest): Promise<void>;
  /** Leaves nothing staged. */
  abort(): Promise<void>;
}

export class IngestStage implements Stage {
  readonly #writer: ContentWriter;
  readonly #bytes: GatheredBytes;
  readonly #algorithm: 'sha256' | 'sha512';
  readonly #hash: StreamingHash;
  /** What was hashed and sent to the store. */
  #sent = 0;

  private constructor(
    writer: ContentWriter,
    bytes: GatheredBytes,
    algorithm: 'sha256' | 'sha512',
    hash: StreamingHash,
  ) {
    this.#writer = writer;
    this.#bytes = bytes;
    this.#algorithm = algorithm;
    this.#hash = hash;
  }

  /**
   * Opens an ingest for the blob that comes to lie in `bytes` and is to have a digest like `digest`; `codecs`
   * gives codecs/codecs.wasm, compiled.
   */
  static async open(
    content: ContentStore,
    blob: { readonly id: string; readonly digest: Digest; readonly bytes: GatheredBytes },
    codecs: () => Promise<WebAssembly.Module>,
  ): Promise<IngestStage> {
    const { algorithm } = splitDigest(blob.digest);
    const hash = await streamingHash(algorithm, codecs);
    return new IngestStage(await content.ingest(blob.id), blob.bytes, algorithm, hash);
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
    return `${this.#algorithm}:${this.#hash.digest()}`;
  }

  async commit(digest: Digest): Promise<void> {
    await this.#writer.commit(digest);
  }

  async abort(): Promise<void> {
    await this.#writer.abort();
  }

  async #send(end: number): Promise<void> {
    const piece = this.#bytes.view(this.#sent, end);
    this.#hash.update(piece);
    await this.#writer.write(piece);
    this.#sent = end;
    this.#bytes.drop(end);
  }
}
