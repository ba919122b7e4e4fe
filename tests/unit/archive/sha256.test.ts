import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Sha256 } from '../../../src/engine/archive/sha256.ts';
import { codecsModule } from './unpacking.ts';

async function digest(bytes: Uint8Array, step: number): Promise<string> {
  const hash = await Sha256.create(codecsModule);
  for (let at = 0; at < bytes.length; at += step) hash.update(bytes.subarray(at, at + step));
  return hash.digest();
}

describe('Sha256', () => {
  it.each([
    // FIPS 180-2, appendix B
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ])('%.20s', async (text, want) => expect(await digest(new TextEncoder().encode(text), 4096)).toBe(want));

  it('is right for every length around a block, however it is cut', async () => {
    const bytes = randomBytes(200);
    for (let length = 0; length <= 200; length++) {
      const piece = bytes.subarray(0, length);
      const want = createHash('sha256').update(piece).digest('hex');
      for (const step of [1, 63, 64, 200]) expect(await digest(piece, step), `${length}`).toBe(want);
    }
  });

  it('is right for more than its buffer holds', async () => {
    const bytes = randomBytes(3_000_001);
    const want = createHash('sha256').update(bytes).digest('hex');
    for (const step of [65_537, 3_000_001]) expect(await digest(bytes, step)).toBe(want);
  });
});
