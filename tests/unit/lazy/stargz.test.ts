import { describe, expect, it } from 'vitest';
import { CorruptLayerError, DigestMismatchError } from '../../../src/engine/errors.ts';
import { CannotBeLazy } from '../../../src/engine/lazy/cannot-be-lazy.ts';
import { stargzFooter } from '../../../src/engine/lazy/stargz-footer.ts';
import { type StargzEntry, type StargzFile, stargzLayer } from '../../support/estargz.ts';
import { contentOf, described, indexOfTar, MemoryRanges, noise, numberOf, openStargz } from './fixture.ts';

const busy = Buffer.from(noise(10_000, 1));
const files: StargzFile[] = [
  { name: './', type: 'dir', mode: 0o755 },
  { name: 'bin/', type: 'dir', mode: 0o755, mtime: 1_600_000_000 },
  {
    name: 'bin/busybox',
    content: busy,
    mode: 0o4755,
    mtime: 1_600_000_001,
    xattrs: { 'security.capability': '\x01\xff' },
  },
  {
    name: 'bin/sh',
    type: 'hardlink',
    link: 'bin/busybox',
    mode: 0o4755,
    xattrs: { 'security.capability': '\x01\xff' },
  },
  { name: 'bin/ash', type: 'symlink', link: '/bin/busybox', mode: 0o777 },
  { name: 'etc/motd', content: 'hello\n', uid: 1000 },
  { name: 'etc/empty' },
  { name: 'etc/.wh.passwd', mode: 0 },
  { name: 'var/lib/.wh..wh..opq', mode: 0 },
  { name: 'dev/null', type: 'char', rdev: [1, 3], mode: 0o666 },
  { name: 'run/pipe', type: 'fifo', mode: 0o600 },
  { name: '.prefetch.landmark', content: '\x0f' },
  { name: 'usr/share/later', content: noise(300_000, 2) },
];

describe('a table of contents', () => {
  it.each([
    ['whole files', {}],
    ['chunks of 4000 bytes', { chunkSize: 4000 }],
    ['several files in a gzip member', { shared: true }],
    ['the footer of stargz', { legacyFooter: true }],
  ])('gives the index and the contents of the tar: %s', async (_, options) => {
    const layer = stargzLayer(files, options);
    const lazy = await openStargz(layer);
    const real = indexOfTar(layer.tar, layer.diffID);
    expect(described(lazy.index)).toEqual(described(real));
    let checked = 0;
    for (let number = 0; number < real.count; number++) {
      const { type, offset, size } = real.entry(number);
      if (type !== 'file') continue;
      const content = await lazy.read(lazy.index.entry(number).offset, size);
      expect(Buffer.from(content).equals(layer.tar.subarray(offset, offset + size))).toBe(true);
      checked += 1;
    }
    expect(checked).toBe(6);
  });

  it.each([
    ['through a symlink', 's/../f'],
    ['out of the root and back', '../../d//./f'],
  ])('has the targets of hard links where the tar has them: %s', async (_, link) => {
    const layer = stargzLayer([
      { name: 'd/e/', type: 'dir' },
      { name: 's', type: 'symlink', link: 'd/e' },
      { name: 'd/f', content: 'of d' },
      { name: 'f', content: 'of the root' },
      { name: 'l', type: 'hardlink', link },
    ]);
    const lazy = await openStargz(layer);
    expect(described(lazy.index)).toEqual(described(indexOfTar(layer.tar, layer.diffID)));
    const { link: target } = lazy.index.entry(numberOf(lazy.index, 'l'));
    expect(target).toBe('d/f');
  });

  it('costs one request, however long the layer is', async () => {
    const layer = stargzLayer(files);
    const ranges = new MemoryRanges(layer.blob);
    await openStargz(layer, ranges);
    expect(ranges.requests).toEqual([[Math.max(0, layer.blob.length - (256 << 10)), layer.blob.length]]);
  });

  it('that is longer than the tail costs a second one', async () => {
    const many = Array.from({ length: 7000 }, (_, i) => ({ name: `f${i}`, content: noise(30, i) }));
    const layer = stargzLayer(many);
    expect(layer.blob.length - layer.tocOffset).toBeGreaterThan(256 << 10);
    const ranges = new MemoryRanges(layer.blob);
    const lazy = await openStargz(layer, ranges);
    expect(ranges.requests[1]).toEqual([layer.tocOffset, layer.blob.length - (256 << 10)]);
    expect(Buffer.from(await contentOf(lazy, 'f6999'))).toEqual(Buffer.from(noise(30, 6999)));
  });

  it('with another digest than the manifest promises is refused', async () => {
    const layer = stargzLayer(files);
    const annotations = { 'containerd.io/snapshot/stargz/toc.digest': `sha256:${'0'.repeat(64)}` };
    await expect(openStargz({ ...layer, annotations })).rejects.toThrow(DigestMismatchError);
  });

  it('that is cut off is refused', async () => {
    const layer = stargzLayer(files);
    const blob = Buffer.concat([layer.blob.subarray(0, layer.tocOffset + 40), layer.blob.subarray(-51)]);
    await expect(openStargz({ ...layer, blob })).rejects.toThrow(CorruptLayerError);
  });

  it('of another name is none', async () => {
    const layer = stargzLayer(files);
    const other = stargzLayer([{ name: 'a', content: 'b' }]);
    const start = layer.tocOffset;
    // the footer leads to a gzip member that is another file's
    const blob = Buffer.concat([
      layer.blob.subarray(0, start),
      other.blob.subarray(0, other.tocOffset),
      layer.blob.subarray(-51),
    ]);
    await expect(openStargz({ ...layer, blob })).rejects.toThrow(
      'where its table of contents should be is "a"',
    );
  });
});

