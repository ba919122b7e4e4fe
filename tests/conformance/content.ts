/** What every ContentStore does. */

import { afterEach, describe, expect, it } from 'vitest';
import { ContentMissingError, StorageFailedError } from '../../src/engine/errors.ts';
import { type Digest, digestOf } from '../../src/engine/oci/digest.ts';
import type { ContentStore } from '../../src/engine/store/content.ts';
import { countingBytes, sameBytes } from './bytes.ts';

export interface ContentUnderTest {
  readonly store: ContentStore;
  /** The same content as a new tab sees it; whatever the old one did not finish stays undone. */
  reopen(): Promise<ContentStore>;
  close(): Promise<void>;
}

const nobody: Digest = `sha256:${'0'.repeat(64)}`;
const mebibyte = 1024 * 1024;

export function describeContentStore(name: string, open: () => Promise<ContentUnderTest>): void {
  describe(`content store: ${name}`, () => {
    const opened: ContentUnderTest[] = [];
    const opening = async (): Promise<ContentUnderTest> => {
      const under = await open();
      opened.push(under);
      return under;
    };
    afterEach(async () => {
      for (const under of opened.splice(0)) await under.close();
    });
    const put = async (store: ContentStore, bytes: Uint8Array<ArrayBuffer>): Promise<Digest> => {
      const digest = await digestOf(bytes);
      const writer = await store.ingest(`put-${digest}`);
      await writer.write(bytes);
      await writer.commit(digest);
      return digest;
    };

    it('says of what is not there that it is not there', async () => {
      const { store } = await opening();
      expect(await store.stat(nobody)).toBeUndefined();
      await expect(store.read(nobody)).rejects.toThrow(ContentMissingError);
      await expect(store.read(nobody)).rejects.toThrow(nobody);
      expect(await store.list()).toEqual([]);
      expect(await store.pendingIngests()).toEqual([]);
      await store.delete(nobody);
      await store.abortIngest('nobody');
    });

    it.each([0, 1, 64 * 1024, 64 * 1024 + 1, 3 * mebibyte])('gives back a blob of %i bytes', async (size) => {
      const under = await opening();
      const bytes = countingBytes(size);
      const digest = await put(under.store, bytes);
      for (const store of [under.store, await under.reopen()]) {
        expect(await store.stat(digest)).toEqual({ size });
        expect(sameBytes(await store.read(digest), bytes)).toBe(true);
        expect(await store.list()).toEqual([{ digest, size }]);
        expect(await store.pendingIngests()).toEqual([]);
      }
    });

    it('joins writes of any sizes, in order', async () => {
      const { store } = await opening();
      const bytes = countingBytes(2 * mebibyte + 7);
      const digest = await digestOf(bytes);
      const writer = await store.ingest('pieces');
      let at = 0;
      for (const size of [1, 0, 4095, 70_000, mebibyte, 3, bytes.byteLength]) {
        const end = Math.min(bytes.byteLength, at + size);
        await writer.write(bytes.subarray(at, end));
        at = end;
        expect(writer.size).toBe(end);
      }
      await writer.commit(digest);
      expect(sameBytes(await store.read(digest), bytes)).toBe(true);
    });

    it('takes no notice of a chunk that changes once it was written', async () => {
      const { store } = await opening();
      const chunk = countingBytes(1000);
      const digest = await digestOf(chunk);
      const writer = await store.ingest('reused');
      await writer.write(chunk);
      chunk.fill(0);
      await writer.commit(digest);
      expect(await digestOf(await store.read(digest))).toBe(digest);
    });

    it('gives bytes that are the reader’s own', async () => {
      const { store } = await opening();
      const digest = await put(store, countingBytes(1000));
      (await store.read(digest)).fill(0);
      expect(await digestOf(await store.read(digest))).toBe(digest);
    });

    it('reads any part of a blob of many chunks', async () => {
      const under = await opening();
      const size = 40 * mebibyte + 123;
      const bytes = countingBytes(size);
      const digest = await digestOf(bytes);
      const writer = await under.store.ingest('large');
      for (let at = 0; at < size; at += 5 * mebibyte) await writer.write(bytes.slice(at, at + 5 * mebibyte));
      await writer.commit(digest);
      const border = 16 * mebibyte;
      for (const store of [under.store, await under.reopen()]) {
        for (const [offset, length] of [
          [0, 1],
          [border - 1, 1],
          [border - 1, 2],
          [border, 1],
          [border - 5, border + 10],
          [12_345_678, 4096],
          [size - 1, 1],
          [size - 10, 100],
          [size, 1],
          [size + 1000, 10],
          [5, 0],
          [0, size + 1],
        ] as const) {
          const read = await store.read(digest, offset, length);
          expect(sameBytes(read, bytes.subarray(offset, offset + length)), `${offset}+${length}`).toBe(true);
        }
        expect(sameBytes(await store.read(digest, border + 1), bytes.subarray(border + 1))).toBe(true);
      }
    });

    it('shows nothing of an ingest before its commit, not even after a reopening', async () => {
      const under = await opening();
      const bytes = countingBytes(17 * mebibyte);
      const digest = await digestOf(bytes);
      const writer = await under.store.ingest('abandoned');
      await writer.write(bytes);
      for (const store of [under.store, await under.reopen()]) {
        expect(await store.stat(digest)).toBeUndefined();
        await expect(store.read(digest)).rejects.toThrow(ContentMissingError);
        expect(await store.list()).toEqual([]);
        expect(await store.pendingIngests()).toEqual(['abandoned']);
      }
    });

    it('reclaims an ingest that was left behind, whose writer is refused from then on', async () => {
      const under = await opening();
      const left = await under.store.ingest('left');
      await left.write(countingBytes(1000));
      const store = await under.reopen();
      await store.abortIngest('left');
      expect(await store.pendingIngests()).toEqual([]);
      await expect(left.commit(nobody)).rejects.toThrow(StorageFailedError);
      expect(await store.stat(nobody)).toBeUndefined();
      expect(await store.pendingIngests()).toEqual([]);
    });

    it('starts an ingest of the same ID afresh; the first writer can neither commit nor disturb it', async () => {
      const { store } = await opening();
      const first = await store.ingest('again');
      await first.write(countingBytes(500, 1));
      const second = await store.ingest('again');
      await expect(first.commit(nobody)).rejects.toThrow(StorageFailedError);
      await first.abort();
      const bytes = countingBytes(700, 2);
      const digest = await digestOf(bytes);
      await second.write(bytes);
      await second.commit(digest);
      expect(sameBytes(await store.read(digest), bytes)).toBe(true);
      expect((await store.list()).length).toBe(1);
    });

    it('leaves no trace of an aborted ingest', async () => {
      const { store } = await opening();
      const writer = await store.ingest('aborted');
      await writer.write(countingBytes(17 * mebibyte));
      await writer.abort();
      expect(await store.pendingIngests()).toEqual([]);
      expect(await store.list()).toEqual([]);
      await expect(writer.write(countingBytes(1))).rejects.toThrow(StorageFailedError);
      await expect(writer.commit(nobody)).rejects.toThrow(StorageFailedError);
    });

    it('can’t use a writer after its commit', async () => {
      const { store } = await opening();
      const bytes = countingBytes(10);
      const digest = await digestOf(bytes);
      const writer = await store.ingest('once');
      await writer.write(bytes);
      await writer.commit(digest);
      await expect(writer.write(bytes)).rejects.toThrow(StorageFailedError);
      await expect(writer.commit(nobody)).rejects.toThrow(StorageFailedError);
      await writer.abort();
      expect(await store.list()).toEqual([{ digest, size: 10 }]);
      expect(sameBytes(await store.read(digest), bytes)).toBe(true);
    });

    it.each([0, 1000, 70_000, 17 * mebibyte])(
      'takes no more of a blob of %i bytes once it is finished, and commits it',
      async (size) => {
        const under = await opening();
        const bytes = countingBytes(size);
        const digest = await digestOf(bytes);
        const writer = await under.store.ingest('finished');
        await writer.write(bytes);
        writer.finish();
        await expect(writer.write(countingBytes(1))).rejects.toThrow(StorageFailedError);
        expect(await under.store.stat(digest)).toBeUndefined();
        await writer.commit(digest);
        for (const store of [under.store, await under.reopen()]) {
          expect(sameBytes(await store.read(digest), bytes)).toBe(true);
        }
      },
    );

    it('makes two ingests of one blob one', async () => {
      const { store } = await opening();
      const bytes = countingBytes(100_000);
      const digest = await digestOf(bytes);
      const one = await store.ingest('one');
      const other = await store.ingest('other');
      await Promise.all([one.write(bytes), other.write(bytes)]);
      await Promise.all([one.commit(digest), other.commit(digest)]);
      expect(await store.list()).toEqual([{ digest, size: 100_000 }]);
      expect(await store.pendingIngests()).toEqual([]);
      expect(sameBytes(await store.read(digest), bytes)).toBe(true);
    });

    it('keeps several ingests apart', async () => {
      const { store } = await opening();
      const blobs = [1, 2, 3, 4].map((seed) => countingBytes(300_000 + seed, seed));
      const digests = await Promise.all(
        blobs.map(async (bytes, n) => {
          const writer = await store.ingest(`parallel-${n}`);
          for (let at = 0; at < bytes.byteLength; at += 65_536)
            await writer.write(bytes.slice(at, at + 65_536));
          const digest = await digestOf(bytes);
          await writer.commit(digest);
          return digest;
        }),
      );
      for (const [n, digest] of digests.entries()) {
        expect(await digestOf(await store.read(digest))).toBe(digest);
        expect((await store.stat(digest))?.size).toBe(blobs[n]?.byteLength);
      }
    });

    it('removes a blob, which can come back', async () => {
      const under = await opening();
      const bytes = countingBytes(200_000);
      const digest = await put(under.store, bytes);
      const kept = await put(under.store, countingBytes(10, 3));
      expect((await under.store.read(digest)).byteLength).toBe(200_000);
      await under.store.delete(digest);
      for (const store of [under.store, await under.reopen()]) {
        expect(await store.stat(digest)).toBeUndefined();
        await expect(store.read(digest)).rejects.toThrow(ContentMissingError);
        expect(await store.list()).toEqual([{ digest: kept, size: 10 }]);
      }
      await put(under.store, bytes);
      expect(sameBytes(await under.store.read(digest), bytes)).toBe(true);
    });
  });
}
