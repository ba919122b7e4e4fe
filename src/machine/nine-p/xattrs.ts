/** xattrwalk xattrcreate: extended attributes, read and written through fids of their own. */

import { encodeName } from '../../engine/names.ts';
import { FsError } from '../../engine/unionfs/errno.ts';
import type { Fid } from './fids.ts';
import type { Handlers } from './session.ts';

/** XATTR_SIZE_MAX and XATTR_NAME_MAX of linux/limits.h. */
const MAX_VALUE = 65536;
const MAX_NAME = 255;
const XATTR_REPLACE = 2;

export const xattrs: Handlers<'xattrwalk' | 'xattrcreate'> = {
  /** The new fid reads the value of a name, or without a name the list of names, each ended by NUL. */
  xattrwalk(session, { fid: number, newFid, name }) {
    const fid = session.file(number);
    session.fids.checkFree(newFid);
    const { fs } = fid.node.tree;
    const bytes =
      name === ''
        ? encodeName(
            fs
              .listxattr(fid.node.ino)
              .map((each) => `${each}\0`)
              .join(''),
          )
        : fs.getxattr(fid.node.ino, name);
    if (bytes === undefined) throw new FsError('ENODATA', name);
    session.fids.set(newFid, { node: fid.node, uid: fid.uid, xattr: { kind: 'read', bytes } });
    return { size: bytes.length };
  },

  /** From now on the fid takes the value; clunk sets it. */
  xattrcreate(session, { fid: number, name, size, flags }) {
    const fid = session.file(number);
    if (name === '' || name.includes('\0')) throw new FsError('EINVAL', 'name');
    if (encodeName(name).length > MAX_NAME) throw new FsError('ERANGE', name);
    if (size > MAX_VALUE) throw new FsError('E2BIG', name);
    session.fids.set(number, {
      node: fid.node,
      uid: fid.uid,
      xattr: { kind: 'write', name, flags, bytes: new Uint8Array(size), written: 0 },
    });
    return {};
  },
};

/**
 * Sets what was written through an xattrcreate fid. Linux's client removes an
 * attribute by replacing it with nothing, so that is what an empty replacement
 * means. EINVAL when less came than was announced.
 */
export function commitXattr(fid: Fid): void {
  const { node, xattr } = fid;
  if (xattr?.kind !== 'write') return;
  if (xattr.written !== xattr.bytes.length) throw new FsError('EINVAL', xattr.name);
  const { fs } = node.tree;
  if (xattr.bytes.length === 0 && xattr.flags === XATTR_REPLACE) fs.removexattr(node.ino, xattr.name);
  else fs.setxattr(node.ino, xattr.name, xattr.bytes, xattr.flags);
}
