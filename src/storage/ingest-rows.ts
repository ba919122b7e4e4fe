/**
 * What the database knows of an ingest. Its row names `parts`, under which its
 * chunks and its file are and which no other ingest ever has. Whatever holds
 * bytes is named by a row of `blobs` or of `ingests` at every moment, so that nothing a killed tab leaves is
 * beyond reach.
 */

import { type Digest, hexOf } from '../engine/oci/digest.ts';
import { ingestOver } from '../engine/store/memory-content.ts';
import type { ContentFiles } from './content-files.ts';
import { type BlobRow, LANES, type Lane, type SandboxDatabase } from './database.ts';

export interface IngestPlace {
  readonly database: SandboxDatabase;
  /** Undefined where the browser has none. */
  readonly files: ContentFiles | undefined;
}

/** Begins the ingest `id` and drops what an earlier one left; returns the name of its parts. */
export async function beginIngest(place: IngestPlace, id: string): Promise<string> {
  const parts = hexOf(crypto.getRandomValues(new Uint8Array(16)));
  const left = await place.database.transact(
    `starting ingest ${id}`,
    ['ingests'],
    'readwrite',
    async (transaction) => {
      const ingests = transaction.objectStore('ingests');
      const before = await ingests.get(id);
      if (before !== undefined) await ingests.put({ id: removalOf(before.parts), parts: before.parts });
      await ingests.put({ id, parts });
      return before?.parts;
    },
  );
  if (left !== undefined) await dropIngest(place, removalOf(left), left);
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

/** Drops the parts, and the ingest unless it has been begun anew since. What somebody still writes stays for the next start. */
export async function dropIngest({ database, files }: IngestPlace, id: string, parts: string): Promise<void> {
  if (files !== undefined && !(await files.remove(parts))) return;
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
}

/** Removes a blob: its row becomes that of an ingest given up, until its bytes are gone. */
export async function removeBlob(place: IngestPlace, digest: Digest): Promise<void> {
  const parts = await place.database.transactAsOwner(
    `removing ${digest}`,
    ['blobs', 'ingests'],
    async (transaction) => {
      const row = await transaction.objectStore('blobs').get(digest);
      if (row === undefined) return undefined;
      await transaction.objectStore('blobs').delete(digest);
      await transaction.objectStore('ingests').put({ id: removalOf(row.parts), parts: row.parts });
      return row.parts;
    },
  );
  if (parts !== undefined) await dropIngest(place, removalOf(parts), parts);
}

/** The object store of a chunk. */
export function laneOf(chunk: number, lanes: number): Lane {
  return LANES[chunk % lanes] ?? LANES[0];
}

function removalOf(parts: string): string {
  return `removal/${parts}`;
}

/** All chunks of one ingest: an array sorts after every number. */
async function deleteChunks(
  transaction: { objectStore(lane: Lane): { delete(range: IDBKeyRange): Promise<void> } },
  parts: string,
): Promise<void> {
  const range = IDBKeyRange.bound([parts], [parts, []]);
  await Promise.all(LANES.map((lane) => transaction.objectStore(lane).delete(range)));
}
