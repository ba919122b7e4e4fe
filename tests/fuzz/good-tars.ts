/** Tars and pax headers, each with something of what the formats have. */

import { decodeName } from '../../src/engine/names.ts';
import { endOfArchive, file, header, joined, padded, pax } from '../unit/archive/tar-bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const long = (type: 'L' | 'K', name: string) =>
  joined(header({ type, size: name.length + 1 }), padded(`${name}\0`));
const sparseMap = '2\n0\n3\n4096\n4\n';
export const tars: Readonly<Record<string, Bytes>> = {
  files: joined(
    header({ name: 'd/', type: '5' }),
    file('d/f', 'content'),
    header({ name: 'l', type: '2', link: 'd/f' }),
    endOfArchive,
  ),
  nodes: joined(
    file('a', 'x'),
    header({ name: 'b', type: '1', link: 'a' }),
    header({ name: 'n', type: '3', devices: ['1', '3'] }),
    header({ name: 'p', type: '6' }),
  ),
  pax: joined(
    pax({
      path: 'a/b',
      mtime: '-1.5',
      uid: '70000',
      'SCHILY.xattr.user.a': 'v',
      'LIBARCHIVE.xattr.user.%3d': 'QUJD',
    }),
    file('cut', 'abc'),
  ),
  'pax-of-all': joined(pax({ uid: '9', comment: 'x' }, 'g'), file('a', ''), pax({ uid: '' }), file('b', '')),
  'long-names': joined(long('L', 'n'.repeat(150)), long('K', 't'.repeat(120)), header({ type: '2' })),
  whiteouts: joined(
    file('a/.wh.b', ''),
    file('a/.wh..wh..opq', ''),
    file('.wh..wh.plnk/1', 'x'),
    header({ name: 'h', type: '1', link: '.wh..wh.plnk/1' }),
  ),
  'sparse-in-data': joined(
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
  'sparse-in-header': joined(
    pax({ 'GNU.sparse.size': '5000', 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': '0,2,4000,1' }),
    file('f', 'abc'),
  ),
  'sparse-of-gnu': joined(
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
  'through-symlinks': joined(
    header({ name: 's', type: '2', link: 'd/../e' }),
    file('s/f', 'x'),
    header({ name: 'h', type: '1', link: 's/../e/f' }),
  ),
};

/** The records of a pax header without its blocks. */
function records(values: Readonly<Record<string, string>>): Bytes {
  const whole = pax(values);
  const length = Number.parseInt(decodeName(whole.subarray(124, 135)), 8);
  return whole.slice(512, 512 + length);
}

export const paxRecords: Readonly<Record<string, Bytes>> = {
  paths: records({ path: 'a/b/c', linkpath: '../d' }),
  numbers: records({ mtime: '-1.5', atime: '1700000000.123456789', uid: '70000', gid: '3', size: '12' }),
  attributes: records({ 'LIBARCHIVE.xattr.a%3d': 'QUJD', 'SCHILY.xattr.user.a': 'v\0' }),
  sparse: records({ 'GNU.sparse.offset': '10', 'GNU.sparse.numbytes': '10' }),
};
