/**
 * One IndexedDB database per sandbox holds its records and its content. It may
 * be open in several workers at once: the engine reads while layer workers
 * write.
 */

import {
  type DBSchema,
  deleteDB,
  type IDBPDatabase,
  type IDBPTransaction,
  type OpenDBCallbacks,
  openDB,
  type StoreNames,
} from 'idb';
import { SandboxInUseError, StorageFullError } from '../engine/errors.ts';
import type { Digest } from '../engine/oci/digest.ts';
import type { RecordKind, Records } from '../engine/store/records.ts';
import { deleteContentFiles } from './content-files.ts';
import { openingFailure, storageFailure } from './failures.ts';
import { inUse } from './ownership.ts';

/**
 * A blob that is visible. Its bytes are the file `parts` (content-files.ts), which counts as one chunk, or the
 * chunks `[parts, 0 .. chunks)`, chunk n in lane n modulo `lanes`.
 */
export interface BlobRow {
  readonly digest: Digest;
  readonly parts: string;
  readonly size: number;
  readonly chunks: number;
  /** Bytes of each chunk but the last. */
  readonly chunkSize: number;
  readonly lanes: number;
  readonly isFile?: true;
}

/** An ingest under way, or left behind: its chunks and its file are under `parts`, which no other ingest ever has. */
export interface IngestRow {
  readonly id: string;
  readonly parts: string;
}

/** A whole small blob, or a piece of a large one, whose slices the browser reads lazily. */
export type Chunk = Blob | ArrayBuffer;

type RecordStores = { [K in RecordKind]: { key: string; value: Records[K] } };

/**
 * The object stores of chunks. Transactions that write one store wait for each other, however little
 * they have in common; those of several go on side by side, which makes a pull's writes about 1.4 times as fast.
 */
export const LANES = [
  'chunks',
  'chunks1',
  'chunks2',
  'chunks3',
  'chunks4',
  'chunks5',
  'chunks6',
  'chunks7',
] as const;
export type Lane = (typeof LANES)[number];

type LaneStores = { [K in Lane]: { key: [string, number]; value: Chunk } };

export interface SandboxSchema extends DBSchema, RecordStores, LaneStores {
  blobs: { key: string; value: BlobRow };
  ingests: { key: string; value: IngestRow };
}

/** One step of the schema: makes stores, or rewrites what is in them. */
export type Migration = (
  db: IDBPDatabase<SandboxSchema>,
  transaction: IDBPTransaction<SandboxSchema, StoreNames<SandboxSchema>[], 'versionchange'>,
) => void | Promise<void>;

/** `migrations[n]` leads from version n to n + 1. One that was released is never changed: add another. */
export const migrations: readonly Migration[] = [
  (db) => {
    for (const kind of ['layers', 'images', 'leases', 'containers', 'logs', 'meta', 'ingests'] as const) {
      db.createObjectStore(kind, { keyPath: 'id' });
    }
    db.createObjectStore('blobs', { keyPath: 'digest' });
    db.createObjectStore('chunks');
  },
  async (db, transaction) => {
    for (const lane of LANES) if (lane !== 'chunks') db.createObjectStore(lane);
    const blobs = transaction.objectStore('blobs');
    for (const row of await blobs.getAll()) await blobs.put({ ...row, lanes: 1 });
  },
  (db) => {
    db.createObjectStore('volumes', { keyPath: 'id' });
  },
  (db) => {
    db.createObjectStore('networks', { keyPath: 'id' });
  },
  // rows of files, which code of before would take for chunks that are missing
  () => undefined,
];

/** The name of a sandbox's database in the browser. */
export function databaseName(sandbox: string): string {
  return `layerbox/${sandbox}`;
}

type Stores = readonly StoreNames<SandboxSchema>[];

/** The record of `meta` that says who owns the sandbox. */
const OWNER = 'owner';

/** An open connection. Its errors are StorageFullError and StorageFailedError. */
export class SandboxDatabase {
  readonly sandbox: string;
  readonly #db: IDBPDatabase<SandboxSchema>;
  /** Whose connection this is; undefined: of somebody who adds content and changes nothing. */
  #owner: string | undefined;

  private constructor(db: IDBPDatabase<SandboxSchema>, sandbox: string) {
    this.#db = db;
    this.sandbox = sandbox;
  }

