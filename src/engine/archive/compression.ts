/** How bytes are compressed, told by how they begin: labels lie, and static hosts have none. */

import type { LayerCompression } from '../oci/media-type.ts';

export type Compression = LayerCompression | 'bzip2' | 'xz';

/** As many bytes as `detectCompression` looks at. */
export const signatureLength = 6;

const signatures: readonly (readonly [Compression, readonly number[]])[] = [
  // RFC 1952, 2.3.1; 8 is deflate, and there is no other
  ['gzip', [0x1f, 0x8b, 0x08]],
  // RFC 8878, 3.1.1
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** The compression of a stream by its first bytes, fewer than `signatureLength` when it is shorter. */
export function detectCompression(start: Uint8Array): Compression {
  for (const [compression, signature] of signatures) {
    if (signature.every((byte, at) => start[at] === byte)) return compression;
  }
  // RFC 8878, 3.1.2: a skippable frame may come first
  const isSkippable =
    ((start[0] ?? 0) & 0xf0) === 0x50 && start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18;
  return isSkippable ? 'zstd' : 'none';
}
