/**
 * list lookup make: what the dialect "9P2000.L.lists" adds. The kernel of the
 * guest speaks it (guest/kernel/9p-lists.patch), so that a directory with all
 * attributes in it, a name, or a new file costs one message and no fid:
 *
 *     Tlist    fid[4] names[nwname*s] count[4]   Rlist    data: answer[1] 0[3] entries
 *     Tlookup  fid[4] names[nwname*s]            Rlookup  attributes[84] target[]
 *     Tmake    dfid[4] fid[4] name[s] flags[4] mode[4] gid[4]   Rmake  attributes[84]
 *
 * An entry is attributes[84], the lengths of name[2] and target[2], name,
 * target; entries are sorted by the bytes of their names, "." and ".." are not
 * among them. The answer is one of ANSWER; only the first is followed by entries.
 */

import { encodeName } from '../../engine/names.ts';
import { FsError } from '../../engine/unionfs/errno.ts';
import { encodeDevice, hasNoXattrs, TYPE_BITS } from './attributes.ts';
import { type Node, qidOf } from './export-root.ts';
import { checkName, type Handlers, ownerOf, type Session, statOf } from './session.ts';
import { WireWriter } from './wire.ts';

export const LISTS_VERSION = '9P2000.L.lists';
export const ATTRIBUTES_LENGTH = 84;
/** The client's buffer for a lookup has this much room for a target. */
const TARGET_ROOM = 256;
const NO_XATTRS = 1;
const NOTHING = new Uint8Array(0);
const ANSWER = {
  /** All of it. */
  whole: 1,
  /** It does not fit into `count`; where no larger one is possible it is read with readdir. */
  large: 2,
  /** It may change by itself: it is read with readdir, each time. */
  changing: 0,
} as const;

export const listing: Handlers<'list' | 'lookup' | 'make'> = {
  list(session, { fid, names, count }) {
    const node = nodeBelow(session, fid, names);
    if (!isFixed(session, node)) return { bytes: answer(ANSWER.changing) };
    return { bytes: packListing(node, session.limit(count)) ?? answer(ANSWER.large) };
  },

  lookup(session, { fid, names }) {
    const node = nodeBelow(session, fid, names);
    const writer = new WireWriter(ATTRIBUTES_LENGTH + 16);
    writeAttributes(writer, node);
    const target = targetOf(node);
    if (target.length <= TARGET_ROOM) writer.raw(target);
    return { attributes: writer.body() };
  },

  /** As lcreate, but the directory's fid stays what it is. */
  make(session, { directory, fid, name, mode, gid }) {
    checkDialect(session);
    const parent = session.directory(directory);
    session.fids.checkFree(fid);
    const owner = ownerOf(session.file(directory), gid);
    const ino = parent.tree.fs.create(parent.ino, checkName(name, 'EEXIST'), mode & 0o7777, owner);
    const node = { tree: parent.tree, ino };
    session.fids.set(fid, { node, uid: owner.uid, reached: { directory: parent, name } });
    const writer = new WireWriter(ATTRIBUTES_LENGTH + 16);
    writeAttributes(writer, node);
    return { attributes: writer.body() };
  },
};

/** EOPNOTSUPP in a session of another dialect. */
function nodeBelow(session: Session, fid: number, names: readonly string[]): Node {
  checkDialect(session);
  let { node } = session.file(fid);
  for (const name of names) node = session.export.step(node, name);
  return node;
}

function checkDialect(session: Session): void {
  if (!session.speaksLists) throw new FsError('EOPNOTSUPP');
}

/** What is mounted comes and goes by the engine's hand: the guest must not keep a list of that. */
function isFixed(session: Session, node: Node): boolean {
  return node.tree !== session.export.root.tree;
}

function answer(value: number): Uint8Array {
  return Uint8Array.of(value, 0, 0, 0);
}

/** Undefined when it has more bytes than the limit; ENOTDIR. */
function packListing({ tree, ino }: Node, limit: number): Uint8Array<ArrayBuffer> | undefined {
  const entries = tree.fs.readdir(ino);
  const writer = new WireWriter(Math.min(limit, 128 * entries.length + 64));
  const start = writer.length;
  writer.u32(ANSWER.whole);
  for (const entry of entries) {
    const node = { tree, ino: entry.ino };
    writeAttributes(writer, node);
    const lengths = writer.length;
    writer.u32(0);
    writer.u16At(lengths, writer.name(entry.name));
    if (entry.type === 'symlink') writer.u16At(lengths + 2, writer.name(tree.fs.readlink(entry.ino)));
    if (writer.length - start > limit) return undefined;
  }
  return writer.body();
}

function targetOf({ tree, ino }: Node): Uint8Array {
  return tree.fs.stat(ino).type === 'symlink' ? encodeName(tree.fs.readlink(ino)) : NOTHING;
}

/**
 * qid.type[1] flags[1] 0[2] mode[4] qid.path[8] uid[4] gid[4] nlink[4] rdev[4] size[8] blocks[8],
 * seconds[8] of atime, mtime, ctime, nanoseconds[4] of the same.
 */
function writeAttributes(writer: WireWriter, node: Node): void {
  const stat = statOf(node);
  const { type, path } = qidOf(node, stat.type);
  writer.u8(type);
  writer.u8(hasNoXattrs(node) ? NO_XATTRS : 0);
  writer.u16(0);
  writer.u32(TYPE_BITS[stat.type] | stat.mode);
  writer.u64(path);
  writer.u32(stat.uid);
  writer.u32(stat.gid);
  writer.u32(stat.nlink);
  writer.u32(encodeDevice(stat.rdev));
  writer.u64(stat.size);
  writer.u64(stat.blocks);
  writer.times(stat.atimeNs, stat.mtimeNs, stat.ctimeNs);
}
