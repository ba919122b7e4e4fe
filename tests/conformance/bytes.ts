/** Bytes whose every position can be told: no two windows of 4 aligned bytes of one seed are alike. */
export function countingBytes(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let at = 0; at < words.length; at += 1) words[at] = (at * 2654435761 + seed) >>> 0;
  return new Uint8Array(words.buffer, 0, length);
}

/** True when both hold the same bytes: a comparison of arrays by the test runner takes seconds per megabyte. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.byteLength !== other.byteLength) return false;
  return one.every((byte, at) => byte === other[at]);
}
