/** The mounts of containers that are made, started and removed: volumes filled, exported, told of and taken away. */

import { LayerboxError, NotYetError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { ContainerMount } from '../store/container-mount.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { FsError } from '../unionfs/errno.ts';
import type { FileSystem } from '../unionfs/filesystem.ts';
import { piecesOfTree } from '../unionfs/pieces-of-tree.ts';
import { resolvePath } from '../unionfs/resolve.ts';
import { writePieces } from '../unionfs/write-pieces.ts';
import { type DeviceMount, deviceMount } from '../volume/volume-options.ts';
import { type Volumes, volumeTree } from '../volume/volumes.ts';
import { runInGuest, writeInGuest } from './guest-tar.ts';
import type { Bind, Machine, Process, TmpfsMount } from './machine.ts';
import { mergeTmpfsOptions } from './tmpfs-options.ts';

const HOST = { host: true } as const;

/** Where Docker keeps the files of a volume; `docker volume inspect` and the source of a mount say so. */
export function volumePath(name: string): string {
  return `/var/lib/docker/volumes/${name}/_data`;
}

/** What `docker inspect` calls the source of a mount. */
export function sourceOf(mount: ContainerMount): string {
  if (mount.type !== 'volume') return mount.source;
  return volumePath(mount.name);
}

export function mountsOf(record: ContainerRecord): readonly ContainerMount[] {
  return record.mounts?.list ?? [];
}

/** What is mounted in place of the volume's own files, if anything. */
export function deviceOf({ type, name }: ContainerMount, volumes: Volumes): DeviceMount | undefined {
  return type === 'volume' ? deviceMount(volumes.find(name)?.options) : undefined;
}

/** The mount as the options of its volume make it: a bind of a folder of the host, or one that is in memory. */
export function effectiveMount(mount: ContainerMount, volumes: Volumes): ContainerMount {
  const device = deviceOf(mount, volumes);
  if (device === undefined) return mount;
  if (mount.subpath !== '') {
    throw new NotYetError('a subpath of a volume with options is not yet supported by Layerbox', {
      volume: mount.name,
    });
  }
  if (device.kind === 'tmpfs') return { ...mount, type: 'tmpfs', options: '' };
  return {
    ...mount,
    type: 'bind',
    source: device.source,
    readOnly: mount.readOnly || device.readOnly,
    options: device.isRecursive ? 'mustexist' : 'mustexist,nonrecursive',
  };
}

/** The volumes that it has mounts of. */
export function volumesOf(record: ContainerRecord): readonly string[] {
  return [...new Set(mountsOf(record).flatMap(({ type, name }) => (type === 'volume' ? [name] : [])))];
}

/** A place in a container that runs from which a volume can be written. */
export interface VolumePlace {
  readonly inside: Process;
  readonly directory: string;
}

/**
 * Copies what the image has at the path into the volume, if that is empty: with the mode and the owner of the
 * directory itself, as Docker does. `place` is in a container that runs and has the volume. LayerboxError in Docker's
 * words when a file is there.
 */
export async function fillVolume(
  volumes: Volumes,
  machine: Machine | undefined,
  options: { readonly volume: string; readonly path: string; readonly image: FileSystem },
  place: VolumePlace | undefined,
): Promise<void> {
  const { volume, path, image } = options;
  const ino = directoryAt(image, path);
  if (ino === undefined) return;
  if (place === undefined) await volumes.unmount(volume);
  await volumes.fill(volume, async (tree) => {
    const pieces = piecesOfTree(image, ino, '');
    if (machine === undefined || place === undefined) await writePieces(tree, tree.root, pieces);
    else await writeInGuest(machine, place, place.directory, pieces);
  });
}

/** As `fillVolume`, into a folder of the host that is there and empty. */
export async function fillFolder(
  machine: Machine,
  { folder, path, image }: { readonly folder: string; readonly path: string; readonly image: FileSystem },
): Promise<void> {
  const ino = directoryAt(image, path);
  if (ino === undefined) return;
  const { code, out } = await runInGuest(machine, HOST, ['ls', '-A', '--', folder]);
  if (code !== 0 || out !== '') return;
  await writeInGuest(machine, HOST, folder, piecesOfTree(image, ino, ''));
  await machine.sync();
}

function directoryAt(image: FileSystem, path: string): number | undefined {
  let ino: number;
  try {
    ino = resolvePath(image, path);
  } catch (error) {
    if (error instanceof FsError && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.errno)) return undefined;
    throw error;
  }
  if (image.stat(ino).type === 'dir') return ino;
  throw new LayerboxError(`cannot mount volume over existing file, file exists ${printableName(path)}`, {
    path,
  });
}

