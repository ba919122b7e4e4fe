import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Unpacker } from '../../../src/engine/archive/unpacker.ts';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { joined, latin1 } from './tar-bytes.ts';
import { codecsModule, text, unpack } from './unpacking.ts';

const unpacker = await Unpacker.create(codecsModule);
const options = { format: 'zstd', capacity: 64 << 20 } as const;

const noise = randomBytes(300_000);
const content = joined(noise, new Uint8Array(700_000), text(900_000), noise, randomBytes(1_000));
const [first, second] = [content.subarray(0, 400_001), content.subarray(400_001)];

/** What zstd(1) makes of the bytes from its standard input: it knows no size, so the frame has none. */
function zstd(bytes: Uint8Array, ...args: string[]): Uint8Array {
  const { status, stdout, stderr } = spawnSync('zstd', ['-q', ...args], {
    input: bytes,
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`zstd: ${stderr}`);
  return Uint8Array.from(stdout);
}
const sized = (bytes: Uint8Array, ...args: string[]) =>
  zstd(bytes, `--stream-size=${bytes.length}`, '--content-size', ...args);
/** RFC 8878, 3.1.2 */
const skippable = (length: number) =>
  joined(
    Uint8Array.of(0x5e, 0x2a, 0x4d, 0x18, length & 255, length >> 8, 0, 0),
    new Uint8Array(length).fill(9),
  );
const whole = zstd(content);
const changed = (bytes: Uint8Array, at: number, bits = 0x10) => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ bits;
  return copy;
};

describe('zstd', () => {
  it.each<[string, Uint8Array]>([
    ['a frame without its content size', whole],
    ['a frame with its content size', sized(content)],
    ['a frame without a checksum', zstd(content, '--no-check')],
    ['a frame of --fast=5', zstd(content, '--fast=5')],
    ['a frame of -1', zstd(content, '-1')],
    ['a frame of -12', zstd(content, '-12')],
    ['a frame with a window of 128 MiB', zstd(content, '--long=27')],
    ['two frames', joined(zstd(first), zstd(second))],
    [
      'many frames',
      joined(...Array.from({ length: 24 }, (_, i) => zstd(content.subarray(i * 100_000, (i + 1) * 100_000)))),
    ],
    [
      'empty frames among others',
      joined(zstd(new Uint8Array(0)), zstd(first), zstd(new Uint8Array(0)), zstd(second)),
    ],
    ['skippable frames', joined(skippable(5), zstd(first), skippable(0), zstd(second), skippable(60_000))],
    [
      'raw blocks and runs',
      joined(zstd(noise), zstd(new Uint8Array(700_000)), zstd(content.subarray(1_000_000))),
    ],
  ])('decodes %s', (_, bytes) => {
    for (const length of [1_009, 65_536, bytes.length]) {
      expect(unpack(unpacker, bytes, options, length).equals(content)).toBe(true);
    }
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /^its zstd data ends too early, after 0 bytes$/],
    ['half a checksum', whole.subarray(0, -1), RegExp(`too early, after ${whole.length - 1} bytes`)],
    ['half a second frame', joined(zstd(first), zstd(second).subarray(0, 100)), /ends too early/],
    ['the start of a second magic number', joined(whole, Uint8Array.of(0x28, 0xb5)), /ends too early/],
    ['half a skippable frame', joined(whole, skippable(100).subarray(0, 50)), /ends too early/],
    ['a wrong checksum', changed(whole, whole.length - 1), /damaged at byte \d+: .*checksum/],
    [
      'text behind the end',
      joined(whole, latin1('junk')),
      RegExp(`damaged at byte ${whole.length}: no zstd frame starts here`),
    ],
    ['zeros behind the end', joined(whole, new Uint8Array(8)), /no zstd frame starts here/],
    ['no zstd at all', latin1('plain text'), /damaged at byte 0: no zstd frame starts here/],
    ['a reserved bit in the header', changed(whole, 4, 8), /damaged at byte 0: /],
    ['a content size that is wrong', changed(sized(content), 6, 1), /damaged at byte \d+: /],
    // a frame header with a dictionary ID of one byte (RFC 8878, 3.1.1.1)
    [
      'a frame that needs a dictionary',
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 0x50, 7, 1, 0, 0),
      /it needs a dictionary/,
    ],
  ])('refuses %s', (_, bytes, sentence) => {
    for (const length of [101, Math.max(1, bytes.length)]) {
      const decode = () => unpack(unpacker, bytes, options, length);
      expect(decode).toThrow(CorruptLayerError);
      expect(decode).toThrow(sentence);
    }
  });

  it('refuses a window that is larger than the limit, and names both', () => {
    const frame = zstd(content, '--long=28');
    expect(() => unpack(unpacker, frame, options)).toThrow(
      /at byte 0 needs a window of 268435456 bytes, and no more than 134217728 are given/,
    );
    expect(unpack(unpacker, frame, { ...options, windowLimit: 2 ** 28 }).equals(content)).toBe(true);
    expect(() =>
      unpack(unpacker, zstd(first, '-4', '--zstd=wlog=23'), { ...options, windowLimit: 1 << 20 }),
    ).toThrow(/needs a window of 8388608 bytes, and no more than 1048576/);
  });

  it('refuses every cut of a stream, wherever its chunks end', () => {
    const [one, skipped, two] = [zstd(text(2_000)), skippable(9), zstd(text(300))];
    const small = joined(one, skipped, two);
    const ends = new Set([one.length, one.length + skipped.length, small.length]);
    for (let length = 0; length <= small.length; length++) {
      for (const chunk of [1, 7, small.length]) {
        const decode = () => unpack(unpacker, small.subarray(0, length), options, chunk);
        if (ends.has(length)) expect(decode).not.toThrow();
        else expect(decode).toThrow(`ends too early, after ${length} bytes`);
      }
    }
  });

  it('refuses every bit flip, but those that change nothing', () => {
    const plain = joined(text(600), noise.subarray(0, 20));
    const small = zstd(plain);
    for (let bit = 0; bit < small.length * 8; bit++) {
      let output: Buffer | undefined;
      try {
        output = unpack(unpacker, changed(small, bit >> 3, 1 << (bit & 7)), options);
      } catch (error) {
        expect(error, `bit ${bit}`).toBeInstanceOf(CorruptLayerError);
      }
      // a window of another size, an unused bit, or a frame that became one to skip
      if (output !== undefined && output.length > 0) expect(output.equals(plain), `bit ${bit}`).toBe(true);
    }
  });
});

