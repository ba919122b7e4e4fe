/** Layers that are made to cost more than they weigh, and names that are made to lead astray. */

import { describe, expect, it } from 'vitest';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { LayerFromTar, type LayerLimits } from '../../../src/engine/layer/layer-from-tar.ts';
import type { LayerIndex } from '../../../src/engine/layer/layer-index.ts';
import { LayerIndexBuilder } from '../../../src/engine/layer/layer-index-builder.ts';
import { stackLayers } from '../../../src/engine/layer/stack.ts';
import type { DiffID } from '../../../src/engine/oci/digest.ts';
import { endOfArchive, file, header, joined, pax } from '../archive/tar-bytes.ts';

const diffID: DiffID = `sha256:${'00'.repeat(32)}`;
function layer(...parts: Uint8Array[]): LayerIndex {
  const reader = new LayerFromTar();
  for (const part of [...parts, endOfArchive]) reader.push(part);
  return reader.finish(diffID);
}
const symlink = (name: string, link: string) => joined(pax({ linkpath: link }), header({ name, type: '2' }));
const hardlink = (name: string, link: string) => header({ name, type: '1', link });
const dir = (name: string) => header({ name, type: '5' });
function* endlessly(make: (i: number) => Uint8Array): Generator<Uint8Array> {
  for (let i = 0; ; i++) yield make(i);
}
/** Pushes until the layer is refused; the error, and how many parts there were. */
function refusalOf(
  parts: Iterable<Uint8Array>,
  before: readonly Uint8Array[] = [],
  limits: LayerLimits = {},
): { message: string; pushed: number } {
  const reader = new LayerFromTar(limits);
  for (const part of before) reader.push(part);
  let pushed = 0;
  try {
    for (const part of parts) {
      pushed += 1;
      reader.push(part);
    }
    reader.finish(diffID);
  } catch (error) {
    if (error instanceof CorruptLayerError) return { message: error.message, pushed };
    throw error;
  }
  throw new Error('it was taken');
}

describe('a layer that costs too much', () => {
  const deep = `${'d/'.repeat(2040)}`;

  it('by its number of entries', () => {
    const block = header({ name: 'f' });
    const small = new LayerFromTar({ limit: 100 });
    expect(() => {
      for (let i = 0; i < 200; i++) small.push(header({ name: `f${i}` }));
    }).toThrow('it has more than 100 entries');
    // the same name again and again is work, too
    const again = new LayerFromTar({ limit: 100 });
    expect(() => {
      for (let i = 0; i < 200; i++) again.push(block);
    }).toThrow('it has more than 100 entries');
  });

  it('by parents that no entry names', () => {
    const entries = endlessly((i) => joined(pax({ path: `${i}/${deep}f` }), header()));
    const { message, pushed } = refusalOf(entries, [], { limit: 50_000 });
    expect(message).toBe('it has more than 50000 entries');
    expect(pushed).toBe(25);
  });

  it('by the size of its tar', () => {
    const reader = new LayerFromTar({ maxSize: 10_000 });
    for (let i = 0; i < 19; i++) reader.push(header({ name: `f${i}` }));
    expect(reader.size).toBe(19 * 512);
    expect(() => reader.push(header())).toThrow('the tar has more than the 10000 bytes that are allowed');
  });

  it('by attributes that a global header gives to every entry', () => {
    const records = Object.fromEntries(
      Array.from({ length: 14 }, (_, i) => [`SCHILY.xattr.user.${i}`, 'v'.repeat(65_000)]),
    );
    const { message, pushed } = refusalOf(
      endlessly((i) => header({ name: `${i}` })),
      [pax(records, 'g')],
    );
    expect(message).toBe('the names, links and attributes of its entries take more than 128 MiB');
    expect(pushed).toBeLessThan(200);
  });

  it('by attributes of one directory, described again and again', () => {
    const entry = joined(pax({ 'SCHILY.xattr.user.a': 'v'.repeat(65_000) }), dir('d'));
    expect(refusalOf(endlessly(() => entry)).message).toContain('take more than 128 MiB');
  });

  it('by symlinks that lead through thousands of names to the next one', () => {
    const chain = Array.from({ length: 39 }, (_, i) => symlink(`s${i}`, `${'a/../'.repeat(800)}s${i + 1}`));
    const before = [dir('a'), ...chain, dir('s39')];
    const { message } = refusalOf(
      endlessly((i) => file(`s0/d${i}/f`, '')),
      before,
    );
    expect(message).toMatch(/the paths and links of its layer lead through more than 20000000 names/);
  });

  it('by hard links that do', () => {
    const target = `${'a/../'.repeat(800)}`;
    const chain = Array.from({ length: 39 }, (_, i) =>
      joined(pax({ linkpath: `${target}h${i + 1}` }), hardlink(`h${i}`, '')),
    );
    const { message } = refusalOf(
      endlessly((i) => hardlink(`l${i}`, 'h0')),
      [dir('a'), ...chain],
    );
    expect(message).toMatch(/lead through more than 20000000 names/);
  });

  it('by hard links into lower layers through symlinks of theirs', () => {
    const chain = Array.from({ length: 39 }, (_, i) => symlink(`s${i}`, `${'a/../'.repeat(800)}s${i + 1}`));
    const lower = layer(dir('a'), ...chain, dir('s39'), file('s39/f', ''));
    const upper = layer(...Array.from({ length: 400 }, (_, i) => hardlink(`l${i}`, 's0/f')));
    expect(() => stackLayers([lower, upper])).toThrow(
      `layer ${diffID} cannot be used: its links lead through more than 20000000 names`,
    );
    // one of them is no harm
    const one = stackLayers([lower, layer(hardlink('l', 's0/f'))]);
    expect(one.canonical(one.find('l') ?? -1)).toBe(one.canonical(one.find('s39/f') ?? -2));
  });

  it('by depth, which symlinks take beyond what a path is long', () => {
    const shallow = joined(symlink('s', `${'d/'.repeat(1000)}`), file('s/f', ''));
    expect(layer(shallow).count).toBe(1003);
    expect(() => layer(shallow, joined(pax({ path: `s/${'e/'.repeat(1500)}f` }), header()))).toThrow(
      /^"s\/e\/e.*\.\.\." cannot be unpacked: it is 2049 directories deep, and 2048 are allowed$/,
    );
    // a container may go deeper than that, and its upper is shown all the same
    const builder = new LayerIndexBuilder();
    builder.add({ path: `${'d/'.repeat(3000)}f`, type: 'file', mode: 0, uid: 0, gid: 0, mtimeNs: 0n });
    expect(builder.finish(diffID).count).toBe(3002);
  });

  it.each<[string, Uint8Array[], RegExp]>([
    [
      'a sparse file of petabytes',
      [
        pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': `${2 ** 50}` }),
        header({ size: 512 }),
        file('0\n', '').subarray(0, 512),
      ],
      /"f" has the size 1125899906842624; it must be a whole number up to 8796093022208/,
    ],
    [
      'a device major that Linux has no room for',
      [header({ type: '3', devices: ['10000', '0'] })],
      /"f" has the device major 4096; it must be a whole number up to 4095/,
    ],
    [
      'a device minor that Linux has no room for',
      [header({ type: '4', devices: ['1', '4000000'] })],
      /"f" has the device minor 1048576; it must be a whole number up to 1048575/,
    ],
    [
      'a negative device',
      [pax({}), header({ type: '3', devices: ['\xff'.repeat(8), '0'] })].slice(1),
      /device major/,
    ],
    [
      'a name of a mebibyte',
      [joined(header({ type: 'L', size: 2 ** 20 }), new Uint8Array(2 ** 20).fill(0x6e)), header()],
      /it has a name of 1048576 bytes, and Linux allows 255/,
    ],
    [
      'a link target of 4096 bytes',
      [pax({ linkpath: `a/${'n'.repeat(250)}`.repeat(17) }), hardlink('h', '')],
      /it has a link target of \d+ bytes, and Linux allows 4095/,
    ],
  ])('is refused with %s', (_, parts, sentence) => {
    expect(() => layer(...parts)).toThrow(sentence);
    expect(() => layer(...parts)).toThrow(CorruptLayerError);
  });

  it('keeps a time that no filesystem has within 64 bits of nanoseconds', () => {
    const [late, early] = ['999999999999999999', '-999999999999999999'].map((mtime) =>
      layer(pax({ mtime }), header()).entry(1),
    );
    expect([late?.mtimeNs, early?.mtimeNs]).toEqual([2n ** 63n - 1n, -(2n ** 63n)]);
  });
});

