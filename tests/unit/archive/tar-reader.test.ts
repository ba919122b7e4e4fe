import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TarEntry, TarReader } from '../../../src/engine/archive/tar-reader.ts';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { endOfArchive, file, header, joined, latin1, padded, pax } from './tar-bytes.ts';

function read(tar: Uint8Array, chunkLength = tar.length): TarEntry[] {
  const entries: TarEntry[] = [];
  const reader = new TarReader((entry) => entries.push(entry));
  for (let at = 0; at < tar.length; at += chunkLength) reader.push(tar.subarray(at, at + chunkLength));
  reader.end();
  return entries;
}
const one = (...parts: Uint8Array[]) => read(joined(...parts, endOfArchive))[0];

describe('TarReader on one entry', () => {
  const long = 'd/'.repeat(80) + 'f'.repeat(40);
  const base256 = (length: number, ...tail: number[]) =>
    Uint8Array.from([0x80, ...new Array<number>(length - 1 - tail.length).fill(0), ...tail]);
  it.each<[string, Uint8Array[], Partial<TarEntry>]>([
    ['a file', [file('a/b', 'abc')], { path: 'a/b', type: 'file', size: 3, offset: 512, mode: 0o644 }],
    ['the old way to say file', [file('a', 'x', { type: '\0' })], { type: 'file', size: 1 }],
    ['a contiguous file', [file('a', 'x', { type: '7' })], { type: 'file', size: 1 }],
    [
      'how v7 writes a directory',
      [header({ name: 'd/', type: '\0', magic: '' })],
      { path: 'd/', type: 'dir' },
    ],
    ['a directory with a size', [header({ type: '5', size: 700 }), file('b', '')], { type: 'dir', size: 0 }],
    [
      'a hard link with a size',
      [header({ type: '1', link: 't', size: 700 })],
      { type: 'hardlink', link: 't', size: 0 },
    ],
    ['a symlink', [header({ type: '2', link: '../t' })], { type: 'symlink', link: '../t' }],
    [
      'a character device',
      [header({ type: '3', devices: ['0000005\0', '0000001\0'] })],
      { type: 'char', rdev: [5, 1] },
    ],
    ['a block device', [header({ type: '4', devices: ['10', '17'] })], { type: 'block', rdev: [8, 15] }],
    ['a fifo', [header({ type: '6' })], { type: 'fifo', rdev: undefined }],
    ['setuid and sticky', [header({ mode: '0006755\0' })], { mode: 0o6755 }],
    ['numbers with blanks before', [header({ uid: '    17 \0' })], { uid: 15 }],
    ['numbers that fill the field', [header({ uid: '77777777' })], { uid: 0o77777777 }],
    ['a blank number', [header({ uid: '\0\0\0\0\0\0\0\0' })], { uid: 0 }],
    ['a base-256 number', [header({ uid: base256(8, 0x01, 0x00, 0x00, 0x00, 0x00) })], { uid: 2 ** 32 }],
    [
      'a negative base-256 number',
      [header({ mtime: new Uint8Array(12).fill(0xff) })],
      { mtimeNs: -1_000_000_000n },
    ],
    ['ustar with a prefix', [header({ name: 'f', prefix: 'p/q' })], { path: 'p/q/f' }],
    [
      'star, with times in the prefix',
      [
        header({
          name: 'f',
          prefix: 'p',
          raw: [
            [476, '12345670123 '],
            [508, 'tar\0'],
          ],
        }),
      ],
      { path: 'p/f' },
    ],
    [
      'GNU, with times in the prefix',
      [header({ name: 'f', magic: 'ustar  \0', prefix: '14371172631 ' })],
      { path: 'f' },
    ],
    ['v7, with anything in the prefix', [header({ name: 'f', magic: '', prefix: 'junk' })], { path: 'f' }],
    ['a name without a NUL', [header({ name: 'n'.repeat(100) })], { path: 'n'.repeat(100) }],
    ['bytes that are no UTF-8', [header({ name: latin1('caf\xe9') })], { path: 'caf\udce9' }],
    ['a signed checksum', [header({ name: latin1('caf\xe9'), signed: true })], { path: 'caf\udce9' }],
    [
      'GNU long name and link',
      [
        header({ type: 'K', size: long.length + 1 }),
        padded(`${long}\0`),
        header({ type: 'L', size: long.length + 2 }),
        padded(`${long}x\0`),
        header({ type: '2', link: 'cut', name: 'cut' }),
      ],
      { path: `${long}x`, link: long },
    ],
    [
      'pax attributes',
      [
        pax({ path: long, uid: '3000000', gid: '4', mtime: '1700000000.123456789', size: '5', atime: '1' }),
        header({ size: 0 }),
        padded('12345'),
      ],
      { path: long, uid: 3_000_000, gid: 4, mtimeNs: 1_700_000_000_123_456_789n, size: 5, offset: 1536 },
    ],
    ['a pax time before 1970', [pax({ mtime: '-1.5' }), header()], { mtimeNs: -1_500_000_000n }],
    ['a pax time finer than we keep', [pax({ mtime: '-0.0000000001' }), header()], { mtimeNs: -1n }],
    ['a pax link', [pax({ linkpath: 'l' }), header({ type: '2' })], { link: 'l' }],
    ['a pax path that is no UTF-8', [pax({ path: '\xff=x' }), header()], { path: '\udcff=x' }],
    [
      'a global pax header',
      [pax({ uid: '9', gid: '9' }, 'g'), pax({ gid: '8' }), header()],
      { uid: 9, gid: 8 },
    ],
    [
      'a global value that is taken back',
      [pax({ uid: '9' }, 'g'), pax({ uid: '' }), header({ uid: '1' })],
      { uid: 1 },
    ],
    [
      'extended attributes, raw before base64',
      [
        pax({
          'SCHILY.xattr.user.a': '\x00\xffx\n',
          'LIBARCHIVE.xattr.user.a': 'QUJD',
          'LIBARCHIVE.xattr.user.%3d': 'AQI',
          'SCHILY.xattr.user.empty': '',
        }),
        header(),
      ],
      {
        xattrs: new Map([
          ['user.a', Uint8Array.of(0, 255, 0x78, 10)],
          ['user.=', Uint8Array.of(1, 2)],
          ['user.empty', new Uint8Array(0)],
        ]),
      },
    ],
  ])('%s', (_, parts, want) => {
    expect(one(...parts)).toMatchObject(want);
  });
});

