/** Writes a blob into a file of the origin's private file system; a small one as bytes into the database. */

import type { Digest } from '../engine/oci/digest.ts';
import type { ContentWriter } from '../engine/store/content.ts';
import { ingestOver } from '../engine/store/memory-content.ts';
import { ChunkBuffer } from './chunk-buffer.ts';
import { inlineSize } from './chunk-writer.ts';
import type { ContentFile, ContentFiles } from './content-files.ts';
import { LANES } from './database.ts';
import { checkRoom, commitIngest, dropIngest, type IngestPlace, laneOf } from './ingest-rows.ts';

export class FileWriter implements ContentWriter {
  readonly #place: IngestPlace;
  readonly #files: ContentFiles;
  readonly #id: string;
  readonly #parts: string;
  /** The first bytes, until there are too many for the database. */
  readonly #buffer = new ChunkBuffer(inlineSize);
  #file: ContentFile | undefined;
  /** The writes so far, in turn: making the file takes a moment, and what comes meanwhile waits. */
  #writes = Promise.resolve();
  #size = 0;
  #failure: { readonly cause: unknown } | undefined;
  #finished = false;
  #over = false;
  /** Its parts are those of a blob. */
  #isVisible = false;

  constructor(place: IngestPlace, files: ContentFiles, id: string, parts: string) {
    this.#place = place;
    this.#files = files;
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
    const written = this.#writes.then(() => this.#append(chunk));
    this.#writes = written.catch((cause: unknown) => {
      // for the next write or the commit, too
      this.#failure ??= { cause };
    });
    await written;
  }

  finish(): void {
    this.#finished = true;
  }

  async commit(digest: Digest): Promise<void> {
    this.#mustBeOpen();
    this.finish();
    await this.#writes;
    this.#throwFailure();
    this.#over = true;
    this.#close();
    const isInline = this.#size <= inlineSize;
    if (isInline) await this.#storeInline();
    const row = {
      digest,
      parts: this.#parts,
      size: this.#size,
      chunks: this.#size === 0 ? 0 : 1,
      chunkSize: Math.max(1, this.#size),
      lanes: LANES.length,
      ...(!isInline && ({ isFile: true } as const)),
    };
    // it goes to the disk with the record that comes to need it
    this.#isVisible = await commitIngest(this.#place, this.#id, row, 'relaxed');
    if (!this.#isVisible) await dropIngest(this.#place, this.#id, this.#parts);
  }

  async abort(): Promise<void> {
    this.#over = true;
    await this.#writes;
    this.#close();
    if (!this.#isVisible) await dropIngest(this.#place, this.#id, this.#parts);
  }

  async #append(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#throwFailure();
    if (this.#file === undefined) {
      if (this.#buffer.length + chunk.byteLength <= inlineSize) {
        this.#buffer.append(chunk, 0);
        return;
      }
      this.#file = await this.#files.create(this.#parts);
      this.#file.append(new Uint8Array(this.#buffer.takeBytes()));
    }
    this.#file.append(chunk);
  }

  async #storeInline(): Promise<void> {
    if (this.#size === 0) return;
    const lane = laneOf(0, LANES.length);
    const bytes = this.#buffer.takeBytes();
    await this.#place.database.transact(`writing ${this.#id}`, [lane], 'readwrite', async (transaction) => {
      await transaction.objectStore(lane).put(bytes, [this.#parts, 0]);
    });
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #mustBeOpen(): void {
    if (this.#over) throw ingestOver(this.#id);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }
}
