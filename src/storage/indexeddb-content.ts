/**
 * The content store on IndexedDB. A blob's bytes are chunks of 8 MB, each a
 * Blob whose slices the browser reads lazily, under an ID that belongs to one
 * ingest alone. What makes a blob visible is its row, which the last
 * transaction of the ingest writes.
 */

import { type Digest, hexOf } from '../engine/oci/digest.ts';
import type { ContentStore, ContentWriter } from '../engine/store/content.ts';
import { ingestOver, missingContent } from '../engine/store/memory-content.ts';
import { ChunkBuffer } from './chunk-buffer.ts';
import { type BlobRow, type Chunk, LANES, type Lane, type SandboxDatabase } from './database.ts';
import { storageFailure } from './failures.ts';

const chunkSize = 8 * 1024 * 1024;

/** Blobs no larger than this are kept as bytes: a Blob costs a file of its own. */
const inlineSize = 64 * 1024;

/** Chunks whose Blob is kept at hand, so that a read of them needs no transaction. */
const handlesKept = 512;

/** Chunks of one ingest that may be on their way to the disk at once. */
const chunksInFlight = 3;

export class IndexedDBContentStore implements ContentStore {
  readonly #database: SandboxDatabase;
  readonly #rows = new Map<Digest, BlobRow>();
  /** Least recently read first. What another connection removed keeps its space until it falls out of here. */
  readonly #handles = new Map<string, Blob>();

  constructor(database: SandboxDatabase) {
    this.#database = database;
  }

  async stat(digest: Digest): Promise<{ readonly size: number } | undefined> {
    const row = await this.#row(digest);
    return row === undefined ? undefined : { size: row.size };
  }

  async read(
    digest: Digest,
    offset = 0,
    length = Number.POSITIVE_INFINITY,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.#rows.get(digest);
    if (known !== undefined) {
      const bytes = await this.#readRow(known, offset, length);
      if (bytes !== undefined) return bytes;
      // Removed by another connection since, and perhaps ingested anew.
      this.#forget(digest);
    }
    const row = await this.#row(digest);
    if (row === undefined) throw missingContent(digest);
    const bytes = await this.#readRow(row, offset, length);
    if (bytes === undefined) throw missingContent(digest);
    this.#rows.set(digest, row);
    return bytes;
  }

