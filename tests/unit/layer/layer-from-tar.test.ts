import { describe, expect, it } from 'vitest';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { LayerFromTar } from '../../../src/engine/layer/layer-from-tar.ts';
import type { LayerIndex } from '../../../src/engine/layer/layer-index.ts';
import { cleanPath } from '../../../src/engine/layer/layer-path.ts';
import type { DiffID } from '../../../src/engine/oci/digest.ts';
import { endOfArchive, file, header, pax } from '../archive/tar-bytes.ts';
import { processorTime } from './processor-time.ts';

const diffID: DiffID = `sha256:${'00'.repeat(32)}`;
function layer(...parts: Uint8Array[]): LayerIndex {
  const reader = new LayerFromTar();
  for (const part of parts) reader.push(part);
  reader.push(endOfArchive);
  return reader.finish(diffID);
}
function listing(index: LayerIndex): string[] {
  return Array.from({ length: index.count - 1 }, (_, i) => {
    const { type, link, opaque } = index.entry(i + 1);
    return `${type} ${index.path(i + 1)}${link === undefined ? '' : ` -> ${link}`}${opaque ? ' opaque' : ''}`;
  }).sort();
}
const dir = (name: string) => header({ name, type: '5' });
const longPath = (length: number) => {
  const path = `${'n'.repeat(254)}/`.repeat(Math.ceil(length / 255));
  return path.slice(0, length).replace(/\/$/, 'n');
};