  /**
   * Opens the sandbox's database, making or migrating it as needed. Throws
   * StorageNewerError when a newer Layerbox wrote it, SandboxInUseError when another tab holds
   * an older one open. `steps` is for tests of steps to come.
   */
  static async open(sandbox: string, steps: readonly Migration[] = migrations): Promise<SandboxDatabase> {
    return new Promise((resolve, reject) => {
      let refused = false;
      const callbacks: OpenDBCallbacks<SandboxSchema> = {
        upgrade: async (db, from, _to, transaction) => {
          try {
            for (const migrate of steps.slice(from)) await migrate(db, transaction);
          } catch (error) {
            // Nothing of a step that failed is kept: the opening fails, and the next one tries again.
            transaction.done.catch(() => undefined); // says only that it was aborted
            transaction.abort();
            reject(storageFailure(error, `bringing sandbox ${JSON.stringify(sandbox)} up to date`));
          }
        },
        // Connections of this code close themselves when asked to (below). One that does not
        // belongs to a tab that hangs: waiting for it would hang this one, too.
        blocked: () => {
          refused = true;
          reject(
            new SandboxInUseError(
              `sandbox ${JSON.stringify(sandbox)} is open in another tab that runs an older version: close that tab and reload this one`,
              { sandbox },
            ),
          );
        },
        blocking: (_current, _blocked, event) => {
          if (event.target instanceof IDBDatabase) event.target.close();
        },
      };
      // async: where the browser gives no storage it throws at once, or there is nothing to call
      const opening = (async () => openDB(databaseName(sandbox), steps.length, callbacks))();
      opening.then(
        (db) => (refused ? db.close() : resolve(new SandboxDatabase(db, sandbox))),
        (cause: unknown) =>
          reject(openingFailure(cause, `opening sandbox ${JSON.stringify(sandbox)}`, sandbox)),
      );
    });
  }

  /**
   * Runs `work` in one transaction and resolves when it is complete; with
   * `durability: 'strict'`, when it is on the disk. `work` must await nothing but
   * requests of its transaction: any other wait closes it. If it throws, nothing
   * of it is kept.
   */
  async transact<Names extends Stores, Mode extends 'readonly' | 'readwrite', T>(
    doing: string,
    stores: Names,
    mode: Mode,
    work: (transaction: IDBPTransaction<SandboxSchema, Names, Mode>) => Promise<T>,
    durability: 'strict' | 'relaxed' = 'relaxed',
  ): Promise<T> {
    try {
      const transaction = this.#db.transaction(stores, mode, { durability });
      const ended = transaction.done.then(
        () => undefined,
        (cause: unknown) => ({ cause }),
      );
      let failed: { readonly cause: unknown } | undefined;
      let result: { readonly value: T } | undefined;
      try {
        result = { value: await work(transaction) };
      } catch (cause) {
        failed = { cause };
        abortIfOpen(transaction);
      }
      const aborted = await ended;
      // A request of a transaction that the browser aborted says only AbortError; why is in the transaction.
      const why = transaction.error ?? failed?.cause ?? aborted?.cause;
      if (result === undefined || aborted !== undefined) throw why;
      return result.value;
    } catch (cause) {
      throw storageFailure(cause, doing);
    }
  }

  /**
   * From now on `transactAsOwner` is for this connection alone: those of earlier owners fail with SandboxInUseError.
   * Where the storage is full that cannot be written, and the lock alone keeps others out: what is full must be opened
   * to be pruned.
   */
  async own(token: string): Promise<void> {
    const written = this.transact(
      'taking over the sandbox',
      ['meta'],
      'readwrite',
      (transaction) => transaction.objectStore('meta').put({ id: OWNER, value: token }),
      'strict',
    );
    try {
      await written;
      this.#owner = token;
    } catch (error) {
      if (!(error instanceof StorageFullError)) throw error;
    }
  }

  /** Whether no other tab has become the owner since `own`. */
  async isOwned(): Promise<boolean> {
    const owner = this.#owner;
    if (owner === undefined) return true;
    const present = await this.transact('looking for the owner', ['meta'], 'readonly', (transaction) =>
      transaction.objectStore('meta').get(OWNER),
    );
    return present?.value === owner;
  }

  /** As `transact`, and nothing is kept when another tab has become the owner meanwhile: SandboxInUseError. */
  transactAsOwner<Names extends Stores, T>(
    doing: string,
    stores: Names,
    work: (transaction: IDBPTransaction<SandboxSchema, Names, 'readwrite'>) => Promise<T>,
    durability: 'strict' | 'relaxed' = 'relaxed',
  ): Promise<T> {
    const owner = this.#owner;
    if (owner === undefined) return this.transact(doing, stores, 'readwrite', work, durability);
    const all = stores.includes('meta') ? stores : [...stores, 'meta' as const];
    return this.transact(
      doing,
      all,
      'readwrite',
      async (transaction) => {
        const present = await transaction.objectStore('meta').get(OWNER);
        if (present?.value !== owner) throw inUse(this.sandbox);
        return work(transaction as unknown as IDBPTransaction<SandboxSchema, Names, 'readwrite'>);
      },
      durability,
    );
  }

  close(): void {
    this.#db.close();
  }
}

/** Removes the sandbox's database with all that is in it, and its files. Every connection must be closed, or closes itself. */
export async function deleteSandboxDatabase(sandbox: string): Promise<void> {
  await deleteContentFiles(sandbox);
  try {
    await deleteDB(databaseName(sandbox));
  } catch (cause) {
    throw storageFailure(cause, `removing sandbox ${JSON.stringify(sandbox)}`);
  }
}

function abortIfOpen(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch (error) {
    // The browser ended it before we did.
    if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
  }
}
