import { describe, expect, it } from 'vitest';
import { Unpackers } from '../../../src/engine/archive/unpackers.ts';
import { DigestMismatchError } from '../../../src/engine/errors.ts';
import { addressBase } from '../../../src/engine/lazy/chunk-table.ts';
import { unpackStart } from '../../../src/engine/lazy/decode-chunk.ts';
import { stargzLayer } from '../../support/estargz.ts';
import { codecsModule } from '../archive/unpacking.ts';
import { contentOf, MemoryRanges, noise, numberOf, openStargz } from './fixture.ts';

const KB = 1024;
/** Ten files of 100 KB that do not compress, in chunks of 30 KB, and one of nothing but zeros. */
const files = [
  { name: 'first', content: noise(100 * KB, 50) },
  { name: 'second', content: noise(100 * KB, 51) },
  { name: '.prefetch.landmark', content: '\x0f' },
  ...Array.from({ length: 8 }, (_, i) => ({ name: `file${i}`, content: noise(100 * KB, i + 1) })),
];
const layer = stargzLayer(files, { chunkSize: 30 * KB });

/** The layer opened, its table no longer among the requests. */
async function opened(blob = layer.blob) {
  const ranges = new MemoryRanges(blob);
  const lazy = await openStargz({ ...layer, blob }, ranges);
  ranges.requests.length = 0;
  return { lazy, ranges };
}