describe('LayerFromTar', () => {
  it.each<[string, Uint8Array[], string[]]>([
    ['./ and / before paths', [dir('./'), dir('./a/'), file('/b', '')], ['dir a', 'file b']],
    ['..  that stops at the root', [file('a/../../../etc/x', '')], ['dir etc', 'file etc/x']],
    ['empty and dotted names within', [file('a//./b', '')], ['dir a', 'file a/b']],
    ['a whiteout', [file('a/.wh.b', '')], ['dir a', 'whiteout a/b']],
    ['a whiteout in the root', [file('.wh.b', '')], ['whiteout b']],
    [
      'a whiteout of a dotted name',
      [file('.wh..b', ''), file('.wh....', '')],
      ['whiteout ...', 'whiteout .b'],
    ],
    ['a whiteout that is no file', [dir('.wh.b/')], ['whiteout b']],
    ['a name that only has the prefix in it', [file('x.wh.b', '')], ['file x.wh.b']],
    ['an opaque directory', [dir('a'), file('a/.wh..wh..opq', '')], ['dir a opaque']],
    [
      'what AUFS left',
      [file('.wh..wh.aufs', ''), dir('.wh..wh.plnk'), file('.wh..wh.plnk/1.2', ''), dir('.wh..wh.orph')],
      [],
    ],
    [
      'targets of hard links, cleaned',
      [
        file('a/b', ''),
        header({ name: 'c', type: '1', link: './a/../a/b' }),
        header({ name: 'd', type: '1', link: '/../a/b' }),
      ],
      ['dir a', 'file a/b', 'hardlink c -> a/b', 'hardlink d -> a/b'],
    ],
    [
      'targets of symlinks, verbatim',
      [header({ type: '2', link: '../.././x//y/' })],
      ['symlink f -> ../.././x//y/'],
    ],
  ])('takes %s', (_, parts, want) => {
    expect(listing(layer(...parts))).toEqual(want);
  });

  it('marks the root opaque', () => {
    expect(layer(file('.wh..wh..opq', '')).entry(0)).toMatchObject({ opaque: true, implicit: true });
  });

  it('keeps what the tar says of the root, of devices and of attributes', () => {
    const index = layer(
      header({ name: './', type: '5', mode: '0001777\0', uid: '0000012\0' }),
      header({ name: 'null', type: '3', mode: '0020666\0', devices: ['1', '3'] }),
      pax({ mtime: '12.000000034', 'SCHILY.xattr.user.k': 'v' }),
      file('x', 'abc', { mode: '0106755\0' }),
    );
    expect(index.entry(0)).toMatchObject({ mode: 0o1777, uid: 10, implicit: false });
    expect(index.entry(index.find('null') ?? -1)).toMatchObject({ type: 'char', mode: 0o666, rdev: [1, 3] });
    expect(index.entry(index.find('x') ?? -1)).toMatchObject({
      mode: 0o6755,
      mtimeNs: 12_000_000_034n,
      size: 3,
      offset: 5 * 512,
      xattrs: new Map([['user.k', new TextEncoder().encode('v')]]),
    });
  });

  it.each<[string, Uint8Array[], RegExp]>([
    [
      'a whiteout of nothing',
      [file('a/.wh.', '')],
      /^"a\/.wh." cannot be unpacked: "" is nothing that a whiteout can hide$/,
    ],
    ['a whiteout of the directory itself', [file('a/.wh..', '')], /"." is nothing that a whiteout can hide/],
    ['a whiteout of the parent', [file('a/.wh...', '')], /".." is nothing that a whiteout can hide/],
    [
      'an entry below a whiteout',
      [file('.wh.a/b', '')],
      /".wh.a\/b" cannot be unpacked: it is below the whiteout ".wh.a"/,
    ],
    ['a file as the root', [file('a/..', '')], /the root of the layer is a file/],
    ['an entry below a file', [file('a', ''), file('a/b', '')], /its parent "a" is a file/],
    [
      'a name of 256 bytes',
      [pax({ path: 'n'.repeat(256) }), header()],
      /it has a name of 256 bytes, and Linux allows 255/,
    ],
    [
      'a path of 4096 bytes',
      [pax({ path: longPath(4096) }), header()],
      /it has a path of 4096 bytes, and Linux allows 4095/,
    ],
    [
      'a symlink target of 4096 bytes',
      [pax({ linkpath: 'x'.repeat(4096) }), header({ type: '2' })],
      /a symlink target of 4096 bytes/,
    ],
    [
      'a symlink to nothing',
      [header({ type: '2' })],
      /"f" cannot be unpacked: it is a symlink without a target/,
    ],
    [
      'a hard link to the root',
      [header({ type: '1', link: '/' })],
      /"f" is a hard link to the directory "\/"/,
    ],
    ['a negative uid', [header({ uid: new Uint8Array(8).fill(0xff) })], /"f" has the uid -1/],
  ])('refuses %s', (_, parts, sentence) => {
    expect(() => layer(...parts)).toThrow(sentence);
    expect(() => layer(...parts)).toThrow(CorruptLayerError);
  });

  it('takes the longest names and paths that Linux has', () => {
    expect(cleanPath('n'.repeat(255))).toHaveLength(255);
    expect(cleanPath(longPath(4095))).toHaveLength(4095);
    expect(cleanPath(`${'é'.repeat(127)}n`)).toHaveLength(128);
    expect(() => cleanPath('é'.repeat(128))).toThrow('a name of 256 bytes');
  });

  it('indexes the 12,900 entries of a large image in a fraction of a second', () => {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < 12_900; i++) {
      const folder = `usr/share/doc/package-${i >> 4}/`;
      parts.push(i % 16 === 0 ? dir(folder) : header({ name: `${folder}file-number-${i}` }));
    }
    const times = [1, 2, 3].map(() =>
      processorTime(() => {
        const reader = new LayerFromTar();
        for (const part of parts) reader.push(part);
        expect(reader.finish(diffID).count).toBeGreaterThan(12_900);
      }),
    );
    // some 40 ms where nothing else runs; a tar library takes 250 and more
    expect(Math.min(...times)).toBeLessThan(600);
  });

  it('refuses a layer of more entries than its limit', () => {
    const reader = new LayerFromTar({ limit: 2 });
    reader.push(file('a', ''));
    expect(() => reader.push(file('b', ''))).toThrow('it has more than 2 entries');
  });
});
