/** Pieces written into a filesystem, as Docker unpacks an archive into a container (moby, pkg/archive, Unpack). */

import type { TarFields } from '../archive/tar-writer.ts';
import { compareNames } from '../names.ts';
import { FsError } from './errno.ts';
import type { FileSystem, Owner } from './filesystem.ts';
import type { Pieces } from './pieces.ts';
import { resolvePath } from './resolve.ts';

const ROOT: Owner = { uid: 0, gid: 0 };

export interface WriteOptions {
  /** Whose all of it is to be. Default: as the entries say. */
  readonly owner?: Owner;
}

/**
 * Writes all entries below `directory`; '' is the directory itself. A file takes the place of one that is there, and so does
 * what is no directory; directories are merged. Links on the way are followed inside the filesystem, and missing directories made.
 * FsError: EEXIST for a directory where something else is or the other way round (data: the path), EINVAL for a path that
 * leads out, ENOENT for a hard link to what is not there; and what the filesystem throws.
 */
export async function writePieces(
  fs: FileSystem,
  directory: number,
  pieces: Pieces,
  options: WriteOptions = {},
): Promise<void> {
  const times: { readonly ino: number; readonly mtimeNs: bigint }[] = [];
  let file: number | undefined;
  let size = 0;
  const finish = () => {
    if (file === undefined) return;
    if (fs.stat(file).size !== size) fs.setattr(file, { size });
    const time = times.pop();
    if (time !== undefined) fs.setattr(time.ino, { mtimeNs: time.mtimeNs });
    file = undefined;
  };
  for await (const piece of pieces) {
    if ('entry' in piece) {
      finish();
      const made = writeEntry(fs, directory, piece.entry, options);
      const { type, mtimeNs } = piece.entry;
      if (type === 'dir' || type === 'file') times.push({ ino: made, mtimeNs });
      else if (type !== 'hardlink') fs.setattr(made, { mtimeNs });
      file = type === 'file' ? made : undefined;
      size = piece.entry.size ?? 0;
    } else if (file !== undefined) {
      if (fs.isShort === true) throw new FsError('ENOSPC', 'the storage is full');
      fs.write(file, piece.at, piece.bytes);
    }
    await fs.ready();
  }
  finish();
  // what was made in a directory changed its time: innermost first
  for (const { ino, mtimeNs } of times.reverse()) fs.setattr(ino, { mtimeNs });
}

/** The names of a path below a directory, without `.` and empty ones. FsError EINVAL when it leads out. */
export function namesBelow(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name === '..' && names.pop() === undefined) throw new FsError('EINVAL', `${path} is outside`);
    if (name !== '..') names.push(name);
  }
  return names;
}

function writeEntry(fs: FileSystem, root: number, entry: TarFields, { owner }: WriteOptions): number {
  const { type, mode } = entry;
  const whose = owner ?? { uid: entry.uid, gid: entry.gid };
  const names = namesBelow(entry.path);
  const name = names.pop();
  if (name === undefined) {
    if (type !== 'dir') throw new FsError('EEXIST', entry.path);
    return dressed(fs, root, entry, whose);
  }
  const parent = makeDirectories(fs, root, names);
  const present = childOf(fs, parent, name);
  if (present !== undefined) {
    const isDirectory = fs.stat(present).type === 'dir';
    if (isDirectory !== (type === 'dir')) throw new FsError('EEXIST', entry.path);
    if (isDirectory) return dressed(fs, present, entry, whose);
  }
  if (type === 'hardlink') {
    const target = at(fs, root, entry.link ?? '');
    if (target === present) return target;
    if (present !== undefined) fs.unlink(parent, name);
    fs.link(target, parent, name);
    return target;
  }
  if (present !== undefined) fs.unlink(parent, name);
  if (type === 'dir') return dressed(fs, fs.mkdir(parent, name, mode, whose), entry, whose);
  if (type === 'file') return dressed(fs, fs.create(parent, name, mode, whose), entry, whose);
  if (type === 'symlink') return dressed(fs, fs.symlink(parent, name, entry.link ?? '', whose), entry, whose);
  return dressed(fs, fs.mknod(parent, name, type, mode, entry.rdev ?? [0, 0], whose), entry, whose);
}

/** Its mode, owner and extended attributes as the entry has them: a mask, or who was there before, gave it others. */
function dressed(fs: FileSystem, ino: number, { type, mode, xattrs }: TarFields, owner: Owner): number {
  // a change of owner takes the set-user-ID bit away, so the mode comes after it
  fs.setattr(ino, { uid: owner.uid, gid: owner.gid });
  if (type !== 'symlink') fs.setattr(ino, { mode });
  const sorted = [...(xattrs ?? [])].sort(([a], [b]) => compareNames(a, b));
  for (const [name, value] of sorted) fs.setxattr(ino, name, value, 0);
  return ino;
}

/** The directory that the names lead to from `root`, links followed; what is missing is made, for the root user. */
export function makeDirectories(fs: FileSystem, root: number, names: readonly string[]): number {
  let ino = root;
  for (const [index, name] of names.entries()) {
    const child = childOf(fs, ino, name);
    if (child === undefined) ino = fs.mkdir(ino, name, 0o755, ROOT);
    else ino = resolvePath(fs, name, { from: ino });
    if (fs.stat(ino).type !== 'dir') throw new FsError('ENOTDIR', names.slice(0, index + 1).join('/'));
  }
  return ino;
}

function at(fs: FileSystem, root: number, path: string): number {
  return namesBelow(path).reduce((ino, name) => fs.lookup(ino, name), root);
}

function childOf(fs: FileSystem, directory: number, name: string): number | undefined {
  try {
    return fs.lookup(directory, name);
  } catch (error) {
    if (error instanceof FsError && error.errno === 'ENOENT') return undefined;
    throw error;
  }
}
