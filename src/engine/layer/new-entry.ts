/** One entry on its way into a LayerIndex, as a tar or an upper gives it. */

import type { EntryType, SparseExtent } from './layer-index.ts';
import type { Xattrs } from './packed-xattrs.ts';

export interface NewEntry {
  /** Cleaned, without a leading slash; "" is the root. */
  readonly path: string;
  readonly type: EntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly size?: number;
  readonly offset?: number;
  /** Of a sparse file, as LayerEntry has it; in order and apart. */
  readonly extents?: readonly SparseExtent[] | undefined;
  /** Target of a symlink verbatim; path of a hard link's target, cleaned, without a leading slash. */
  readonly link?: string | undefined;
  readonly rdev?: readonly [number, number] | undefined;
  readonly xattrs?: Xattrs | undefined;
  /** A directory whose lower contents are hidden. */
  readonly opaque?: boolean;
}
