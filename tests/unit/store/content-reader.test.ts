import { describe, expect, it } from 'vitest';
import { ContentMissingError } from '../../../src/engine/errors.ts';
import { type Digest, digestOf } from '../../../src/engine/oci/digest.ts';
import { CachedContentReader } from '../../../src/engine/store/content-reader.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { countingBytes } from '../../conformance/bytes.ts';

const blockSize = 1000;

/** A store that tells what was read of it, and may be made to fail. */
async function storeOf(...blobs: Uint8Array<ArrayBuffer>[]) {
  const content = new MemoryContentStore();
  const digests: Digest[] = [];
  for (const [n, bytes] of blobs.entries()) {
    const digest = await digestOf(bytes);
    const writer = await content.ingest(`${n}`);
    await writer.write(bytes);
    await writer.commit(digest);
    digests.push(digest);
  }
  const reads: number[] = [];
  const fault: { error?: Error } = {};
  return {
    digests,
    reads,
    fault,
    store: {
      read: (digest: Digest, offset?: number, length?: number) => {
        reads.push(offset ?? 0);
        return fault.error === undefined ? content.read(digest, offset, length) : Promise.reject(fault.error);
      },
    },
  };
}

const missing: Digest = `sha256:${'0'.repeat(64)}`;

describe('a cached content reader', () => {
  it('gives the bytes of every range, cached or not', async () => {
    const bytes = countingBytes(4321);
    const {
      store,
      digests: [digest = missing],
    } = await storeOf(bytes);
    for (const capacity of [0, 2500, 100_000]) {
      const reader = new CachedContentReader(store, { blockSize, capacity });
      for (const offset of [0, 1, 999, 1000, 1001, 2500, 4000, 4320, 4321, 5000, 9999]) {
        for (const length of [0, 1, 2, 999, 1000, 1001, 2500, 10_000]) {
          for (let time = 0; time < 2; time += 1) {
            const read = await reader.read(digest, offset, length);
            expect([...read], `${offset}+${length}`).toEqual([...bytes.subarray(offset, offset + length)]);
          }
        }
      }
    }
  });

  it('answers without a promise, and without the store, what it holds', async () => {
    const bytes = countingBytes(5000);
    const {
      store,
      reads,
      digests: [digest = missing],
    } = await storeOf(bytes);
    const reader = new CachedContentReader(store, { blockSize });
    expect(reader.read(digest, 100, 10)).toBeInstanceOf(Promise);
    await reader.read(digest, 100, 2000);
    const before = reads.length;
    expect(reader.read(digest, 700, 900)).toEqual(bytes.slice(700, 1600));
    expect(reader.read(digest, 5, 3)).toEqual(bytes.slice(5, 8));
    expect(reads.length).toBe(before);
  });

  it('asks the store once for a block that several want at the same time', async () => {
    const {
      store,
      reads,
      digests: [digest = missing],
    } = await storeOf(countingBytes(5000));
    const reader = new CachedContentReader(store, { blockSize });
    await Promise.all([
      reader.read(digest, 10, 10),
      reader.read(digest, 500, 10),
      reader.read(digest, 900, 200),
    ]);
    expect(reads).toEqual([0, 1000]);
  });

  it('reads one block ahead of a sequential reader, and none ahead of others', async () => {
    const {
      store,
      reads,
      digests: [digest = missing],
    } = await storeOf(countingBytes(5000));
    const reader = new CachedContentReader(store, { blockSize });
    await reader.read(digest, 0, 400);
    await reader.read(digest, 3000, 10);
    expect(reads).toEqual([0, 3000]);
    await reader.read(digest, 3010, 10);
    expect(reads).toEqual([0, 3000, 4000]);
    await reader.read(digest, 3020, 10);
    expect(reads).toEqual([0, 3000, 4000]);
  });

  it('reads nothing ahead of the end', async () => {
    const {
      store,
      reads,
      digests: [digest = missing],
    } = await storeOf(countingBytes(1500));
    const reader = new CachedContentReader(store, { blockSize });
    await reader.read(digest, 1000, 100);
    await reader.read(digest, 1100, 100);
    expect(reads).toEqual([1000]);
  });

  it('holds no more than its capacity and lets go first of what was read longest ago', async () => {
    const {
      store,
      reads,
      digests: [digest = missing, other = missing],
    } = await storeOf(countingBytes(10_000), countingBytes(10_000, 7));
    const reader = new CachedContentReader(store, { blockSize, capacity: 3000 });
    await reader.read(digest, 0, 1);
    await reader.read(other, 5000, 1);
    await reader.read(digest, 7000, 1);
    await reader.read(digest, 0, 1);
    expect(reader.size).toBe(3000);
    await reader.read(digest, 9000, 1);
    expect(reader.size).toBe(3000);
    expect(reader.read(digest, 0, 1)).toBeInstanceOf(Uint8Array);
    expect(reader.read(digest, 7000, 1)).toBeInstanceOf(Uint8Array);
    expect(reads).toEqual([0, 5000, 7000, 9000]);
    await reader.read(other, 5000, 1);
    expect(reads).toEqual([0, 5000, 7000, 9000, 5000]);
  });

  it('keeps blobs apart', async () => {
    const one = countingBytes(1000, 1);
    const two = countingBytes(1000, 2);
    const { store, digests } = await storeOf(one, two);
    const reader = new CachedContentReader(store, { blockSize });
    const [a = missing, b = missing] = digests;
    expect(await reader.read(a, 0, 1000)).toEqual(one);
    expect(await reader.read(b, 0, 1000)).toEqual(two);
    expect(reader.read(a, 0, 1000)).toEqual(one);
  });

  it('passes the store’s error on, and tries again the next time', async () => {
    const {
      store,
      fault,
      digests: [digest = missing],
    } = await storeOf(countingBytes(3000));
    const reader = new CachedContentReader(store, { blockSize });
    fault.error = new Error('disk');
    await expect(reader.read(digest, 0, 10)).rejects.toThrow('disk');
    delete fault.error;
    expect((await reader.read(digest, 0, 10)).byteLength).toBe(10);
    await expect(reader.read(missing, 0, 10)).rejects.toThrow(ContentMissingError);
  });

  it('does not fail a read because the block ahead of it failed', async () => {
    const {
      store,
      fault,
      digests: [digest = missing],
    } = await storeOf(countingBytes(3000));
    const reader = new CachedContentReader(store, { blockSize });
    await reader.read(digest, 0, 10);
    fault.error = new Error('disk');
    expect((await reader.read(digest, 10, 10)).byteLength).toBe(10);
    await expect(reader.read(digest, 1000, 10)).rejects.toThrow('disk');
    delete fault.error;
    expect((await reader.read(digest, 1000, 10)).byteLength).toBe(10);
  });

  it.each([
    [-1, 1],
    [0, -1],
    [Number.NaN, 1],
  ])('refuses offset %d and length %d', async (offset, length) => {
    const { store } = await storeOf();
    expect(() => new CachedContentReader(store).read(missing, offset, length)).toThrow(RangeError);
  });
});
