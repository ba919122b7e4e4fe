import { describe, expect, it } from 'vitest';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { LazyLayers } from '../../../src/engine/lazy/lazy-layers.ts';
import { CachedContentReader } from '../../../src/engine/store/content-reader.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { holdsOnceCollected } from '../../support/collected.ts';
import { type StargzEntry, type StargzFile, stargzLayer } from '../../support/estargz.ts';
import { indexOfTar, MemoryRanges, noise, numberOf, openStargz } from './fixture.ts';

const files: StargzFile[] = [
  { name: 'etc/', type: 'dir', mode: 0o755 },
  { name: 'etc/motd', content: 'hello\n', xattrs: { 'user.a': 'b' }, mtime: 1_600_000_000 },
  { name: 'etc/link', type: 'symlink', link: 'motd', mode: 0o777 },
  { name: 'dev/null', type: 'char', rdev: [1, 3] },
  { name: 'big', content: noise(100_000, 3) },
  { name: 'last', content: noise(1000, 4) },
];

/** A layer that is coming, and what brings it. */
async function coming(edit?: (toc: { version: number; entries: StargzEntry[] }) => unknown) {
  const layer = stargzLayer(files, { chunkSize: 30_000, ...(edit && { edit }) });
  const content = new MemoryContentStore();
  const ranges = new MemoryRanges(layer.blob);
  const layers = new LazyLayers(new CachedContentReader(content));
  const lazy = await openStargz(layer, ranges);
  const { index } = lazy;
  const one = layers.add(lazy, 'layer L');
  const arrive = async (tar: Uint8Array = layer.tar) => {
    const writer = await content.ingest('tar');
    await writer.write(Uint8Array.from(tar));
    await writer.commit(layer.diffID);
    await one.settle(indexOfTar(tar, layer.diffID));
  };
  const read = (path: string, from: number, length: number) =>
    layers.read(layer.diffID, index.entry(numberOf(index, path)).offset + from, length);
  return { layer, layers, ranges, one, arrive, read };
}

const change =
  (name: string, fields: StargzEntry) =>
  ({ version, entries }: { version: number; entries: StargzEntry[] }) => ({
    version,
    entries: entries.map((entry) => (entry.name === name ? { ...entry, ...fields } : entry)),
  });

