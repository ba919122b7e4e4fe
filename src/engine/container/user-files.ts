/** The user of a process, looked up in the container's own files. */

import { decodeName } from '../names.ts';
import { FsError } from '../unionfs/errno.ts';
import type { FileSystem } from '../unionfs/filesystem.ts';
import { readFile, resolvePath } from '../unionfs/resolve.ts';
import { type ExecUser, resolveUser } from './user.ts';

/** A larger passwd file is not read: nobody has one, and its text would fill the memory. */
const LIMIT = 4 * 1024 * 1024;

/** As `resolveUser`, against `/etc/passwd` and `/etc/group` of this root. */
export async function userOf(
  root: FileSystem,
  spec: string,
  more: readonly string[] = [],
): Promise<ExecUser> {
  return resolveUser(spec, await textOf(root, '/etc/passwd'), await textOf(root, '/etc/group'), more);
}

/** '' for a file that is not there, is no file, or is too large. */
async function textOf(root: FileSystem, path: string): Promise<string> {
  try {
    const { type, size } = root.stat(resolvePath(root, path));
    return type === 'file' && size <= LIMIT ? decodeName(await readFile(root, path)) : '';
  } catch (error) {
    if (error instanceof FsError && ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(error.errno))
      return '';
    throw error;
  }
}