describe('TarReader refuses', () => {
  it.each<[string, Uint8Array[], RegExp]>([
    [
      'a wrong checksum',
      [header({ checksum: '0000001\0' })],
      /^the tar header of "f" at byte 0: its checksum is 1, not \d+$/,
    ],
    [
      'a checksum that is none',
      [header({ checksum: 'xxxxxxx\0' })],
      /"f" at byte 0: its checksum is no number/,
    ],
    ['text', [padded('<!doctype html>'.repeat(40))], /its checksum is no number/],
    [
      'a size that is no number',
      [header({ size: '12x\0' })],
      /"f" at byte 0: its size "12x\?+" is no number/,
    ],
    ['a mode that is no number', [header({ mode: '89\0' })], /"f" at byte 0: its mode "89\?+" is no number/],
    [
      'a size beyond all storage',
      [header({ size: Uint8Array.from([0x80, 0x7f, ...new Array<number>(10).fill(255)]) })],
      /its size .* is no number/,
    ],
    ['a negative size', [header({ size: new Uint8Array(12).fill(0xff) })], /"f" at byte 0: its size is -1/],
    ['a negative pax size', [pax({ size: '-5' }), header()], /"f" at byte 1024: its size is -5/],
    ['a pax number that is none', [pax({ uid: '1e3' }), header()], /its pax record uid=1e3 is no number/],
    ['a pax time that is none', [pax({ mtime: 'now' }), header()], /its pax record mtime=now is no time/],
    ['a NUL in a pax path', [pax({ path: 'a\0b' }), header()], /its pax record path has a NUL in it/],
    ['base64 that is none', [pax({ 'LIBARCHIVE.xattr.a': 'A*==' }), header()], /attribute "a" is no base64/],
    ['another volume', [header({ type: 'M' })], /the rest of a file of another volume/],
    ['an unknown type', [header({ type: 'Z' })], /of the unknown type "Z"/],
    [
      'a lone block of zeros',
      [new Uint8Array(512), header()],
      /"f" at byte 512: a block of zeros stands before it/,
    ],
    [
      'an extended header of nothing',
      [pax({ uid: '1' }), endOfArchive],
      /an extended header before it is for an entry/,
    ],
    ['a huge extended header', [header({ type: 'x', size: 2 ** 21 })], /an extended header of 2097152 bytes/],
    ...['no record', '5 a=b\n', '99 a=b\n', '6 a=bc', '4 =b\n', '0 a=b\n', '-6 a=b\n'].map(
      (text): [string, Uint8Array[], RegExp] => [
        `the pax record ${JSON.stringify(text)}`,
        [header({ type: 'x', name: 'P', size: text.length }), padded(text), header()],
        /the tar header of "P" at byte 0: there is no whole pax record at byte 0 of its/,
      ],
    ),
  ])('%s', (_, parts, sentence) => {
    const tar = joined(...parts);
    expect(() => read(tar)).toThrow(sentence);
    expect(() => read(tar)).toThrow(CorruptLayerError);
  });
});

