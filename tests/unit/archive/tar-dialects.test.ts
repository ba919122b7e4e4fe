/** What POSIX, GNU and others allow beyond the plain: each row a way that some tool has written tars. */

import { describe, expect, it } from 'vitest';
import { parsePaxTime } from '../../../src/engine/archive/pax.ts';
import { type TarEntry, TarReader } from '../../../src/engine/archive/tar-reader.ts';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { processorTime } from '../layer/processor-time.ts';
import { endOfArchive, file, header, joined, latin1, padded, pax } from './tar-bytes.ts';

function read(...parts: Uint8Array[]): TarEntry[] {
  const entries: TarEntry[] = [];
  const reader = new TarReader((entry) => entries.push(entry));
  for (const part of [...parts, endOfArchive]) reader.push(part);
  reader.end();
  return entries;
}
const paths = (...parts: Uint8Array[]) => read(...parts).map((entry) => entry.path);
const long = (type: 'L' | 'K', text: string) =>
  joined(header({ name: '././@LongLink', type, size: text.length + 1 }), padded(`${text}\0`));
const base256 = (length: number, value: bigint) =>
  Uint8Array.from(
    { length },
    (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn) | (i === 0 ? 0x80 : 0),
  );

describe('numbers', () => {
  it.each<[string, string | Uint8Array, number]>([
    ['digits and a NUL', '0000017\0', 15],
    ['digits and a blank', '0000017 ', 15],
    ['digits, a blank and a NUL', '000017 \0', 15],
    ['blanks before', '     17\0', 15],
    ['NULs before', '\0\0\0\0\x0017\0', 15],
    ['blanks only', '        ', 0],
    ['junk behind the terminator', '17\0junk!', 15],
    ['base 256', base256(8, 0x1234567n), 0x1234567],
    ['base 256 as wide as a double', base256(8, 2n ** 53n - 1n), 2 ** 53 - 1],
  ])('%s', (_, uid, want) => {
    expect(read(header({ uid }))[0]?.uid).toBe(want);
  });

  it('reads a file of 8 GiB and more by its base-256 size', () => {
    const entries: TarEntry[] = [];
    new TarReader((entry) => entries.push(entry)).push(header({ size: base256(12, 2n ** 40n) }));
    expect(entries[0]?.size).toBe(2 ** 40);
  });

  it.each<[string, string, bigint | undefined]>([
    ['whole seconds', '1700000000', 1_700_000_000_000_000_000n],
    ['a fraction', '1.5', 1_500_000_000n],
    ['a fraction of nothing', '1.', 1_000_000_000n],
    ['nanoseconds', '0.000000001', 1n],
    ['finer than nanoseconds', '0.0000000019', 1n],
    ['before 1970', '-1', -1_000_000_000n],
    ['before 1970, towards the past', '-0.0000000011', -2n],
    ['before 1970, exactly', '-0.1000000000000', -100_000_000n],
    ['as many digits as we read', '123456789012345678', 123_456_789_012_345_678_000_000_000n],
    ['too many digits', '1234567890123456789', undefined],
    ['no digits', '.5', undefined],
    ['a sign only', '-', undefined],
    ['a plus', '+1', undefined],
    ['an exponent', '1e9', undefined],
    ['two dots', '1.2.3', undefined],
    ['nothing', '', undefined],
  ])('takes a time with %s', (_, text, want) => {
    expect(parsePaxTime(latin1(text))).toBe(want);
  });
});

