/**
 * Volumes: filesystems of their own that outlive containers. Each is a union without lowers in the journal
 * `volume/<name>`, and a record. Once a container mounted one it stays exported to the machine under `v/<name>` until it
 * is removed: all containers' mounts of it are mounts of that one tree, so each sees at once what another wrote, and
 * the guest need not forget what it knows of it in between.
 *
 *     const { id } = await volumes.create({ name: 'data' });
 *     await volumes.mount(id);
 *     ... a bind of the tree volumeTree(id) ...
 *     await volumes.remove(id);
 */

import { LayerboxError, NoSuchVolumeError, StorageFailedError, VolumeInUseError } from '../errors.ts';
import type { EventAttributes, EventStream } from '../events.ts';
import { printableName } from '../names.ts';
import type { JournalStore } from '../store/journal.ts';
import type { RecordStore } from '../store/records.ts';
import {
  ANONYMOUS_LABEL,
  VOLUME_JOURNALS,
  type VolumeRecord,
  volumeJournal,
} from '../store/volume-record.ts';
import { Turns } from '../turns.ts';
import type { FileSystem } from '../unionfs/filesystem.ts';
import { openUnion, type Union } from '../unionfs/union.ts';
import { anonymousName, checkVolumeName } from './volume-name.ts';
import type { VolumeOptions } from './volume-options.ts';

/** What volumes need of a machine. */
export interface TreeExports {
  exportTree(path: string, tree: FileSystem): void;
  withdrawTree(path: string): Promise<void>;
}

export interface VolumePorts {
  readonly records: RecordStore;
  readonly journals: JournalStore;
  /** Undefined: nothing can run. */
  readonly machine: TreeExports | undefined;
  readonly events: EventStream;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  /** Told of what was lost of a volume, for instance. */
  readonly onFailure: (error: unknown) => void;
}

export interface NewVolume {
  /** Undefined: it is anonymous, unless `isAnonymous` says that it is not. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of the driver, as `checkVolumeOptions` lets them pass. */
  readonly options?: VolumeOptions;
  /** Made for one container. Default: when it has no name. */
  readonly isAnonymous?: boolean;
}

/** Where the machine has the tree of a volume. */
export function volumeTree(name: string): string {
  return `v/${name}`;
}

export class Volumes {
  readonly #ports: VolumePorts;
  readonly #records = new Map<string, VolumeRecord>();
  readonly #opened = new Map<string, Promise<Union>>();
  readonly #exported = new Set<string>();
  /** The containers that have a mount of each, running or not. */
  readonly #users = new Map<string, Set<string>>();
  /** Names that somebody is about to make use of, with how many are. */
  readonly #held = new Map<string, number>();
  /** What is being done to a volume's whole; the next waits. */
  readonly #turns = new Turns();

  private constructor(ports: VolumePorts) {
    this.#ports = ports;
  }

  /**
   * Volumes as they were left. One that was being filled when the page went away is empty again, and files of volumes
   * that were being removed are gone.
   */
  static async open(ports: VolumePorts): Promise<Volumes> {
    const { records, journals } = ports;
    const volumes = new Volumes(ports);
    for (const record of await records.list('volumes')) {
      const { isFilling, ...whole } = record;
      if (isFilling === true) {
        await journals.delete(volumeJournal(record.id));
        await records.commit([{ kind: 'volumes', put: whole }]);
      }
      volumes.#records.set(record.id, whole);
    }
    for (const journal of await journals.list()) {
      if (!journal.startsWith(VOLUME_JOURNALS)) continue;
      if (!volumes.#records.has(journal.slice(VOLUME_JOURNALS.length))) await journals.delete(journal);
    }
    return volumes;
  }

  /** By name, code units ascending, as Docker lists them. */
  list(): readonly VolumeRecord[] {
    return [...this.#records.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  find(name: string): VolumeRecord | undefined {
    return this.#records.get(name);
  }

  /** NoSuchVolumeError in Docker's words. */
  get(name: string): VolumeRecord {
    const record = this.#records.get(name);
    if (record !== undefined) return record;
    throw new NoSuchVolumeError(`get ${printableName(name)}: no such volume`, { volume: name });
  }

  /** The IDs of the containers with a mount of it, running or not. */
  usedBy(name: string): readonly string[] {
    return [...(this.#users.get(name) ?? [])];
  }

  /** A container has mounts of these, until `disclaim`. */
  claim(container: string, names: readonly string[]): void {
    for (const name of names) {
      const users = this.#users.get(name) ?? new Set();
      this.#users.set(name, users.add(container));
    }
  }

  /** The container is gone. */
  disclaim(container: string): void {
    for (const [name, users] of this.#users) {
      if (users.delete(container) && users.size === 0) this.#users.delete(name);
    }
  }

  /** A new volume; of a name that is there already, that one as it is. LayerboxError for a name that cannot be. */
  async create(volume: NewVolume = {}): Promise<VolumeRecord> {
    const { records, now, random } = this.#ports;
    const id = volume.name === undefined ? anonymousName(random) : checkVolumeName(volume.name);
    const present = this.#records.get(id);
    if (present !== undefined) return present;
    const isAnonymous = volume.isAnonymous ?? volume.name === undefined;
    const labels = { ...volume.labels, ...(isAnonymous && { [ANONYMOUS_LABEL]: '' }) };
    const { options = {} } = volume;
    const record: VolumeRecord = {
      id,
      createdAt: now(),
      labels,
      isAnonymous,
      ...(Object.keys(options).length > 0 && { options }),
    };
    // taken before the store answers, so that two of one name at the same time are one
    this.#records.set(id, record);
    await this.#turns.take(id, async () => {
      try {
        await records.commit([{ kind: 'volumes', put: record }]);
      } catch (error) {
        this.#records.delete(id);
        throw error;
      }
    });
    this.#emit('create', id);
    return record;
  }

  /** Until the function that is returned is called nobody can remove it. */
  hold(name: string): () => void {
    this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const others = (this.#held.get(name) ?? 1) - 1;
      if (others === 0) this.#held.delete(name);
      else this.#held.set(name, others);
    };
  }

  /** Gives its space back. NoSuchVolumeError; VolumeInUseError, in Docker's words, while a container has a mount of it. */
  async remove(name: string): Promise<void> {
    this.get(name);
    await this.#turns.take(name, async () => {
      const { records, journals } = this.#ports;
      const users = this.usedBy(name);
      if (users.length > 0 || this.#held.has(name)) {
        throw new VolumeInUseError(`remove ${name}: volume is in use - [${users.join(', ')}]`, {
          volume: name,
          containers: users,
        });
      }
      this.get(name);
      this.#records.delete(name);
      // the record first: files without one are taken away at the next start, never a record without files
      await records.commit([{ kind: 'volumes', delete: name }]);
      await this.unmount(name);
      await this.#close(name).catch(this.#ports.onFailure);
      await journals.delete(volumeJournal(name));
    });
    this.#emit('destroy', name);
  }

