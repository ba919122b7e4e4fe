/** An inode of the upper: one that was made here, or a lower one that was copied up. */

import type { Extents } from './extents.ts';
import type { FileType } from './filesystem.ts';

export type Xattrs = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

export interface Inode {
  readonly ino: number;
  readonly type: FileType;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  size: number;
  readonly rdev: readonly [number, number];
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  /** Of a symlink. */
  readonly link: string | undefined;
  /** Replaced, never changed: a copied-up inode shares the lower's. */
  xattrs: Xattrs | undefined;
  /** Of a file. */
  readonly extents: Extents | undefined;
  /** A name it has, or had last: exact for directories, for words only otherwise. */
  parent: number;
  name: string;
  version: number;
}
