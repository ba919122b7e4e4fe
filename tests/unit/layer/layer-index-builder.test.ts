import { describe, expect, it } from 'vitest';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import type { LayerIndex } from '../../../src/engine/layer/layer-index.ts';
import {
  buildLayerIndex,
  LayerIndexBuilder,
  type NewEntry,
} from '../../../src/engine/layer/layer-index-builder.ts';
import { openLayerIndex } from '../../../src/engine/layer/packed-layer-index.ts';
import type { DiffID } from '../../../src/engine/oci/digest.ts';

const diffID: DiffID = `sha256:${'ab'.repeat(32)}`;
const entry = (path: string, type: NewEntry['type'], rest: Partial<NewEntry> = {}): NewEntry => ({
  path,
  type,
  mode: type === 'dir' ? 0o755 : 0o644,
  uid: 0,
  gid: 0,
  mtimeNs: 0n,
  ...rest,
});
const dir = (path: string, rest?: Partial<NewEntry>) => entry(path, 'dir', rest);
const file = (path: string, offset = 512) => entry(path, 'file', { offset, size: 3 });
const link = (path: string, target: string) => entry(path, 'hardlink', { link: target });
const symlink = (path: string, target: string) => entry(path, 'symlink', { link: target });
const whiteout = (path: string) => entry(path, 'whiteout');
const opaque = (path: string) => ({ opaqueMarker: path });

/** `path type` of every entry but the root, with what else matters of it. */
function listing(index: LayerIndex): string[] {
  const lines: string[] = [];
  for (let number = 1; number < index.count; number++) {
    const { type, link, opaque, implicit, offset } = index.entry(number);
    const more = [
      link === undefined ? '' : ` -> ${link}`,
      type === 'file' ? ` @${offset}` : '',
      opaque ? ' opaque' : '',
      implicit ? ' implicit' : '',
    ];
    lines.push(`${index.path(number)} ${type}${more.join('')}`);
  }
  return lines.sort();
}
function build(steps: readonly (NewEntry | { opaqueMarker: string })[]): LayerIndex {
  const builder = new LayerIndexBuilder();
  for (const step of steps) {
    if ('opaqueMarker' in step) builder.addOpaque(step.opaqueMarker);
    else builder.add(step);
  }
  return builder.finish(diffID);
}

