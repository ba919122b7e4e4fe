/**
 * Layers with what no tool writes but the specification allows, or hostile
 * hands would: the same tree that `umoci unpack` makes, or refused as by it. A row that
 * departs says why.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endOfArchive, file, header, joined, pax } from '../archive/tar-bytes.ts';
import { type Listing, listLayers, listUnpacked } from './archived-tree.ts';

const dir = (name: string, mode = '0000755\0') => header({ name, type: '5', mode });
const symlink = (name: string, link: string) => header({ name, type: '2', link, mode: '0000777\0' });
const hardlink = (name: string, link: string) => header({ name, type: '1', link });
const layer = (...parts: Uint8Array[]) => joined(...parts, endOfArchive);

const same: Readonly<Record<string, Uint8Array[]>> = {
  'parents that no entry names': [layer(file('a/b/c', 'x'))],
  'a parent that comes late': [layer(file('a/b', 'x'), dir('a', '0000700\0'))],
  'a file twice': [layer(file('a', 'first'), file('a', 'second'))],
  'a file in place of a directory': [layer(dir('a'), file('a/b', 'x'), file('a', 'file'))],
  'a directory in place of a file': [layer(file('a', 'x'), dir('a'), file('a/b', 'x'))],
  'a directory in place of a symlink': [layer(dir('x'), symlink('a', 'x'), dir('a'), file('a/f', 'f'))],
  'a symlink in place of a file': [layer(file('a', 'x'), symlink('a', 'b'))],
  'a directory again': [layer(dir('a'), file('a/b', 'x'), dir('a', '0000711\0'))],
  './ before names': [layer(dir('./'), dir('./a'), file('./a/b', 'x'))],
  'absolute names': [layer(dir('/a'), file('/a/b', 'x'), hardlink('/c', '/a/b'))],
  'dots within names': [layer(file('a/./b/../c', 'x'), file('a//d', 'y'))],
  'dots out of the root': [layer(file('../../a', 'x'), file('/../b', 'y'))],
  'symlinks out of the root': [layer(symlink('a', '../../../etc/passwd'), symlink('b', '/etc'))],
  'a parent that is a symlink': [layer(dir('usr/bin'), symlink('bin', 'usr/bin'), file('bin/sh', 'x'))],
  'a parent that is an absolute symlink': [
    layer(dir('usr/bin'), symlink('bin', '/usr/bin'), file('bin/sh', 'x')),
  ],
  'a parent that is a symlink out of the root': [
    layer(dir('etc'), symlink('a', '../../../etc'), file('a/x', 'x')),
  ],
  'a parent that is a symlink of the lower layer': [
    layer(dir('usr/lib'), symlink('lib', 'usr/lib')),
    layer(file('lib/x', 'x')),
  ],
  'a parent that is a directory and a symlink below': [
    layer(dir('usr/lib'), file('usr/lib/old', 'x'), symlink('lib', 'usr/lib')),
    layer(dir('lib'), file('lib/x', 'x')),
  ],
  'a hard link': [layer(file('a', 'x'), hardlink('b', 'a'), hardlink('c', 'b'))],
  'a hard link to a file that is replaced later': [layer(file('a', 'x'), hardlink('b', 'a'), file('a', 'y'))],
  'a hard link to a symlink': [layer(symlink('a', 'x'), hardlink('b', 'a'))],
  'a hard link through a symlink': [layer(file('d/f', 'x'), symlink('s', 'd'), hardlink('h', 's/f'))],
  'a hard link to a file of the lower layer': [layer(file('a', 'x')), layer(hardlink('b', 'a'))],
  'a hard link with a size': [layer(file('a', 'abc'), header({ name: 'b', type: '1', link: 'a', size: 3 }))],
  'a whiteout of a file': [layer(file('a', 'x'), file('b', 'y')), layer(file('.wh.a', ''))],
  'a whiteout of a directory': [layer(file('a/b/c', 'x')), layer(dir('a'), file('a/.wh.b', ''))],
  'a whiteout of what is not there': [layer(file('a', 'x')), layer(file('.wh.b', ''))],
  'a whiteout and a new file': [layer(file('a', 'old')), layer(file('.wh.a', ''), file('a', 'new'))],
  'an opaque directory': [
    layer(file('a/old', 'x')),
    layer(dir('a'), file('a/.wh..wh..opq', ''), file('a/new', 'y')),
  ],
  'an opaque directory whose marker comes last': [
    layer(file('a/old', 'x')),
    layer(dir('a'), file('a/new', 'y'), file('a/.wh..wh..opq', '')),
  ],
  'an opaque directory with a directory that was below': [
    layer(file('a/b/old', 'x')),
    layer(dir('a'), dir('a/b'), file('a/b/new', 'y'), file('a/.wh..wh..opq', '')),
  ],
  'a file over a directory of the lower layer': [layer(file('a/b', 'x')), layer(file('a', 'file'))],
  'a directory over a file of the lower layer': [layer(file('a', 'x')), layer(dir('a'), file('a/b', 'y'))],
  'a pax header that changes everything': [
    layer(
      pax({ path: 'ü/long', uid: '70000', gid: '80000', mtime: '1.25', size: '3' }),
      header({ name: 'cut', size: 0 }),
      file('', 'abc').subarray(512),
    ),
  ],
  'no end of archive': [joined(file('a', 'x'), file('b', 'y'))],
  'one block of zeros at the end': [joined(file('a', 'x'), new Uint8Array(512))],
  'junk behind the end': [joined(layer(file('a', 'x')), new Uint8Array(2048).fill(7))],
  'an empty tar': [new Uint8Array(1024)],
};

/** [layers, what we say, what umoci says]. */
const refused: Readonly<Record<string, readonly [Uint8Array[], RegExp, RegExp]>> = {
  'a wrong checksum': [
    [layer(header({ checksum: '0000001\0' }))],
    /"f" at byte 0: its checksum is 1/,
    /invalid tar header/,
  ],
  'a lone block of zeros': [
    [joined(new Uint8Array(512), header())],
    /a block of zeros stands before it/,
    /invalid tar header/,
  ],
  'an entry below a file': [
    [layer(file('a', 'x'), file('a/b', 'y'))],
    /its parent "a" is a file/,
    /not a directory/,
  ],
  'an unknown type': [[layer(header({ type: 'Z' }))], /of the unknown type "Z"/, /unknown typeflag/],
  'a hard link to nothing': [
    [layer(hardlink('a', 'b'))],
    /the hard link "a" to "b" leads to what is not there/,
    /no such file/,
  ],
  'a hard link to a directory': [
    [layer(dir('d'), hardlink('h', 'd'))],
    /"h" is a hard link to the directory/,
    /operation not permitted/,
  ],
  'a pax header that is cut': [
    [joined(header({ type: 'x', size: 100 }), new Uint8Array(0))],
    /the tar ends at byte 512 in an extended header/,
    /unexpected EOF/,
  ],
  'a file that is cut': [
    [header({ size: 2000 })],
    /2000 bytes before the end of the content of "f"/,
    /unexpected EOF/,
  ],
};