describe('names', () => {
  const name = 'n'.repeat(200);
  it.each<[string, Uint8Array[], string[]]>([
    ['a GNU long name', [long('L', name), file('cut', 'x')], [name]],
    [
      'several long names, of which the last counts',
      [long('L', 'first'), long('L', name), file('cut', '')],
      [name],
    ],
    ['a long name before a pax path', [long('L', name), pax({ path: 'pax' }), file('cut', '')], [name]],
    ['a pax path before a long name', [pax({ path: 'pax' }), long('L', name), file('cut', '')], [name]],
    [
      'two local headers, of which the last counts',
      [pax({ path: 'a' }), pax({ path: 'b' }), file('c', '')],
      ['b'],
    ],
    [
      'a keyword twice in one header',
      [
        pax([
          ['path', 'a'],
          ['path', 'b'],
        ]),
        file('c', ''),
      ],
      ['b'],
    ],
    ['an empty path, which takes nothing', [pax({ path: '' }), file('c', '')], ['c']],
    [
      'a charset that leaves bytes as they are',
      [pax({ hdrcharset: 'BINARY', path: 'caf\xe9' }), file('c', '')],
      ['caf\udce9'],
    ],
    ['a path only for the entry behind it', [pax({ path: 'a' }), file('b', ''), file('c', '')], ['a', 'c']],
    [
      'keywords that nobody knows',
      [pax({ 'VENDOR.anything': '\0\xff', comment: 'x', uname: 'u', gname: 'g' }), file('c', '')],
      ['c'],
    ],
    ['a record with "=" and a newline in its value', [pax({ path: 'a=b\nc' }), file('c', '')], ['a=b\nc']],
  ])('%s', (_, parts, want) => {
    expect(paths(...parts)).toEqual(want);
  });

  it('takes K and L in either order', () => {
    for (const parts of [
      [long('K', 'target'), long('L', name)],
      [long('L', name), long('K', 'target')],
    ]) {
      expect(read(...parts, header({ type: '2', name: 'cut', link: 'cut' }))[0]).toMatchObject({
        path: name,
        link: 'target',
      });
    }
  });
});

describe('global headers', () => {
  it.each<[string, Uint8Array[], Partial<TarEntry>[]]>([
    [
      'hold for every entry behind them',
      [header({ uid: '1' }), pax({ uid: '9' }, 'g'), header({ uid: '1' }), header({ uid: '1' })],
      [{ uid: 1 }, { uid: 9 }, { uid: 9 }],
    ],
    [
      'yield to a local header',
      [pax({ uid: '9' }, 'g'), pax({ uid: '8' }), header(), header()],
      [{ uid: 8 }, { uid: 9 }],
    ],
    ['add up', [pax({ uid: '9' }, 'g'), pax({ gid: '7' }, 'g'), header()], [{ uid: 9, gid: 7 }]],
    [
      'replace what an earlier one said',
      [pax({ uid: '9' }, 'g'), pax({ uid: '7' }, 'g'), header()],
      [{ uid: 7 }],
    ],
    [
      'take back what an earlier one said',
      [pax({ uid: '9' }, 'g'), pax({ uid: '' }, 'g'), header({ uid: '1' })],
      [{ uid: 1 }],
    ],
    [
      'are taken back by a local one',
      [pax({ mtime: '5' }, 'g'), pax({ mtime: '' }), header({ mtime: '1' })],
      [{ mtimeNs: 1_000_000_000n }],
    ],
    ['may only have a comment', [pax({ comment: 'of git archive' }, 'g'), header()], [{ path: 'f' }]],
    [
      'give attributes, to which a local one adds its own',
      [
        pax({ 'SCHILY.xattr.user.a': '1', 'SCHILY.xattr.user.b': '1' }, 'g'),
        pax({ 'SCHILY.xattr.user.b': '2' }),
        header(),
        header(),
      ],
      [
        {
          xattrs: new Map([
            ['user.a', latin1('1')],
            ['user.b', latin1('2')],
          ]),
        },
        {
          xattrs: new Map([
            ['user.a', latin1('1')],
            ['user.b', latin1('1')],
          ]),
        },
      ],
    ],
  ])('%s', (_, parts, want) => {
    expect(read(...parts)).toMatchObject(want);
  });

  it('cost each entry behind them next to nothing, however much they hold', () => {
    let text = '';
    for (let i = 0; text.length < 1_000_000; i++) text += `14 K${String(i).padStart(7, '0')}=v\n`;
    const global = joined(header({ type: 'g', size: text.length }), padded(text));
    const reader = new TarReader(() => undefined);
    reader.push(global);
    const block = header();
    const time = processorTime(() => {
      for (let i = 0; i < 20_000; i++) reader.push(block);
    });
    // looked through for each entry these would take a minute
    expect(time).toBeLessThan(5000);
  });

  it.each(['path', 'linkpath', 'size'])('may not give every entry the same %s', (keyword) => {
    expect(() => read(pax({ [keyword]: '7' }, 'g'))).toThrow(
      `a global header has the record ${keyword}=7, and no two entries share that`,
    );
    expect(paths(pax({ [keyword]: '' }, 'g'), header())).toEqual(['f']);
  });

  it('may not give more attributes than anybody does', () => {
    const records = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`SCHILY.xattr.user.${i}`, 'v']));
    expect(() => read(pax(records, 'g'))).toThrow(
      'global headers give every file more than 64 extended attributes',
    );
  });
});

