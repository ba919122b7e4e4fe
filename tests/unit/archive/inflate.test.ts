import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Unpacker } from '../../../src/engine/archive/unpacker.ts';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { joined, latin1 } from './tar-bytes.ts';
import { codecsModule, text, unpack } from './unpacking.ts';

const unpacker = await Unpacker.create(codecsModule);
const options = { format: 'gzip', capacity: 64 << 20 } as const;

/** Noise, zeros and words, so that there are stored, literal and far-matching blocks. */
const content = joined(randomBytes(300_000), new Uint8Array(700_000), text(400_000), randomBytes(1_000));
const [first, second] = [content.subarray(0, 400_001), content.subarray(400_001)];
const gz = (bytes: Uint8Array, gzipOptions = {}) => Uint8Array.from(gzipSync(bytes, gzipOptions));
const cli = (program: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(program, args, { input: content, maxBuffer: 1 << 24 });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return Uint8Array.from(stdout);
};
const whole = gz(content);
const changed = (bytes: Uint8Array, at: number, bits = 0x10) => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ bits;
  return copy;
};
/** The member with other flags and the parts of the header that they announce. */
const withHeader = (flags: number, ...parts: Uint8Array[]) =>
  joined(Uint8Array.of(0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 255), ...parts, whole.subarray(10));
const extra = joined(Uint8Array.of(0, 4), new Uint8Array(1024).fill(7));
/** The lower half of a CRC-32, of `bytes`: as gzip puts it behind a member with that content. */
const crc16 = (bytes: Uint8Array) => gz(bytes).subarray(-8, -6);
const checkedHeader = joined(Uint8Array.of(0x1f, 0x8b, 8, 2 + 8, 1, 2, 3, 4, 0, 255), latin1('name\0'));

