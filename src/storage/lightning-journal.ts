/**
 * The journal store on lightning-fs: a directory per journal, a file per
 * segment, written once. Nothing is rewritten or renamed. Appends and removals
 * of all journals that wait for the disk at the same time share one flush.
 *
 * Whoever opens it holds the sandbox's lock (ownership.ts) for as long as it is open.
 */

import LightningFS from '@isomorphic-git/lightning-fs';
import { ContentMissingError, SandboxInUseError, StorageFailedError } from '../engine/errors.ts';
import { hexOf } from '../engine/oci/digest.ts';
import type { Journal, JournalStore } from '../engine/store/journal.ts';
import { storageFailure } from './failures.ts';
import { journalDirectory, journalName, markerPath, readEntry, segmentPath } from './journal-paths.ts';
import { SegmentDatabase } from './segment-database.ts';
import type { StorageRoom } from './storage-room.ts';

type FileSystem = LightningFS.PromisifiedFS;

/** A change of the tree that waits for its flush. */
interface PendingChange {
  readonly doing: string;
  readonly apply: (fs: FileSystem) => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface LightningJournalOptions {
  /** A token of ownership.ts: nothing that earlier owners change is kept from now on. */
  readonly owner?: string;
  readonly room?: StorageRoom;
}

export class LightningJournalStore implements JournalStore {
  readonly #room: StorageRoom | undefined;
  readonly #segments: SegmentDatabase;
  readonly #open = new Set<string>();
  #fs: FileSystem;
  #pending: PendingChange[] = [];
  #flushing: Promise<void> | undefined;

  private constructor(segments: SegmentDatabase, room: StorageRoom | undefined) {
    this.#room = room;
    this.#segments = segments;
    this.#fs = mount(segments);
  }

  /** Errors as SegmentDatabase.open has them. */
  static async open(
    sandbox: string,
    { owner, room }: LightningJournalOptions = {},
  ): Promise<LightningJournalStore> {
    return new LightningJournalStore(await SegmentDatabase.open(sandbox, owner), room);
  }

  async open(name: string): Promise<Journal> {
    if (this.#open.has(name)) {
      throw new SandboxInUseError(`journal ${JSON.stringify(name)} is open already: close it first`, {
        name,
      });
    }
    this.#open.add(name);
    try {
      const directory = journalDirectory(name);
      if (!(await this.#fs.readdir('/')).includes(directory.slice(1))) {
        await this.#change(`making journal ${name}`, (fs) => fs.mkdir(directory));
      }
      const found = await this.#list(name);
      return new LightningJournal(name, found, {
        read: (number) => this.#read(name, number),
        change: (doing, apply) => this.#change(doing, apply),
        room: this.#room,
        close: async () => {
          await this.#settled();
          this.#open.delete(name);
        },
      });
    } catch (error) {
      this.#open.delete(name);
      throw storageFailure(error, `opening journal ${name}`);
    }
  }

  async delete(name: string): Promise<void> {
    if (this.#open.has(name)) {
      throw new StorageFailedError(`journal ${JSON.stringify(name)} is open: close it before it is removed`, {
        name,
      });
    }
    const directory = journalDirectory(name);
    await this.#change(`removing journal ${name}`, async (fs) => {
      if (!(await fs.readdir('/')).includes(directory.slice(1))) return;
      for (const entry of await fs.readdir(directory)) {
        const path = `${directory}/${entry}`;
        if ((await fs.stat(path)).isDirectory()) await fs.rmdir(path);
        else await fs.unlink(path);
      }
      await fs.rmdir(directory);
    });
  }

  async list(): Promise<readonly string[]> {
    try {
      return (await this.#fs.readdir('/')).map(journalName).sort();
    } catch (cause) {
      throw storageFailure(cause, 'listing the journals');
    }
  }

  /** Waits for what is under way, then lets go of the database. */
  async close(): Promise<void> {
    await this.#settled();
    this.#segments.shut();
  }

  async #settled(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
  }

  /** Reads the directory; removes what a segment was never whole of. */
  async #list(name: string): Promise<FoundSegments> {
    const directory = journalDirectory(name);
    const stored = await this.#segments.inodes();
    const segments: { number: number; size: number }[] = [];
    const broken: number[] = [];
    let next = 1;
    for (const entry of await this.#fs.readdir(directory)) {
      const is = readEntry(entry);
      if (is === undefined) continue;
      if ('next' in is) {
        next = Math.max(next, is.next);
        continue;
      }
      next = Math.max(next, is.segment + 1);
      const { size, ino } = await this.#fs.stat(`${directory}/${entry}`);
      if (size > 0 && stored.has(ino)) segments.push({ number: is.segment, size });
      else broken.push(is.segment);
    }
    if (broken.length > 0) {
      await this.#change(`removing broken segments of ${name}`, async (fs) => {
        for (const number of broken) await fs.unlink(segmentPath(name, number));
      });
    }
    return { segments: segments.sort((a, b) => a.number - b.number), next };
  }

  async #read(name: string, number: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const bytes: Uint8Array | undefined = await this.#fs.readFile(segmentPath(name, number));
      if (bytes === undefined) throw missingSegment(name, number);
      // Without what lightning-fs hangs on its buffers.
      return new Uint8Array(bytes);
    } catch (cause) {
      throw storageFailure(cause, `reading segment ${number} of ${name}`);
    }
  }

  /** Resolves when the change, and all before it, survive a killed tab. */
  #change(doing: string, apply: (fs: FileSystem) => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ doing, apply, resolve, reject });
      this.#flushing ??= this.#flushAll();
    });
  }

  async #flushAll(): Promise<void> {
    while (this.#pending.length > 0) await this.#flush(this.#pending.splice(0));
    this.#flushing = undefined;
  }

  async #flush(changes: readonly PendingChange[]): Promise<void> {
    try {
      for (const change of changes) await change.apply(this.#fs);
      await this.#segments.commit(() => this.#fs.flush());
    } catch (cause) {
      // Nothing was stored: the names in memory are not those on the disk any more.
      this.#segments.discard();
      this.#fs = mount(this.#segments);
      if (storageFailure(cause, '').code === 'StorageFull') {
        if (await this.#room?.spend()) return this.#flush(changes);
        this.#room?.refuse();
      }
      const [first, ...others] = changes;
      if (first === undefined) return;
      if (others.length === 0) first.reject(storageFailure(cause, first.doing));
      // Each for itself: one that is too large for the disk must not fail the others.
      else for (const change of changes) await this.#flush([change]);
      return;
    }
    for (const change of changes) change.resolve();
  }
}

