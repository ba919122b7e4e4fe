/** Order of entries' names by their bytes, where they lie packed: no string is made of them. */

import { compareBytes, encodeName } from '../names.ts';
import type { Columns } from './packed-layout.ts';

/** Negative, zero or positive: the name of entry `a` against that of entry `b`. */
export function compareEntryNames(of: Columns, a: number, and: Columns, b: number): number {
  const startA = of.nameOffset[a] ?? 0;
  const startB = and.nameOffset[b] ?? 0;
  const lengthA = of.nameLength[a] ?? 0;
  const lengthB = and.nameLength[b] ?? 0;
  const bytesA = of.bytes;
  const bytesB = and.bytes;
  const shorter = Math.min(lengthA, lengthB);
  for (let i = 0; i < shorter; i++) {
    const difference = (bytesA[startA + i] ?? 0) - (bytesB[startB + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}

/** The name of an entry against a name as names.ts decodes it. */
export function compareToName(columns: Columns, entry: number, wanted: string): number {
  const { bytes, nameOffset, nameLength } = columns;
  return compareBytesToName(bytes, nameOffset[entry] ?? 0, nameLength[entry] ?? 0, wanted);
}

/** The name that lies in `length` bytes from `start` against a name as names.ts decodes it. */
export function compareBytesToName(bytes: Uint8Array, start: number, length: number, wanted: string): number {
  const shorter = Math.min(length, wanted.length);
  for (let i = 0; i < shorter; i++) {
    const code = wanted.charCodeAt(i);
    if (code >= 0x80) return compareBytes(bytes.subarray(start, start + length), encodeName(wanted));
    const difference = (bytes[start + i] ?? 0) - code;
    if (difference !== 0) return difference;
  }
  return length - wanted.length;
}
