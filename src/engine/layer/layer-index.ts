/**
 * LayerIndex: what one layer holds, immutable. Packed columns behind the view;
 * one ArrayBuffer that can be stored and transferred. Never a Map of objects.
 *
 * Entries are numbered so that the root is 0 and the children of each
 * directory are one run, sorted bytewise by name. A directory that the tar
 * did not name but whose children it has is there as `implicit`: it must not
 * change what a lower layer says of it.
 */

import type { SparseExtent } from '../archive/tar-sparse.ts';
import type { DiffID } from '../oci/digest.ts';
import type { Columns } from './packed-layout.ts';

export type { SparseExtent } from '../archive/tar-sparse.ts';

export type EntryType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'hardlink' | 'whiteout';

export interface LayerEntry {
  readonly number: number;
  readonly parent: number;
  /** Without the `.wh.` prefix, for a whiteout. Empty for the root. */
  readonly name: string;
  readonly type: EntryType;
  /** Permission bits with setuid, setgid and sticky: 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Bytes of content; 0 for what is no file. */
  readonly size: number;
  /** Where the content starts in the uncompressed tar. */
  readonly offset: number;
  /**
   * Of a sparse file: its pieces of content, in order and apart. In the tar they lie one after another from
   * `offset`; the rest of the file is zeros. Undefined: all `size` bytes are in the tar.
   */
  readonly extents: readonly SparseExtent[] | undefined;
  /** Target of a symlink verbatim; path of a hard link's target, cleaned, without a leading slash. */
  readonly link: string | undefined;
  /** Major and minor of a device. */
  readonly rdev: readonly [number, number] | undefined;
  readonly xattrs: ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined;
  /** A directory whose lower contents are hidden (`.wh..wh..opq`). */
  readonly opaque: boolean;
  readonly implicit: boolean;
}

export interface LayerIndex {
  readonly diffID: DiffID;
  /** Number of entries, the root included. */
  readonly count: number;
  entry(number: number): LayerEntry;
  /** Entry at a path without leading slash ("" is the root), or undefined; follows no links. */
  find(path: string): number | undefined;
  /** `[first, end)`: the run of a directory's children. */
  children(directory: number): readonly [number, number];
  /** Child of a directory by name: binary search over the packed bytes. */
  child(directory: number, name: string): number | undefined;
  /** Path without a leading slash. */
  path(number: number): string;
  /** The packed columns, for whoever goes through all entries: an object for each is what costs most then. */
  readonly columns: Columns;
  /** The whole index as one buffer: what `openLayerIndex` reads. */
  readonly buffer: ArrayBuffer;
}