  async list(): Promise<readonly { readonly digest: Digest; readonly size: number }[]> {
    const rows = await this.#database.transact('listing content', ['blobs'], 'readonly', (transaction) =>
      transaction.objectStore('blobs').getAll(),
    );
    return rows.map(({ digest, size }) => ({ digest, size }));
  }

  async delete(digest: Digest): Promise<void> {
    this.#forget(digest);
    await this.#database.transactAsOwner(`removing ${digest}`, ['blobs', ...LANES], async (transaction) => {
      const row = await transaction.objectStore('blobs').get(digest);
      if (row === undefined) return;
      await deleteChunks(transaction, row.parts);
      await transaction.objectStore('blobs').delete(digest);
    });
    // A read that was under way may have put its handle back.
    this.#forget(digest);
  }

  async ingest(id: string): Promise<ContentWriter> {
    const parts = hexOf(crypto.getRandomValues(new Uint8Array(16)));
    await this.#database.transact(
      `starting ingest ${id}`,
      ['ingests', ...LANES],
      'readwrite',
      async (transaction) => {
        const left = await transaction.objectStore('ingests').get(id);
        if (left !== undefined) await deleteChunks(transaction, left.parts);
        await transaction.objectStore('ingests').put({ id, parts });
      },
    );
    return new IndexedDBContentWriter(this.#database, id, parts);
  }

  async pendingIngests(): Promise<readonly string[]> {
    return this.#database.transact('listing ingests', ['ingests'], 'readonly', (transaction) =>
      transaction.objectStore('ingests').getAllKeys(),
    );
  }

  async abortIngest(id: string): Promise<void> {
    await this.#database.transact(
      `aborting ingest ${id}`,
      ['ingests', ...LANES],
      'readwrite',
      async (transaction) => {
        const row = await transaction.objectStore('ingests').get(id);
        if (row === undefined) return;
        await deleteChunks(transaction, row.parts);
        await transaction.objectStore('ingests').delete(id);
      },
    );
  }

  #row(digest: Digest): Promise<BlobRow | undefined> {
    return this.#database.transact(`looking for ${digest}`, ['blobs'], 'readonly', (transaction) =>
      transaction.objectStore('blobs').get(digest),
    );
  }

  /** The bytes, or undefined when a chunk of them is gone. */
  async #readRow(row: BlobRow, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const end = Math.min(row.size, offset + length);
    if (offset >= end) return new Uint8Array(0);
    const first = Math.floor(offset / row.chunkSize);
    const last = Math.floor((end - 1) / row.chunkSize);
    if (first === last) {
      const start = first * row.chunkSize;
      return this.#readChunk(row, first, offset - start, end - start);
    }
    const bytes = new Uint8Array(end - offset);
    // One after the other: a whole layer read at once would be in memory twice.
    for (let chunk = first; chunk <= last; chunk += 1) {
      const start = chunk * row.chunkSize;
      const from = Math.max(offset, start);
      const piece = await this.#readChunk(row, chunk, from - start, Math.min(end - start, row.chunkSize));
      if (piece === undefined) return undefined;
      bytes.set(piece, from - offset);
    }
    return bytes;
  }

  async #readChunk(
    row: BlobRow,
    chunk: number,
    from: number,
    to: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const key = `${row.parts}/${chunk}`;
    const handle = this.#handles.get(key);
    if (handle !== undefined) {
      this.#handles.delete(key);
      this.#handles.set(key, handle);
      return this.#slice(row, handle, from, to);
    }
    const lane = laneOf(chunk, row.lanes);
    const stored = await this.#database.transact(`reading ${row.digest}`, [lane], 'readonly', (transaction) =>
      transaction.objectStore(lane).get([row.parts, chunk]),
    );
    if (stored === undefined) return undefined;
    if (stored instanceof ArrayBuffer) return new Uint8Array(stored.slice(from, to));
    this.#remember(key, stored);
    return this.#slice(row, stored, from, to);
  }

  async #slice(row: BlobRow, handle: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return new Uint8Array(await handle.slice(from, to).arrayBuffer());
    } catch (cause) {
      this.#forget(row.digest);
      throw storageFailure(cause, `reading ${row.digest}`);
    }
  }

  #remember(key: string, handle: Blob): void {
    this.#handles.set(key, handle);
    for (const oldest of this.#handles.keys()) {
      if (this.#handles.size <= handlesKept) break;
      this.#handles.delete(oldest);
    }
  }

  #forget(digest: Digest): void {
    const row = this.#rows.get(digest);
    if (row === undefined) return;
    this.#rows.delete(digest);
    for (let chunk = 0; chunk < row.chunks; chunk += 1) this.#handles.delete(`${row.parts}/${chunk}`);
  }
}

class IndexedDBContentWriter implements ContentWriter {
  readonly #database: SandboxDatabase;
  readonly #id: string;
  readonly #parts: string;
  readonly #buffer = new ChunkBuffer(chunkSize);
  /** Chunks on their way, oldest first. */
  readonly #storing: Promise<void>[] = [];
  #chunks = 0;
  #size = 0;
  #failure: { readonly cause: unknown } | undefined;
  #finished = false;
  /** True when all of it is one chunk that lies in the database itself. */
  #inline = false;
  #over = false;
  /** Its chunks are those of a blob. */
  #isVisible = false;

