/** Walks a whole tree, bytewise by full path with parents first. */

import { compareNames } from '../names.ts';
import { FsError } from './errno.ts';
import type { Dirent, FileSystem, Stat } from './filesystem.ts';

export interface Walked {
  /** Absolute; the root is `/`. */
  readonly path: string;
  readonly stat: Stat;
  /** Target of a symlink. */
  readonly link: string | undefined;
  readonly xattrs: Readonly<Record<string, Uint8Array<ArrayBuffer>>> | undefined;
  /** Layer that it comes from as it is, or `upper`; undefined over a filesystem that has no layers. */
  readonly layer: number | 'upper' | undefined;
}

/** A filesystem that may know where an inode comes from: Union does. */
export type Walkable = FileSystem & { layerOf?(ino: number): number | 'upper' };

interface Level {
  readonly path: string;
  readonly entries: readonly Dirent[];
  next: number;
  /** Directories of this level that were given, but not yet what is in them; the innermost prefix last. */
  readonly open: Dirent[];
}

/**
 * Each entry of the tree. Changes made between two steps show in directories that were not reached yet; what was
 * removed meanwhile is left out.
 *
 * "/a-b" comes before "/a/b" because "-" comes before "/": a directory's children have their place among its
 * siblings where its name and a slash would stand.
 */
export function* walk(fs: Walkable): Generator<Walked> {
  yield walkedAt(fs, fs.root, '/');
  const levels: Level[] = [{ path: '', entries: fs.readdir(fs.root), next: 0, open: [] }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const entry = level.entries[level.next];
    const open = level.open.at(-1);
    if (open !== undefined && (entry === undefined || compareNames(`${open.name}/`, entry.name) < 0)) {
      level.open.pop();
      const entries = present(() => fs.readdir(open.ino)) ?? [];
      levels.push({ path: `${level.path}/${open.name}`, entries, next: 0, open: [] });
    } else if (entry === undefined) {
      levels.pop();
    } else {
      level.next += 1;
      const found = present(() => walkedAt(fs, entry.ino, `${level.path}/${entry.name}`));
      if (found === undefined) continue;
      if (entry.type === 'dir') level.open.push(entry);
      yield found;
    }
  }
}

/** What a walk gives of the inode at this path. */
export function walkedAt(fs: Walkable, ino: number, path: string): Walked {
  const stat = fs.stat(ino);
  const names = fs.listxattr(ino);
  const xattrs: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const name of names) {
    const value = fs.getxattr(ino, name);
    if (value !== undefined) xattrs[name] = value;
  }
  return {
    path,
    stat,
    link: stat.type === 'symlink' ? fs.readlink(ino) : undefined,
    xattrs: names.length > 0 ? xattrs : undefined,
    layer: fs.layerOf?.(ino),
  };
}

/** What the function gives, or undefined when the inode is gone. */
function present<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof FsError && error.errno === 'ESTALE') return undefined;
    throw error;
  }
}
