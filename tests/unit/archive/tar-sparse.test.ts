import { describe, expect, it } from 'vitest';
import { type TarEntry, TarReader } from '../../../src/engine/archive/tar-reader.ts';
import { CorruptLayerError } from '../../../src/engine/errors.ts';
import { endOfArchive, file, header, joined, padded, pax } from './tar-bytes.ts';

function read(tar: Uint8Array, chunkLength = tar.length): TarEntry[] {
  const entries: TarEntry[] = [];
  const reader = new TarReader((entry) => entries.push(entry));
  for (let at = 0; at < tar.length; at += chunkLength) reader.push(tar.subarray(at, at + chunkLength));
  reader.end();
  return entries;
}

const octal = (number: number) => `${number.toString(8).padStart(11, '0')}\0`;
/** Pieces as GNU tar's old form has them. */
const pieces = (at: number, list: readonly (readonly [number, number])[]) =>
  list.flatMap(([start, length], i): [number, string][] => [
    [at + i * 24, octal(start)],
    [at + i * 24 + 12, octal(length)],
  ]);

interface OldFields {
  readonly size: number;
  readonly pieces: readonly (readonly [number, number])[];
  readonly length?: number;
  readonly more?: boolean;
  readonly raw?: readonly (readonly [number, string])[];
  readonly magic?: string;
}
const old = ({ size, pieces: list, length, more = false, raw = [], magic = 'ustar  \0' }: OldFields) =>
  header({
    type: 'S',
    magic,
    size: length ?? list.reduce((sum, [, piece]) => sum + piece, 0),
    raw: [...pieces(386, list), [482, more ? '\x01' : '\0'], [483, octal(size)], ...raw],
  });
function extension(list: readonly (readonly [number, number])[], more = false): Uint8Array {
  const block = new Uint8Array(512);
  for (const [at, text] of pieces(0, list)) block.set(new TextEncoder().encode(text), at);
  block[504] = more ? 1 : 0;
  return block;
}
const map1 = (text: string) => padded(text);
const version1 = (more: Record<string, string> = {}) =>
  pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '5000', ...more });
const version0 = (map: string, count = map === '' ? 0 : map.split(',').length / 2, size = 5000) =>
  pax({ 'GNU.sparse.size': `${size}`, 'GNU.sparse.numblocks': `${count}`, 'GNU.sparse.map': map });

