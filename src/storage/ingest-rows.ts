/**
 * What the database knows of an ingest. Its row names `parts`, under which its
 * chunks and its file are and which no other ingest ever has. A file is made after the row that names it and
 * removed after that is gone (a full storage takes no row that says what is to be removed), so a
 * file without one is what a killed tab left.
 */

import { type Digest, hexOf } from '../engine/oci/digest.ts';
import { ingestOver } from '../engine/store/memory-content.ts';
import type { ContentFiles } from './content-files.ts';
import { type BlobRow, LANES, type Lane, type SandboxDatabase } from './database.ts';
import { storageFull } from './failures.ts';
import type { StorageRoom } from './storage-room.ts';

export interface IngestPlace {
  readonly database: SandboxDatabase;
  /** Undefined where the browser has none. */
  readonly files: ContentFiles | undefined;
  /** While it is short nothing is ingested. */
  readonly room?: Pick<StorageRoom, 'isShort'> | undefined;
}

/** Throws StorageFullError while room is short: what there is then is for what was written before. */
export function checkRoom({ room }: IngestPlace): void {
  if (room?.isShort === true) throw storageFull('storing more content');
}

/** Begins the ingest `id` and drops what an earlier one left; returns the name of its parts. */
export async function beginIngest(place: IngestPlace, id: string): Promise<string> {
  const parts = hexOf(crypto.getRandomValues(new Uint8Array(16)));
  const left = await place.database.transact(
    `starting ingest ${id}`,
    ['ingests', ...LANES],
    'readwrite',
    async (transaction) => {
      const before = await transaction.objectStore('ingests').get(id);
      if (before !== undefined) await deleteChunks(transaction, before.parts);
      await transaction.objectStore('ingests').put({ id, parts });
      return before?.parts;
    },
  );
  if (left !== undefined) await place.files?.remove(left);
  return parts;
}

/**
 * Makes the parts visible as `row`. False when such a blob is there already: then the parts are still the
 * ingest's. StorageFailedError when the ingest has been begun anew or aborted since.
 */
export async function commitIngest(
  { database }: IngestPlace,
  id: string,
  row: BlobRow,
  durability: 'strict' | 'relaxed',
): Promise<boolean> {
  return database.transact(
    `committing ${row.digest}`,
    ['ingests', 'blobs'],
    'readwrite',
    async (transaction) => {
      const ingest = await transaction.objectStore('ingests').get(id);
      if (ingest?.parts !== row.parts) throw ingestOver(id);
      if ((await transaction.objectStore('blobs').get(row.digest)) !== undefined) return false;
      await transaction.objectStore('blobs').put(row);
      await transaction.objectStore('ingests').delete(id);
      return true;
    },
    durability,
  );
}

/** Drops the parts, and the ingest unless it has been begun anew since. */
export async function dropIngest({ database, files }: IngestPlace, id: string, parts: string): Promise<void> {
  await database.transact(
    `aborting ingest ${id}`,
    ['ingests', ...LANES],
    'readwrite',
    async (transaction) => {
      await deleteChunks(transaction, parts);
      const ingest = await transaction.objectStore('ingests').get(id);
      if (ingest?.parts === parts) await transaction.objectStore('ingests').delete(id);
    },
  );
  await files?.remove(parts);
}

/** Removes a blob; the bytes that it had, 0 when there is none. */
export async function removeBlob({ database, files }: IngestPlace, digest: Digest): Promise<number> {
  const row = await database.transactAsOwner(
    `removing ${digest}`,
    ['blobs', ...LANES],
    async (transaction) => {
      const present = await transaction.objectStore('blobs').get(digest);
      if (present === undefined) return undefined;
      await deleteChunks(transaction, present.parts);
      await transaction.objectStore('blobs').delete(digest);
      return present;
    },
  );
  if (row === undefined) return 0;
  await files?.remove(row.parts);
  return row.size;
}

/** Files that no row names. */
export async function unnamedFiles({ database, files }: IngestPlace): Promise<readonly string[]> {
  // before the rows: a file that is made meanwhile has one
  const names = (await files?.names()) ?? [];
  if (names.length === 0) return [];
  const rows = await database.transact('listing parts', ['blobs', 'ingests'], 'readonly', (transaction) =>
    Promise.all([transaction.objectStore('blobs').getAll(), transaction.objectStore('ingests').getAll()]),
  );
  const named = new Set(rows.flat().map(({ parts }) => parts));
  return names.filter((name) => !named.has(name));
}

/** The object store of a chunk. */
export function laneOf(chunk: number, lanes: number): Lane {
  return LANES[chunk % lanes] ?? LANES[0];
}

/** All chunks of one ingest: an array sorts after every number. */
async function deleteChunks(
  transaction: { objectStore(lane: Lane): { delete(range: IDBKeyRange): Promise<void> } },
  parts: string,
): Promise<void> {
  const range = IDBKeyRange.bound([parts], [parts, []]);
  await Promise.all(LANES.map((lane) => transaction.objectStore(lane).delete(range)));
}
