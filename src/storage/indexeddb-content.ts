/**
 * The content store on IndexedDB. What makes a blob visible is its row, which the
 * last transaction of the ingest writes. A small blob's bytes are beside it; a large one's are a file of the
 * origin's private file system, or chunks of 8 MB in the database where the browser or the thread has no
 * such files to write.
 */

import type { Digest } from '../engine/oci/digest.ts';
import type { ContentStore, ContentWriter } from '../engine/store/content.ts';
import { missingContent } from '../engine/store/memory-content.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { ContentFiles } from './content-files.ts';
import { type BlobRow, type Chunk, SandboxDatabase } from './database.ts';
import { storageFailure } from './failures.ts';
import { FileWriter } from './file-writer.ts';
import {
  beginIngest,
  checkRoom,
  dropIngest,
  type IngestPlace,
  laneOf,
  removeBlob,
  unnamedFiles,
} from './ingest-rows.ts';
import type { StorageRoom } from './storage-room.ts';

/** Files and chunks that are kept at hand, so that a read of them needs no transaction. */
const handlesKept = 512;

const UNNAMED = 'file/';

type ContentRoom = Pick<StorageRoom, 'isShort' | 'give'>;

export class IndexedDBContentStore implements ContentStore {
  readonly #place: IngestPlace;
  readonly #room: ContentRoom | undefined;
  readonly #rows = new Map<Digest, BlobRow>();
  /** Least recently read first. What another connection removed keeps its space until it falls out of here. */
  readonly #handles = new Map<string, Blob>();

  /** Without `files` all of it is in the database. While `room` is short nothing is ingested. */
  constructor(database: SandboxDatabase, files?: ContentFiles, room?: ContentRoom) {
    this.#place = { database, files, room };
    this.#room = room;
  }

  /** The content of a sandbox, through a connection of its own. */
  static async open(sandbox: string): Promise<IndexedDBContentStore> {
    return new IndexedDBContentStore(await SandboxDatabase.open(sandbox), await ContentFiles.open(sandbox));
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
    const rows = await this.#place.database.transact(
      'listing content',
      ['blobs'],
      'readonly',
      (transaction) => transaction.objectStore('blobs').getAll(),
    );
    return rows.map(({ digest, size }) => ({ digest, size }));
  }

  async delete(digest: Digest): Promise<void> {
    this.#forget(digest);
    const freed = await removeBlob(this.#place, digest);
    this.#room?.give(freed);
    // A read that was under way may have put its handle back.
    this.#forget(digest);
  }

  async ingest(id: string): Promise<ContentWriter> {
    checkRoom(this.#place);
    const parts = await beginIngest(this.#place, id);
    const { files } = this.#place;
    return files?.areWritable === true
      ? new FileWriter(this.#place, files, id, parts)
      : new ChunkWriter(this.#place, id, parts);
  }

  /** With files that nobody names, as `file/<name>`. */
  async pendingIngests(): Promise<readonly string[]> {
    const ids = await this.#place.database.transact(
      'listing ingests',
      ['ingests'],
      'readonly',
      (transaction) => transaction.objectStore('ingests').getAllKeys(),
    );
    const files = await unnamedFiles(this.#place);
    return [...ids, ...files.map((name) => `${UNNAMED}${name}`)];
  }

  async abortIngest(id: string): Promise<void> {
    const row = await this.#place.database.transact(
      `looking for ingest ${id}`,
      ['ingests'],
      'readonly',
      (transaction) => transaction.objectStore('ingests').get(id),
    );
    if (row !== undefined) await dropIngest(this.#place, id, row.parts);
    else if (id.startsWith(UNNAMED)) await this.#place.files?.remove(id.slice(UNNAMED.length));
  }

  #row(digest: Digest): Promise<BlobRow | undefined> {
    return this.#place.database.transact(`looking for ${digest}`, ['blobs'], 'readonly', (transaction) =>
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
    const stored = await this.#stored(row, chunk);
    if (stored === undefined) return undefined;
    if (stored instanceof ArrayBuffer) return new Uint8Array(stored.slice(from, to));
    this.#remember(key, stored);
    return this.#slice(row, stored, from, to);
  }

  #stored(row: BlobRow, chunk: number): Promise<Chunk | undefined> {
    if (row.isFile === true) return this.#place.files?.read(row.parts) ?? Promise.resolve(undefined);
    const lane = laneOf(chunk, row.lanes);
    return this.#place.database.transact(`reading ${row.digest}`, [lane], 'readonly', (transaction) =>
      transaction.objectStore(lane).get([row.parts, chunk]),
    );
  }

  async #slice(
    row: BlobRow,
    handle: Blob,
    from: number,
    to: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return new Uint8Array(await handle.slice(from, to).arrayBuffer());
    } catch (cause) {
      this.#forget(row.digest);
      // a chunk lives as long as its handle, a file does not
      if (row.isFile === true && cause instanceof DOMException && cause.name === 'NotFoundError')
        return undefined;
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