describe.runIf(process.getuid?.() === 0)('layers', () => {
  let work = '';
  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'layerbox-layers-'));
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  /** Times of directories that no entry names are the unpacker's affair. */
  const timeless = (listing: Listing) =>
    new Map(
      [...listing].map(([path, { mtimeNs, ...one }]) => [
        path,
        one.type === 'dir' ? one : { ...one, mtimeNs },
      ]),
    );

  it.each(Object.entries(same))('are what umoci unpacks: %s', async (_, layers) => {
    expect(timeless(await listLayers(layers))).toEqual(timeless(await listUnpacked(work, ...layers)));
  });

  it('depart where containerd does: ".." in a hard link goes up from where a symlink leads', async () => {
    const tar = layer(
      file('x/f', 'x'),
      file('f', 'ff'),
      dir('x/y'),
      symlink('s', 'x/y'),
      hardlink('h', 's/../f'),
    );
    const size = (listing: Listing) => listing.get('/h')?.size;
    expect([size(await listLayers([tar])), size(await listUnpacked(work, tar))]).toEqual([1, 2]);
  });

  it.each(Object.entries(refused))('are refused, as by umoci: %s', async (_, [layers, ours, theirs]) => {
    await expect(listLayers(layers)).rejects.toThrow(ours);
    await expect(listUnpacked(work, ...layers)).rejects.toThrow(theirs);
  });
});
