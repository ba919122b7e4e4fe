import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Unpackers } from '../../../src/engine/archive/unpackers.ts';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { gunzipStart, partOf, unpackStart } from '../../../src/engine/lazy/decode-chunk.ts';
import { codecsModule } from '../archive/unpacking.ts';
import { noise } from './fixture.ts';

const unpackers = new Unpackers(async () => codecsModule);
const content = Buffer.concat([noise(3_000_000, 1), Buffer.alloc(500_000), noise(100, 2)]);
const gzip = gzipSync(content);
const { stdout: zstd } = spawnSync('zstd', ['-c'], { input: content, maxBuffer: 1 << 30 });

describe.each([
  ['pako, gzip', gunzipStart, gzip],
  ['codecs.wasm, gzip', unpackStart(unpackers, 'gzip'), gzip],
  ['codecs.wasm, zstd', unpackStart(unpackers, 'zstd'), zstd],
])('the start of a stream, by %s', (_, decodeStart, compressed) => {
  const decode = async (stream: Uint8Array<ArrayBuffer>, length: number) =>
    partOf(await decodeStart(stream, length), 0, length);
  const bytes = Uint8Array.from(compressed);
  it.each([1, 1000, 2_999_999, content.length])('%d bytes', async (length) => {
    expect(Buffer.from(await decode(bytes, length)).equals(content.subarray(0, length))).toBe(true);
  });

  it('with another stream behind it', async () => {
    const longer = Uint8Array.from(Buffer.concat([bytes, bytes]));
    const start = await decode(longer, content.length);
    expect(Buffer.from(start).equals(content)).toBe(true);
  });

  it('of a stream that is cut behind it', async () => {
    const start = await decode(bytes.slice(0, 2_500_000), 1_000_000);
    expect(Buffer.from(start).equals(content.subarray(0, 1_000_000))).toBe(true);
  });

  it.each([
    ['it holds less', bytes, content.length + 1],
    ['it is cut before that', bytes.slice(0, 1000), 500_000],
    ['it is none', new Uint8Array(100), 10],
    ['there is nothing', new Uint8Array(0), 10],
  ])('is refused when %s', async (_what, damaged, length) => {
    await expect(decode(damaged, length)).rejects.toThrow(CorruptLayerError);
    expect((await decode(bytes, 10)).length).toBe(10);
  });

  it('is what comes before the damage, with what is wrong', async () => {
    const damaged = bytes.slice(0, 1_000_000);
    const start = await decodeStart(damaged, content.length);
    expect(start.failure).toBeInstanceOf(CorruptLayerError);
    expect(start.bytes.length).toBeGreaterThan(500_000);
    expect(Buffer.from(start.bytes).equals(content.subarray(0, start.bytes.length))).toBe(true);
    expect(Buffer.from(partOf(start, 1000, 2000)).equals(content.subarray(1000, 2000))).toBe(true);
    expect(() => partOf(start, 0, start.bytes.length + 1)).toThrow(CorruptLayerError);
  });
});
