/**
 * Extended attributes in pax records: star's `SCHILY.xattr.`, raw bytes, and
 * libarchive's `LIBARCHIVE.xattr.`, names percent-encoded and values in base64.
 * Bounded as Linux has them (xattr(7), limits.h): what is beyond no file could have had.
 */

import { decodeName, encodeName, printableName } from '../names.ts';
import type { PaxRecords, Refuse } from './pax.ts';

export type Xattrs = Map<string, Uint8Array<ArrayBuffer>>;

const schily = 'SCHILY.xattr.';
const libarchive = 'LIBARCHIVE.xattr.';
const nameMax = 255;
const valueMax = 65_536;
/** Of all names of one file, each with a NUL. */
const listMax = 65_536;

/** True for a keyword that names an extended attribute. */
export function isXattrKeyword(keyword: string): boolean {
  return keyword.startsWith(schily) || keyword.startsWith(libarchive);
}

/**
 * The extended attributes among the records, each value in bytes of its own.
 * Where both forms name one, the raw value counts. Undefined when there are none.
 * Throws what `refuse` makes for base64 that is none and for what Linux has no room for.
 */
export function xattrsOf(records: PaxRecords, refuse: Refuse): Xattrs | undefined {
  let xattrs: Xattrs | undefined;
  let listed = 0;
  for (const [keyword, value] of records.values) {
    if (!isXattrKeyword(keyword)) continue;
    const isRaw = keyword.startsWith(schily);
    const name = isRaw ? keyword.slice(schily.length) : percentDecoded(keyword.slice(libarchive.length));
    // libarchive writes both, and encodes the name in both; of others "%" is part of it
    if (isRaw && name.includes('%') && records.values.has(libarchive + name)) continue;
    if (!isRaw && records.values.has(schily + name)) continue;
    const bytes = isRaw ? value.slice() : decodeBase64(value, name, refuse);
    listed += checkXattr(name, bytes, refuse) + 1;
    xattrs ??= new Map();
    xattrs.set(name, bytes);
  }
  if (listed > listMax) {
    throw refuse(`the names of its extended attributes take ${listed} bytes, and Linux allows ${listMax}`);
  }
  return xattrs;
}

/** Returns the bytes of the name. */
function checkXattr(name: string, value: Uint8Array, refuse: Refuse): number {
  const { length } = encodeName(name);
  const shown = JSON.stringify(printableName(name.slice(0, 100)));
  if (length === 0 || length > nameMax || name.includes('\0')) {
    throw refuse(`${shown} is no name for an extended attribute: it must have 1 to ${nameMax} bytes, no NUL`);
  }
  if (value.length > valueMax) {
    throw refuse(
      `its extended attribute ${shown} has ${value.length} bytes, and Linux allows ${valueMax}; make the layer without it`,
    );
  }
  return length;
}

/** libarchive encodes the bytes of a name, so that what is decoded may be any bytes. */
function percentDecoded(name: string): string {
  if (!name.includes('%')) return name;
  const bytes = encodeName(name);
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const hex = bytes[at] === 0x25 ? decodeName(bytes.subarray(at + 1, at + 3)) : '';
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      decoded[length++] = Number.parseInt(hex, 16);
      at += 2;
    } else {
      decoded[length++] = bytes[at] ?? 0;
    }
  }
  return decodeName(decoded.subarray(0, length));
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** libarchive leaves the padding away; others write it. */
function decodeBase64(value: Uint8Array, name: string, refuse: Refuse): Uint8Array<ArrayBuffer> {
  const text = decodeName(value).replace(/={0,2}$/, '');
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of text) {
    const six = alphabet.indexOf(character);
    if (six < 0 || text.length % 4 === 1) {
      throw refuse(`the value of the extended attribute ${JSON.stringify(printableName(name))} is no base64`);
    }
    bits = ((bits << 6) | six) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = (bits >> held) & 0xff;
    }
  }
  return bytes;
}
