/**
 * How a packed LayerIndex lies in its buffer. Little-endian, as typed arrays
 * are on every platform that runs this:
 *
 *     0   8 bytes   "LBLAYER" and the version
 *     8   u32       number of entries, the root included
 *     12  u32       length of the byte table
 *     16  u32       length of the diffID, which is at the start of the byte table
 *     20  u32       zero
 *     24  columns   widest elements first, so that each is aligned
 *         bytes     names, links, extended attributes
 *
 * The target of a link is at `linkOffset` of the byte table; of a sparse file its map
 * is there (packed-extents.ts). Version 1 is the same without sparse files.
 *
 * Entries are numbered breadth-first. The children of entry `i` are therefore
 * the run `firstChild[i] .. firstChild[i + 1]`, and that column has one element more.
 */

import type { EntryType } from './layer-index.ts';

/** The last byte is the version of the format: what is written, and of what is read the newest. */
export const magic = [0x4c, 0x42, 0x4c, 0x41, 0x59, 0x45, 0x52, 2] as const;
export const oldestVersion = 1;
export const headerLength = 24;

/** An entry's type in the `type` column is its place in this list; only ever append to it. */
export const entryTypes: readonly EntryType[] = [
  'file',
  'dir',
  'symlink',
  'char',
  'block',
  'fifo',
  'hardlink',
  'whiteout',
];
export const flagOpaque = 1;
export const flagImplicit = 2;
export const flagSparse = 4;

export interface Columns {
  /** Whole seconds since 1970, rounded down; negative before it. */
  readonly mtimeSeconds: Float64Array;
  readonly size: Float64Array;
  readonly offset: Float64Array;
  readonly firstChild: Uint32Array;
  readonly parent: Uint32Array;
  readonly nameOffset: Uint32Array;
  readonly linkOffset: Uint32Array;
  readonly linkLength: Uint32Array;
  readonly xattrOffset: Uint32Array;
  /** 0 when there are none. */
  readonly xattrLength: Uint32Array;
  readonly uid: Uint32Array;
  readonly gid: Uint32Array;
  readonly mtimeNanos: Uint32Array;
  readonly rdevMajor: Uint32Array;
  readonly rdevMinor: Uint32Array;
  readonly mode: Uint16Array;
  readonly nameLength: Uint16Array;
  readonly type: Uint8Array;
  readonly flags: Uint8Array;
  /** The byte table. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const wide = 3;
const words = 12;
const halves = 2;
const octets = 2;

/** Length in bytes of an index of `count` entries and a byte table of `byteLength`. */
export function packedLength(count: number, byteLength: number): number {
  return headerLength + count * (wide * 8 + words * 4 + halves * 2 + octets) + 4 + byteLength;
}

/** The columns as views of a buffer of `packedLength(count, byteLength)` bytes. */
export function columnsOf(buffer: ArrayBuffer, count: number, byteLength: number): Columns {
  let at = headerLength;
  const float64 = () => {
    const column = new Float64Array(buffer, at, count);
    at += count * 8;
    return column;
  };
  const uint32 = (length = count) => {
    const column = new Uint32Array(buffer, at, length);
    at += length * 4;
    return column;
  };
  const uint16 = () => {
    const column = new Uint16Array(buffer, at, count);
    at += count * 2;
    return column;
  };
  const uint8 = (length = count) => {
    const column = new Uint8Array(buffer, at, length);
    at += length;
    return column;
  };
  return {
    mtimeSeconds: float64(),
    size: float64(),
    offset: float64(),
    firstChild: uint32(count + 1),
    parent: uint32(),
    nameOffset: uint32(),
    linkOffset: uint32(),
    linkLength: uint32(),
    xattrOffset: uint32(),
    xattrLength: uint32(),
    uid: uint32(),
    gid: uint32(),
    mtimeNanos: uint32(),
    rdevMajor: uint32(),
    rdevMinor: uint32(),
    mode: uint16(),
    nameLength: uint16(),
    type: uint8(),
    flags: uint8(),
    bytes: uint8(byteLength),
  };
}

/** The columns of a layer that says nothing: its root alone, which it does not name. */
export const unnamedRoot: Columns = (() => {
  const columns = columnsOf(new ArrayBuffer(packedLength(1, 0)), 1, 0);
  columns.type[0] = entryTypes.indexOf('dir');
  columns.flags[0] = flagImplicit;
  return columns;
})();