  /** Its files. They stay open until it is removed; whoever writes them asks `isMounted` first. NoSuchVolumeError. */
  tree(name: string): Promise<Union> {
    this.get(name);
    const opened = this.#opened.get(name) ?? this.#open(name);
    this.#opened.set(name, opened);
    opened.catch(() => {
      if (this.#opened.get(name) === opened) this.#opened.delete(name);
    });
    return opened;
  }

  /** From now on the machine has it under `volumeTree(name)`, and only the guest may write it. */
  async mount(name: string): Promise<void> {
    const union = await this.tree(name);
    if (this.#exported.has(name)) return;
    this.#ports.machine?.exportTree(volumeTree(name), union);
    this.#exported.add(name);
  }

  isMounted(name: string): boolean {
    return this.#exported.has(name);
  }

  /** No container that has it runs: the machine is to forget it, and the engine may write it. */
  async unmount(name: string): Promise<void> {
    if (this.#exported.delete(name)) await this.#ports.machine?.withdrawTree(volumeTree(name));
  }

  /** Told for `docker events`: a container took it, or let it go. */
  announce(action: 'mount' | 'unmount', name: string, attributes: EventAttributes): void {
    this.#emit(action, name, attributes);
  }

  /**
   * Lets `write` bring the first content into an empty volume, and nothing into one that is not. It is all there in the
   * end, or, when `write` fails or the page goes away, nothing of it.
   */
  async fill(name: string, write: (tree: Union) => Promise<void>): Promise<void> {
    await this.#turns.take(name, async () => {
      const tree = await this.tree(name);
      if (tree.readdir(tree.root).length > 0) return;
      // what a container has in its hands is not taken away from it again
      if (this.isMounted(name)) return write(tree);
      const record = this.get(name);
      const { records, journals } = this.#ports;
      await records.commit([{ kind: 'volumes', put: { ...record, isFilling: true } }]);
      try {
        await write(tree);
        await tree.flush();
      } catch (error) {
        await this.#close(name).catch(this.#ports.onFailure);
        await journals.delete(volumeJournal(name));
        await records.commit([{ kind: 'volumes', put: record }]);
        throw error;
      }
      await records.commit([{ kind: 'volumes', put: record }]);
    });
  }

  /** Bytes of content, whole files. */
  async bytes(name: string): Promise<number> {
    return (await this.tree(name)).usedBytes();
  }

  /** All that was written so far is durable. */
  async flush(names: Iterable<string>): Promise<void> {
    for (const name of names) await (await this.#opened.get(name))?.flush();
  }

  /** Everything durable and closed. The machine does not write any more. */
  async close(): Promise<void> {
    const names = [...this.#opened.keys()];
    for (const result of await Promise.allSettled(names.map((name) => this.#close(name)))) {
      if (result.status === 'rejected') this.#ports.onFailure(result.reason);
    }
  }

  async #open(name: string): Promise<Union> {
    const { journals, now, onFailure } = this.#ports;
    const union = await openUnion({
      lowers: [],
      journal: await journals.open(volumeJournal(name)),
      now: () => BigInt(Math.trunc(now())) * 1_000_000n,
    });
    if (union.damage !== undefined) {
      onFailure(new StorageFailedError(`of the files of volume ${name}: ${union.damage}`, { volume: name }));
    }
    return union;
  }

  async #close(name: string): Promise<void> {
    const opened = this.#opened.get(name);
    this.#opened.delete(name);
    await (await opened)?.close();
  }

  #emit(
    action: 'create' | 'mount' | 'unmount' | 'destroy',
    name: string,
    attributes: EventAttributes = {},
  ): void {
    this.#ports.events.emit({ type: 'volume', action, name, attributes: { driver: 'local', ...attributes } });
  }
}

/** Docker's answer to a driver that is not there. */
export function checkVolumeDriver(driver: string, name: string): void {
  if (driver === '' || driver === 'local') return;
  const subject = name === '' ? '' : `create ${name}: `;
  throw new LayerboxError(
    `${subject}error looking up volume plugin ${printableName(driver)}: plugin ${JSON.stringify(printableName(driver))} not found`,
    { driver },
  );
}
