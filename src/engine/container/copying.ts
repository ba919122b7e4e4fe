/**
 * Files of containers in and out: what `docker cp` asks of the daemon. The container's root with its volumes and binds is
 * looked at by the engine itself; it is written by the engine where the machine has none of it, and by the guest where it
 * has, as the guest would not see what changes behind its back.
 */

import { LayerboxError, NoSuchFileError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { ContainerMount } from '../store/container-mount.ts';
import { type ContainerRecord, hostConfigOf } from '../store/container-record.ts';
import { FsError } from '../unionfs/errno.ts';
import type { FileSystem, FileType, Owner } from '../unionfs/filesystem.ts';
import { MountedFileSystem } from '../unionfs/mounted-filesystem.ts';
import { type Pieces, renamed } from '../unionfs/pieces.ts';
import { piecesOfTree } from '../unionfs/pieces-of-tree.ts';
import { resolvePath } from '../unionfs/resolve.ts';
import { writePieces } from '../unionfs/write-pieces.ts';
import type { Volumes } from '../volume/volumes.ts';
import { type GuestPlace, writeInGuest } from './guest-tar.ts';
import { pathAtHome } from './host-home.ts';
import type { Machine } from './machine.ts';
import { cleanPath } from './mount-spec.ts';
import { effectiveMount, machineMounts, mountsOf } from './mounted.ts';
import type { Rootfs } from './rootfs.ts';
import { type RunningContainer, treePath } from './running.ts';
import { startedMachine } from './started-machine.ts';
import { userOf } from './user-files.ts';

export interface CopyingPorts {
  readonly volumes: Volumes;
  readonly machine: Machine | undefined;
  /** The host's durable home, as a tree. */
  readonly home: FileSystem;
  readonly get: (id: string) => ContainerRecord;
  readonly openRootfs: (id: string) => Promise<Rootfs>;
  readonly running: (id: string) => RunningContainer | undefined;
  /** Nothing else is done to the container meanwhile. */
  readonly inTurn: <T>(id: string, work: () => Promise<T>) => Promise<T>;
  /** Tells that files were read or written. */
  readonly tell: (action: 'archive-path' | 'extract-to-dir', id: string) => void;
}

/** What is at a path, the last link not followed. */
export interface PathStat {
  readonly type: FileType;
  /** Of a link: where it leads in the end, absolute, as far as that can be told. */
  readonly target?: string;
}

interface Opened {
  readonly view: MountedFileSystem;
  readonly rootfs: Rootfs;
  /** In the order in which they are mounted in the view. */
  readonly mounts: readonly ContainerMount[];
  close(): Promise<void>;
}

export class ContainerCopying {
  readonly #ports: CopyingPorts;

  constructor(ports: CopyingPorts) {
    this.#ports = ports;
  }

  /** Undefined when there is nothing. `path` from the root; a slash at its end follows a link. */
  async stat(id: string, path: string): Promise<PathStat | undefined> {
    return this.#look(id, async (view) => {
      const ino = find(view, path, false);
      if (ino === undefined) return undefined;
      const { type } = view.stat(ino);
      return type === 'symlink' ? { type, target: targetOf(view, path) } : { type };
    });
  }

  /**
   * What is at the path, as pieces under `name`, '' for what is in it; `follow`: a link's target. NoSuchFileError in
   * Docker's words.
   */
  async *read(
    id: string,
    path: string,
    options: { readonly name: string; readonly follow: boolean; readonly shown: string },
  ) {
    const { view, close } = await this.#open(id);
    try {
      const ino = find(view, path, options.follow);
      if (ino === undefined) throw notFound(path, options.shown);
      this.#ports.tell('archive-path', id);
      yield* piecesOfTree(view, ino, options.name);
    } finally {
      await close();
    }
  }

  /**
   * Writes pieces below a directory, durable in the end. `ofUser`: all is the container's user's. NoSuchFileError and LayerboxError
   * in Docker's words; CorruptLayerError for pieces of a tar that is none.
   */
  write(
    id: string,
    path: string,
    pieces: Pieces,
    options: { readonly ofUser: boolean; readonly shown: string },
  ): Promise<void> {
    return this.#ports.inTurn(id, async () => {
      const opened = await this.#open(id);
      const { view, rootfs } = opened;
      try {
        const record = this.#ports.get(id);
        const directory = find(view, path, true);
        if (directory === undefined) throw notFound(path, options.shown);
        if (view.stat(directory).type !== 'dir') {
          throw new LayerboxError('extraction point is not a directory', { path });
        }
        checkWritable(view, directory, record);
        const { user } = record.config;
        const owner = options.ofUser && user !== '' ? await userOf(rootfs.union, user) : undefined;
        await this.#write(record, opened, directory, pieces, owner);
        this.#ports.tell('extract-to-dir', id);
      } catch (error) {
        throw asDocker(error);
      } finally {
        await opened.close();
      }
    });
  }

  async #write(
    record: ContainerRecord,
    opened: Opened,
    directory: number,
    pieces: Pieces,
    owner: Owner | undefined,
  ): Promise<void> {
    const { machine } = this.#ports;
    const { view, rootfs } = opened;
    if (machine === undefined || !(await this.#isGuests(record, opened, directory))) {
      await writePieces(view, directory, pieces, owner === undefined ? {} : { owner });
      await view.flush();
      return;
    }
    const owned =
      owner === undefined
        ? pieces
        : renamed(pieces, (entry) => ({ ...entry, uid: owner.uid, gid: owner.gid }));
    await startedMachine(machine);
    const path = pathOf(view, directory);
    checkReach(record, path, this.#ports.volumes);
    const running = this.#ports.running(record.id);
    if (running !== undefined && !running.hasExited) {
      await writeInGuest(machine, { inside: running.process }, path, owned);
      await machine.sync();
      return;
    }
    const tree = treePath(record.id);
    machine.exportTree(tree, rootfs.union);
    try {
      const binds = await machineMounts(record, this.#ports.volumes, 'own');
      const place: GuestPlace = { container: { tree, hostname: record.config.hostname, cgroup: '', binds } };
      await writeInGuest(machine, place, path, owned);
    } finally {
      await machine.withdrawTree(tree);
    }
  }

  /** Whether the guest has what is at the directory or mounted below it. Volumes that nobody runs with are taken from it. */
  async #isGuests(record: ContainerRecord, { view, mounts }: Opened, directory: number): Promise<boolean> {
    const { volumes, running } = this.#ports;
    const isRunning = (id: string) => running(id)?.hasExited === false;
    if (isRunning(record.id)) return true;
    const here = view.treeOf(directory);
    const path = pathOf(view, directory).replace(/\/?$/, '/');
    const shared: boolean[] = [false];
    for (const { type, name, destination } of mounts) {
      const isTouched = shared.length === here || `${destination}/`.startsWith(path);
      const isShared = type === 'bind' || volumes.usedBy(name).some(isRunning);
      shared.push(isTouched && isShared);
      if (isTouched && !isShared) await volumes.unmount(name);
    }
    return shared.includes(true);
  }

  async #look<T>(id: string, use: (view: MountedFileSystem) => Promise<T>): Promise<T> {
    const { view, close } = await this.#open(id);
    try {
      return await use(view);
    } finally {
      await close();
    }
  }

  /** The container's root with its volumes and binds; what its programs wrote so far is there. */
  async #open(id: string): Promise<Opened> {
    const { volumes, home, openRootfs, get } = this.#ports;
    const rootfs = await openRootfs(id);
    try {
      const view = new MountedFileSystem(rootfs.union);
      const mounts: ContainerMount[] = [];
      for (const mount of mountedOf(get(id), volumes)) {
        const { type, name, source, subpath, destination, readOnly } = mount;
        const fs = type === 'volume' ? await volumes.tree(name) : home;
        const within = type === 'volume' ? subpath : pathAtHome(source);
        const ino = within === undefined ? undefined : find(fs, within, true);
        // a folder that is not there is made when the container starts
        if (ino === undefined) continue;
        view.mount(destination, fs, ino, { readOnly });
        mounts.push(mount);
      }
      return { view, rootfs, mounts, close: () => rootfs.release() };
    } catch (error) {
      await rootfs.release();
      throw error;
    }
  }
}