/** Changes the entry of that name, the `nth` of them. */
const change =
  (name: string, fields: StargzEntry, nth = 0) =>
  ({ version, entries }: { version: number; entries: StargzEntry[] }) => {
    let seen = 0;
    return {
      version,
      entries: entries.map((entry) =>
        entry.name === name && seen++ === nth ? { ...entry, ...fields } : entry,
      ),
    };
  };
const without =
  (name: string, nth: number) =>
  ({ version, entries }: { version: number; entries: StargzEntry[] }) => {
    let seen = 0;
    return { version, entries: entries.filter((entry) => !(entry.name === name && seen++ === nth)) };
  };
const otherDigest = `sha256:${'ab'.repeat(32)}`;
const bb = 'bin/busybox';

describe('a table of contents is refused, with the entry named, when', () => {
  const rows: [string, (toc: { version: number; entries: StargzEntry[] }) => unknown, string][] = [
    [
      'an entry is no object',
      () => ({ version: 1, entries: ['x'] }),
      'entry 0 of its table of contents: it is no object',
    ],
    ['an entry has no name', () => ({ version: 1, entries: [{ type: 'dir' }] }), 'it has no name'],
    ['the list is none', () => ({ version: 1, entries: 7 }), 'no list of entries'],
    [
      'a type is unknown',
      change(bb, { type: 'socket' }),
      '"bin/busybox": it is of the unknown type "socket"',
    ],
    ['a size is negative', change(bb, { size: -1 }), '"bin/busybox": its size must be a whole number'],
    ['a size is no number', change(bb, { size: '7' }), '"bin/busybox": its size must be a whole number'],
    ['an offset is beyond 2^53', change(bb, { offset: 2 ** 60 }), '"bin/busybox": its offset must be'],
    [
      'an offset is behind the content',
      change(bb, { offset: 1e9 }),
      '"bin/busybox": it starts at byte 1000000000',
    ],
    ['an offset is missing', change(bb, { offset: 0 }), '"bin/busybox": it does not say where'],
    [
      'the chunks are fewer than the file',
      change(bb, { chunkSize: 1000 }, 2),
      '"bin/busybox": its chunks have 9000 bytes',
    ],
    [
      'the chunks are more than the file',
      change(bb, { size: 5000 }),
      '"bin/busybox": its chunk has 4000 bytes from 4000',
    ],
    [
      'a chunk is missing',
      without(bb, 1),
      '"bin/busybox": its chunk starts at byte 8000, but the one before it ends at 4000',
    ],
    ['the first chunk is missing', without(bb, 0), '"bin/busybox": it is a chunk, but the entry before it'],
    [
      'a chunk is of another file',
      change(bb, { name: 'bin/bee' }, 1),
      '"bin/bee": it is a chunk, but the entry before it',
    ],
    ['chunks go backwards', change(bb, { offset: 5 }, 1), '"bin/busybox": its stream at byte 5'],
    [
      'two chunks share a stream that begins with both',
      change(bb, { offset: 200 }, 1),
      'is not behind the chunk',
    ],
    [
      'an empty file has a chunk',
      change('etc/empty', { chunkSize: 3 }),
      '"etc/empty": its chunk has 3 bytes',
    ],
    [
      'digests disagree',
      change('etc/motd', { digest: otherDigest }),
      `"etc/motd": it has the digest ${otherDigest}`,
    ],
    [
      'a digest is none',
      change('etc/motd', { chunkDigest: 'sha256:x' }),
      '"etc/motd": its chunkDigest is no sha256',
    ],
    [
      'a time is none',
      change('bin/', { modtime: 'yesterday' }),
      '"bin/": its modtime "yesterday" is no time',
    ],
    [
      'a symlink has no target',
      change('bin/ash', { linkName: '' }),
      '"bin/ash": it is a symlink without a target',
    ],
    [
      'a hard link has no target',
      change('bin/sh', { linkName: '' }),
      '"bin/sh": it is a hardlink without a target',
    ],
    ['an attribute is no base64', change(bb, { xattrs: { 'user.a': '*' } }), '"user.a" is no base64'],
    ['a name has a NUL', change(bb, { name: 'a\0b' }), 'there is a NUL in its name'],
    [
      'a name is too long',
      change('etc/empty', { name: 'n'.repeat(256) }),
      'a name of 256 bytes, and Linux allows 255',
    ],
    ['a path is too deep', change('etc/empty', { name: 'd/'.repeat(3000) }), 'a path of 5999 bytes'],
    ['an ID is too large', change('etc/empty', { uid: 2 ** 33 }), '"etc/empty" has the uid 8589934592'],
    ['a parent is a file', change('etc/empty', { name: 'bin/busybox/x' }), 'its parent "busybox" is a file'],
    [
      'a whiteout hides nothing',
      change('etc/empty', { name: 'etc/.wh.' }),
      'nothing that a whiteout can hide',
    ],
    [
      'a hard link is one to itself',
      change('bin/sh', { linkName: 'bin/sh' }),
      'a hard link that leads to itself',
    ],
    [
      'a chunk is of an unknown kind',
      change(bb, { chunkType: 'ones' }),
      '"bin/busybox": its chunkType "ones"',
    ],
  ];
  it.each(rows)('%s', async (_, edit, message) => {
    const layer = stargzLayer(files, { chunkSize: 4000, edit });
    const opening = openStargz(layer);
    await expect(opening).rejects.toThrow(CorruptLayerError);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toThrow(/^layer L: /);
  });
});

