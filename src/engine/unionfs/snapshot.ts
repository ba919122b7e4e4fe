/**
 * An upper as a layer: the entries that, put over its lowers, give its tree.
 * Whiteouts for what is gone, opaque for directories that hide the lower's.
 */

import type { LayerIndex } from '../layer/layer-index.ts';
import { buildLayerIndex, type NewEntry } from '../layer/layer-index-builder.ts';
import type { DiffID } from '../oci/digest.ts';
import { dirtyDirectories, markDirty } from './changes.ts';
import type { FileType } from './filesystem.ts';
import { ROOT, type Upper } from './upper.ts';
import { listDirectory, statOf } from './upper-view.ts';

/** `offset` of each file is its inode number. Sockets are left out: a tar cannot hold them. */
export function snapshotOf(upper: Upper, diffID: DiffID): LayerIndex {
  return buildLayerIndex(diffID, entriesOf(upper));
}

function* entriesOf(upper: Upper): Generator<NewEntry> {
  const dirty = dirtyDirectories(upper);
  const shared = movedLinks(upper, dirty);
  const firstPaths = new Map<number, string>();
  // `number`: what the stack has at the same path, undefined when that is no directory or hidden
  const todo: { ino: number; number: number | undefined; path: string }[] = [
    { ino: ROOT, number: 0, path: '' },
  ];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    const { ino: directory, number, path } = at;
    const isSame = directory - 1 === number;
    if (isSame && !dirty.has(directory) && !upper.inodes.has(directory)) continue;
    if (!isSame || upper.inodes.has(directory)) {
      yield entryOf(upper, directory, path, !isSame && number !== undefined);
    }
    if (isSame) yield* whiteoutsIn(upper, directory, path);
    for (const { name, ino, type } of listDirectory(upper, directory)) {
      const childPath = path === '' ? name : `${path}/${name}`;
      // what an opaque directory hides is not below it any more, even where a child came back
      const below = isSame ? upper.stack.child(number, name) : undefined;
      if (type === 'dir') {
        const there = below !== undefined && upper.stack.isDirectory(below) ? below : undefined;
        todo.push({ ino, number: there, path: childPath });
        continue;
      }
      const isUntouched = isSame && below !== undefined && upper.stack.canonical(below) + 1 === ino;
      if (type === 'socket') {
        if (below !== undefined) yield whiteoutOf(childPath);
        continue;
      }
      if (isUntouched && !upper.inodes.has(ino) && !shared.has(ino)) continue;
      const first = firstPaths.get(ino);
      firstPaths.set(ino, first ?? childPath);
      yield first === undefined
        ? entryOf(upper, ino, childPath, false)
        : hardLink(upper, ino, childPath, first);
    }
  }
}

function* whiteoutsIn(upper: Upper, directory: number, path: string): Generator<NewEntry> {
  for (const [name, ino] of upper.dentries.get(directory) ?? []) {
    if (ino !== 0) continue;
    yield whiteoutOf(path === '' ? name : `${path}/${name}`);
  }
}

function whiteoutOf(path: string): NewEntry {
  return { path, type: 'whiteout', mode: 0, uid: 0, gid: 0, mtimeNs: 0n };
}

/**
 * Files with several names that nobody changed, but of which a name lies in a directory that was moved: a layer
 * must have all of their names, or they would be two files over its lowers. Marks the directories of those names as dirty.
 */
function movedLinks(upper: Upper, dirty: Set<number>): Set<number> {
  const shared = new Set<number>();
  const { stack } = upper;
  const looked = new Set<number>();
  for (const inode of upper.inodes.values()) {
    if (inode.type !== 'dir' || !hasMoved(upper, inode.ino)) continue;
    const todo = [inode.ino];
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      if (looked.has(at)) continue;
      looked.add(at);
      for (const { ino, type } of listDirectory(upper, at)) {
        if (type === 'dir') todo.push(ino);
        else if (!upper.inodes.has(ino) && upper.nlink(ino) > 1) shared.add(ino);
      }
    }
  }
  for (const ino of shared) {
    for (const name of stack.names(ino - 1)) markDirty(upper, dirty, stack.parent(name) + 1);
  }
  return shared;
}

/** True for a directory of the lower that is not where the lower has it. */
function hasMoved(upper: Upper, directory: number): boolean {
  const number = upper.lower(directory);
  const inode = upper.inodes.get(directory);
  if (number === undefined || inode === undefined || directory === ROOT) return false;
  if (upper.orphans.has(directory)) return false;
  return inode.parent !== upper.stack.parent(number) + 1 || inode.name !== upper.stack.name(number);
}

function layerType(type: FileType): Exclude<FileType, 'socket'> {
  return type === 'socket' ? 'file' : type;
}

function entryOf(upper: Upper, ino: number, path: string, opaque: boolean): NewEntry {
  const { type, mode, uid, gid, mtimeNs, size, rdev } = statOf(upper, ino);
  const inode = upper.inodes.get(ino);
  const isFile = type === 'file';
  const isDevice = type === 'char' || type === 'block';
  return {
    path,
    type: layerType(type),
    mode,
    uid,
    gid,
    mtimeNs,
    size: isFile ? size : 0,
    offset: isFile ? ino : 0,
    link: type === 'symlink' ? (inode === undefined ? upper.stack.link(ino - 1) : inode.link) : undefined,
    rdev: isDevice ? rdev : undefined,
    xattrs: inode === undefined ? upper.stack.xattrs(ino - 1) : inode.xattrs,
    opaque,
  };
}

function hardLink(upper: Upper, ino: number, path: string, link: string): NewEntry {
  const { mode, uid, gid, mtimeNs } = statOf(upper, ino);
  return { path, type: 'hardlink', mode, uid, gid, mtimeNs, link };
}