describe('LazyLayer', () => {
  it.each([
    ['in a chunk', 100, 50],
    ['over the edge of two chunks', 30 * KB - 10, 20],
    ['over four chunks', 10, 95 * KB],
    ['the last byte', 100 * KB - 1, 1],
    ['nothing', 7, 0],
  ])('reads what is wanted: %s', async (_, from, length) => {
    const { lazy } = await opened();
    const { offset } = lazy.index.entry(numberOf(lazy.index, 'file3'));
    const bytes = await lazy.read(offset + from, length);
    expect(Buffer.from(bytes).equals(noise(100 * KB, 4).subarray(from, from + length))).toBe(true);
  });

  it('answers at once what it has', async () => {
    const { lazy, ranges } = await opened();
    const { offset } = lazy.index.entry(numberOf(lazy.index, 'file3'));
    expect(lazy.read(offset, 10)).toBeInstanceOf(Promise);
    await lazy.read(offset, 10);
    expect(lazy.read(offset, 10)).toBeInstanceOf(Uint8Array);
    expect(ranges.requests).toHaveLength(1);
  });

  it('fetches neighbours by one request, which goes on a little', async () => {
    const { lazy, ranges } = await opened();
    const { offset } = lazy.index.entry(numberOf(lazy.index, 'file3'));
    await lazy.read(offset, 10);
    const [[start, end] = [0, 0]] = ranges.requests;
    expect(end - start).toBeGreaterThan(90 * KB);
    expect(end - start).toBeLessThanOrEqual(128 * KB);
    await lazy.read(offset, 100 * KB);
    expect(ranges.requests).toHaveLength(1);
    expect(lazy.received).toBe(end - start);
  });

  it('fetches more at a time of what is read from one end to the other', async () => {
    const { lazy, ranges } = await opened();
    const size = lazy.index.entry(numberOf(lazy.index, 'file0')).offset;
    for (let at = 0; at < 700 * KB; at += 10 * KB) await lazy.read(size + at, 10 * KB);
    const lengths = ranges.requests.map(([start, end]) => end - start);
    expect(lengths.length).toBeLessThanOrEqual(4);
    expect(lengths[1]).toBeGreaterThan((lengths[0] ?? 0) * 1.5);
  });

  it('fetches far less than the layer for one small read', async () => {
    const { lazy } = await opened();
    await lazy.read(lazy.index.entry(numberOf(lazy.index, 'file7')).offset, 1);
    expect(lazy.received).toBeLessThan(layer.blob.length / 6);
  });

  it('asks once for what many want at the same time', async () => {
    const { lazy, ranges } = await opened();
    const { offset } = lazy.index.entry(numberOf(lazy.index, 'file3'));
    await Promise.all(Array.from({ length: 20 }, (_, i) => lazy.read(offset + i, 100)));
    expect(ranges.requests).toHaveLength(1);
  });

  it('has at most four requests under way, and all are answered', async () => {
    const { lazy, ranges } = await opened();
    const contents = await Promise.all(
      ['first', 'file0', 'file2', 'file4', 'file6', 'file7', 'second'].map((name) => contentOf(lazy, name)),
    );
    expect(ranges.most).toBeLessThanOrEqual(4);
    expect(ranges.most).toBeGreaterThan(1);
    expect(contents.every((content) => content.length === 100 * KB)).toBe(true);
  });

  it('keeps no more in memory than it may', async () => {
    const ranges = new MemoryRanges(layer.blob);
    const lazy = await openStargz(layer, ranges, { cacheLimit: 100 * KB });
    for (const name of ['file0', 'file1', 'file2', 'file3']) await contentOf(lazy, name);
    expect(lazy.held).toBeLessThanOrEqual(100 * KB);
    const before = ranges.requests.length;
    await contentOf(lazy, 'file0');
    expect(ranges.requests.length).toBeGreaterThan(before);
  });

  it('fetches what is before the prefetch landmark, and no more', async () => {
    const { lazy, ranges } = await opened();
    await lazy.prefetch();
    const end = ranges.requests.reduce((most, [, end]) => Math.max(most, end), 0);
    expect(end).toBeLessThan(layer.blob.length / 2);
    ranges.requests.length = 0;
    await Promise.all([contentOf(lazy, 'first'), contentOf(lazy, 'second')]);
    expect(ranges.requests).toEqual([]);
  });

  it('refuses a chunk that was changed, names its file, and gives the others', async () => {
    const target = layer.entries.find((entry) => entry.name === 'file5' && entry.chunkOffset === 60 * KB);
    const blob = Buffer.from(layer.blob);
    const at = Number(target?.offset) + 500;
    blob[at] = (blob[at] ?? 0) ^ 1;
    const { lazy } = await opened(blob);
    const { offset } = lazy.index.entry(numberOf(lazy.index, 'file5'));
    await expect(lazy.read(offset + 60 * KB, 1)).rejects.toThrow(/^layer L: "\/file5"/);
    await expect(contentOf(lazy, 'file5')).rejects.toThrow(/"\/file5"/);
    expect(
      Buffer.from(await lazy.read(offset, 60 * KB)).equals(noise(100 * KB, 6).subarray(0, 60 * KB)),
    ).toBe(true);
    expect((await contentOf(lazy, 'file6')).length).toBe(100 * KB);
  });

  it('refuses a chunk that is a good one, but another', async () => {
    const [a, b] = [1, 2].map((i) => layer.entries.find((entry) => entry.name === `file${i}`));
    const length = 20 * KB;
    const blob = Buffer.from(layer.blob);
    blob.set(layer.blob.subarray(Number(b?.offset), Number(b?.offset) + 30 * KB + 50), Number(a?.offset));
    const { lazy } = await opened(blob);
    const reading = Promise.resolve(
      lazy.read(lazy.index.entry(numberOf(lazy.index, 'file1')).offset, length),
    );
    await expect(reading).rejects.toThrow(DigestMismatchError);
  });

  it('tries again after a failure', async () => {
    const { lazy, ranges } = await opened();
    ranges.gate = () => Promise.reject(new Error('cut'));
    await expect(contentOf(lazy, 'file0')).rejects.toThrow('cut');
    ranges.gate = async () => undefined;
    expect((await contentOf(lazy, 'file0')).length).toBe(100 * KB);
  });

  it.each([
    [0, 1],
    [addressBase - 1, 1],
    [addressBase, -1],
    [addressBase, Number.NaN],
    [addressBase, 1e9],
  ])('has nothing at %d, %d bytes', async (address, length) => {
    const { lazy } = await opened();
    expect(() => lazy.read(address, length)).toThrow(RangeError);
  });

  it('reads nothing once it is closed', async () => {
    const { lazy } = await opened();
    lazy.close();
    await expect(contentOf(lazy, 'file0')).rejects.toThrow('cancelled');
  });

  describe('with many files in one stream', () => {
    const many = Array.from({ length: 200 }, (_, i) => ({ name: `f${i}`, content: noise(500, i + 1) }));
    const shared = stargzLayer(many, { shared: true });
    const unpack = unpackStart(new Unpackers(async () => codecsModule), 'gzip');
    async function counted(blob = shared.blob) {
      const ranges = new MemoryRanges(blob);
      const decoded: number[] = [];
      const lazy = await openStargz({ ...shared, blob }, ranges, {
        decodeGzip: (compressed, length) => {
          decoded.push(length);
          return unpack(compressed, length);
        },
      });
      ranges.requests.length = 0;
      return { lazy, ranges, decoded };
    }

    it('decodes it once for all that are fetched together', async () => {
      const { lazy, ranges, decoded } = await counted();
      expect(Buffer.from(await contentOf(lazy, 'f150')).equals(noise(500, 151))).toBe(true);
      // the other stream is the table's own
      expect([ranges.requests.length, decoded.length]).toEqual([1, 2]);
      // its neighbours came along
      expect(Buffer.from(await contentOf(lazy, 'f199')).equals(noise(500, 200))).toBe(true);
      expect([ranges.requests.length, decoded.length]).toEqual([1, 2]);
    });

    it('gives what is before damage, though what is fetched along with it is behind', async () => {
      const blob = Buffer.from(shared.blob);
      blob.fill(0, Math.floor(shared.tocOffset * 0.9), shared.tocOffset);
      const { lazy, ranges } = await counted(blob);
      expect(Buffer.from(await contentOf(lazy, 'f20')).equals(noise(500, 21))).toBe(true);
      expect(ranges.requests).toHaveLength(1);
      await expect(contentOf(lazy, 'f199')).rejects.toThrow(/^layer L: "\/f199" cannot be unpacked/);
    });
  });
});
