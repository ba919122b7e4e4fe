/** gzip and zstd streams with what their framing allows. */

import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { joined } from '../unit/archive/tar-bytes.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const text = (value: string): Bytes => new TextEncoder().encode(value);

export const members: Readonly<Record<string, Uint8Array>> = {
  one: gzipSync('one member'),
  'two-and-padding': joined(gzipSync('first '), gzipSync('second'), new Uint8Array(20)),
  stored: gzipSync('stored', { level: 0 }),
  zeros: gzipSync(new Uint8Array(30_000)),
  // extra, name, comment and a checksum of the header
  fields: gzipWithFields('with fields'),
};

function gzipWithFields(content: string): Bytes {
  const head = joined(
    Uint8Array.of(0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3),
    Uint8Array.of(4, 0, 0x41, 0x42, 0, 0),
    text('name\0comment\0'),
  );
  const tail = new DataView(new ArrayBuffer(8));
  tail.setUint32(0, crc32(content), true);
  tail.setUint32(4, content.length, true);
  const check = new DataView(new ArrayBuffer(2));
  check.setUint16(0, crc32(head) & 0xffff, true);
  return joined(head, new Uint8Array(check.buffer), deflateRawSync(content), new Uint8Array(tail.buffer));
}

/** Raw and run-length blocks, so that nothing has to be compressed (RFC 8878, 3.1.1). */
export const zstdFrames: Readonly<Record<string, Uint8Array>> = {
  raw: joined(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0), text('hello')),
  'run-length': joined(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50, 0x03, 0x40, 0, 0x41)),
  skippable: joined(
    Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3),
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 0x09, 0, 0, 0x78),
  ),
};
