/** Paths: from a path to an inode, as the kernel would walk it inside this root (path_resolution(7)). */

import { FsError } from './errno.ts';
import type { FileSystem } from './filesystem.ts';

const MAX_SYMLINKS = 40;

/**
 * The inode at a path, from the root, or from the directory `from` when it is not absolute. Symlinks are followed inside the root, the last one unless
 * `followLast` is false and no slash comes after it. Throws ENOENT, ENOTDIR, ELOOP after 40 symlinks, ENAMETOOLONG.
 */
export function resolvePath(
  fs: FileSystem,
  path: string,
  options: { followLast?: boolean; from?: number } = {},
): number {
  const names = path.split('/').reverse();
  const followLast = options.followLast !== false || path.endsWith('/');
  let mustBeDirectory = false;
  let followed = 0;
  let ino = path.startsWith('/') ? fs.root : (options.from ?? fs.root);
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    if (name === '' || name === '.') {
      mustBeDirectory = ino !== fs.root;
      continue;
    }
    if (name === '..') {
      ino = fs.parent(ino);
      continue;
    }
    const child = fs.lookup(ino, name);
    if ((followLast || names.length > 0) && fs.stat(child).type === 'symlink') {
      followed += 1;
      if (followed > MAX_SYMLINKS) throw new FsError('ELOOP', path);
      const target = fs.readlink(child);
      if (target.startsWith('/')) ino = fs.root;
      names.push(...target.split('/').reverse());
      continue;
    }
    ino = child;
    mustBeDirectory = false;
  }
  if (mustBeDirectory && fs.stat(ino).type !== 'dir') throw new FsError('ENOTDIR', path);
  return ino;
}

/** As much as every browser gives in one piece; a sparse file of a small layer may have terabytes. */
const WHOLE_MAX = 2 ** 31 - 1;

/** The whole content of the file at a path. Throws as `resolvePath` does; EISDIR, EINVAL for what is no file, EFBIG above 2 GiB. */
export async function readFile(fs: FileSystem, path: string): Promise<Uint8Array> {
  const ino = resolvePath(fs, path);
  const { type, size } = fs.stat(ino);
  if (type === 'file' && size > WHOLE_MAX) throw new FsError('EFBIG', `${path} has ${size} bytes`);
  return fs.read(ino, 0, size);
}
