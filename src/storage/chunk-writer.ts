/** Writes a blob as chunks into IndexedDB, each a Blob whose slices the browser reads lazily; a small one as bytes. */

import type { Digest } from '../engine/oci/digest.ts';
import type { ContentWriter } from '../engine/store/content.ts';
import { ingestOver } from '../engine/store/memory-content.ts';
import { ChunkBuffer } from './chunk-buffer.ts';
import { type Chunk, LANES } from './database.ts';
import { checkRoom, commitIngest, dropIngest, type IngestPlace, laneOf } from './ingest-rows.ts';

const chunkSize = 8 * 1024 * 1024;

/** Blobs no larger than this are kept as bytes: a Blob costs a file of its own. */
export const inlineSize = 64 * 1024;

/** Chunks of one ingest that may be on their way to the disk at once. */
const chunksInFlight = 3;

export class ChunkWriter implements ContentWriter {
  readonly #place: IngestPlace;
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

  constructor(place: IngestPlace, id: string, parts: string) {
    this.#place = place;
    this.#id = id;
    this.#parts = parts;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#mustBeOpen();
    if (this.#finished) throw ingestOver(this.#id);
    checkRoom(this.#place);
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
    // What lies in the database itself goes to the disk, in order, with the record that comes to need
    // it, and that is committed strictly; the files of Blobs do not.
    const durability = this.#inline ? 'relaxed' : 'strict';
    this.#isVisible = await commitIngest(this.#place, this.#id, row, durability);
    // Somebody else was first. What this ingest brought is dropped in a transaction of its own,
    // so that a commit never waits for the chunks that other workers write.
    if (!this.#isVisible) await dropIngest(this.#place, this.#id, this.#parts);
  }

  async abort(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#storing);
    if (!this.#isVisible) await dropIngest(this.#place, this.#id, this.#parts);
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
    const storing = this.#place.database
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

  #mustBeOpen(): void {
    if (this.#over) throw ingestOver(this.#id);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }
}
