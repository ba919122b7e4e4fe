/**
 * One blob on its way into the content store: sent in big pieces from where it
 * lies in memory, and digested. WebCrypto is about twice as fast as a wasm hash
 * but takes everything at once, so bytes are kept up to a size; above it they
 * are hashed as they come and let go, and memory stays bounded.
 */

import type { GatheredBytes } from '../archive/gathered-bytes.ts';
import { type StreamingHash, streamingHash } from '../archive/streaming-hash.ts';
import { type Digest, digestOf, splitDigest } from '../oci/digest.ts';
import type { ContentStore, ContentWriter } from '../store/content.ts';

/** Bytes; large, because each write of a store costs a transaction. */
export const pieceLength = 8 << 20;

/** Bytes of one blob that are kept to be digested at once. WebCrypto copies them: twice this is in memory for a moment. */
export const gatherLimit = 192 << 20;

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
  readonly #codecs: () => Promise<WebAssembly.Module>;
  readonly #limit: number;
  #hasher: StreamingHash | undefined;
  /** What was sent to the store, and, with a hasher, hashed. */
  #sent = 0;

  private constructor(
    writer: ContentWriter,
    bytes: GatheredBytes,
    algorithm: 'sha256' | 'sha512',
    codecs: () => Promise<WebAssembly.Module>,
    limit: number,
  ) {
    this.#writer = writer;
    this.#bytes = bytes;
    this.#algorithm = algorithm;
    this.#codecs = codecs;
    this.#limit = limit;
  }

  /**
   * Opens an ingest for the blob that comes to lie in `bytes` and is to have a digest like `digest`; `codecs`
   * gives codecs/codecs.wasm, compiled.
   */
  static async open(
    content: ContentStore,
    blob: { readonly id: string; readonly digest: Digest; readonly bytes: GatheredBytes },
    codecs: () => Promise<WebAssembly.Module>,
    limit = gatherLimit,
  ): Promise<IngestStage> {
    const { algorithm } = splitDigest(blob.digest);
    return new IngestStage(await content.ingest(blob.id), blob.bytes, algorithm, codecs, limit);
  }

  get size(): number {
    return this.#bytes.end;
  }

  async advance(): Promise<void> {
    if (this.#hasher === undefined && this.size > this.#limit) await this.#startHashing();
    while (this.size - this.#sent >= pieceLength) await this.#send(this.#sent + pieceLength);
  }

  async finish(): Promise<Digest> {
    await this.advance();
    if (this.#sent < this.size) await this.#send(this.size);
    // the last pieces are stored while the digest is made
    this.#writer.finish();
    if (this.#hasher !== undefined) return `${this.#algorithm}:${this.#hasher.digest()}`;
    return digestOf(this.#bytes.view(0, this.size), this.#algorithm);
  }

  async commit(digest: Digest): Promise<void> {
    await this.#writer.commit(digest);
  }

  async abort(): Promise<void> {
    await this.#writer.abort();
  }

  async #startHashing(): Promise<void> {
    this.#hasher = await streamingHash(this.#algorithm, this.#codecs);
    this.#hasher.update(this.#bytes.view(0, this.#sent));
    this.#bytes.drop(this.#sent);
  }

  async #send(end: number): Promise<void> {
    const piece = this.#bytes.view(this.#sent, end);
    this.#hasher?.update(piece);
    await this.#writer.write(piece);
    this.#sent = end;
    if (this.#hasher !== undefined) this.#bytes.drop(end);
  }
}