describe('TarReader on a sparse file', () => {
  const manyPieces = Array.from({ length: 4 + 21 + 3 }, (_, i): [number, number] => [i * 1024, 512]);
  it.each<[string, Uint8Array[], Partial<TarEntry>]>([
    [
      'of the old form',
      [
        old({
          size: 5000,
          pieces: [
            [512, 3],
            [4096, 4],
          ],
        }),
        padded('abcdefg'),
      ],
      {
        size: 5000,
        offset: 512,
        extents: [
          { start: 512, length: 3 },
          { start: 4096, length: 4 },
        ],
      },
    ],
    [
      'of the old form that goes on in other blocks',
      [
        old({ size: 40_000, pieces: manyPieces.slice(0, 4), length: 28 * 512, more: true }),
        extension(manyPieces.slice(4, 25), true),
        extension(manyPieces.slice(25)),
        padded('x'.repeat(28 * 512)),
      ],
      { size: 40_000, offset: 1536, extents: manyPieces.map(([start, length]) => ({ start, length })) },
    ],
    ['that is one hole', [old({ size: 5000, pieces: [[5000, 0]] })], { size: 5000, extents: [] }],
    [
      'with pieces that touch',
      [
        old({
          size: 5000,
          pieces: [
            [0, 512],
            [512, 512],
            [2048, 1],
          ],
        }),
        padded('x'.repeat(1025)),
      ],
      {
        extents: [
          { start: 0, length: 1024 },
          { start: 2048, length: 1 },
        ],
      },
    ],
    [
      'of pax 0.0',
      [
        pax([
          ['GNU.sparse.size', '5000'],
          ['GNU.sparse.numblocks', '2'],
          ['GNU.sparse.offset', '0'],
          ['GNU.sparse.numbytes', '2'],
          ['GNU.sparse.offset', '4000'],
          ['GNU.sparse.numbytes', '1000'],
        ]),
        header({ size: 1002 }),
        padded('x'.repeat(1002)),
      ],
      {
        size: 5000,
        offset: 1536,
        extents: [
          { start: 0, length: 2 },
          { start: 4000, length: 1000 },
        ],
      },
    ],
    [
      'of pax 0.1, with its own name',
      [
        pax({
          path: 'GNUSparseFile.1/x',
          'GNU.sparse.name': 'real/name',
          'GNU.sparse.size': '5000',
          'GNU.sparse.numblocks': '1',
          'GNU.sparse.map': '1,2',
        }),
        file('x', 'ab'),
      ],
      { path: 'real/name', size: 5000, extents: [{ start: 1, length: 2 }] },
    ],
    ['of pax 0.1 without any content', [version0(''), header()], { size: 5000, extents: [] }],
    [
      'of pax 1.0, whose map is in front of the content',
      [
        version1({ 'GNU.sparse.name': 'n' }),
        header({ size: 512 + 7 }),
        map1('2\n0\n3\n4096\n4\n'),
        padded('abcdefg'),
      ],
      {
        path: 'n',
        size: 5000,
        offset: 2048,
        extents: [
          { start: 0, length: 3 },
          { start: 4096, length: 4 },
        ],
      },
    ],
    [
      'of pax 1.0 with a size in its records',
      [version1({ size: '519' }), header({ size: 0 }), map1('1\n0\n7\n'), padded('abcdefg')],
      { size: 5000, offset: 2048, extents: [{ start: 0, length: 7 }] },
    ],
    [
      'of pax 1.0 whose map ends with its second block',
      [
        version1(),
        header({ size: 1024 + 100 }),
        map1(`100\n${Array.from({ length: 100 }, (_, i) => `${i * 10}\n1\n`).join('')}`),
        padded('x'.repeat(100)),
      ],
      { offset: 1024 + 512 + 1024, size: 5000 },
    ],
  ])('%s', (_, parts, want) => {
    const tar = joined(...parts, file('next', 'n'), endOfArchive);
    const [entry, next] = read(tar);
    expect(entry).toMatchObject({ type: 'file', ...want });
    expect(next).toMatchObject({ path: 'next', size: 1, extents: undefined });
    for (const length of [1, 7, 511, 513]) expect(read(tar, length)).toEqual([entry, next]);
  });

  it.each<[string, Uint8Array[], RegExp]>([
    [
      'pieces in the wrong order',
      [
        old({
          size: 5000,
          pieces: [
            [512, 1],
            [0, 1],
          ],
        }),
      ],
      /"f" at byte 0: piece 2 of its sparse map, 1 bytes at 0, begins before the piece ahead of it ends/,
    ],
    [
      'pieces that overlap',
      [version0('0,2,1,1'), header({ size: 3 })],
      /piece 2 of its sparse map, 1 bytes at 1, begins before/,
    ],
    [
      'a piece beyond the end',
      [old({ size: 600, pieces: [[512, 100]] })],
      /piece 1 of its sparse map, 100 bytes at 512, is beyond its 600 bytes/,
    ],
    [
      'less content than pieces',
      [old({ size: 5000, pieces: [[0, 9]], length: 8 })],
      /its sparse map has 9 bytes of content, and the tar has 8/,
    ],
    [
      'more content than pieces',
      [version0('0,9'), header({ size: 10 })],
      /its sparse map has 9 bytes of content, and the tar has 10/,
    ],
    [
      'a whole size that is no number',
      [old({ size: 0, pieces: [], raw: [[483, 'x']] })],
      /the size of the whole sparse file is no number/,
    ],
    [
      'a piece that is no number',
      [old({ size: 5000, pieces: [[0, 1]], raw: [[386, '9']] })],
      /piece 1 of its sparse map has no number/,
    ],
    ['a piece of a negative length', [version0('0,-1'), header()], /piece 1 of its sparse map has no number/],
    [
      'a map of star',
      [old({ size: 1, pieces: [], magic: 'ustar\x0000' })],
      /it is a sparse file, but not as GNU tar writes one/,
    ],
    [
      'an unknown version',
      [version1({ 'GNU.sparse.minor': '1' }), header()],
      /a sparse file of the unknown version 1\.1/,
    ],
    [
      'no size',
      [pax({ 'GNU.sparse.map': '0,1', 'GNU.sparse.numblocks': '1' }), header()],
      /GNU\.sparse\.realsize is missing/,
    ],
    [
      'a wrong number of pieces',
      [version0('0,1', 2), header({ size: 1 })],
      /GNU\.sparse\.numblocks is 2, and its map has 1 pieces/,
    ],
    ['half a piece', [version0('0,1,5'), header({ size: 1 })], /GNU\.sparse\.numblocks is no number/],
    [
      'offsets without lengths',
      [
        pax([
          ['GNU.sparse.size', '9'],
          ['GNU.sparse.numblocks', '1'],
          ['GNU.sparse.offset', '0'],
          ['GNU.sparse.offset', '1'],
        ]),
        header(),
      ],
      /do not take turns/,
    ],
    [
      'a NUL in its name',
      [version1({ 'GNU.sparse.name': 'a\0b' }), header()],
      /GNU\.sparse\.name has a NUL in it/,
    ],
    [
      'a map in a global header',
      [pax({ 'GNU.sparse.major': '1' }, 'g'), header()],
      /a global header describes a sparse file/,
    ],
    ['a map of a directory', [version1(), header({ type: '5' })], /it is a dir with a sparse map/],
    ['two maps', [version1(), old({ size: 1, pieces: [] })], /it has two sparse maps/],
    [
      'a map that is longer than its content',
      [version1(), header({ size: 600 }), map1(`200\n${'0\n'.repeat(400)}`)],
      /its sparse map goes on behind its size/,
    ],
    [
      'a map of no numbers',
      [version1(), header({ size: 512 }), map1('1\nx\n')],
      /piece 1 of its sparse map has no number/,
    ],
    [
      'a map without a count',
      [version1(), header({ size: 512 }), map1('\n')],
      /the number of pieces of its sparse map is no number/,
    ],
    [
      'a map of one endless number',
      [version1(), header({ size: 512 }), map1('0'.repeat(512))],
      /a number of its sparse map has no end/,
    ],
    [
      'a count beyond what is read',
      [version1(), header({ size: 2 ** 30 }), map1('999999\n')],
      /its sparse map is longer than 1048576 bytes/,
    ],
    [
      'an endless old map',
      [old({ size: 1, pieces: [], more: true }), ...Array.from({ length: 2049 }, () => extension([], true))],
      /its sparse map is longer than 1048576 bytes/,
    ],
    [
      'an old map that is cut off',
      [old({ size: 1, pieces: [], more: true })],
      /the tar ends at byte 512 in the sparse map of "f"/,
    ],
    [
      'content that is cut off',
      [old({ size: 5000, pieces: [[0, 600]] }), padded('x')],
      /88 bytes before the end of the content of "f"/,
    ],
  ])('is refused with %s', (_, parts, sentence) => {
    expect(() => read(joined(...parts))).toThrow(sentence);
    expect(() => read(joined(...parts), 100)).toThrow(CorruptLayerError);
  });
});