/**
 * What the machine is to mount. `memory`: whether volumes that are in memory are those of the host's side, which are there,
 * or of this container alone. LayerboxError in Docker's words for what cannot be mounted as it is now.
 */
export async function machineMounts(
  record: ContainerRecord,
  volumes: Volumes,
  memory: 'shared' | 'own',
): Promise<readonly (Bind | TmpfsMount)[]> {
  const list: (Bind | TmpfsMount)[] = [];
  for (const asked of mountsOf(record)) {
    const mount = effectiveMount(asked, volumes);
    const { destination: target, readOnly } = mount;
    if (asked.type === 'volume' && mount.type === 'tmpfs' && memory === 'shared') {
      list.push({ source: volumePath(asked.name), target, readOnly, mustExist: true });
    } else if (mount.type === 'tmpfs')
      list.push({ tmpfs: true, target, options: mergeTmpfsOptions(mount.options) });
    else if (mount.type === 'volume') list.push(await volumeBind(mount, volumes));
    else {
      checkPropagation(mount);
      const options = mount.options.split(',');
      list.push({
        source: mount.source,
        target,
        readOnly,
        ...(options.includes('mustexist') && { mustExist: true }),
        ...(options.includes('nonrecursive') && { isRecursive: false }),
        ...(options.includes('nonrecursivero') && { isReadOnlyRecursive: false }),
      });
    }
  }
  return list;
}

async function volumeBind(mount: ContainerMount, volumes: Volumes): Promise<Bind> {
  const { name, subpath, destination: target, readOnly } = mount;
  await volumes.mount(name);
  if (subpath !== '') {
    const tree = await volumes.tree(name);
    try {
      resolvePath(tree, subpath);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      const path = `${volumePath(name)}/${printableName(subpath)}`;
      throw new LayerboxError(`cannot access path ${path}: lstat ${path}: no such file or directory`, {
        volume: name,
        subpath,
      });
    }
  }
  return { source: subpath, tree: volumeTree(name), target, readOnly };
}

/** No mount of the host's is shared with anything, so Docker's daemon would refuse to share it further. */
function checkPropagation({ propagation, source }: ContainerMount): void {
  const kind = propagation.replace(/^r/, '');
  if (kind !== 'shared' && kind !== 'slave') return;
  const wanted = kind === 'shared' ? 'a shared mount' : 'a shared or slave mount';
  throw new LayerboxError(`path ${printableName(source)} is mounted on / but it is not ${wanted}`, {
    source,
  });
}

/** The anonymous volumes of a container that is gone; those that another has, too, stay. */
export async function removeAnonymous(record: ContainerRecord, volumes: Volumes): Promise<void> {
  const anonymous = mountsOf(record).filter((mount) => mount.isAnonymous);
  for (const name of new Set(anonymous.map((mount) => mount.name))) {
    if (volumes.find(name) !== undefined && volumes.usedBy(name).length === 0) await volumes.remove(name);
  }
}

/** Tells of the mounts of its volumes. */
export function announceMounts(action: 'mount' | 'unmount', record: ContainerRecord, volumes: Volumes): void {
  for (const mount of mountsOf(record)) {
    if (mount.type !== 'volume') continue;
    volumes.announce(action, mount.name, {
      container: record.id,
      ...(action === 'mount' && {
        destination: mount.destination,
        propagation: mount.propagation,
        'read/write': String(!mount.readOnly),
      }),
    });
  }
}