describe('TarReader on whole archives', () => {
  const parts: Uint8Array[] = [
    file('first', 'x'.repeat(513)),
    pax({ path: 'second', mtime: '1.25' }),
    file('cut', 'y'.repeat(700)),
    header({ type: 'L', size: 3, name: 'L' }),
    padded('3rd'),
    file('cut', ''),
    file('last', 'z'.repeat(10)),
  ];
  const whole = joined(...parts, endOfArchive, new Uint8Array(8192));
  const paths = ['first', 'second', '3rd', 'last'];

  it('gives the same entries for chunks of every size', () => {
    const want = read(whole);
    expect(want.map((entry) => entry.path)).toEqual(paths);
    for (const length of [1, 2, 3, 7, 100, 511, 512, 513, 1000, 1024, 4096])
      expect(read(whole, length)).toEqual(want);
  });

  it('says where the content is', () => {
    const text = read(whole).map(({ offset, size }) =>
      String.fromCharCode(...whole.subarray(offset, offset + size)),
    );
    expect(text).toEqual(['x'.repeat(513), 'y'.repeat(700), '', 'z'.repeat(10)]);
  });

  it('takes an archive without its end, and without the padding of the last file', () => {
    const entries = joined(...parts);
    for (let cut = 0; cut <= 502; cut++) {
      expect(read(entries.subarray(0, entries.length - cut)).map((entry) => entry.path)).toEqual(paths);
    }
    expect(() => read(entries.subarray(0, entries.length - 503))).toThrow(
      '1 bytes before the end of the content of "last"',
    );
  });

  it('takes one block of zeros at the end, and part of one', () => {
    expect(read(joined(...parts, new Uint8Array(512)))).toHaveLength(4);
    expect(read(joined(...parts, new Uint8Array(100)))).toHaveLength(4);
    expect(read(new Uint8Array(0))).toEqual([]);
  });

  it('ignores what stands after the end of the archive', () => {
    expect(read(joined(file('a', ''), endOfArchive, latin1('whatever'), file('b', '')))).toHaveLength(1);
  });

  it('tells where it was cut at each block, unless between two entries', () => {
    const answers: string[] = [];
    for (let length = 512; length < joined(...parts).length; length += 512) {
      try {
        answers.push(`${length}: ${read(whole.subarray(0, length)).length} entries`);
      } catch (error) {
        if (!(error instanceof CorruptLayerError)) throw error;
        answers.push(error.message);
      }
    }
    expect(answers).toEqual([
      'the tar ends at byte 512 513 bytes before the end of the content of "first"',
      'the tar ends at byte 1024 1 bytes before the end of the content of "first"',
      '1536: 1 entries',
      'the tar ends at byte 2048 in an extended header; the last entry before it is "first"',
      'the tar ends at byte 2560 after an extended header, before the entry it is for; the last entry before it is "first"',
      'the tar ends at byte 3072 700 bytes before the end of the content of "second"',
      'the tar ends at byte 3584 188 bytes before the end of the content of "second"',
      '4096: 2 entries',
      'the tar ends at byte 4608 in an extended header; the last entry before it is "second"',
      'the tar ends at byte 5120 after an extended header, before the entry it is for; the last entry before it is "second"',
      '5632: 3 entries',
      'the tar ends at byte 6144 10 bytes before the end of the content of "last"',
    ]);
    expect(() => read(whole.subarray(0, 1536 + 100))).toThrow('in a header, 100 of 512 bytes of it');
  });
});

