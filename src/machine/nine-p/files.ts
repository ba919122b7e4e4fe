/** lopen lcreate read write fsync lock getlock: open files. */

import { FsError } from '../../engine/unionfs/errno.ts';
import { qidOf } from './export-root.ts';
import { checkName, checkRoom, type Handlers, ownerOf, statOf } from './session.ts';

/** P9_DOTL_WRONLY, P9_DOTL_RDWR */
const WRITABLE = 0o3;
/** P9_DOTL_TRUNC */
const TRUNCATE = 0o1000;
/** P9_LOCK_SUCCESS */
const LOCK_GRANTED = 0;
/** P9_LOCK_TYPE_UNLCK */
const UNLOCKED = 2;

export const files: Handlers<'lopen' | 'lcreate' | 'read' | 'write' | 'fsync' | 'lock' | 'getlock'> = {
  /** Permissions are the guest's kernel's affair: it knows the user's groups and capabilities. */
  lopen(session, { fid, flags }) {
    const { node } = session.file(fid);
    const { type } = statOf(node);
    if (type === 'file' && (flags & (WRITABLE | TRUNCATE)) !== 0) checkRoom(node);
    if (type === 'file' && (flags & TRUNCATE) !== 0) node.tree.fs.setattr(node.ino, { size: 0 });
    return { qid: qidOf(node, type), ioUnit: 0 };
  },

  /** From now on the fid means the new file, not the directory. */
  lcreate(session, { fid: number, name, mode, gid }) {
    const fid = session.file(number);
    const { tree } = session.directory(number);
    const made = tree.fs.create(fid.node.ino, checkName(name, 'EEXIST'), mode & 0o7777, ownerOf(fid, gid));
    const node = { tree, ino: made };
    session.fids.set(number, { node, uid: fid.uid, reached: { directory: fid.node, name } });
    return { qid: qidOf(node, 'file'), ioUnit: 0 };
  },

  read(session, { fid: number, offset, count }) {
    const { node, xattr } = session.fids.get(number);
    const length = session.limit(count);
    if (xattr !== undefined) {
      if (xattr.kind !== 'read') throw new FsError('EBADF', 'an extended attribute being written');
      return { bytes: xattr.bytes.subarray(offset, offset + length) };
    }
    const { type } = statOf(node);
    if (type !== 'file') throw new FsError(type === 'dir' ? 'EISDIR' : 'EINVAL');
    const bytes = node.tree.fs.read(node.ino, offset, length);
    return bytes instanceof Uint8Array ? { bytes } : bytes.then((late) => ({ bytes: late }));
  },

  /** The reply waits until there is room for more, so that a writer cannot fill the page's memory. */
  write(session, { fid: number, offset, bytes }) {
    const { node, xattr } = session.fids.get(number);
    if (xattr !== undefined) {
      if (xattr.kind !== 'write') throw new FsError('EBADF', 'an extended attribute being read');
      if (offset + bytes.length > xattr.bytes.length) throw new FsError('ENOSPC', xattr.name);
      xattr.bytes.set(bytes, offset);
      xattr.written = Math.max(xattr.written, offset + bytes.length);
      return { count: bytes.length };
    }
    const { type } = statOf(node);
    if (type !== 'file') throw new FsError(type === 'dir' ? 'EISDIR' : 'EINVAL');
    const count = node.tree.fs.write(node.ino, offset, bytes);
    const room = node.tree.fs.ready();
    return room === undefined ? { count } : room.then(() => ({ count }));
  },

  fsync(session, { fid }) {
    return session
      .file(fid)
      .node.tree.fs.flush()
      .then(() => ({}));
  },

  /** One guest: its kernel has already decided among its own processes. */
  lock(session, { fid }) {
    session.file(fid);
    return { status: LOCK_GRANTED };
  },

  getlock(session, request) {
    session.file(request.fid);
    return { ...request, type: UNLOCKED };
  },
};
