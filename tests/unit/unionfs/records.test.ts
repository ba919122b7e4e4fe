import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../../src/engine/unionfs/byte-codec.ts';
import { crc32 } from '../../../src/engine/unionfs/checksum.ts';
import { decodeRecord, encodeRecord, type UpperRecord } from '../../../src/engine/unionfs/records.ts';
import { Segment } from '../../../src/engine/unionfs/segment.ts';
import { SegmentBuffer } from '../../../src/engine/unionfs/segment-buffer.ts';
import { readFrames, readHeader, writeHeader } from '../../../src/engine/unionfs/segment-format.ts';
import { bytesOf } from './fixture.ts';

const time = -1_700_000_000_000_000_001n;
const inode = {
  ino: 2 ** 31 - 1,
  mode: 0o7777,
  uid: 2 ** 32 - 1,
  gid: 0,
  rdev: [4095, 1048575],
} as const;

const RECORDS: readonly UpperRecord[] = [
  { kind: 'identity', count: 12, diffIDs: ['sha256:aa', 'sha256:bb'] },
  { kind: 'create', time, directory: 1, name: '\udcff é', type: 'block', link: '', ...inode },
  { kind: 'link', time, ino: 3, directory: 1, name: 'n' },
  { kind: 'remove', time, directory: 1, name: 'n' },
  { kind: 'rename', time, from: 1, name: 'a', to: 2, newName: 'b' },
  { kind: 'forget', ino: 9 },
  { kind: 'write', time, ino: 9, offset: 2 ** 43 - 1 },
  { kind: 'relocate', ino: 9, offset: 127 },
  {
    kind: 'setattr',
    time,
    ino: 9,
    mode: 0,
    uid: undefined,
    gid: 5,
    size: undefined,
    atimeNs: 0n,
    mtimeNs: undefined,
  },
  {
    kind: 'setattr',
    time,
    ino: 9,
    mode: undefined,
    uid: 0,
    gid: undefined,
    size: 0,
    atimeNs: undefined,
    mtimeNs: -5n,
  },
  { kind: 'setxattr', time, ino: 9, name: 'user.x', value: bytesOf('v') },
  { kind: 'removexattr', time, ino: 9, name: 'user.x' },
  { kind: 'checkpoint', count: 1, diffIDs: [], nextIno: 128, version: 16384, files: 3 },
  {
    kind: 'inode',
    ...inode,
    type: 'symlink',
    nlink: 2,
    size: 2 ** 42,
    atimeNs: 1n,
    mtimeNs: 2n,
    ctimeNs: 3n,
    link: 'to',
    parent: 1,
    name: 'n',
    xattrs: [['user.a', bytesOf('1')]],
  },
  {
    kind: 'extents',
    ino: 4,
    extents: [
      { start: 0, length: 5, home: { kind: 'lower' }, at: 512 },
      { start: 5, length: 1, home: { kind: 'number', value: 7 }, at: 40 },
      { start: 9, length: 1, home: { kind: 'id', value: 8 }, at: 40 },
    ],
  },
  {
    kind: 'dentries',
    directory: 1,
    entries: [
      ['a', 0],
      ['b', 7],
    ],
  },
  { kind: 'nlinks', nlinks: [[4, 1]] },
  { kind: 'ctimes', ctimes: [[4, 1_700_000_000_123_456_789n]] },
  { kind: 'orphans', inos: [5, 6] },
  { kind: 'checkpoint-end' },
];

function encoded(record: UpperRecord): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(1);
  encodeRecord(writer, record);
  return writer.bytes.slice(0, writer.length);
}

describe('a record', () => {
  it.each(RECORDS)('of kind $kind comes back as it was', (record) => {
    const bytes = encoded(record);
    expect(decodeRecord(bytes, 0, bytes.length)).toEqual({ record, contentAt: bytes.length });
  });

  it.each(RECORDS)('of kind $kind is refused when it is cut anywhere or too long', (record) => {
    const bytes = encoded(record);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeRecord(bytes, 0, length)).toThrow(RangeError);
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    if (record.kind === 'write' || record.kind === 'relocate') return;
    expect(() => decodeRecord(longer, 0, longer.length)).toThrow('too long');
  });

  it.each([
    { what: 'an unknown kind', bytes: [200] },
    { what: 'a list longer than itself', bytes: [17 - 1, 0xff, 0xff, 0xff, 0xff, 0x0f] },
    { what: 'a number beyond 2^53', bytes: [5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f] },
  ])('with $what is refused', ({ bytes }) => {
    expect(() => decodeRecord(Uint8Array.from(bytes), 0, bytes.length)).toThrow(RangeError);
  });
});

describe('a segment', () => {
  const sealed = () => {
    const buffer = new SegmentBuffer(new Segment(7, undefined, 0));
    buffer.append({ kind: 'forget', ino: 1 }, undefined);
    buffer.append({ kind: 'write', time, ino: 1, offset: 0 }, bytesOf('content'));
    return buffer.seal(3);
  };

  it('says its ID, where replay starts, and its whole frames', () => {
    const bytes = sealed();
    const header = readHeader(bytes);
    expect(header).toEqual({ id: 7, length: bytes.length, start: 3, frames: 2 });
    if ('damage' in header) return;
    const { payloads, damage } = readFrames(bytes, header);
    expect([payloads.length, damage]).toEqual([2, undefined]);
  });

  it.each([
    {
      what: 'cut in its header',
      change: (b: Uint8Array<ArrayBuffer>) => b.slice(0, 31),
      want: 'only 31 bytes',
    },
    {
      what: 'of another kind',
      change: (b: Uint8Array<ArrayBuffer>) => b.fill(1, 0, 1),
      want: 'no segment of an upper',
    },
    {
      what: 'with a changed header',
      change: (b: Uint8Array<ArrayBuffer>) => b.fill(1, 20, 21),
      want: 'checksum of its header',
    },
    {
      what: 'of a later version',
      change: (b: Uint8Array<ArrayBuffer>) => {
        writeHeader(b, { id: 1, length: b.length, start: 0, frames: 2 });
        b[8] = 3;
        new DataView(b.buffer).setUint32(28, crc32(b, 0, 28), true);
        return b;
      },
      want: 'version 3',
    },
  ])('$what is damaged, and it says how', ({ change, want }) => {
    const header = readHeader(change(sealed()));
    expect('damage' in header ? header.damage : 'whole').toContain(want);
  });

  it('has the checksum that everybody has', () => {
    expect(crc32(bytesOf('123456789'), 0, 9).toString(16)).toBe('cbf43926');
    expect(crc32(bytesOf('x123456789y'), 1, 10).toString(16)).toBe('cbf43926');
  });
});