describe('LayerIndexBuilder', () => {
  const rows: [string, (NewEntry | { opaqueMarker: string })[], string[]][] = [
    ['nothing', [], []],
    [
      'missing parents are implicit',
      [file('a/b/c')],
      ['a dir implicit', 'a/b dir implicit', 'a/b/c file @512'],
    ],
    ['a parent that comes later', [file('a/b'), dir('a')], ['a dir', 'a/b file @512']],
    ['a file again', [file('a', 512), file('a', 2048)], ['a file @2048']],
    ['a directory again keeps its children', [dir('a'), file('a/b'), dir('a')], ['a dir', 'a/b file @512']],
    ['a file takes the place of a directory', [dir('a'), file('a/b'), file('a', 1)], ['a file @1']],
    [
      'a directory takes the place of a file, and starts empty',
      [dir('a'), file('a/b'), file('a'), dir('a'), file('a/c')],
      ['a dir opaque', 'a/c file @512'],
    ],
    ['a whiteout of a lower entry', [dir('a'), whiteout('a/b')], ['a dir', 'a/b whiteout']],
    ['a whiteout before the file', [whiteout('a'), file('a')], ['a file @512']],
    ['a whiteout after the file', [file('a'), whiteout('a')], ['a file @512']],
    ['a whiteout before the directory', [whiteout('a'), dir('a')], ['a dir opaque']],
    [
      'a whiteout after the directory',
      [dir('a'), file('a/b'), whiteout('a')],
      ['a dir opaque', 'a/b file @512'],
    ],
    ['a whiteout of an implied directory', [file('a/b'), whiteout('a')], ['a dir opaque', 'a/b file @512']],
    ['a directory implied over a whiteout', [whiteout('a'), file('a/b')], ['a dir opaque', 'a/b file @512']],
    ['an opaque marker before its directory', [opaque('a'), dir('a')], ['a dir opaque']],
    [
      'an opaque marker after its directory',
      [dir('a'), file('a/b'), opaque('a')],
      ['a dir opaque', 'a/b file @512'],
    ],
    ['an opaque marker alone', [opaque('a/b')], ['a dir implicit', 'a/b dir opaque implicit']],
    ['a hard link', [file('a'), link('b', 'a')], ['a file @512', 'b hardlink -> a']],
    [
      'a hard link to a hard link',
      [file('a'), link('b', 'a'), link('c', 'b')],
      ['a file @512', 'b hardlink -> a', 'c hardlink -> a'],
    ],
    ['a hard link into a lower layer', [link('b', 'usr/a')], ['b hardlink -> usr/a']],
    [
      'a hard link to one into a lower layer',
      [link('b', 'x'), link('c', 'b')],
      ['b hardlink -> x', 'c hardlink -> x'],
    ],
    ['a hard link whose target comes later', [link('b', 'a'), file('a')], ['a file @512', 'b hardlink -> a']],
    ['a hard link to a symlink', [symlink('a', 'x'), link('b', 'a')], ['a symlink -> x', 'b hardlink -> a']],
    ['a hard link to a whiteout', [whiteout('a'), link('b', 'a')], ['a whiteout', 'b hardlink -> a']],
    ['a hard link to itself changes nothing', [file('a'), link('a', 'a')], ['a file @512']],
    [
      'the target of a hard link is replaced',
      [file('a', 512), link('c', 'a'), link('b', 'a'), file('a', 2048)],
      ['a file @2048', 'b file @512', 'c hardlink -> b'],
    ],
    [
      'the directory of a target is replaced',
      [file('d/a', 512), link('b', 'd/a'), file('d', 2048)],
      ['b file @512', 'd file @2048'],
    ],
    [
      'an entry below a symlink of the layer',
      [dir('usr/bin'), symlink('bin', 'usr/bin'), file('bin/sh')],
      ['bin symlink -> usr/bin', 'usr dir implicit', 'usr/bin dir', 'usr/bin/sh file @512'],
    ],
    [
      'a symlink cannot lead above the root',
      [symlink('a/up', '../../../x'), file('a/up/f')],
      ['a dir implicit', 'a/up symlink -> ../../../x', 'x dir implicit', 'x/f file @512'],
    ],
    [
      'an absolute symlink starts at the root',
      [symlink('a/up', '/x'), file('a/up/f')],
      ['a dir implicit', 'a/up symlink -> /x', 'x dir implicit', 'x/f file @512'],
    ],
    [
      'a symlink that was replaced is followed no more',
      [symlink('s', 'x'), file('s/a'), dir('s'), file('s/b')],
      ['s dir opaque', 's/b file @512', 'x dir implicit', 'x/a file @512'],
    ],
  ];
  it.each(rows)('%s', (_, steps, want) => {
    expect(listing(build(steps))).toEqual(want);
  });

  it.each<[string, NewEntry[], RegExp]>([
    ['below a file', [file('a'), file('a/b')], /"a\/b" cannot be unpacked: its parent "a" is a file/],
    ['symlinks in a circle', [symlink('a', 'b'), symlink('b', 'a'), file('a/c')], /lead in a circle/],
    ['a hard link to a directory', [dir('a'), link('b', 'a')], /"b" is a hard link to the directory "\/a"/],
    ['a hard link to nothing but itself', [link('a', 'a')], /"a" is a hard link that leads to itself/],
    ['hard links in a circle', [link('a', 'b'), link('b', 'a')], /"b" is a hard link that leads to itself/],
    ['the root as a file', [file('')], /the root of the layer is a file/],
    ['a negative uid', [dir('a', { uid: -1 })], /"a" has the uid -1/],
    ['a gid above 32 bits', [dir('a', { gid: 2 ** 32 })], /"a" has the gid 4294967296/],
  ])('refuses %s', (_, steps, sentence) => {
    expect(() => build(steps)).toThrow(sentence);
    expect(() => build(steps)).toThrow(CorruptLayerError);
  });

  it('refuses more entries than its limit, implied ones included', () => {
    expect(() => new LayerIndexBuilder({ limit: 3 }).add(file('a/b/c'))).toThrow('more than 3 entries');
  });

  it('keeps every attribute', () => {
    const value = Uint8Array.of(1, 0, 255);
    const index = buildLayerIndex(diffID, [
      dir('', { mode: 0o1777, uid: 7, mtimeNs: -1n }),
      entry('dev/tty', 'char', { rdev: [4095, 1_048_575] }),
      entry('big', 'file', {
        mode: 0o4755,
        uid: 4_294_967_295,
        gid: 100_000,
        mtimeNs: 1_700_000_000_123_456_789n,
        size: 2 ** 40,
        offset: 2 ** 41 + 512,
        xattrs: new Map([['security.capability', value]]),
      }),
    ]);
    expect(index.diffID).toBe(diffID);
    expect(index.entry(0)).toMatchObject({
      name: '',
      mode: 0o1777,
      uid: 7,
      mtimeNs: -1n,
      implicit: false,
      parent: 0,
    });
    expect(index.entry(index.find('dev/tty') ?? -1)).toMatchObject({
      type: 'char',
      rdev: [4095, 1_048_575],
      name: 'tty',
    });
    expect(index.entry(index.find('big') ?? -1)).toEqual({
      number: 1,
      parent: 0,
      name: 'big',
      type: 'file',
      mode: 0o4755,
      uid: 4_294_967_295,
      gid: 100_000,
      mtimeNs: 1_700_000_000_123_456_789n,
      size: 2 ** 40,
      offset: 2 ** 41 + 512,
      extents: undefined,
      link: undefined,
      rdev: undefined,
      xattrs: new Map([['security.capability', value]]),
      opaque: false,
      implicit: false,
    });
  });

  it('sorts children bytewise, whatever the name, and finds each', () => {
    // U+FF5E is above the surrogates in UTF-16 and below U+1F600 in UTF-8
    const names = ['b', 'a', 'a.b', 'a-b', 'B', 'é', '\uff5e', '\u{1f600}', '\udcff', '\udc80x'];
    const index = build(names.map((name) => file(`d/${name}`)));
    const [first, end] = index.children(index.find('d') ?? -1);
    const sorted = Array.from({ length: end - first }, (_, i) => index.entry(first + i).name);
    expect(sorted).toEqual(['B', 'a', 'a-b', 'a.b', 'b', '\udc80x', 'é', '\uff5e', '\u{1f600}', '\udcff']);
    for (const name of names) expect(index.path(index.find(`d/${name}`) ?? 0)).toBe(`d/${name}`);
    expect(index.find('d/c')).toBeUndefined();
    expect(index.find('d/a/x')).toBeUndefined();
    expect(() => index.entry(index.count)).toThrow(RangeError);
  });
});