describe('memory', () => {
  /** 60 MB that refer to what lies 40 MB before, and a SHA-256 of it. */
  const block = randomBytes(20 << 20);
  const far = joined(block, new Uint8Array(20 << 20), block);
  const digest = createHash('sha256').update(far).digest('hex');

  it.each(['gzip', 'zstd'] as const)('stays bounded when %s output is dropped', async (format) => {
    const bounded = await Unpacker.create(codecsModule);
    const bytes = format === 'zstd' ? zstd(far, '--long=26', '-1') : gzip(far);
    bounded.start({ format, capacity: 1 << 20 });
    const hash = createHash('sha256');
    for (let at = 0; at < bytes.length; at += 65_536) {
      for (const piece of bounded.push(bytes.subarray(at, at + 65_536))) {
        hash.update(piece);
        bounded.drop(bounded.end);
      }
    }
    bounded.finish();
    expect(hash.digest('hex')).toBe(digest);
    expect(bounded.end).toBe(far.length);
    expect(() => bounded.view(far.length - 1, far.length)).toThrow(RangeError);
    // twice the window at most, and a few steps
    expect(bounded.memoryLength).toBeLessThan(format === 'zstd' ? 140 << 20 : 6 << 20);
  });

  it('moves back what is not dropped together with the window', async () => {
    const bounded = await Unpacker.create(codecsModule);
    const bytes = gzip(far);
    bounded.start({ format: 'gzip', capacity: 8 << 20 });
    const hash = createHash('sha256');
    let hashed = 0;
    for (let at = 0; at < bytes.length; at += 65_536) {
      for (const _ of bounded.push(bytes.subarray(at, at + 65_536))) {
        if (bounded.end - hashed < 5_000_000) continue;
        hash.update(bounded.view(hashed, bounded.end - 1_234_567));
        hashed = bounded.end - 1_234_567;
        bounded.drop(hashed);
      }
    }
    bounded.finish();
    hash.update(bounded.view(hashed, bounded.end));
    expect(hash.digest('hex')).toBe(digest);
    expect(bounded.memoryLength).toBeLessThan(14 << 20);
  });

  it('is not given to output that nobody drops', async () => {
    const bounded = await Unpacker.create(codecsModule);
    expect(() => unpack(bounded, gzip(far), { format: 'gzip', capacity: 8 << 20 }, 65_536)).toThrow(
      /bytes of output are held, and no more than 8388608 may be/,
    );
    expect(bounded.memoryLength).toBeLessThan(14 << 20);
  });
});

describe('Unpacker', () => {
  it('gives views of what is held, and of nothing else', () => {
    unpack(unpacker, whole, options);
    unpacker.drop(1_000);
    expect(Buffer.from(unpacker.view(1_000, 5_000)).equals(content.subarray(1_000, 5_000))).toBe(true);
    expect(unpacker.view(content.length, content.length)).toHaveLength(0);
    expect(() => unpacker.view(999, 5_000)).toThrow(RangeError);
    expect(() => unpacker.view(1_000, content.length + 1)).toThrow(RangeError);
    expect(() => unpacker.view(3_000, 2_000)).toThrow(RangeError);
    expect(() => unpacker.drop(content.length + 1)).toThrow(RangeError);
  });

  it('does not go on after a push that was given up or failed', () => {
    unpacker.start(options);
    for (const _ of unpacker.push(whole)) break;
    expect(() => unpacker.push(whole).next()).toThrow(TypeError);
    expect(() => unpacker.finish()).toThrow(TypeError);
    expect(() => unpack(unpacker, latin1('junk'), options)).toThrow(CorruptLayerError);
    expect(() => unpacker.finish()).toThrow(TypeError);
    expect(unpack(unpacker, whole, options).equals(content)).toBe(true);
  });

  it('is to be started first', async () => {
    const fresh = await Unpacker.create(codecsModule);
    expect(() => fresh.push(whole).next()).toThrow(TypeError);
  });
});

function gzip(bytes: Uint8Array): Uint8Array {
  const { stdout } = spawnSync('gzip', ['-1'], { input: bytes, maxBuffer: 1 << 28 });
  return Uint8Array.from(stdout);
}
