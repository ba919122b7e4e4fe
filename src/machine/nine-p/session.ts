/** What the handlers of messages share: the exported root, the fids, the agreed size. */

import { encodeName } from '../../engine/names.ts';
import { type Errno, FsError } from '../../engine/unionfs/errno.ts';
import type { Owner, Stat } from '../../engine/unionfs/filesystem.ts';
import { type ExportRoot, type Node, qidOf } from './export-root.ts';
import { type Fid, FidTable } from './fids.ts';
import type { MessageName, ReplyOf, RequestOf } from './messages.ts';
import type { Qid } from './wire.ts';

/** Largest message; the client may ask for less. */
export const MAX_MSIZE = 1 << 20;
const MAX_NAME = 255;

export type Handler<N extends MessageName> = (
  session: Session,
  request: RequestOf<N>,
) => ReplyOf<N> | Promise<ReplyOf<N>>;

export type Handlers<N extends MessageName> = { readonly [K in N]: Handler<K> };

export class Session {
  readonly export: ExportRoot;
  readonly fids: FidTable;
  msize = 8192;
  /** Whether the dialect of listing.ts was agreed on. */
  speaksLists = false;

  constructor(exported: ExportRoot, fidLimit?: number) {
    this.export = exported;
    this.fids = new FidTable(fidLimit);
  }

  /** The fid of an ordinary file or directory; EBADF for one that stands for an extended attribute. */
  file(number: number): Fid {
    const fid = this.fids.get(number);
    if (fid.xattr !== undefined) throw new FsError('EBADF', 'an extended attribute');
    return fid;
  }

  /** The node of a fid that must be a directory; ENOTDIR. */
  directory(number: number): Node {
    const { node } = this.file(number);
    if (statOf(node).type !== 'dir') throw new FsError('ENOTDIR');
    return node;
  }

  /** Bytes that a reply to read or readdir may carry. */
  limit(count: number): number {
    return Math.min(count, this.msize - 11);
  }
}

export function statOf(node: Node): Stat {
  return node.tree.fs.stat(node.ino);
}

export function qidOfNode(node: Node): Qid {
  return qidOf(node, statOf(node).type);
}

/** The owner of what this fid's user makes. */
export function ownerOf(fid: Fid, gid: number): Owner {
  return { uid: fid.uid, gid };
}

/**
 * ENOSPC where nothing is free, before a file is opened to be written: what is written then would find no room, and the
 * content that it is to take the place of would be gone.
 */
export function checkRoom({ tree }: Node): void {
  if (tree.fs.space().free === 0) throw new FsError('ENOSPC', 'the storage is full');
}

/**
 * A name that is to be made or removed: one component. EINVAL, ENAMETOOLONG,
 * or `dots` for "." and "..", which are never names of their own.
 */
export function checkName(name: string, dots: Errno): string {
  if (name === '.' || name === '..') throw new FsError(dots, name);
  if (name === '' || name.includes('/') || name.includes('\0')) throw new FsError('EINVAL', 'name');
  if (name.length > MAX_NAME || encodeName(name).length > MAX_NAME) throw new FsError('ENAMETOOLONG');
  return name;
}
