/**
 * What lightning-fs keeps its files in (its `db` option), made so that a flush
 * is one transaction: file contents and removals are staged in memory, and
 * stored together with the tree of names or not at all. On its own lightning-fs
 * stores contents at once and the tree half a second later, so that a tab that
 * dies in between leaves names without content, or a new file's content under
 * an old file's inode number.
 */

import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb';
import { StorageFailedError } from '../engine/errors.ts';
import { openingFailure, storageFailure } from './failures.ts';
import { inUse } from './ownership.ts';

/** The tree of names, whole, as lightning-fs passes it: maps in maps, plain data. */
type Tree = ReadonlyMap<string | number, unknown>;

interface SegmentSchema extends DBSchema {
  /** The tree under `root`; under `owner` the token of whose it is. */
  trees: { key: string; value: Tree | string };
  /** File contents by inode number. */
  files: { key: number; value: Uint8Array<ArrayBuffer> };
}

const treeKey = 'root';
const ownerKey = 'owner';

/** The name of the database that holds a sandbox's journals. */
export function segmentDatabaseName(sandbox: string): string {
  return `layerbox-journals/${sandbox}`;
}

export class SegmentDatabase {
  readonly #db: IDBPDatabase<SegmentSchema>;
  readonly #sandbox: string;
  readonly #owner: string | undefined;
  readonly #written = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #removed = new Set<number>();
  #isCommitting = false;

  private constructor(db: IDBPDatabase<SegmentSchema>, sandbox: string, owner: string | undefined) {
    this.#db = db;
    this.#sandbox = sandbox;
    this.#owner = owner;
  }

  /**
   * With `owner`, a token of ownership.ts, nothing that earlier owners commit is kept from now on: they have
   * SandboxInUseError. Throws StorageNewerError, StorageFullError and StorageFailedError.
   */
  static async open(sandbox: string, owner?: string): Promise<SegmentDatabase> {
    try {
      const db = await openDB<SegmentSchema>(segmentDatabaseName(sandbox), 1, {
        upgrade: (created) => {
          created.createObjectStore('trees');
          created.createObjectStore('files');
        },
        blocking: (_current, _blocked, event) => {
          if (event.target instanceof IDBDatabase) event.target.close();
        },
      });
      const isOwned = owner !== undefined && (await putOwner(db, owner));
      return new SegmentDatabase(db, sandbox, isOwned ? owner : undefined);
    } catch (cause) {
      throw openingFailure(cause, `opening the journals of sandbox ${JSON.stringify(sandbox)}`, sandbox);
    }
  }

  /**
   * Stores what was staged and the tree that `flush` (lightning-fs's own) hands
   * to `saveSuperblock`, in one transaction. If it fails nothing is stored and
   * nothing stays staged: the file system must be mounted anew.
   */
  async commit(flush: () => Promise<void>): Promise<void> {
    this.#isCommitting = true;
    try {
      await flush();
      if (this.#isCommitting) {
        throw new StorageFailedError(
          'the file system of the journals was idle and stored nothing: try again',
        );
      }
    } finally {
      this.#isCommitting = false;
      this.discard();
    }
  }

  /** Drops what was staged. */
  discard(): void {
    this.#written.clear();
    this.#removed.clear();
  }

  /** Inode numbers that have content. */
  async inodes(): Promise<ReadonlySet<number>> {
    return new Set(await this.#db.getAllKeys('files'));
  }

  /** Closes the connection. */
  shut(): void {
    this.#db.close();
  }

  // -- what lightning-fs calls ------------------------------------------------------

  async loadSuperblock(): Promise<Tree | undefined> {
    const tree = await this.#db.get('trees', treeKey);
    return typeof tree === 'string' ? undefined : tree;
  }

  /** Lightning-fs also calls it on timers of its own; what there is to store then is stored already. */
  async saveSuperblock(tree: Tree): Promise<void> {
    if (!this.#isCommitting) return;
    this.#isCommitting = false;
    const transaction = this.#db.transaction(['trees', 'files'], 'readwrite', { durability: 'strict' });
    if (this.#owner !== undefined && (await transaction.objectStore('trees').get(ownerKey)) !== this.#owner) {
      transaction.done.catch(() => undefined); // says only that it was aborted
      transaction.abort();
      throw inUse(this.#sandbox);
    }
    const files = transaction.objectStore('files');
    // Removals first: a number that was freed may have been given to a new file.
    const requests: Promise<unknown>[] = [...this.#removed].map((inode) => files.delete(inode));
    for (const [inode, bytes] of this.#written) requests.push(files.put(bytes, inode));
    requests.push(transaction.objectStore('trees').put(tree, treeKey));
    const ended = await Promise.allSettled([transaction.done, ...requests]);
    // Requests of an aborted transaction say only AbortError; why is in the transaction.
    const failed = ended.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw transaction.error ?? failed.reason;
  }

  async readFile(inode: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#written.get(inode) ?? (await this.#db.get('files', inode));
  }

  async writeFile(inode: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#removed.delete(inode);
    this.#written.set(inode, bytes);
  }

  async unlink(inode: number): Promise<void> {
    this.#written.delete(inode);
    this.#removed.add(inode);
  }

  async wipe(): Promise<void> {
    await Promise.all([this.#db.clear('trees'), this.#db.clear('files')]);
  }

  async close(): Promise<void> {
    // Lightning-fs closes what it has whenever it was idle for a while; the connection stays until `shut`.
  }
}

/** Removes the journals of a sandbox. */
export async function deleteSegmentDatabase(sandbox: string): Promise<void> {
  try {
    await deleteDB(segmentDatabaseName(sandbox));
  } catch (cause) {
    throw storageFailure(cause, `removing the journals of sandbox ${JSON.stringify(sandbox)}`);
  }
}

/** False where the storage is full: then the sandbox's lock alone keeps others out. */
async function putOwner(db: IDBPDatabase<SegmentSchema>, owner: string): Promise<boolean> {
  const transaction = db.transaction('trees', 'readwrite', { durability: 'strict' });
  const [put, done] = await Promise.allSettled([transaction.store.put(owner, ownerKey), transaction.done]);
  const failed = [done, put].find((each) => each.status === 'rejected');
  if (failed === undefined) return true;
  const failure = storageFailure(transaction.error ?? failed.reason, 'taking over the journals');
  if (failure.code !== 'StorageFull') throw failure;
  return false;
}
