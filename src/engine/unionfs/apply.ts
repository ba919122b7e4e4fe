/**
 * What each record does to an upper: the same function when the operation
 * happens and when it is replayed, so that both end in the same tree.
 */

import { Extents } from './extents.ts';
import type { Inode } from './inode.ts';
import type { UpperRecord } from './records.ts';
import type { Segment } from './segment.ts';
import type { Upper } from './upper.ts';

/** Where the content of a write lies. */
export interface Content {
  readonly home: Segment;
  readonly at: number;
  readonly length: number;
}

type Recorded<K extends UpperRecord['kind']> = Extract<UpperRecord, { kind: K }>;

/** Applies a record of an operation; those of a checkpoint are `checkpoint.ts`'s. */
export function apply(upper: Upper, record: UpperRecord, content: Content): void {
  switch (record.kind) {
    case 'create':
      create(upper, record);
      break;
    case 'link':
      link(upper, record);
      break;
    case 'remove':
      remove(upper, record);
      break;
    case 'rename':
      rename(upper, record);
      break;
    case 'forget':
      upper.forget(record.ino);
      break;
    case 'write':
      write(upper, record, content);
      break;
    case 'relocate':
      upper.inodes
        .get(record.ino)
        ?.extents?.put(record.offset, record.offset + content.length, content.home, content.at);
      break;
    case 'setattr':
      setattr(upper, record);
      break;
    case 'setxattr':
    case 'removexattr':
      changeXattr(upper, record);
      break;
    default:
      throw new TypeError(`a ${record.kind} record changes nothing`);
  }
}

function touchDirectory(upper: Upper, directory: number, time: bigint, subdirectories = 0): void {
  const inode = upper.touch(directory);
  inode.mtimeNs = time;
  inode.ctimeNs = time;
  inode.nlink += subdirectories;
}

function create(upper: Upper, record: Recorded<'create'>): void {
  const { time, type, ino } = record;
  upper.version += 1;
  upper.inodes.set(ino, {
    ino,
    type,
    mode: record.mode,
    uid: record.uid,
    gid: record.gid,
    nlink: type === 'dir' ? 2 : 1,
    size: 0,
    rdev: record.rdev,
    atimeNs: time,
    mtimeNs: time,
    ctimeNs: time,
    link: type === 'symlink' ? record.link : undefined,
    xattrs: undefined,
    extents: type === 'file' ? new Extents() : undefined,
    parent: record.directory,
    name: record.name,
    version: upper.version,
  });
  upper.nextIno = Math.max(upper.nextIno, ino + 1);
  upper.files += 1;
  upper.bind(record.directory, record.name, ino);
  touchDirectory(upper, record.directory, time, type === 'dir' ? 1 : 0);
}

function link(upper: Upper, record: Recorded<'link'>): void {
  const inode = upper.touch(record.ino);
  inode.nlink += 1;
  inode.ctimeNs = record.time;
  inode.parent = record.directory;
  inode.name = record.name;
  upper.bind(record.directory, record.name, record.ino);
  touchDirectory(upper, record.directory, record.time);
}

/** Takes one name off what `ino` is; the last one makes an orphan. True for a directory. */
function dropName(upper: Upper, ino: number, time: bigint): boolean {
  const isDirectory = upper.isDirectory(ino);
  const nlink = isDirectory ? 0 : upper.nlink(ino) - 1;
  const inode = upper.inodes.get(ino);
  if (inode === undefined) {
    // to lose a name copies nothing up
    upper.nlinks.set(ino, nlink);
    upper.ctimes.set(ino, time);
  } else {
    inode.nlink = nlink;
    inode.ctimeNs = time;
    upper.version += 1;
    inode.version = upper.version;
  }
  if (nlink === 0) upper.orphans.add(ino);
  return isDirectory;
}

function remove(upper: Upper, record: Recorded<'remove'>): void {
  const ino = upper.lookup(record.directory, record.name);
  if (ino === undefined) return;
  const isDirectory = dropName(upper, ino, record.time);
  upper.unbind(record.directory, record.name);
  touchDirectory(upper, record.directory, record.time, isDirectory ? -1 : 0);
}

function rename(upper: Upper, record: Recorded<'rename'>): void {
  const { time, from, to } = record;
  const ino = upper.lookup(from, record.name);
  if (ino === undefined) return;
  const replaced = upper.lookup(to, record.newName);
  let subdirectories = 0;
  if (replaced !== undefined && dropName(upper, replaced, time)) subdirectories -= 1;
  const inode = upper.touch(ino);
  inode.ctimeNs = time;
  inode.parent = to;
  inode.name = record.newName;
  upper.unbind(from, record.name);
  upper.bind(to, record.newName, ino);
  const moved = inode.type === 'dir' ? 1 : 0;
  if (from === to) touchDirectory(upper, to, time, subdirectories);
  else {
    touchDirectory(upper, from, time, -moved);
    touchDirectory(upper, to, time, subdirectories + moved);
  }
}

function write(upper: Upper, record: Recorded<'write'>, content: Content): void {
  const inode = upper.touch(record.ino);
  const end = record.offset + content.length;
  inode.extents?.put(record.offset, end, content.home, content.at);
  if (end > inode.size) inode.size = end;
  inode.mtimeNs = record.time;
  inode.ctimeNs = record.time;
}

function setattr(upper: Upper, record: Recorded<'setattr'>): void {
  const inode = upper.touch(record.ino);
  inode.ctimeNs = record.time;
  if (record.mode !== undefined) inode.mode = record.mode;
  if (record.uid !== undefined) inode.uid = record.uid;
  if (record.gid !== undefined) inode.gid = record.gid;
  if (record.size !== undefined) resize(inode, record.size, record.time);
  if (record.atimeNs !== undefined) inode.atimeNs = record.atimeNs;
  if (record.mtimeNs !== undefined) inode.mtimeNs = record.mtimeNs;
}

function resize(inode: Inode, size: number, time: bigint): void {
  if (size < inode.size) inode.extents?.truncate(size);
  inode.size = size;
  inode.mtimeNs = time;
}

function changeXattr(upper: Upper, record: Recorded<'setxattr' | 'removexattr'>): void {
  const inode = upper.touch(record.ino);
  const xattrs = new Map(inode.xattrs);
  if (record.kind === 'setxattr') xattrs.set(record.name, record.value);
  else xattrs.delete(record.name);
  inode.xattrs = xattrs;
  inode.ctimeNs = record.time;
}