interface FoundSegments {
  readonly segments: readonly { readonly number: number; readonly size: number }[];
  readonly next: number;
}

interface JournalAccess {
  readonly room: StorageRoom | undefined;
  read(number: number): Promise<Uint8Array<ArrayBuffer>>;
  change(doing: string, apply: (fs: FileSystem) => Promise<void>): Promise<void>;
  /** After all changes that were asked for before. */
  close(): Promise<void>;
}

class LightningJournal implements Journal {
  readonly #name: string;
  readonly #access: JournalAccess;
  #segments: readonly { readonly number: number; readonly size: number }[];
  #next: number;
  #isClosed = false;

  constructor(name: string, found: FoundSegments, access: JournalAccess) {
    this.#name = name;
    this.#segments = found.segments;
    this.#next = found.next;
    this.#access = access;
  }

  get segments(): readonly { readonly number: number; readonly size: number }[] {
    return this.#segments;
  }

  get next(): number {
    return this.#next;
  }

  get room(): number | undefined {
    return this.#access.room?.bytes;
  }

  get isShort(): boolean {
    return this.#access.room?.isShort ?? false;
  }

  async read(number: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#mustBeOpen();
    if (!this.#has(number)) throw missingSegment(this.#name, number);
    return this.#access.read(number);
  }

  async append(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    this.#mustBeOpen();
    if (bytes.byteLength === 0) {
      throw new RangeError(`a segment of journal ${this.#name} must hold at least one byte`);
    }
    const number = this.#next;
    this.#next += 1;
    // Storing a view would store the whole buffer behind it; and the caller gets its bytes back at once.
    const own = bytes.slice();
    await this.#access.change(`writing segment ${number} of ${this.#name}`, (fs) =>
      fs.writeFile(segmentPath(this.#name, number), own),
    );
    this.#access.room?.take(own.byteLength);
    this.#segments = [...this.#segments, { number, size: own.byteLength }];
    return number;
  }

  async remove(numbers: readonly number[]): Promise<void> {
    this.#mustBeOpen();
    const gone = new Set(numbers.filter((number) => this.#has(number)));
    if (gone.size === 0) return;
    await this.#access.change(`removing segments of ${this.#name}`, async (fs) => {
      await markNext(fs, this.#name, this.#next);
      for (const number of gone) await fs.unlink(segmentPath(this.#name, number));
    });
    for (const { number, size } of this.#segments) if (gone.has(number)) this.#access.room?.give(size);
    this.#segments = this.#segments.filter((segment) => !gone.has(segment.number));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#access.close();
  }

  #has(number: number): boolean {
    return this.#segments.some((segment) => segment.number === number);
  }

  #mustBeOpen(): void {
    if (this.#isClosed) {
      throw new StorageFailedError(`journal ${JSON.stringify(this.#name)} is closed`, { name: this.#name });
    }
  }
}

/**
 * A fresh view of what is stored. Lightning-fs's own lock, of a name that
 * nobody else has, has nothing to guard: the sandbox's owner holds one. Under a
 * common name the next opening would wait until the last one was idle for half a second.
 */
function mount(segments: SegmentDatabase): FileSystem {
  const name = `layerbox/${hexOf(crypto.getRandomValues(new Uint8Array(8)))}`;
  // Its types leave out that `unlink` is called and that there may be no tree yet.
  const db = segments as unknown as LightningFS.IDB;
  return new LightningFS(name, { db, defer: true }).promises;
}

/** Remembers the next number, so that it is not given again when the highest segments are gone. */
async function markNext(fs: FileSystem, name: string, next: number): Promise<void> {
  for (const entry of await fs.readdir(journalDirectory(name))) {
    const is = readEntry(entry);
    if (is !== undefined && 'next' in is) await fs.rmdir(markerPath(name, is.next));
  }
  await fs.mkdir(markerPath(name, next));
}

function missingSegment(name: string, number: number): Error {
  return new ContentMissingError(`segment ${number} is not in journal ${JSON.stringify(name)}`, {
    name,
    segment: number,
  });
}
