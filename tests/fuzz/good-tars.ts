/** Tars and pax headers, each with something of what the formats have. */

import { decodeName } from '../../src/engine/names.ts';
import { endOfArchive, file, header, joined, padded, pax } from '../unit/archive/tar-bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const long = (type: 'L' | 'K', name: string) =>
  joined(header({ type, size: name.length + 1 }), padded(`${name}\0`));
const sparseMap = '2\n0\n3\n4096\n4\n';
export const tars: readonly Bytes[] = [
  joined(
    header({ name: 'd/', type: '5' }),
    file('d/f', 'content'),
    header({ name: 'l', type: '2', link: 'd/f' }),
    endOfArchive,
  ),
  joined(
    file('a', 'x'),
    header({ name: 'b', type: '1', link: 'a' }),
    header({ name: 'n', type: '3', devices: ['1', '3'] }),
    header({ name: 'p', type: '6' }),
  ),
  joined(
    pax({
      path: 'a/b',
      mtime: '-1.5',
      uid: '70000',
      'SCHILY.xattr.user.a': 'v',
      'LIBARCHIVE.xattr.user.%3d': 'QUJD',
    }),
    file('cut', 'abc'),
  ),
  joined(pax({ uid: '9', comment: 'x' }, 'g'), file('a', ''), pax({ uid: '' }), file('b', '')),
  joined(long('L', 'n'.repeat(150)), long('K', 't'.repeat(120)), header({ type: '2' })),
  joined(
    file('a/.wh.b', ''),
    file('a/.wh..wh..opq', ''),
    file('.wh..wh.plnk/1', 'x'),
    header({ name: 'h', type: '1', link: '.wh..wh.plnk/1' }),
  ),
  joined(
    pax({
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.realsize': '5000',
      'GNU.sparse.name': 's',
    }),
    header({ size: 512 + 7 }),
    padded(sparseMap),
    padded('abcdefg'),
  ),
  joined(
    pax({ 'GNU.sparse.size': '5000', 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': '0,2,4000,1' }),
    file('f', 'abc'),
  ),
  joined(
    header({
      type: 'S',
      magic: 'ustar  \0',
      size: 3,
      raw: [
        [386, '00000000000\0'],
        [398, '00000000003\0'],
        [483, '00000010000\0'],
      ],
    }),
    padded('abc'),
  ),
  joined(
    header({ name: 's', type: '2', link: 'd/../e' }),
    file('s/f', 'x'),
    header({ name: 'h', type: '1', link: 's/../e/f' }),
  ),
];

/** The records of a pax header without its blocks. */
export function records(values: Readonly<Record<string, string>>): Bytes {
  const whole = pax(values);
  const length = Number.parseInt(decodeName(whole.subarray(124, 135)), 8);
  return whole.slice(512, 512 + length);
}
