/** The record store on IndexedDB: an object store per kind, a transaction per commit. */

import { StorageFullError } from '../engine/errors.ts';
import type { Change, RecordKind, RecordStore, Records } from '../engine/store/records.ts';
import type { SandboxDatabase } from './database.ts';
import type { StorageRoom } from './storage-room.ts';

export class IndexedDBRecordStore implements RecordStore {
  readonly #database: SandboxDatabase;
  readonly #room: Pick<StorageRoom, 'spend'> | undefined;

  /** What a full storage refuses, and is not of an image, takes the reserve of `room`. */
  constructor(database: SandboxDatabase, room?: Pick<StorageRoom, 'spend'>) {
    this.#database = database;
    this.#room = room;
  }

  async get<K extends RecordKind>(kind: K, id: string): Promise<Records[K] | undefined> {
    const record = await this.#database.transact(`reading ${kind}`, [kind], 'readonly', (transaction) =>
      transaction.objectStore(kind).get(id),
    );
    // The schema says the same, but the compiler does not see through it while K is open.
    return record as Records[K] | undefined;
  }

  async list<K extends RecordKind>(kind: K, prefix = ''): Promise<readonly Records[K][]> {
    const records = await this.#database.transact(`reading ${kind}`, [kind], 'readonly', (transaction) =>
      transaction.objectStore(kind).getAll(startingWith(prefix)),
    );
    return records as readonly Records[K][];
  }

  ids(kind: RecordKind, prefix = ''): Promise<readonly string[]> {
    return this.#database.transact(`reading ${kind}`, [kind], 'readonly', (transaction) =>
      transaction.objectStore(kind).getAllKeys(startingWith(prefix)),
    );
  }

  async commit(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    try {
      await this.#commit(changes);
    } catch (error) {
      if (!(error instanceof StorageFullError) || changes.some(isOfImage)) throw error;
      if (!(await this.#room?.spend())) throw error;
      await this.#commit(changes);
    }
  }

  async #commit(changes: readonly Change[]): Promise<void> {
    const kinds = [...new Set(changes.map((change) => change.kind))];
    await this.#database.transactAsOwner(
      'writing records',
      kinds,
      async (transaction) => {
        await Promise.all(
          // async: what cannot be cloned throws at once, and must not leave the requests before it unawaited
          changes.map(async (change) =>
            'delete' in change
              ? transaction.objectStore(change.kind).delete(change.delete)
              : transaction.objectStore(change.kind).put(change.put),
          ),
        );
      },
      // a lease that ends with the page has nothing to say to the next start, whatever is lost before it
      changes.every(endsWithThePage) ? 'relaxed' : 'strict',
    );
  }
}

const ofImages: ReadonlySet<RecordKind> = new Set(['images', 'layers', 'leases']);

/** Of what is pulled, loaded or committed: that is refused where there is no room for it. */
const isOfImage = (change: Change): boolean => 'put' in change && ofImages.has(change.kind);

const endsWithThePage = (change: Change): boolean =>
  change.kind === 'leases' && 'put' in change && change.put.ephemeral;

/** The range of keys that start with `prefix`; all of them for the empty one. */
function startingWith(prefix: string): IDBKeyRange | null {
  if (prefix === '') return null;
  const last = prefix.charCodeAt(prefix.length - 1);
  // Nothing follows U+FFFF; IDs of records are ASCII, so no prefix ends with it.
  return IDBKeyRange.bound(prefix, prefix.slice(0, -1) + String.fromCharCode(last + 1), false, true);
}