describe('extended attributes', () => {
  it.each<[string, string, string, string, Uint8Array]>([
    [
      'raw bytes',
      'SCHILY.xattr.security.capability',
      '\x01\0\0\x02\0\xff',
      'security.capability',
      latin1('\x01\0\0\x02\0\xff'),
    ],
    ['base64 with padding', 'LIBARCHIVE.xattr.user.a', 'QQ==', 'user.a', latin1('A')],
    ['base64 without padding', 'LIBARCHIVE.xattr.user.a', 'QQ', 'user.a', latin1('A')],
    ['no base64 at all', 'LIBARCHIVE.xattr.user.a', '', 'user.a', latin1('')],
    ['a percent-encoded name', 'LIBARCHIVE.xattr.user.%C3%A9%25', 'QQ', 'user.é%', latin1('A')],
    [
      'a percent-encoded byte that is no UTF-8',
      'LIBARCHIVE.xattr.user.%E9',
      'QQ',
      'user.\udce9',
      latin1('A'),
    ],
    ['a percent sign that encodes nothing', 'LIBARCHIVE.xattr.user.100%', 'QQ', 'user.100%', latin1('A')],
    [
      'a value as long as Linux allows',
      'SCHILY.xattr.user.a',
      'v'.repeat(65_536),
      'user.a',
      latin1('v'.repeat(65_536)),
    ],
  ])('%s', (_, keyword, value, name, want) => {
    expect(read(pax({ [keyword]: value }), header())[0]?.xattrs).toEqual(new Map([[name, want]]));
  });

  it('have one name where libarchive wrote them in both ways', () => {
    const both = { 'SCHILY.xattr.user.%C3%A9': 'raw', 'LIBARCHIVE.xattr.user.%C3%A9': 'cmF3' };
    expect(read(pax(both), header())[0]?.xattrs).toEqual(new Map([['user.é', latin1('raw')]]));
    const { 'SCHILY.xattr.user.%C3%A9': _, ...one } = both;
    expect(read(pax(one), header())[0]?.xattrs).toEqual(new Map([['user.é', latin1('raw')]]));
    expect(read(pax({ 'SCHILY.xattr.user.100%41': 'raw' }), header())[0]?.xattrs).toEqual(
      new Map([['user.100%41', latin1('raw')]]),
    );
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a value that is too long',
      { 'SCHILY.xattr.user.a': 'v'.repeat(65_537) },
      /"f" at byte .*its extended attribute "user\.a" has 65537 bytes, and Linux allows 65536/,
    ],
    ['no name', { 'SCHILY.xattr.': 'v' }, /"" is no name for an extended attribute/],
    [
      'a name that is too long',
      { [`SCHILY.xattr.${'n'.repeat(256)}`]: 'v' },
      /is no name for an extended attribute: it must have 1 to 255 bytes/,
    ],
    ['a NUL in the name', { 'LIBARCHIVE.xattr.a%00b': 'QQ' }, /"a\?b" is no name for an extended attribute/],
    ['base64 of one character more', { 'LIBARCHIVE.xattr.a': 'QUJDR' }, /attribute "a" is no base64/],
    [
      'more names than a list of them has room for',
      Object.fromEntries(
        Array.from({ length: 300 }, (_, i) => [`SCHILY.xattr.${String(i).padStart(250, 'n')}`, '']),
      ),
      /the names of its extended attributes take 75300 bytes, and Linux allows 65536/,
    ],
  ])('are refused with %s', (_, records, sentence) => {
    expect(() => read(pax(records), header())).toThrow(sentence);
    expect(() => read(pax(records), header())).toThrow(CorruptLayerError);
  });
});

