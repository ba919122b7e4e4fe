/** A part of a filesystem as pieces. */

import { FsError } from './errno.ts';
import type { FileSystem, Stat } from './filesystem.ts';
import type { Piece } from './pieces.ts';

/** Content is read in pieces of at most so many bytes. */
const PIECE = 1 << 20;

/**
 * What is at `ino` and below it, `path` its own path in the result ('' for the root of it), links not followed. Of a file
 * with several names below `ino` the first has the content. Sockets are left out, as a tar has none, and so is what is
 * removed meanwhile.
 */
export async function* piecesOfTree(fs: FileSystem, ino: number, path: string): AsyncGenerator<Piece> {
  const homes = new Map<number, string>();
  const waiting: { readonly ino: number; readonly path: string }[] = [{ ino, path }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const stat = present(() => fs.stat(next.ino));
    if (stat === undefined || stat.type === 'socket') continue;
    const home = stat.type === 'dir' ? undefined : homes.get(stat.ino);
    if (home !== undefined) {
      yield { entry: { ...fieldsOf(fs, stat, next.path), type: 'hardlink', link: home, xattrs: undefined } };
      continue;
    }
    if (stat.nlink > 1 && stat.type !== 'dir') homes.set(stat.ino, next.path);
    yield { entry: fieldsOf(fs, stat, next.path) };
    if (stat.type === 'file') yield* contentOf(fs, stat);
    if (stat.type !== 'dir') continue;
    const prefix = next.path === '' ? '' : `${next.path}/`;
    const children = present(() => fs.readdir(next.ino)) ?? [];
    for (const child of children.toReversed()) {
      waiting.push({ ino: child.ino, path: `${prefix}${child.name}` });
    }
  }
}

function fieldsOf(fs: FileSystem, stat: Stat, path: string) {
  const { type, mode, uid, gid, mtimeNs, size, rdev } = stat;
  if (type === 'socket') throw new TypeError('a tar has no sockets');
  const xattrs = new Map<string, Uint8Array>();
  for (const name of fs.listxattr(stat.ino)) {
    const value = fs.getxattr(stat.ino, name);
    if (value !== undefined) xattrs.set(name, value);
  }
  return {
    path,
    type,
    mode,
    uid,
    gid,
    mtimeNs,
    ...(type === 'file' && { size }),
    ...(type === 'symlink' && { link: fs.readlink(stat.ino) }),
    ...((type === 'char' || type === 'block') && { rdev }),
    ...(xattrs.size > 0 && { xattrs }),
  };
}

/** As many bytes as the entry says, whatever becomes of the file meanwhile: what it lost is zeros. */
async function* contentOf(fs: FileSystem, { ino, size }: Stat): AsyncGenerator<Piece> {
  for (let at = 0; at < size; ) {
    const wanted = Math.min(PIECE, size - at);
    const bytes = await fs.read(ino, at, wanted);
    if (bytes.length === 0) return;
    yield { at, bytes };
    at += bytes.length;
  }
}

/** What the function gives, or undefined when the inode is gone. */
function present<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof FsError && error.errno === 'ESTALE') return undefined;
    throw error;
  }
}