describe('gzip', () => {
  it.each<[string, Uint8Array]>([
    ['one member', whole],
    ['gzip -1', cli('gzip', '-1')],
    ['gzip -9', cli('gzip', '-9')],
    ['pigz', cli('pigz', '-b', '128', '-p', '4')],
    ['Huffman codes only', gz(content, { strategy: constants.Z_HUFFMAN_ONLY })],
    ['runs only', gz(content, { strategy: constants.Z_RLE })],
    ['fixed codes', gz(content, { strategy: constants.Z_FIXED })],
    ['stored blocks', gz(content, { level: 0 })],
    ['a small window', gz(content, { windowBits: 9 })],
    ['two members', joined(gz(first), gz(second))],
    [
      'many members',
      joined(...Array.from({ length: 141 }, (_, i) => gz(content.subarray(i * 10_000, (i + 1) * 10_000)))),
    ],
    [
      'empty members among others',
      joined(gz(new Uint8Array(0)), gz(first), gz(new Uint8Array(0)), gz(second)),
    ],
    ['zero padding', joined(whole, new Uint8Array(513))],
    ['two members with zero padding', joined(gz(first), gz(second), new Uint8Array(10_000))],
    ['an extra field', withHeader(4, extra)],
    ['an empty extra field', withHeader(4, Uint8Array.of(0, 0))],
    ['a long name', withHeader(8, latin1(`${'n'.repeat(70_000)}\0`))],
    ['an extra field, a name and a comment', withHeader(4 + 8 + 16, extra, latin1('name\0comment\0'))],
    ['a header with its checksum', joined(checkedHeader, crc16(checkedHeader), whole.subarray(10))],
  ])('decodes %s', (_, bytes) => {
    for (const length of [1_009, 65_536, bytes.length]) {
      expect(unpack(unpacker, bytes, options, length).equals(content)).toBe(true);
    }
  });

  it('decodes members whose matches reach back as far as they can', () => {
    const block = randomBytes(32_768);
    const repeated = joined(block, block, block);
    expect(unpack(unpacker, gz(repeated, { level: 9, memLevel: 9 }), options, 777).equals(repeated)).toBe(
      true,
    );
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /^its gzip data ends too early, after 0 bytes$/],
    ['a member without its end', whole.subarray(0, -1), RegExp(`too early, after ${whole.length - 1} bytes`)],
    ['half a second member', joined(gz(first), gz(second).subarray(0, 100)), /ends too early/],
    ['the start of a second header', joined(whole, Uint8Array.of(0x1f)), /ends too early/],
    ['a wrong checksum', changed(whole, whole.length - 8), /damaged at byte \d+: incorrect data check/],
    ['a wrong length', changed(whole, whole.length - 1), /damaged at byte \d+: incorrect length check/],
    [
      'a wrong checksum of the first of two',
      joined(changed(gz(first), gz(first).length - 8), gz(second)),
      /incorrect data check/,
    ],
    ['text behind the end', joined(whole, latin1('junk')), RegExp(`byte ${whole.length}: neither another`)],
    [
      'half a signature behind the end',
      joined(whole, Uint8Array.of(0x1f, 7, 7)),
      RegExp(`byte ${whole.length}: neither another gzip member nor zero padding follows`),
    ],
    [
      'text behind padding',
      joined(whole, new Uint8Array(100), latin1('junk')),
      RegExp(`${whole.length + 100}: neither`),
    ],
    ['an unknown method', changed(whole, 2), /damaged at byte 2: unknown compression method/],
    ['reserved flags', changed(whole, 3, 0x80), /damaged at byte 3: unknown header flags set/],
    ['a wrong checksum of the header', joined(checkedHeader, latin1('no'), whole), /header crc mismatch/],
    ['no gzip at all', latin1('plain text'), /damaged at byte 0: incorrect header check/],
    ['zeros only', new Uint8Array(100), /damaged at byte 0: incorrect header check/],
    ['half a signature', Uint8Array.of(0x1f, 7), /damaged at byte 0: incorrect header check/],
  ])('refuses %s', (_, bytes, sentence) => {
    for (const length of [101, Math.max(1, bytes.length)]) {
      const decode = () => unpack(unpacker, bytes, options, length);
      expect(decode).toThrow(CorruptLayerError);
      expect(decode).toThrow(sentence);
    }
  });

  // RFC 1951: members whose only block is put together by hand; zlib refuses each as well
  it.each<[string, string]>([
    ['a block of the reserved type', '1 11'],
    ['a stored block whose length is not confirmed', '1 00 00000 0000000000000000 0000000000000000'],
    ['the length symbol 286 of the fixed codes', '1 10 00110000 11000110 00000 0000000'],
    ['a distance before the start', '1 10 00110000 0000001 00001'],
    ['more length symbols than there are', '1 01 11111 00000 0000'],
    ['more distance symbols than there are', '1 01 00000 01111 0000'],
    ['code lengths that overflow', `1 01 00000 00000 0000 ${'001 '.repeat(4)}`],
    // 18: 138 zeros, twice, which is 18 more than 257 + 1
    [
      'a repeat of lengths that runs over',
      '1 01 00000 00000 0000 000 000 100 100 1 1111111 0 1111111 1 1111111',
    ],
    ['a repeat of a length before the first', '1 01 00000 00000 0000 100 000 000 100 1 00'],
  ])('refuses %s', (_, bits) => {
    const member = joined(gz(new Uint8Array(0)).subarray(0, 10), packed(bits), new Uint8Array(600));
    expect(() => gunzipSync(member)).toThrow(/invalid|incorrect|too many/);
    expect(() => unpack(unpacker, member, options)).toThrow(/damaged at byte \d+: invalid deflate data/);
  });

  it('refuses the distance symbol 30 of the fixed codes, far enough behind the start', () => {
    const stored = joined(Uint8Array.of(0, 0x30, 0x75, 0xcf, 0x8a), new Uint8Array(30_000));
    const member = joined(
      gz(new Uint8Array(0)).subarray(0, 10),
      stored,
      packed('1 10 0000001 11110 0000000000000 0000000'),
      new Uint8Array(8),
    );
    expect(() => gunzipSync(member)).toThrow(/invalid distance code/);
    expect(() => unpack(unpacker, member, options)).toThrow(/invalid deflate data/);
  });

  it('refuses every cut of a stream, wherever its chunks end', () => {
    const small = joined(gz(text(2_000)), gz(text(300)));
    const ends = new Set([small.length]);
    ends.add(gz(text(2_000)).length);
    for (let length = 0; length <= small.length; length++) {
      for (const chunk of [1, 7, small.length]) {
        const decode = () => unpack(unpacker, small.subarray(0, length), options, chunk);
        if (ends.has(length)) expect(decode).not.toThrow();
        else expect(decode).toThrow(`ends too early, after ${length} bytes`);
      }
    }
  });

  it('refuses every bit flip that zlib refuses, and otherwise decodes to the same', () => {
    const small = gz(joined(text(600), randomBytes(20)));
    for (let bit = 0; bit < small.length * 8; bit++) {
      const flipped = changed(small, bit >> 3, 1 << (bit & 7));
      let expected: Buffer | undefined;
      try {
        expected = gunzipSync(flipped);
      } catch {
        expected = undefined;
      }
      if (expected === undefined) {
        expect(() => unpack(unpacker, flipped, options), `bit ${bit}`).toThrow(CorruptLayerError);
      } else {
        expect(unpack(unpacker, flipped, options).equals(expected), `bit ${bit}`).toBe(true);
      }
    }
  });

  it('decodes as zlib does what has random settings and comes in random chunks', () => {
    for (let round = 0; round < 60; round++) {
      const seed = randomBytes(8);
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = seed;
      const plain = joined(
        text(a * 90),
        randomBytes(b * (c & 15)),
        content.subarray(c * 3_000, c * 3_000 + d * 500),
      );
      const bytes = gz(plain, {
        level: a % 10,
        memLevel: 1 + (b % 9),
        strategy: c % 5,
        windowBits: 9 + (d % 7),
      });
      expect(
        unpack(unpacker, bytes, options, 1 + e * (e & 7)).equals(plain),
        `seed ${seed.toString('hex')}`,
      ).toBe(true);
    }
  });
});

/** Bits as RFC 1951 packs them: the first in the lowest place of the first byte. Spaces are left out. */
function packed(bits: string): Uint8Array {
  const digits = bits.replaceAll(' ', '');
  const bytes = new Uint8Array(Math.ceil(digits.length / 8));
  for (let i = 0; i < digits.length; i++) {
    if (digits[i] === '1') bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  }
  return bytes;
}