/** Mounts that the engine can look into: volumes, and binds of the host's durable home. */
function mountedOf(record: ContainerRecord, volumes: Volumes): readonly ContainerMount[] {
  return mountsOf(record)
    .map((mount) => effectiveMount(mount, volumes))
    .filter(({ type, source }) => type === 'volume' || (type === 'bind' && pathAtHome(source) !== undefined));
}

function find(fs: FileSystem, path: string, followLast: boolean): number | undefined {
  try {
    return resolvePath(fs, path, { followLast });
  } catch (error) {
    if (error instanceof FsError && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.errno)) return undefined;
    throw error;
  }
}

/** Where a link leads in the end; of a broken one, as far as its own words say. */
function targetOf(view: MountedFileSystem, path: string): string {
  const end = find(view, path, true);
  if (end !== undefined && view.stat(end).type === 'dir') return pathOf(view, end);
  let current = path;
  for (let links = 0; links < 40; links++) {
    const ino = find(view, current, false);
    if (ino === undefined || view.stat(ino).type !== 'symlink') return current;
    const link = view.readlink(ino);
    const folder = cleanPath(`/${current}`).replace(/\/[^/]*$/, '');
    current = cleanPath(link.startsWith('/') ? link : `${folder}/${link}`);
  }
  return current;
}

