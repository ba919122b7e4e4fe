import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { detectCompression } from '../../../src/engine/archive/compression.ts';
import { Digester } from '../../../src/engine/archive/digester.ts';
import { gunzip } from '../../../src/engine/archive/gunzip.ts';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { joined, latin1 } from './tar-bytes.ts';

/** Half noise, half zeros, so that output and input chunks do not line up. */
const content = joined(randomBytes(300_000), new Uint8Array(700_000), randomBytes(1_000));
const [first, second] = [content.subarray(0, 400_001), content.subarray(400_001)];
const gz = (bytes: Uint8Array) => Uint8Array.from(gzipSync(bytes));
const whole = gz(content);

async function* inChunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += length) yield Uint8Array.from(bytes.subarray(at, at + length));
}
async function decode(bytes: Uint8Array, length = 65_536, options = {}): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of gunzip(inChunks(bytes, length), bytes.length, options)) {
    // each piece may be handed to a store, which clones the buffer behind it
    expect(piece.byteOffset).toBe(0);
    pieces.push(piece);
  }
  return joined(...pieces);
}
const changed = (bytes: Uint8Array, at: number) => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
};
const withHeader = joined(
  Uint8Array.of(0x1f, 0x8b, 8, 4 + 8 + 16, 0, 0, 0, 0, 0, 255, 2, 0, 0x41, 0x42),
  latin1('name\0comment\0'),
  whole.subarray(10),
);

describe.each([
  ['DecompressionStream first', {}],
  ['the exact decoder alone', { keepLimit: 0 }],
])('gunzip, %s', (_, options) => {
  it.each<[string, Uint8Array]>([
    ['one member', whole],
    ['two members', joined(gz(first), gz(second))],
    [
      'many members',
      joined(...Array.from({ length: 101 }, (_, i) => gz(content.subarray(i * 10_000, (i + 1) * 10_000)))),
    ],
    [
      'empty members among others',
      joined(gz(new Uint8Array(0)), gz(first), gz(new Uint8Array(0)), gz(second)),
    ],
    ['zero padding', joined(whole, new Uint8Array(513))],
    ['two members with zero padding', joined(gz(first), gz(second), new Uint8Array(10_000))],
    ['a header with extra field, name and comment', withHeader],
  ])('decodes %s', async (_, bytes) => {
    for (const length of [1_009, 65_536, bytes.length]) {
      expect(Buffer.from(await decode(bytes, length, options)).equals(content)).toBe(true);
    }
  });

  it('decodes chunks of one byte', async () => {
    const small = joined(gz(latin1('ab')), gz(latin1('c')), new Uint8Array(3));
    expect(await decode(small, 1, options)).toEqual(latin1('abc'));
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /^its gzip data ends too early, after 0 bytes$/],
    [
      'a member without its end',
      whole.subarray(0, -1),
      new RegExp(`ends too early, after ${whole.length - 1} bytes`),
    ],
    ['half a member', whole.subarray(0, whole.length >> 1), /ends too early/],
    ['half a second member', joined(gz(first), gz(second).subarray(0, 100)), /ends too early/],
    ['the start of a second header', joined(whole, Uint8Array.of(0x1f)), /ends too early/],
    ['a wrong checksum', changed(whole, whole.length - 8), /damaged at byte \d+: incorrect data check/],
    ['a wrong length', changed(whole, whole.length - 1), /damaged at byte \d+: incorrect length check/],
    [
      'a wrong checksum of the first of two',
      joined(changed(gz(first), gz(first).length - 8), gz(second)),
      /incorrect data check/,
    ],
    [
      'text behind the end',
      joined(whole, latin1('junk')),
      new RegExp(`at byte ${whole.length}: neither another gzip member`),
    ],
    [
      'half a signature behind the end',
      joined(whole, Uint8Array.of(0x1f, 7, 7)),
      /neither another gzip member/,
    ],
    [
      'text behind zero padding',
      joined(whole, new Uint8Array(100), latin1('junk')),
      new RegExp(`at byte ${whole.length + 100}`),
    ],
    ['an unknown method', changed(whole, 2), /damaged at byte/],
    ['no gzip at all', latin1('plain text'), /damaged at byte 0/],
  ])('refuses %s', async (_, bytes, sentence) => {
    for (const length of [1_009, 65_536, Math.max(1, bytes.length)]) {
      const decoding = decode(bytes, length, options);
      await expect(decoding).rejects.toThrow(CorruptLayerError);
      await expect(decoding).rejects.toThrow(sentence);
    }
  });

  it('passes on what its source throws, and does not call it damage', async () => {
    async function* broken() {
      yield whole.slice(0, 50_000);
      throw new RangeError('the line is dead');
    }
    const reading = async () => {
      for await (const _ of gunzip(broken(), whole.length, options));
    };
    await expect(reading()).rejects.toThrow(RangeError);
  });

  it('leaves the source usable when it is given up', async () => {
    const source = inChunks(whole, 1_000);
    const kept = { next: () => source.next() };
    for await (const _ of gunzip(kept, whole.length, options)) break;
    let rest = 0;
    for await (const chunk of source) rest += chunk.length;
    expect(rest).toBeGreaterThan(0);
  });
});

describe('detectCompression', () => {
  it.each([
    ['gzip', whole],
    ['zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0)],
    ['zstd', Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 0)],
    ['bzip2', latin1('BZh91AY')],
    ['xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)],
    ['none', latin1('etc/passwd')],
    ['none', whole.subarray(0, 2)],
    ['none', new Uint8Array(0)],
  ] as const)('%s', (want, start) => expect(detectCompression(start)).toBe(want));
});

describe('Digester', () => {
  const pieces = [content.slice(0, 100_000), new Uint8Array(0), content.slice(100_000)];
  it.each([
    ['sha256', 'at once', undefined],
    ['sha256', 'streaming from the second piece on', 100_000],
    ['sha256', 'streaming from the start', 0],
    ['sha512', 'at once', undefined],
    ['sha512', 'streaming', 0],
  ] as const)('%s, %s', async (algorithm, _, gatherLimit) => {
    const digester = new Digester(algorithm, gatherLimit === undefined ? {} : { gatherLimit });
    for (const piece of pieces) await digester.update(piece);
    expect(digester.size).toBe(content.length);
    expect(await digester.digest()).toBe(
      `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`,
    );
  });
  it('of nothing', async () => {
    expect(await new Digester().digest()).toBe(`sha256:${createHash('sha256').digest('hex')}`);
  });
});
