/**
 * Extended headers as POSIX pax has them (IEEE Std 1003.1, pax, "pax Extended
 * Header"): records of `length keyword=value\n`, the length in decimal and of
 * the whole record. Keywords and values are bytes; what they mean is pax-attributes.ts's.
 */

import { decodeName } from '../names.ts';

export interface PaxRecords {
  /** Values by keyword, views of the header; what comes later in it replaces what came earlier. */
  readonly values: ReadonlyMap<string, Uint8Array>;
  /** Values of the keywords of `repeatedKeywords`, in their order: GNU's first sparse format counts on it. */
  readonly repeated: readonly (readonly [keyword: string, value: Uint8Array])[];
}

/** Makes the error for what is wrong, with the place in the tar, which only the caller knows. */
export type Refuse = (reason: string) => Error;

const space = 0x20;
const equals = 0x3d;
const newline = 0x0a;
/** GNU tar manual, "PAX Format, Version 0.0". */
const repeatedKeywords: ReadonlySet<string> = new Set(['GNU.sparse.offset', 'GNU.sparse.numbytes']);

/** The records of a whole header. Throws what `refuse` makes on anything that is no record. */
export function parsePaxRecords(bytes: Uint8Array, refuse: Refuse): PaxRecords {
  const values = new Map<string, Uint8Array>();
  const repeated: [string, Uint8Array][] = [];
  let at = 0;
  while (at < bytes.length) {
    const blank = endOfDigits(bytes, at);
    const end = blank < 0 ? at : at + decimal(bytes, at, blank);
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
    const keyword = decodeName(bytes.subarray(blank + 1, sign));
    const value = bytes.subarray(sign + 1, end - 1);
    if (repeatedKeywords.has(keyword)) repeated.push([keyword, value]);
    else values.set(keyword, value);
    at = end;
  }
  return { values, repeated };
}

/** Where the blank behind a record's length is, or -1: the length has no more digits than a header has room for. */
function endOfDigits(bytes: Uint8Array, from: number): number {
  for (let at = from; at < from + 10; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === space && at > from) return at;
    if (byte < 0x30 || byte > 0x39 || (at === from && byte === 0x30)) return -1;
  }
  return -1;
}

function decimal(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at++) value = value * 10 + (bytes[at] ?? 0) - 0x30;
  return value;
}

/** A whole number in decimal, or undefined. */
export function parsePaxInteger(value: Uint8Array): number | undefined {
  const text = decodeName(value);
  const number = /^-?[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

const minus = 0x2d;
const dot = 0x2e;
/** Thirty thousand million years. */
const maxSecondDigits = 18;

/** True for a time in decimal seconds: digits, with a sign before and a fraction behind where there are any. */
export function isPaxTime(value: Uint8Array): boolean {
  const start = value[0] === minus ? 1 : 0;
  const whole = digitsFrom(value, start);
  if (whole === start || whole - start > maxSecondDigits) return false;
  return whole === value.length || (value[whole] === dot && digitsFrom(value, whole + 1) === value.length);
}

/** Nanoseconds of a time in decimal seconds, cut to nanoseconds towards the past, or undefined. */
export function parsePaxTime(value: Uint8Array): bigint | undefined {
  if (!isPaxTime(value)) return undefined;
  const isNegative = value[0] === minus;
  const start = isNegative ? 1 : 0;
  const whole = digitsFrom(value, start);
  const seconds =
    whole - start < 16
      ? BigInt(decimal(value, start, whole))
      : BigInt(decodeName(value.subarray(start, whole)));
  let nanoseconds = 0;
  for (let i = 1; i <= 9; i++) nanoseconds = nanoseconds * 10 + (value[whole + i] ?? 0x30) - 0x30;
  if (!isNegative) return seconds * 1_000_000_000n + BigInt(nanoseconds);
  const isCut = value.subarray(whole + 10).some((digit) => digit !== 0x30);
  return -(seconds * 1_000_000_000n + BigInt(nanoseconds)) - (isCut ? 1n : 0n);
}

/** Where the digits from `at` on end. */
function digitsFrom(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && (bytes[end] ?? 0) >= 0x30 && (bytes[end] ?? 0) <= 0x39) end++;
  return end;
}