describe('content', () => {
  const content = 'content that is no header '.repeat(30);
  it.each<[string, Uint8Array[], string[]]>([
    [
      'of a hard link, as POSIX pax allows',
      [file('a', 'x'), file('b', content, { type: '1', link: 'a' }), file('c', '')],
      ['a', 'b', 'c'],
    ],
    [
      'that a hard link only claims',
      [file('a', 'x'), header({ name: 'b', type: '1', link: 'a', size: 900 }), file('c', '')],
      ['a', 'b', 'c'],
    ],
    [
      'that the last hard link only claims',
      [file('a', 'x'), header({ name: 'b', type: '1', link: 'a', size: 900 })],
      ['a', 'b'],
    ],
    [
      'of a hard link with its size in pax',
      [pax({ size: '3' }), header({ name: 'b', type: '1', link: 'a' }), padded('xyz'), file('c', '')],
      ['b', 'c'],
    ],
    ['of a contiguous file', [file('a', content, { type: '7' }), file('b', '')], ['a', 'b']],
    ['of a v7 file', [file('a', content, { type: '\0', magic: '' }), file('b', '')], ['a', 'b']],
  ])('%s', (_, parts, want) => {
    expect(paths(...parts)).toEqual(want);
  });

  it.each<[string, Uint8Array[], RegExp]>([
    ['a hard link of a negative size', [pax({ size: '-1' }), header({ type: '1' })], /its size is -1/],
    ['an access time that is none', [pax({ atime: 'x' }), header()], /its pax record atime=x is no time/],
    ['a change time that is none', [pax({ ctime: '1.x' }), header()], /its pax record ctime=1\.x is no time/],
    ['a type that is no character', [header({ type: '\x07' })], /it is of the unknown type "\\u0007"/],
    ['a Solaris header', [header({ type: 'X' })], /an extended header of Solaris/],
    [
      'a record whose length is no number',
      [joined(header({ type: 'x', size: 7 }), padded('07 a=b\n')), header()],
      /no whole pax record at byte 0/,
    ],
    [
      'a record of ten digits',
      [joined(header({ type: 'x', size: 20 }), padded('0000000012 a=b\n')), header()],
      /no whole pax record/,
    ],
  ])('is refused: %s', (_, parts, sentence) => {
    expect(() => read(...parts)).toThrow(sentence);
    expect(() => read(...parts)).toThrow(CorruptLayerError);
  });

  it('is refused at once where a whole tar may not be so large', () => {
    const reader = new TarReader(() => undefined, { maxSize: 4096 });
    expect(() => reader.push(header({ size: 4000 }))).toThrow(
      'its size is 4000, and the whole tar may have 4096 bytes',
    );
    const other = new TarReader(() => undefined, { maxSize: 4096 });
    other.push(new Uint8Array(4096));
    expect(other.size).toBe(4096);
    expect(() => other.push(new Uint8Array(1))).toThrow(
      'the tar has more than the 4096 bytes that are allowed',
    );
  });

  it('leaves the chunks that it was given alone, and does not need them afterwards', () => {
    const tar = joined(
      pax({ path: 'a', 'SCHILY.xattr.user.k': 'v' }),
      file('cut', 'x'),
      long('L', 'b'),
      file('cut', ''),
      endOfArchive,
    );
    const entries: TarEntry[] = [];
    const reader = new TarReader((entry) => entries.push(entry));
    for (let at = 0; at < tar.length; at += 100) {
      const chunk = tar.slice(at, at + 100);
      reader.push(chunk);
      expect(chunk).toEqual(tar.subarray(at, at + 100));
      chunk.fill(0xff);
    }
    reader.end();
    expect(entries.map(({ path, xattrs }) => [path, xattrs])).toEqual([
      ['a', new Map([['user.k', latin1('v')]])],
      ['b', undefined],
    ]);
  });
});