describe('links', () => {
  const text = (index: LayerIndex, path: string) => {
    const { type, link } = index.entry(index.find(path) ?? 0);
    return `${type} ${link}`;
  };

  it('go up from where a symlink leads, as the kernel does', () => {
    const index = layer(
      file('x/f', 'x'),
      file('f', 'wrong'),
      dir('x/y'),
      symlink('s', 'x/y'),
      hardlink('h', 's/../f'),
    );
    expect(text(index, 'h')).toBe('hardlink x/f');
  });

  it('go up from where a symlink of a lower layer leads', () => {
    const lower = layer(file('x/f', 'x'), file('f', 'wrong'), dir('x/y'), symlink('s', 'x/y'));
    const stack = stackLayers([lower, layer(hardlink('h', 's/../f'))]);
    expect(stack.canonical(stack.find('h') ?? -1)).toBe(stack.canonical(stack.find('x/f') ?? -2));
  });

  it('stay inside the root, however many dots they have', () => {
    expect(text(layer(file('a', ''), hardlink('h', '../../../a')), 'h')).toBe('hardlink a');
    expect(text(layer(file('a', ''), dir('d'), hardlink('h', 'd/../../../a')), 'h')).toBe('hardlink a');
  });

  it.each<[string, Uint8Array[], RegExp]>([
    [
      'that end with dots',
      [dir('d'), hardlink('h', 'd/..')],
      /"d\/\.\." cannot be unpacked: it is the target of a hard link, and a directory/,
    ],
    [
      'to a directory of the same layer',
      [dir('d'), hardlink('h', 'd')],
      /"h" is a hard link to the directory "\/d"/,
    ],
    [
      'to what AUFS kept, when it did not',
      [hardlink('h', '/.wh..wh.plnk/1.2')],
      /"h" is a hard link to "\/\.wh\.\.wh\.plnk\/1\.2", which the layer does not have/,
    ],
  ])('are refused %s', (_, parts, sentence) => {
    expect(() => layer(...parts)).toThrow(sentence);
  });

  it('to what AUFS kept are that file, as containerd has it', () => {
    const index = layer(
      dir('.wh..wh.plnk'),
      file('.wh..wh.plnk/81.2', 'content', { mode: '0000755\0' }),
      hardlink('bin/a', '.wh..wh.plnk/81.2'),
      hardlink('bin/b', '/.wh..wh.plnk/81.2'),
    );
    expect(index.count).toBe(4);
    for (const path of ['bin/a', 'bin/b']) {
      expect(index.entry(index.find(path) ?? 0)).toMatchObject({
        type: 'file',
        size: 7,
        offset: 1024,
        mode: 0o755,
      });
    }
  });
});
