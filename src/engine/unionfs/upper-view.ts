/** What an upper shows of its inodes: stat and readdir over upper and lower as one. */

import { compareNames, encodeName } from '../names.ts';
import type { Dirent, Stat } from './filesystem.ts';
import { type Upper, WHITEOUT } from './upper.ts';

/** What ext4 shows of a small directory. */
const DIRECTORY_SIZE = 4096;
const BLOCK = 512;

export function statOf(upper: Upper, ino: number): Stat {
  const inode = upper.inodes.get(ino);
  if (inode === undefined) return statOfLower(upper, ino);
  const { type, mode, uid, gid, nlink, rdev, atimeNs, mtimeNs, ctimeNs, version } = inode;
  let { size } = inode;
  let mapped = inode.extents?.mapped ?? 0;
  if (type === 'symlink') size = encodeName(inode.link ?? '').length;
  else if (type === 'dir') {
    size = DIRECTORY_SIZE;
    mapped = DIRECTORY_SIZE;
  }
  const blocks = Math.ceil(mapped / BLOCK);
  return { ino, type, mode, uid, gid, nlink, size, blocks, rdev, atimeNs, mtimeNs, ctimeNs, version };
}

function statOfLower(upper: Upper, ino: number): Stat {
  const { stack } = upper;
  const number = ino - 1;
  const type = stack.type(number);
  let size = stack.size(number);
  let mapped = stack.extents(number)?.reduce((sum, { length }) => sum + length, 0) ?? size;
  if (type === 'symlink') {
    size = encodeName(stack.link(number) ?? '').length;
    mapped = 0;
  } else if (type === 'dir') {
    size = DIRECTORY_SIZE;
    mapped = DIRECTORY_SIZE;
  }
  const mtimeNs = stack.mtimeNs(number);
  return {
    ino,
    type,
    mode: stack.mode(number),
    uid: stack.uid(number),
    gid: stack.gid(number),
    nlink: upper.nlink(ino),
    size,
    blocks: Math.ceil(mapped / BLOCK),
    rdev: stack.rdev(number),
    atimeNs: mtimeNs,
    mtimeNs,
    ctimeNs: upper.ctimes.get(ino) ?? mtimeNs,
    version: 0,
  };
}

/** The names of a directory, bytewise: a merge of the lower's run and the upper's own. */
export function listDirectory(upper: Upper, directory: number): Dirent[] {
  const list: Dirent[] = [];
  const add = (name: string, ino: number) => list.push({ name, ino, type: upper.type(ino) });
  const own = upper.dentries.get(directory);
  const sorted = own === undefined ? [] : [...own].sort(([a], [b]) => compareNames(a, b));
  let next = 0;
  const addOwn = (below: string | undefined) => {
    for (let entry = sorted[next]; entry !== undefined; entry = sorted[next]) {
      const [name, ino] = entry;
      if (below !== undefined && compareNames(name, below) >= 0) return;
      if (ino !== WHITEOUT) add(name, ino);
      next += 1;
    }
  };
  const number = upper.orphans.has(directory) ? undefined : upper.lower(directory);
  if (number !== undefined) {
    const { stack } = upper;
    const end = stack.endChild(number);
    for (let child = stack.firstChild(number); child < end; child++) {
      const name = stack.name(child);
      if (own !== undefined) addOwn(name);
      if (own?.has(name) !== true) add(name, stack.canonical(child) + 1);
    }
  }
  addOwn(undefined);
  return list;
}

/** True when a directory shows nothing; names that are whited out do not count. */
export function isEmptyDirectory(upper: Upper, directory: number): boolean {
  const own = upper.dentries.get(directory);
  for (const ino of own?.values() ?? []) if (ino !== WHITEOUT) return false;
  const number = upper.orphans.has(directory) ? undefined : upper.lower(directory);
  if (number === undefined) return true;
  const { stack } = upper;
  const end = stack.endChild(number);
  for (let child = stack.firstChild(number); child < end; child++) {
    if (own?.has(stack.name(child)) !== true) return false;
  }
  return true;
}
