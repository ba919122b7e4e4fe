import { describe, expect, it } from 'vitest';
import { CopiedBytes } from '../../../src/engine/archive/gathered-bytes.ts';

const counted = (from: number, to: number) =>
  Uint8Array.from({ length: to - from }, (_, at) => (from + at) & 0xff);

describe('CopiedBytes', () => {
  it.each([0, 1, 10, 1000])('keeps what comes in one piece, with room for %i bytes at first', (capacity) => {
    const bytes = new CopiedBytes(capacity);
    for (const [from, to] of [
      [0, 7],
      [7, 7],
      [7, 300],
      [300, 301],
    ] as const) {
      bytes.append(counted(from, to));
      expect(bytes.end).toBe(to);
      expect(bytes.view(0, to)).toEqual(counted(0, to));
    }
    expect(bytes.view(5, 9)).toEqual(counted(5, 9));
  });

  it('lets go of the first, and keeps the offsets of the others', () => {
    const bytes = new CopiedBytes(100);
    for (let at = 0; at < 10_000; at += 50) {
      bytes.append(counted(at, at + 50));
      if (at > 0) bytes.drop(at - 10);
      expect(bytes.view(Math.max(0, at - 10), at + 50)).toEqual(counted(Math.max(0, at - 10), at + 50));
    }
    expect(bytes.end).toBe(10_000);
  });

  it('refuses what it does not have', () => {
    const bytes = new CopiedBytes(10);
    bytes.append(counted(0, 10));
    bytes.drop(4);
    for (const [start, end] of [
      [3, 5],
      [5, 11],
      [6, 5],
    ] as const) {
      expect(() => bytes.view(start, end)).toThrow(RangeError);
    }
    expect(() => bytes.drop(3)).toThrow(RangeError);
    expect(() => bytes.drop(11)).toThrow(RangeError);
  });
});
