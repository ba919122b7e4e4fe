/**
 * Extended headers as POSIX pax has them (IEEE Std 1003.1, pax, "pax Extended
 * Header"): records of `length keyword=value\n`, the length in decimal and of
 * the whole record. Keywords and values are bytes; only paths are decoded, by names.ts.
 */

import { decodeName } from '../names.ts';

/** Values by keyword; what comes later in the header replaces what came earlier. */
export type PaxRecords = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** Makes the error for what is wrong, with the place in the tar, which only the caller knows. */
export type Refuse = (reason: string) => Error;

const space = 0x20;
const equals = 0x3d;
const newline = 0x0a;

/** The records, each value in bytes of its own. Throws what `refuse` makes on anything that is no record. */
export function parsePaxRecords(bytes: Uint8Array, refuse: Refuse): PaxRecords {
  const records = new Map<string, Uint8Array<ArrayBuffer>>();
  let at = 0;
  while (at < bytes.length) {
    const blank = bytes.indexOf(space, at);
    const digits = blank < 0 ? '' : decodeName(bytes.subarray(at, Math.min(blank, at + 16)));
    const end = at + (/^[1-9][0-9]{0,8}$/.test(digits) ? Number(digits) : 0);
    const sign = bytes.indexOf(equals, blank + 1);
    if (
      blank < 0 ||
      end > bytes.length ||
      sign <= blank + 1 ||
      sign >= end - 1 ||
      bytes[end - 1] !== newline
    ) {
      throw refuse(`there is no whole pax record at byte ${at} of its ${bytes.length}`);
    }
    records.set(decodeName(bytes.subarray(blank + 1, sign)), bytes.slice(sign + 1, end - 1));
    at = end;
  }
  return records;
}

/** A whole number in decimal, or undefined. */
export function parsePaxInteger(value: Uint8Array): number | undefined {
  const text = decodeName(value);
  const number = /^-?[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Nanoseconds of a time in decimal seconds, cut to nanoseconds towards the past, or undefined. */
export function parsePaxTime(value: Uint8Array): bigint | undefined {
  const match = /^(-?)([0-9]{1,18})(?:\.([0-9]*))?$/.exec(decodeName(value));
  if (match === null) return undefined;
  const [, sign, seconds = '0', fraction = ''] = match;
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  const isCut = /[1-9]/.test(fraction.slice(9));
  if (sign !== '-') return nanoseconds;
  return -nanoseconds - (isCut ? 1n : 0n);
}

const schily = 'SCHILY.xattr.';
const libarchive = 'LIBARCHIVE.xattr.';

/**
 * The extended attributes among the records: star's raw ones, and libarchive's,
 * percent-encoded names with values in base64. Where both name one, the raw
 * value counts. Undefined when there are none.
 * Throws what `refuse` makes for base64 that is none.
 */
export function xattrsOf(
  records: PaxRecords,
  refuse: Refuse,
): Map<string, Uint8Array<ArrayBuffer>> | undefined {
  let xattrs: Map<string, Uint8Array<ArrayBuffer>> | undefined;
  for (const [keyword, value] of records) {
    if (keyword.startsWith(schily)) {
      xattrs ??= new Map();
      xattrs.set(keyword.slice(schily.length), value);
    } else if (keyword.startsWith(libarchive)) {
      const name = percentDecoded(keyword.slice(libarchive.length));
      if (records.has(schily + name)) continue;
      xattrs ??= new Map();
      xattrs.set(name, decodeBase64(value, name, refuse));
    }
  }
  return xattrs;
}

function percentDecoded(name: string): string {
  return name.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
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
      throw refuse(`the value of the extended attribute ${JSON.stringify(name)} is no base64`);
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