describe('openLayerIndex', () => {
  const whole = build([file('a/b'), symlink('c', 'a'), entry('d', 'char', { rdev: [1, 3] })]).buffer;

  it('opens what was packed', () => {
    expect(listing(openLayerIndex(structuredClone(whole)))).toEqual([
      'a dir implicit',
      'a/b file @512',
      'c symlink -> a',
      'd char',
    ]);
  });

  it('refuses every shorter buffer and one with a byte more', () => {
    for (let length = 0; length < whole.byteLength; length++) {
      expect(() => openLayerIndex(whole.slice(0, length))).toThrow(CorruptLayerError);
    }
    const longer = new Uint8Array(whole.byteLength + 1);
    longer.set(new Uint8Array(whole));
    expect(() => openLayerIndex(longer.buffer)).toThrow(CorruptLayerError);
  });

  it('names the version it cannot read', () => {
    const changed = new Uint8Array(whole.slice(0));
    changed[7] = 9;
    expect(() => openLayerIndex(changed.buffer)).toThrow('its format is version 9');
  });

  it('with any byte changed either refuses or stays within its bounds', () => {
    for (let at = 0; at < whole.byteLength; at++) {
      for (const value of [0, 1, 0x2f, 0xff]) {
        const changed = new Uint8Array(whole.slice(0));
        if (changed[at] === value) continue;
        changed[at] = value;
        let index: LayerIndex;
        try {
          index = openLayerIndex(changed.buffer);
          for (let number = 0; number < index.count; number++) {
            index.entry(number);
            const [first, end] = index.children(number);
            expect(first <= end && end <= index.count).toBe(true);
            expect(index.find(index.path(number))).toBe(number);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptLayerError);
        }
      }
    }
  });
});