describe('a layer that is coming', () => {
  it('is read at the same addresses before it is whole and after, then from the store', async () => {
    const { layer, layers, ranges, arrive, read } = await coming();
    const before = Buffer.from(await read('big', 40_000, 50_000));
    expect(layers.coming(layer.diffID)).toBeDefined();
    await arrive();
    expect(layers.coming(layer.diffID)).toBeUndefined();
    const { length } = ranges.requests;
    expect(Buffer.from(await read('big', 40_000, 50_000))).toEqual(before);
    expect(Buffer.from(await read('last', 0, 1000))).toEqual(Buffer.from(noise(1000, 4)));
    expect(ranges.requests).toHaveLength(length);
  });

  it('is read from the store at once where its tar is asked for', async () => {
    const { layer, layers, arrive } = await coming();
    await arrive();
    const index = indexOfTar(layer.tar, layer.diffID);
    const { offset } = index.entry(numberOf(index, 'etc/motd'));
    expect(Buffer.from(await layers.read(layer.diffID, offset, 6)).toString()).toBe('hello\n');
  });

  it('finishes the reads that were under way when it became whole', async () => {
    const { ranges, arrive, read } = await coming();
    let open: () => void = () => undefined;
    ranges.gate = () =>
      new Promise((resolve) => {
        open = resolve;
      });
    const reading = read('last', 0, 1000);
    await arrive();
    open();
    expect(Buffer.from(await reading)).toEqual(Buffer.from(noise(1000, 4)));
  });

  it('that does not come gives nothing any more, and says why', async () => {
    const { layer, layers, one, read } = await coming();
    await read('last', 0, 1000);
    one.fail(new Error('its digest is wrong'));
    expect(() => read('last', 0, 1000)).toThrow('its digest is wrong');
    expect(layers.coming(layer.diffID)).toBeUndefined();
  });

  /** What is kept of a layer after `end`, by whether somebody has its index. */
  async function kept(end: (layer: Awaited<ReturnType<typeof coming>>) => Promise<unknown> | unknown) {
    const holding: unknown[] = [];
    const { layers, weak } = await (async () => {
      const made = await coming();
      const { index } = made.one;
      if (index === undefined) throw new Error('it is not coming');
      holding.push(index);
      await made.read('last', 0, 1000);
      await end(made);
      return { layers: made.layers, weak: new WeakRef(index) };
    })();
    const whileHeld = [await holdsOnceCollected(() => layers.size === 0, 5), weak.deref() === undefined];
    holding.length = 0;
    const isCollected = await holdsOnceCollected(() => weak.deref() === undefined);
    return { layers, whileHeld, isCollected };
  }

  it('is kept when it is whole, as long as somebody has its index', async () => {
    const { layers, whileHeld, isCollected } = await kept(({ arrive }) => arrive());
    expect([whileHeld, isCollected]).toEqual([[false, false], true]);
    expect(await holdsOnceCollected(() => layers.size === 0)).toBe(true);
  });

  it('keeps nothing of its table but the reason when it does not come', async () => {
    const { layers, isCollected } = await kept(({ one }) => one.fail(new Error('its digest is wrong')));
    expect([isCollected, layers.size]).toEqual([true, 1]);
  });

  const other = `sha256:${'1'.repeat(64)}`;
  const rows: [string, (toc: { version: number; entries: StargzEntry[] }) => unknown, string][] = [
    [
      'another mode',
      change('etc/motd', { mode: 0o4755 }),
      '"/etc/motd": its mode is 2541 in the table and 420',
    ],
    ['another owner', change('etc/motd', { uid: 7 }), '"/etc/motd": its uid is 7 in the table'],
    ['another size', change('last', { size: 999 }), '"/last": its size is 999 in the table and 1000'],
    ['another target', change('etc/link', { linkName: 'passwd' }), '"/etc/link": its link is "passwd"'],
    ['another type', change('etc/link', { type: 'fifo' }), '"/etc/link": its type is "fifo"'],
    ['another device', change('dev/null', { devMinor: 5 }), '"/dev/null": its device is 1, 5 in the table'],
    ['another time', change('etc/motd', { modtime: '2021-01-01T00:00:00Z' }), '"/etc/motd": its mtime'],
    ['another attribute', change('etc/motd', { xattrs: { 'user.a': 'Yw==' } }), 'attribute "user.a"'],
    ['an attribute less', change('etc/motd', { xattrs: {} }), 'attribute "user.a"'],
    ['another name', change('last', { name: 'lost' }), '"/lost": the tar has "/last" in its place'],
    [
      'an entry more',
      ({ version, entries }) => ({
        version,
        entries: [...entries, { name: 'zzz', type: 'fifo', mode: 420 }],
      }),
      '"/zzz": the tar has "/dev/null" in its place',
    ],
    [
      'an entry less',
      ({ version, entries }) => ({ version, entries: entries.filter(({ name }) => name !== 'dev/null') }),
      'the tar has "/dev',
    ],
  ];
  it.each(rows)(
    'is refused, with the entry named, when its table has %s than its tar',
    async (_, edit, message) => {
      const { arrive } = await coming(edit);
      const arriving = arrive();
      await expect(arriving).rejects.toThrow(CorruptLayerError);
      await expect(arriving).rejects.toThrow(message);
    },
  );

  it('is refused when a file that was read has other content in its tar', async () => {
    const { layer, arrive, read } = await coming();
    const tar = Buffer.from(layer.tar);
    const index = indexOfTar(tar, layer.diffID);
    const at = index.entry(numberOf(index, 'big')).offset + 35_000;
    tar[at] = (tar[at] ?? 0) ^ 1;
    await read('big', 40_000, 1);
    await expect(arrive(tar)).rejects.toThrow('"/big" has other content in its tar');
  });

  it('does not mind a time that its table has without the fraction of a second', async () => {
    const { arrive } = await coming(
      change('etc/motd', { modtime: '2020-09-13T12:26:40.9Z', chunkDigest: undefined }),
    );
    await expect(arrive()).resolves.toBeUndefined();
  });

  it('has no contents but its own', async () => {
    const { layers } = await coming();
    expect(() => layers.read(`sha256:${other.slice(7)}`, 2 ** 52, 1)).toThrow(RangeError);
  });
});
