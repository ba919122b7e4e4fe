import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Unpacker } from '../../../src/engine/archive/unpacker.ts';
import { joined } from './tar-bytes.ts';
import { codecsModule, unpack } from './unpacking.ts';

const unpacker = await Unpacker.create(codecsModule);
const options = { format: 'gzip', gather: 64 << 20 } as const;
const content = joined(randomBytes(300_000), new Uint8Array(700_000), randomBytes(1_000));
const [first, second] = [content.subarray(0, 400_001), content.subarray(400_001)];
const gz = (bytes: Uint8Array) => Uint8Array.from(gzipSync(bytes));

describe('gzip', () => {
  it.each<[string, Uint8Array]>([
    ['one member', gz(content)],
    ['two members', joined(gz(first), gz(second))],
    ['two members with zero padding', joined(gz(first), gz(second), new Uint8Array(10_000))],
  ])('decodes %s', (_, bytes) => {
    for (const length of [1, 1_009, 65_536, bytes.length]) {
      expect(unpack(unpacker, bytes, options, length).equals(content)).toBe(true);
    }
  });
});