/** The path of a directory from the root, without links. */
function pathOf(view: MountedFileSystem, directory: number): string {
  const names: string[] = [];
  for (let ino = directory; ino !== view.root; ) {
    const above = view.parent(ino);
    const name = view.readdir(above).find((entry) => entry.ino === ino)?.name;
    if (name === undefined) throw new FsError('ESTALE');
    names.push(name);
    ino = above;
  }
  return `/${names.reverse().join('/')}`;
}

function checkWritable(view: MountedFileSystem, directory: number, record: ContainerRecord): void {
  if (view.isReadOnly(directory)) throw new LayerboxError('mounted volume is marked read-only');
  if (view.treeOf(directory) === 0 && hostConfigOf(record).readOnly) {
    throw new LayerboxError('container rootfs is marked read-only');
  }
}

/** What is mounted there in memory hides what `docker cp` would write, as Docker's documentation has it. */
function checkReach(record: ContainerRecord, path: string, volumes: Volumes): void {
  const inMemory = mountsOf(record).flatMap((mount) =>
    effectiveMount(mount, volumes).type === 'tmpfs' ? [mount.destination] : [],
  );
  const hidden = ['/dev', '/proc', '/sys', ...inMemory].find(
    (place) => path === place || path.startsWith(`${place}/`),
  );
  if (hidden === undefined) return;
  throw new LayerboxError(
    `cannot copy to ${printableName(path)}: what is under ${printableName(hidden)} is made by the machine and out of reach of docker cp; use docker exec with tar`,
    { path },
  );
}

function notFound(path: string, container: string): Error {
  return new NoSuchFileError(
    `Could not find the file ${printableName(path)} in container ${printableName(container)}`,
    { path },
  );
}

/** What the filesystem says, as a sentence. */
function asDocker(error: unknown): unknown {
  if (!(error instanceof FsError)) return error;
  const what = printableName(error.message.replace(/^\w+: /, ''));
  const words: Partial<Record<string, string>> = {
    EEXIST: `cannot overwrite ${JSON.stringify(what)}: a directory cannot take the place of what is none, nor the other way round`,
    EINVAL: `invalid path ${JSON.stringify(what)} in the archive: it leads out of the directory`,
    EROFS: `${what}: read-only file system`,
    ENOSPC: `${what}: no space left on device`,
  };
  return new LayerboxError(words[error.errno] ?? error.message, { errno: error.errno }, { cause: error });
}
