/** What a tar reader gives of each entry, and the types of entries there are. */

import type { Xattrs } from './pax-xattrs.ts';
import type { SparseExtent } from './tar-sparse.ts';

export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'dir' | 'fifo';

/** An entry as the tar has it: paths neither cleaned nor checked. */
export interface TarEntry {
  readonly path: string;
  readonly type: TarEntryType;
  /** All bits of the mode field. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Bytes of content, the holes of a sparse file included; 0 for what is no file. */
  readonly size: number;
  /** Where the content starts, counted from the start of the tar. */
  readonly offset: number;
  /** Of a sparse file: its pieces of content, which lie one after another from `offset`. */
  readonly extents: readonly SparseExtent[] | undefined;
  /** Target of a symlink or hard link. */
  readonly link: string | undefined;
  readonly rdev: readonly [number, number] | undefined;
  /** Shared between entries; not to be changed. */
  readonly xattrs: Xattrs | undefined;
}

const types: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
  // contiguous file: a hint to a file system that has such
  '7': 'file',
  // sparse file of GNU tar
  S: 'file',
};

const refusedTypes: Readonly<Record<string, string>> = {
  D: 'a dump directory of GNU tar; make the layer without --incremental',
  M: 'the rest of a file of another volume',
  N: 'an old long name of GNU tar',
  V: 'the label of a volume',
  X: 'an extended header of Solaris; make the layer in a format of POSIX',
};

/** The type that a flag stands for, or why there is none in the words that follow "it is". */
export function entryTypeOf(flag: string): { readonly type: TarEntryType } | { readonly refused: string } {
  const type = types[flag];
  if (type !== undefined) return { type };
  return { refused: refusedTypes[flag] ?? `of the unknown type ${JSON.stringify(flag)}` };
}