  constructor(database: SandboxDatabase, id: string, parts: string) {
    this.#database = database;
    this.#id = id;
    this.#parts = parts;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#mustBeOpen();
    if (this.#finished) throw ingestOver(this.#id);
    this.#size += chunk.byteLength;
    for (let at = 0; at < chunk.byteLength; ) {
      if (this.#buffer.length === 0 && chunk.byteLength - at >= chunkSize) {
        await this.#send(new Blob([chunk.subarray(at, at + chunkSize)]));
        at += chunkSize;
        continue;
      }
      at += this.#buffer.append(chunk, at);
      if (this.#buffer.length === chunkSize) await this.#send(this.#buffer.takeBlob());
    }
  }

  finish(): void {
    this.#finished = true;
    if (this.#buffer.length === 0) return;
    this.#inline = this.#chunks === 0 && this.#buffer.length <= inlineSize;
    this.#store(this.#inline ? this.#buffer.takeBytes() : this.#buffer.takeBlob());
  }

  async commit(digest: Digest): Promise<void> {
    this.#mustBeOpen();
    this.finish();
    await Promise.all(this.#storing);
    this.#throwFailure();
    this.#over = true;
    const row = {
      digest,
      parts: this.#parts,
      size: this.#size,
      chunks: this.#chunks,
      chunkSize,
      lanes: LANES.length,
    };
    const isThere = await this.#database.transact(
      `committing ${digest}`,
      ['ingests', 'blobs'],
      'readwrite',
      async (transaction) => {
        const ingest = await transaction.objectStore('ingests').get(this.#id);
        if (ingest?.parts !== this.#parts) throw ingestOver(this.#id);
        if ((await transaction.objectStore('blobs').get(digest)) !== undefined) return true;
        await transaction.objectStore('blobs').put(row);
        await transaction.objectStore('ingests').delete(this.#id);
        return false;
      },
      // What lies in the database itself goes to the disk, in order, with the record that comes to need
      // it, and that is committed strictly; the files of Blobs do not.
      this.#inline ? 'relaxed' : 'strict',
    );
    // Somebody else was first. What this ingest brought is dropped in a transaction of its own,
    // so that a commit never waits for the chunks that other workers write.
    if (isThere) await this.#drop();
    else this.#isVisible = true;
  }

  async abort(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#storing);
    if (!this.#isVisible) await this.#drop();
  }

  /** Stores a chunk; waits while too many are on their way. Throws what an earlier one failed with. */
  async #send(chunk: Chunk): Promise<void> {
    this.#store(chunk);
    if (this.#storing.length > chunksInFlight) await this.#storing.shift();
    this.#throwFailure();
  }

  #store(chunk: Chunk): void {
    const number = this.#chunks;
    this.#chunks += 1;
    const lane = laneOf(number, LANES.length);
    const storing = this.#database
      // that the ingest is still this writer's own is looked at once, by the commit: every chunk would wait for all others
      .transact(`writing ${this.#id}`, [lane], 'readwrite', async (transaction) => {
        await transaction.objectStore(lane).put(chunk, [this.#parts, number]);
      })
      .catch((cause: unknown) => {
        // For the next write or the commit: nobody awaits this promise at once.
        this.#failure ??= { cause };
      });
    this.#storing.push(storing);
  }

  async #drop(): Promise<void> {
    await this.#database.transact(
      `aborting ingest ${this.#id}`,
      ['ingests', ...LANES],
      'readwrite',
      async (transaction) => {
        // its chunks are under a name that nobody else has, whoever the ingest belongs to by now
        await deleteChunks(transaction, this.#parts);
        const ingest = await transaction.objectStore('ingests').get(this.#id);
        if (ingest?.parts === this.#parts) await transaction.objectStore('ingests').delete(this.#id);
      },
    );
  }

  #mustBeOpen(): void {
    if (this.#over) throw ingestOver(this.#id);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }
}

function laneOf(chunk: number, lanes: number): Lane {
  return LANES[chunk % lanes] ?? LANES[0];
}

/** All chunks of one ingest: an array sorts after every number. */
async function deleteChunks(
  transaction: {
    objectStore(lane: Lane): { delete(range: IDBKeyRange): Promise<void> };
  },
  parts: string,
): Promise<void> {
  const range = IDBKeyRange.bound([parts], [parts, []]);
  await Promise.all(LANES.map((lane) => transaction.objectStore(lane).delete(range)));
}
