/**
 * The last bytes of an eStargz or stargz blob: an empty gzip member whose extra
 * field says where the table of contents starts (stargz-snapshotter,
 * docs/estargz.md, "Footer"; RFC 1952, 2.3.1.1).
 */

import { decodeName } from '../names.ts';

export interface StargzFooter {
  /** Where the gzip member of the table of contents starts in the blob. */
  readonly tocOffset: number;
  /** Bytes of the footer itself. */
  readonly length: number;
}

/** The longer of the two forms. */
export const stargzFooterLimit = 51;

/** Header with FEXTRA, then the length of the extra field; time, level and system may be anything. */
const extraStart = 12;
/** `%016xSTARGZ` */
const fieldLength = 22;
/** An empty stored block that is the last, and a checksum and a length of zero. */
const nothing = [1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];

/**
 * The footer that `tail`, the last `stargzFooterLimit` bytes of a blob of `size`
 * bytes or more of them, ends with. Undefined when it ends with none, or
 * with one that points out of the blob.
 */
export function stargzFooter(tail: Uint8Array, size: number): StargzFooter | undefined {
  // eStargz gives the field a subfield header of its own: 'S', 'G' and its length
  return footerOf(tail, size, [0x53, 0x47, fieldLength, 0]) ?? footerOf(tail, size, []);
}

function footerOf(tail: Uint8Array, size: number, subfield: readonly number[]): StargzFooter | undefined {
  const extraLength = subfield.length + fieldLength;
  const length = extraStart + extraLength + nothing.length;
  if (tail.length < length || size < length) return undefined;
  const footer = tail.subarray(tail.length - length);
  const has = (at: number, bytes: readonly number[]) => bytes.every((byte, i) => footer[at + i] === byte);
  const field = decodeName(footer.subarray(extraStart + subfield.length, extraStart + extraLength));
  const digits = /^([0-9a-f]{16})STARGZ$/.exec(field)?.[1];
  if (!has(0, [0x1f, 0x8b, 8, 4]) || !has(10, [extraLength, 0]) || !has(extraStart, subfield))
    return undefined;
  if (digits === undefined || !has(length - nothing.length, nothing)) return undefined;
  const tocOffset = Number.parseInt(digits, 16);
  return tocOffset > 0 && tocOffset < size - length ? { tocOffset, length } : undefined;
}
