/** readdir mkdir symlink mknod link rename renameat unlinkat remove readlink: names. */

import { encodeName } from '../../engine/names.ts';
import { FsError } from '../../engine/unionfs/errno.ts';
import type { FileType } from '../../engine/unionfs/filesystem.ts';
import { TYPE_BITS } from './attributes.ts';
import { type Node, qidOf } from './export-root.ts';
import type { Fid, ListEntry } from './fids.ts';
import { checkName, type Handlers, ownerOf, type Session, statOf } from './session.ts';
import { WireWriter } from './wire.ts';

/** AT_REMOVEDIR */
const REMOVE_DIRECTORY = 0x200;
const TYPE_MASK = 0o170000;

type DirectoryMessage =
  | 'readdir'
  | 'mkdir'
  | 'symlink'
  | 'mknod'
  | 'link'
  | 'rename'
  | 'renameat'
  | 'unlinkat'
  | 'remove'
  | 'readlink';

export const directories: Handlers<DirectoryMessage> = {
  /** Offsets count entries of a snapshot that is taken at offset 0: what changes meanwhile shifts nothing. */
  readdir(session, { fid: number, offset, count }) {
    const { tree, ino } = session.directory(number);
    const fid = session.file(number);
    if (offset === 0 || fid.list === undefined) fid.list = listOf(session, { tree, ino });
    return { entries: packEntries(fid.list, offset, session.limit(count)) };
  },

  mkdir(session, { directory, name, mode, gid }) {
    const { node, fs, owner } = parentOf(session, directory, gid);
    const ino = fs.mkdir(node.ino, checkName(name, 'EEXIST'), mode & 0o7777, owner);
    return { qid: qidOf({ tree: node.tree, ino }, 'dir') };
  },

  symlink(session, { directory, name, target, gid }) {
    const { node, fs, owner } = parentOf(session, directory, gid);
    const ino = fs.symlink(node.ino, checkName(name, 'EEXIST'), target, owner);
    return { qid: qidOf({ tree: node.tree, ino }, 'symlink') };
  },

  mknod(session, { directory, name, mode, major, minor, gid }) {
    const { node, fs, owner } = parentOf(session, directory, gid);
    const type = nodeType(mode);
    const ino = fs.mknod(
      node.ino,
      checkName(name, 'EEXIST'),
      type,
      mode & 0o7777,
      type === 'char' || type === 'block' ? [major, minor] : [0, 0],
      owner,
    );
    return { qid: qidOf({ tree: node.tree, ino }, type) };
  },

  link(session, { directory, fid, name }) {
    const { node, fs } = parentOf(session, directory, 0);
    const target = session.file(fid).node;
    if (target.tree !== node.tree) throw new FsError('EXDEV');
    fs.link(target.ino, node.ino, checkName(name, 'EEXIST'));
    return {};
  },

  renameat(session, { from, name, to, newName }) {
    rename(session.directory(from), name, session.directory(to), newName);
    return {};
  },

  rename(session, { fid, directory, name }) {
    const at = reachedBy(session.file(fid));
    rename(at.directory, at.name, session.directory(directory), name);
    return {};
  },

  unlinkat(session, { directory, name, flags }) {
    const node = session.directory(directory);
    removeName(node, name, (flags & REMOVE_DIRECTORY) !== 0);
    return {};
  },

  /** remove(5): the fid is given back whether or not this succeeds. */
  remove(session, { fid: number }) {
    const fid = session.fids.get(number);
    try {
      const at = reachedBy(fid);
      removeName(at.directory, at.name, statOf(fid.node).type === 'dir');
    } finally {
      session.fids.remove(number);
    }
    return {};
  },

  readlink(session, { fid }) {
    const { node } = session.file(fid);
    if (statOf(node).type !== 'symlink') throw new FsError('EINVAL');
    return { target: node.tree.fs.readlink(node.ino) };
  },
};

function parentOf(session: Session, number: number, gid: number) {
  const node = session.directory(number);
  return { node, fs: node.tree.fs, owner: ownerOf(session.file(number), gid) };
}

function nodeType(mode: number): 'char' | 'block' | 'fifo' | 'socket' | 'file' {
  switch (mode & TYPE_MASK) {
    case TYPE_BITS.char:
      return 'char';
    case TYPE_BITS.block:
      return 'block';
    case TYPE_BITS.fifo:
      return 'fifo';
    case TYPE_BITS.socket:
      return 'socket';
    case TYPE_BITS.file:
    case 0: // mknod(2): none given means a regular file
      return 'file';
    default:
      throw new FsError('EINVAL', 'mode');
  }
}

function rename(from: Node, name: string, to: Node, newName: string): void {
  if (from.tree !== to.tree) throw new FsError('EXDEV');
  from.tree.fs.rename(from.ino, checkName(name, 'EBUSY'), to.ino, checkName(newName, 'EBUSY'));
}

function removeName(directory: Node, name: string, isDirectory: boolean): void {
  const { fs } = directory.tree;
  if (isDirectory) fs.rmdir(directory.ino, checkName(name, name === '.' ? 'EINVAL' : 'ENOTEMPTY'));
  else fs.unlink(directory.ino, checkName(name, 'EISDIR'));
}

/** Where the file of a fid was found, provided that it is still there; ENOENT. */
function reachedBy(fid: Fid): { readonly directory: Node; readonly name: string } {
  const at = fid.reached;
  if (at === undefined || at.directory.tree !== fid.node.tree) throw new FsError('ENOENT');
  if (at.directory.tree.fs.lookup(at.directory.ino, at.name) !== fid.node.ino) throw new FsError('ENOENT');
  return at;
}

function listOf(session: Session, node: Node): readonly ListEntry[] {
  return [
    { name: '.', node, type: 'dir' },
    { name: '..', node: session.export.parent(node), type: 'dir' },
    ...session.export.list(node),
  ];
}

/** Whole records from an offset on: qid[13] offset[8] type[1] name[s], `offset` being that of the next one. */
function packEntries(list: readonly ListEntry[], offset: number, limit: number): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter(Math.min(limit, 4096));
  let room = limit;
  for (let i = offset; i < list.length; i++) {
    const entry = list[i];
    if (entry === undefined) break;
    const name = encodeName(entry.name);
    room -= 24 + name.length;
    if (room < 0) break;
    writer.qid(qidOf(entry.node, entry.type));
    writer.u64(i + 1);
    writer.u8(direntType(entry.type));
    writer.u16(name.length);
    writer.raw(name);
  }
  return writer.body();
}

/** DT_* of readdir(3). */
function direntType(type: FileType): number {
  return TYPE_BITS[type] >> 12;
}
