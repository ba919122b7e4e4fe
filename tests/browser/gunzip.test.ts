import { gzip } from 'pako';
import { describe, expect, it } from 'vitest';
import { gunzip } from '../../src/engine/archive/gunzip.ts';

const content = new Uint8Array(3_000_000);
for (let i = 0; i < content.length; i++) content[i] = (i * 2_654_435_761) >>> (i % 3 === 0 ? 24 : 30);
const whole = gzip(content);
const two = (cut: number) => join(gzip(content.subarray(0, cut)), gzip(content.subarray(cut)));

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
async function* inChunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.slice(at, at + length);
}
async function decode(bytes: Uint8Array, length: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of gunzip(inChunks(bytes, length), bytes.length)) {
    expect(piece.byteLength).toBe(piece.buffer.byteLength);
    pieces.push(piece);
  }
  return join(...pieces);
}
const isContent = (bytes: Uint8Array) =>
  bytes.length === content.length && bytes.every((byte, at) => byte === content[at]);

describe("gunzip on the browser's own DecompressionStream", () => {
  it.each<[string, Uint8Array]>([
    ['one member', whole],
    ['two members', two(1_500_000)],
    ['a small and a large member', two(1)],
    ['zero padding', join(whole, new Uint8Array(513))],
  ])('decodes %s', async (_, bytes) => {
    for (const length of [4_099, 65_536, bytes.length])
      expect(isContent(await decode(bytes, length))).toBe(true);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a cut member', whole.subarray(0, -3), /ends too early/],
    ['half a member', whole.subarray(0, whole.length >> 1), /ends too early/],
    ['text behind the end', join(whole, new TextEncoder().encode('junk')), /neither another gzip member/],
    ['a wrong checksum', join(whole.subarray(0, -8), new Uint8Array(8)), /incorrect data check/],
  ])('refuses %s', async (_, bytes, sentence) => {
    for (const length of [4_099, bytes.length]) await expect(decode(bytes, length)).rejects.toThrow(sentence);
  });

  it('lets go of a source that throws, and of one that is given up', async () => {
    async function* broken() {
      yield whole.slice(0, 50_000);
      throw new RangeError('the line is dead');
    }
    const reading = async () => {
      for await (const _ of gunzip(broken(), whole.length));
    };
    await expect(reading()).rejects.toThrow(RangeError);
    for await (const _ of gunzip(inChunks(whole, 1_000), whole.length)) break;
  });
});