describe('a layer is to be pulled whole, and no fault is found with it, when', () => {
  const rows: [string, (toc: { version: number; entries: StargzEntry[] }) => unknown][] = [
    ['its table is of an unknown version', ({ entries }) => ({ version: 2, entries })],
    ['its chunks have no digests', change(bb, { digest: undefined, chunkDigest: undefined })],
    [
      'its chunks have digests that are not checked',
      change(bb, { digest: undefined, chunkDigest: `sha512:${'0'.repeat(128)}` }),
    ],
    ['JSON has spoiled a name', change('etc/empty', { name: 'caf\ufffd' })],
    ['a chunk is too large to be verified', change('usr/share/later', { size: 1 << 30, chunkSize: 0 }, 0)],
  ];
  it.each(rows)('%s', async (_, edit) => {
    await expect(openStargz(stargzLayer(files, { chunkSize: 4_000_000, edit }))).rejects.toThrow(
      CannotBeLazy,
    );
  });

  it('it has hard links of AUFS', async () => {
    const aufs: StargzFile[] = [
      { name: '.wh..wh.plnk/12.34', content: 'linked' },
      { name: 'f', type: 'hardlink', link: '.wh..wh.plnk/12.34' },
    ];
    const layer = stargzLayer(aufs);
    // the layer itself is a good one
    expect(indexOfTar(layer.tar, layer.diffID).find('f')).toBeDefined();
    await expect(openStargz(layer)).rejects.toThrow(CannotBeLazy);
  });

  it('it does not end with a footer', async () => {
    const layer = stargzLayer(files);
    await expect(openStargz({ ...layer, blob: layer.blob.subarray(0, -1) })).rejects.toThrow(CannotBeLazy);
  });
});

describe('stargzFooter', () => {
  const { blob, tocOffset } = stargzLayer(files);
  const legacy = stargzLayer(files, { legacyFooter: true }).blob;
  const broken = (at: number, value: number) => {
    const copy = Buffer.from(blob.subarray(-51));
    copy[at] = value;
    return copy;
  };
  it.each([
    ['eStargz', blob.subarray(-51), blob.length, { tocOffset, length: 51 }],
    ['stargz', legacy.subarray(-51), legacy.length, { tocOffset, length: 47 }],
    ['more than the footer', blob, blob.length, { tocOffset, length: 51 }],
    ['less than the footer', blob.subarray(-40), blob.length, undefined],
    ['nothing', Buffer.alloc(0), 0, undefined],
    ['no gzip', broken(0, 0), blob.length, undefined],
    ['another flag', broken(3, 0), blob.length, undefined],
    ['another subfield', broken(12, 0x54), blob.length, undefined],
    ['digits that are none', broken(20, 0x67), blob.length, undefined],
    ['another word', broken(36, 0x58), blob.length, undefined],
    ['content', broken(40, 1), blob.length, undefined],
    ['a table behind the end', blob.subarray(-51), tocOffset + 51, undefined],
  ])('%s', (_, tail, size, footer) => {
    expect(stargzFooter(tail, size)).toEqual(footer);
  });
});
