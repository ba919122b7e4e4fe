/** What a sandbox shows of an image's or a container's files: a walk of all entries, and contents. */

import { NoSuchFileError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { DiffID } from '../oci/digest.ts';
import { FsError } from '../unionfs/errno.ts';
import { readFile } from '../unionfs/resolve.ts';
import type { Union } from '../unionfs/union.ts';
import { type Walked, walk, walkedAt } from '../unionfs/walk.ts';

export type WalkType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo';

export interface WalkEntry {
  /** Absolute; the root is `/`. */
  readonly path: string;
  readonly type: WalkType;
  /** The permission bits: 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Equal for hard links of one file. */
  readonly ino: number;
  readonly nlink: number;
  readonly link?: string;
  /** Major and minor. */
  readonly rdev?: readonly [number, number];
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
  /** Where the entry comes from: index 0 is the base. */
  readonly layer: { readonly index: number; readonly diffID: string } | { readonly container: string };
}

/** A union that somebody opened for looking. */
export interface OpenFiles {
  readonly union: Union;
  /** Of the image, bottom first. */
  readonly layers: readonly DiffID[];
  /** Whose the layers above the image's are. */
  readonly container?: string;
}

/** Bytewise by path, parents first. Sockets are left out: no layer can hold one. */
export function* walkFiles(files: OpenFiles): Generator<WalkEntry> {
  for (const walked of walk(files.union)) {
    const { type } = walked.stat;
    if (type !== 'socket') yield entryOf(walked, type, layerOf(walked, files));
  }
}

/** One entry, by inode number; undefined for a socket. */
export function entryAt(files: OpenFiles, ino: number, path: string): WalkEntry | undefined {
  const found = walkedAt(files.union, ino, path);
  const { type } = found.stat;
  return type === 'socket' ? undefined : entryOf(found, type, layerOf(found, files));
}

function entryOf(walked: Walked, type: WalkType, layer: WalkEntry['layer']): WalkEntry {
  const { path, stat, link, xattrs } = walked;
  return {
    path,
    type,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.size,
    mtimeNs: stat.mtimeNs,
    ino: stat.ino,
    nlink: stat.nlink,
    ...(link !== undefined && { link }),
    ...((type === 'char' || type === 'block') && { rdev: stat.rdev }),
    ...(xattrs !== undefined && { xattrs }),
    layer,
  };
}

function layerOf({ layer }: Walked, { layers, container }: OpenFiles): WalkEntry['layer'] {
  // a directory that no layer names counts as the base's
  const index = typeof layer === 'number' ? Math.max(layer, 0) : layers.length;
  const diffID = layers[index];
  if (diffID === undefined && container !== undefined) return { container };
  return { index, diffID: diffID ?? '' };
}

/** Content of a file, links followed inside the root. NoSuchFileError for what is none. */
export async function readContent(union: Union, path: string): Promise<Uint8Array> {
  try {
    return await readFile(union, path);
  } catch (error) {
    if (!(error instanceof FsError) || error.errno === 'EIO') throw error;
    if (error.errno === 'EFBIG') {
      throw new NoSuchFileError(
        `${JSON.stringify(printableName(path))} is too large to be read whole: ${error.message}`,
        { path, errno: error.errno },
      );
    }
    const why = error.errno === 'EISDIR' ? 'is a directory' : 'is no file here';
    throw new NoSuchFileError(
      `${JSON.stringify(printableName(path))} ${why}: name a file by its absolute path`,
      {
        path,
        errno: error.errno,
      },
    );
  }
}
