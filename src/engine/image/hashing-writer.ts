/** Content writers that hash what they are given: here, or in a worker beside the one that unpacks (src/storage). */

import { type StreamingHash, streamingHash } from '../archive/streaming-hash.ts';
import type { Digest } from '../oci/digest.ts';
import type { ContentStore, ContentWriter } from '../store/content.ts';

/** A content writer that also hashes what it is given. */
export interface HashingWriter extends ContentWriter {
  /** The digest of all that was written, after `finish`. Throws what a write failed with. */
  digest(): Promise<Digest>;
}

/** Opens the ingest `id` of the content store. */
export type OpenHashingWriter = (id: string, algorithm: 'sha256' | 'sha512') => Promise<HashingWriter>;

/** Writers that hash in this thread, as they store; `codecs` gives codecs/codecs.wasm, compiled. */
export function hashingWriters(
  content: ContentStore,
  codecs: () => Promise<WebAssembly.Module>,
): OpenHashingWriter {
  return async (id, algorithm) => {
    const hash = await streamingHash(algorithm, codecs);
    return new HashingContentWriter(await content.ingest(id), algorithm, hash);
  };
}

class HashingContentWriter implements HashingWriter {
  readonly #writer: ContentWriter;
  readonly #algorithm: 'sha256' | 'sha512';
  readonly #hash: StreamingHash;

  constructor(writer: ContentWriter, algorithm: 'sha256' | 'sha512', hash: StreamingHash) {
    this.#writer = writer;
    this.#algorithm = algorithm;
    this.#hash = hash;
  }

  get size(): number {
    return this.#writer.size;
  }

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    // both take their bytes before anything is awaited: the next write may be here already
    this.#hash.update(chunk);
    await this.#writer.write(chunk);
  }

  finish(): void {
    this.#writer.finish();
  }

  async digest(): Promise<Digest> {
    return `${this.#algorithm}:${this.#hash.digest()}`;
  }

  commit(digest: Digest): Promise<void> {
    return this.#writer.commit(digest);
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }
}