describe('TarReader on tars of GNU tar and Python', () => {
  let folder = '';
  const deep = `${'directory-with-a-long-name/'.repeat(6)}${'n'.repeat(120)}`;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tar-reader-'));
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, deep, '..'), { recursive: true });
    writeFileSync(join(tree, deep), 'deep');
    writeFileSync(join(tree, 'plain'), 'p'.repeat(1000));
    chmodSync(join(tree, 'plain'), 0o4750);
    linkSync(join(tree, 'plain'), join(tree, 'twin'));
    symlinkSync(`${'s'.repeat(150)}/t`, join(tree, 'sym'));
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.of(0x63, 0xe9)]), 'latin-1');
    execFileSync('mkfifo', [join(tree, 'pipe')]);
    utimesSync(join(tree, 'plain'), 0, 1_600_000_000.5);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const byTar = (...options: string[]) =>
    new Uint8Array(
      execFileSync('tar', ['-C', join(folder, 'tree'), '--sort=name', ...options, '-cf', '-', '.']),
    );
  const byPython = (format: string) =>
    new Uint8Array(
      execFileSync('python3', [
        '-c',
        `import sys, tarfile
t = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.${format}_FORMAT)
t.add(${JSON.stringify(join(folder, 'tree'))}, arcname=".")`,
      ]),
    );

  it.each<[string, () => Uint8Array, { nanoseconds: boolean }]>([
    ['GNU tar, gnu', () => byTar('--format=gnu'), { nanoseconds: false }],
    ['GNU tar, posix', () => byTar('--format=posix'), { nanoseconds: true }],
    ['Python, gnu', () => byPython('GNU'), { nanoseconds: false }],
    ['Python, pax', () => byPython('PAX'), { nanoseconds: true }],
  ])('%s', (_, make, { nanoseconds }) => {
    const tar = make();
    const entries = new Map(read(tar, 10_007).map((entry) => [entry.path.replace(/^\.\/|\/$/g, ''), entry]));
    const text = (path: string) => {
      const { offset = 0, size = 0 } = entries.get(path) ?? {};
      return new TextDecoder().decode(tar.subarray(offset, offset + size));
    };
    expect(text(deep)).toBe('deep');
    expect(text('c\udce9')).toBe('latin-1');
    expect(text('plain') + text('twin')).toBe('p'.repeat(1000));
    const [first, second] = [entries.get('plain'), entries.get('twin')];
    const [original, linked] = first?.type === 'file' ? [first, second] : [second, first];
    expect(original).toMatchObject({
      type: 'file',
      mode: 0o4750,
      mtimeNs: nanoseconds ? 1_600_000_000_500_000_000n : 1_600_000_000_000_000_000n,
    });
    expect(linked).toMatchObject({ type: 'hardlink' });
    expect(linked?.link?.replace('./', '')).toBe(original?.path.replace('./', ''));
    expect(entries.get('sym')).toMatchObject({ type: 'symlink', link: `${'s'.repeat(150)}/t` });
    expect(entries.get('pipe')).toMatchObject({ type: 'fifo' });
    expect(entries.get('directory-with-a-long-name')).toMatchObject({ type: 'dir' });
  });
});

describe('TarReader on damage', () => {
  it('with any byte of its headers changed either refuses or reads within the tar', () => {
    const tar = joined(pax({ path: 'p', mtime: '1.5' }), file('f', 'abc'), header({ type: '2', link: 'l' }));
    for (let at = 0; at < tar.length; at++) {
      for (const value of [0, 0x20, 0x2d, 0x39, 0x80, 0xff]) {
        const changed = Uint8Array.from(tar);
        changed[at] = value;
        try {
          for (const { offset, size } of read(changed)) expect(offset + size).toBeLessThanOrEqual(tar.length);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptLayerError);
        }
      }
    }
  });
});
