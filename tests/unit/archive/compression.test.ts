import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { detectCompression } from '../../../src/engine/archive/compression.ts';
import { latin1 } from './tar-bytes.ts';

const gzip = Uint8Array.from(gzipSync('content'));

describe('detectCompression', () => {
  it.each([
    ['gzip', gzip],
    ['zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0)],
    ['zstd', Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 0)],
    ['bzip2', latin1('BZh91AY')],
    ['xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)],
    ['none', latin1('etc/passwd')],
    ['none', gzip.subarray(0, 2)],
    ['none', new Uint8Array(0)],
  ] as const)('%s', (want, start) => expect(detectCompression(start)).toBe(want));
});
