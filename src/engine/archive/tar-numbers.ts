/**
 * Numbers in the fields of a tar header: octal digits (POSIX ustar), or, with
 * the first bit set, two's complement in base 256 (GNU tar manual, "Extensions").
 */

/**
 * The number in `length` bytes from `at`; 0 for a blank field. Undefined when
 * it is no number or beyond what a double holds exactly.
 */
export function parseTarNumber(block: Uint8Array, at: number, length: number): number | undefined {
  if (((block[at] ?? 0) & 0x80) !== 0) return parseBase256(block, at, length);
  let from = at;
  const end = at + length;
  while (from < end && isBlank(block[from])) from++;
  let value = 0;
  for (; from < end; from++) {
    const byte = block[from] ?? 0;
    if (byte < 0x30 || byte > 0x37) break;
    value = value * 8 + (byte - 0x30);
  }
  // what follows the terminator is not part of the number, and old tars leave anything there
  return from < end && !isBlank(block[from]) ? undefined : value;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}

function parseBase256(block: Uint8Array, at: number, length: number): number | undefined {
  const first = block[at] ?? 0;
  // bit 6 is the sign; a negative number is counted down from -1 to stay exact
  const negative = (first & 0x40) !== 0;
  let magnitude = negative ? ~first & 0x3f : first & 0x3f;
  for (let i = 1; i < length; i++) {
    const byte = block[at + i] ?? 0;
    magnitude = magnitude * 256 + (negative ? ~byte & 0xff : byte);
    if (magnitude > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return negative ? -1 - magnitude : magnitude;
}
