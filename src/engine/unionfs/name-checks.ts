/** What a name, a target and an attribute may be, as Linux's VFS has it (limits.h, path_resolution(7), xattr(7)). */

import { encodeName } from '../names.ts';
import { FsError } from './errno.ts';

const NAME_MAX = 255;
const PATH_MAX = 4096;
const XATTR_SIZE_MAX = 65536;
/** As ext4 has it. */
export const LINK_MAX = 65000;
/** As far as the guest's page cache and our arithmetic both reach. */
export const SIZE_MAX = 2 ** 43;

function bytesOf(text: string): number {
  return text.length > NAME_MAX || /[^\0-\x7f]/.test(text) ? encodeName(text).length : text.length;
}

/** Throws ENAMETOOLONG above 255 bytes. */
export function checkLength(name: string): void {
  if (bytesOf(name) > NAME_MAX) throw new FsError('ENAMETOOLONG', `a name of ${bytesOf(name)} bytes`);
}

/** Throws unless a new entry may have this name: ENOENT, EEXIST (dots), EINVAL, ENAMETOOLONG. */
export function checkNewName(name: string): void {
  if (name === '') throw new FsError('ENOENT', 'an empty name');
  if (name === '.' || name === '..') throw new FsError('EEXIST', name);
  if (name.includes('/') || name.includes('\0')) throw new FsError('EINVAL', JSON.stringify(name));
  checkLength(name);
}

/** Throws unless a symlink may have this target: ENOENT, EINVAL, ENAMETOOLONG. */
export function checkTarget(target: string): void {
  if (target === '') throw new FsError('ENOENT', 'an empty target');
  if (target.includes('\0')) throw new FsError('EINVAL', JSON.stringify(target));
  if (encodeName(target).length >= PATH_MAX) throw new FsError('ENAMETOOLONG', 'the target of a symlink');
}

/** Throws ERANGE for the name, E2BIG for the value. */
export function checkXattr(name: string, value: Uint8Array): void {
  if (name === '' || bytesOf(name) > NAME_MAX)
    throw new FsError('ERANGE', 'the name of an extended attribute');
  if (value.length > XATTR_SIZE_MAX) throw new FsError('E2BIG', `${name} of ${value.length} bytes`);
}
