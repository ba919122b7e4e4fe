/** The content store in memory: for Node, for tests, and for a sandbox that is to leave nothing behind. */

import { joinBytes } from '../archive/join-bytes.ts';
import { ContentMissingError, StorageFailedError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { ContentStore, ContentWriter } from './content.ts';

export class MemoryContentStore implements ContentStore {
  readonly #blobs = new Map<Digest, Uint8Array<ArrayBuffer>>();
  readonly #ingests = new Map<string, MemoryContentWriter>();

  async stat(digest: Digest): Promise<{ readonly size: number } | undefined> {
    const blob = this.#blobs.get(digest);
    return blob === undefined ? undefined : { size: blob.byteLength };
  }

  async read(
    digest: Digest,
    offset = 0,
    length = Number.POSITIVE_INFINITY,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) throw missingContent(digest);
    return blob.slice(offset, Math.min(blob.byteLength, offset + length));
  }

  async list(): Promise<readonly { readonly digest: Digest; readonly size: number }[]> {
    return [...this.#blobs].map(([digest, blob]) => ({ digest, size: blob.byteLength }));
  }

  async delete(digest: Digest): Promise<void> {
    this.#blobs.delete(digest);
  }

  async ingest(id: string): Promise<ContentWriter> {
    const writer = new MemoryContentWriter(id, this.#ingests, this.#blobs);
    this.#ingests.set(id, writer);
    return writer;
  }

  async pendingIngests(): Promise<readonly string[]> {
    return [...this.#ingests.keys()].sort();
  }

  async abortIngest(id: string): Promise<void> {
    this.#ingests.delete(id);
  }
}

/** What every content store throws for a blob that is not there. */
export function missingContent(digest: Digest): Error {
  return new ContentMissingError(
    `content ${digest} is not in the store: pull the image it belongs to again`,
    { digest },
  );
}

/** What a writer throws once its ingest was committed, aborted, or taken over by a later ingest of the same ID. */
export function ingestOver(id: string): Error {
  return new StorageFailedError(
    `ingest ${JSON.stringify(id)} is over: it was committed, aborted, or started again by somebody else`,
    { ingest: id },
  );
}

class MemoryContentWriter implements ContentWriter {
  readonly #id: string;
  readonly #ingests: Map<string, MemoryContentWriter>;
  readonly #blobs: Map<Digest, Uint8Array<ArrayBuffer>>;
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;
  #finished = false;

  constructor(
    id: string,
    ingests: Map<string, MemoryContentWriter>,
    blobs: Map<Digest, Uint8Array<ArrayBuffer>>,
  ) {
    this.#id = id;
    this.#ingests = ingests;
    this.#blobs = blobs;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#mustBeOpen();
    if (this.#finished) throw ingestOver(this.#id);
    this.#chunks.push(chunk.slice());
    this.#size += chunk.byteLength;
  }

  finish(): void {
    this.#finished = true;
  }

  async commit(digest: Digest): Promise<void> {
    this.#mustBeOpen();
    if (!this.#blobs.has(digest)) this.#blobs.set(digest, joinBytes(this.#chunks));
    this.#end();
  }

  async abort(): Promise<void> {
    if (this.#ingests.get(this.#id) === this) this.#end();
  }

  #mustBeOpen(): void {
    if (this.#ingests.get(this.#id) !== this) throw ingestOver(this.#id);
  }

  #end(): void {
    this.#ingests.delete(this.#id);
    this.#chunks = [];
  }
}
