/** What a container changed, as `docker diff` tells it. */

import { FsError } from '../unionfs/errno.ts';
import type { FileChange, Union } from '../unionfs/union.ts';

export interface ContainerChanges {
  /** The same as long as the container's files are. */
  readonly version: string;
  readonly changes: readonly FileChange[];
}

/**
 * Docker binds these three over the container's root (moby, container/container_unix.go, NetworkMounts): what a
 * program writes to them reaches its mounts and never the container's own layer.
 */
const NETWORK_FILES: ReadonlySet<string> = new Set(['/etc/hostname', '/etc/hosts', '/etc/resolv.conf']);

/** True for a path that is one of the three. */
export function isNetworkFile(path: string): boolean {
  return NETWORK_FILES.has(path);
}

/**
 * The changes of a container's union, in the order of `Union.changes`, without the three network files. Here they lie
 * in the union, as nothing is mounted over them; `/etc` shows only for something else that changed in it or on it.
 */
export function ownChanges(union: Union): readonly FileChange[] {
  const all = union.changes();
  const own = all.filter(({ path }) => !NETWORK_FILES.has(path));
  if (own.length === all.length) return own;
  const shows = ({ path, kind }: FileChange) =>
    path !== '/etc' || kind !== 'C' || own.some((change) => change.path.startsWith('/etc/'));
  return isChangedItself(union, 'etc') ? own : own.filter(shows);
}

/** Of a directory in the root: not what is in it, but it. */
function isChangedItself(union: Union, name: string): boolean {
  try {
    return union.layerOf(union.lookup(union.root, name)) === 'upper';
  } catch (error) {
    if (error instanceof FsError && error.errno === 'ENOENT') return true;
    throw error;
  }
}
