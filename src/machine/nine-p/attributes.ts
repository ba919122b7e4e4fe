/** getattr setattr statfs: what is known of a file. */

import type { Attributes, FileType } from '../../engine/unionfs/filesystem.ts';
import { type Node, qidOf } from './export-root.ts';
import { checkRoom, type Handlers, statOf } from './session.ts';

/** S_IFMT bits of a type (stat(2)). */
export const TYPE_BITS = {
  fifo: 0o010000,
  char: 0o020000,
  dir: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const satisfies Record<FileType, number>;

/** P9_GETATTR_BASIC: mode nlink uid gid rdev atime mtime ctime ino size blocks. */
const GETATTR_BASIC = 0x7ff;
/** Of the dialect in listing.ts: there is no extended attribute. */
const NO_XATTRS = 2 ** 32;
/** V9FS_MAGIC, what statfs(2) shows as the type of the filesystem. */
const V9FS_MAGIC = 0x01021997;

/** P9_SETATTR_*; the bit of ctime asks for what happens anyway. */
const SET = {
  mode: 0x1,
  uid: 0x2,
  gid: 0x4,
  size: 0x8,
  atime: 0x10,
  mtime: 0x20,
  atimeGiven: 0x80,
  mtimeGiven: 0x100,
} as const;

/** Linux's new_encode_dev: 12 bits of major, 20 of minor. */
export function encodeDevice([major, minor]: readonly [number, number]): number {
  return (((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0) % 0x1_0000_0000;
}

export function hasNoXattrs({ tree, ino }: Node): boolean {
  return tree.fs.listxattr(ino).length === 0;
}

export const attributes: Handlers<'getattr' | 'setattr' | 'statfs'> = {
  getattr(session, { fid }) {
    const { node } = session.file(fid);
    const stat = statOf(node);
    return {
      valid: GETATTR_BASIC + (session.speaksLists && hasNoXattrs(node) ? NO_XATTRS : 0),
      qid: qidOf(node, stat.type),
      mode: TYPE_BITS[stat.type] | stat.mode,
      uid: stat.uid,
      gid: stat.gid,
      nlink: stat.nlink,
      rdev: encodeDevice(stat.rdev),
      size: stat.size,
      blockSize: 4096,
      blocks: stat.blocks,
      atime: stat.atimeNs,
      mtime: stat.mtimeNs,
      ctime: stat.ctimeNs,
      btime: 0n,
      generation: 0,
      version: 0,
    };
  },

  setattr(session, request) {
    const { node } = session.file(request.fid);
    const has = (bit: number) => (request.valid & bit) !== 0;
    // The guest's kernel opens a file without a message, and empties it with one that has the time of now, as ftruncate(2)
    // does: only truncate(2) can give the room of a file back that is to be kept.
    if (has(SET.size) && request.size === 0 && has(SET.mtime) && !has(SET.mtimeGiven)) checkRoom(node);
    const changed: Attributes = {
      ...(has(SET.mode) ? { mode: request.mode & 0o7777 } : {}),
      ...(has(SET.uid) ? { uid: request.uid } : {}),
      ...(has(SET.gid) ? { gid: request.gid } : {}),
      ...(has(SET.size) ? { size: request.size } : {}),
      ...(has(SET.atime) ? { atimeNs: has(SET.atimeGiven) ? request.atime : 'now' } : {}),
      ...(has(SET.mtime) ? { mtimeNs: has(SET.mtimeGiven) ? request.mtime : 'now' } : {}),
    };
    node.tree.fs.setattr(node.ino, changed);
    return {};
  },

  statfs(session, { fid }) {
    const { node } = session.file(fid);
    const space = node.tree.fs.space();
    return {
      type: V9FS_MAGIC,
      blockSize: space.blockSize,
      blocks: space.blocks,
      free: space.free,
      available: space.free,
      files: space.files,
      freeFiles: 0xffffffff,
      id: node.tree.number,
      nameLength: 255,
    };
  },
};
