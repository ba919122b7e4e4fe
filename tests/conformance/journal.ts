/** What every JournalStore does. */

import { afterEach, describe, expect, it } from 'vitest';
import { ContentMissingError, SandboxInUseError } from '../../src/engine/errors.ts';
import type { Journal, JournalStore } from '../../src/engine/store/journal.ts';
import { countingBytes, sameBytes } from './bytes.ts';

export interface JournalsUnderTest {
  readonly store: JournalStore;
  /** The same journals as a new tab sees them; the old one's are closed by nobody. */
  reopen(): Promise<JournalStore>;
  close(): Promise<void>;
}

const container = `container/${'a1'.repeat(32)}`;

export function describeJournalStore(name: string, open: () => Promise<JournalsUnderTest>): void {
  describe(`journal store: ${name}`, () => {
    const opened: JournalsUnderTest[] = [];
    const opening = async (): Promise<JournalsUnderTest> => {
      const under = await open();
      opened.push(under);
      return under;
    };
    afterEach(async () => {
      for (const under of opened.splice(0)) await under.close();
    });
    const numbers = (journal: Journal): number[] => journal.segments.map((segment) => segment.number);

    it('opens a journal that was not there as an empty one, which is listed', async () => {
      const { store } = await opening();
      expect(await store.list()).toEqual([]);
      const journal = await store.open(container);
      expect(journal.segments).toEqual([]);
      expect(await store.list()).toEqual([container]);
    });

    it('gives back what was appended, in order, after a reopening', async () => {
      const under = await opening();
      const journal = await under.store.open(container);
      const sizes = [1, 1024, 100_000, 1_048_576];
      const given: number[] = [];
      for (const size of sizes) {
        const next = journal.next;
        given.push(await journal.append(countingBytes(size, size)));
        expect(given.at(-1)).toBe(next);
      }
      expect(given).toEqual([...given].sort((a, b) => a - b));
      await journal.close();
      const again = await (await under.reopen()).open(container);
      expect(again.segments).toEqual(given.map((number, n) => ({ number, size: sizes[n] })));
      expect(again.next).toBeGreaterThan(given.at(-1) ?? 0);
      for (const [n, number] of given.entries()) {
        const size = sizes[n] ?? 0;
        expect(sameBytes(await again.read(number), countingBytes(size, size))).toBe(true);
      }
    });

    it('keeps an acknowledged append though nobody closed the journal', async () => {
      const under = await opening();
      const journal = await under.store.open(container);
      const number = await journal.append(Uint8Array.of(1, 2, 3));
      const again = await (await under.reopen()).open(container);
      expect(again.segments).toEqual([{ number, size: 3 }]);
      expect([...(await again.read(number))]).toEqual([1, 2, 3]);
    });

    it('has an append that nobody waited for whole or not at all', async () => {
      const under = await opening();
      const journal = await under.store.open(container);
      const first = await journal.append(Uint8Array.of(1));
      const bytes = countingBytes(2_000_000);
      const unfinished = journal.append(bytes).catch(() => undefined);
      const again = await (await under.reopen()).open(container);
      await unfinished;
      expect(numbers(again)[0]).toBe(first);
      for (const segment of again.segments.slice(1)) {
        expect(segment.size).toBe(bytes.byteLength);
        expect(sameBytes(await again.read(segment.number), bytes)).toBe(true);
      }
      // whatever became of it, the journal goes on
      const next = await again.append(Uint8Array.of(2));
      expect(next).toBeGreaterThan(numbers(again).at(-2) ?? 0);
      expect([...(await again.read(next))]).toEqual([2]);
    });

    it('numbers appends that are made at once in the order they were made', async () => {
      const under = await opening();
      const journal = await under.store.open(container);
      const given = await Promise.all(Array.from({ length: 20 }, (_, n) => journal.append(Uint8Array.of(n))));
      expect(given).toEqual([...given].sort((a, b) => a - b));
      expect(new Set(given).size).toBe(20);
      const again = await (await under.reopen()).open(container);
      expect(numbers(again)).toEqual(given);
      for (const [n, number] of given.entries()) expect([...(await again.read(number))]).toEqual([n]);
    });

    it('takes no notice of bytes that change, and stores a part of a buffer alone', async () => {
      const under = await opening();
      const journal = await under.store.open(container);
      const bytes = countingBytes(1000);
      const part = bytes.subarray(100, 200);
      const expected = part.slice();
      const number = await journal.append(part);
      bytes.fill(0);
      expect(journal.segments).toEqual([{ number, size: 100 }]);
      const again = await (await under.reopen()).open(container);
      const read = await again.read(number);
      expect(sameBytes(read, expected)).toBe(true);
      expect(read.buffer.byteLength).toBe(100);
    });

    it('gives bytes that are the reader’s own', async () => {
      const { store } = await opening();
      const journal = await store.open(container);
      const number = await journal.append(Uint8Array.of(1, 2, 3));
      (await journal.read(number)).fill(0);
      expect([...(await journal.read(number))]).toEqual([1, 2, 3]);
    });

    it('removes segments for good and never uses their numbers again', async () => {
      const under = await opening();
      const journal = await under.store.open(container);
      const given: number[] = [];
      for (let n = 0; n < 5; n += 1) given.push(await journal.append(Uint8Array.of(n)));
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = given;
      await journal.remove([b, d, 9999]);
      expect(numbers(journal)).toEqual([a, c, e]);
      await expect(journal.read(b)).rejects.toThrow(ContentMissingError);
      await journal.remove([a, c, e]);
      await journal.close();
      const again = await (await under.reopen()).open(container);
      expect(again.segments).toEqual([]);
      expect(again.next).toBeGreaterThan(e);
      const next = await again.append(Uint8Array.of(7));
      expect(next).toBeGreaterThan(e);
      const third = await (await under.reopen()).open(container);
      expect(third.segments).toEqual([{ number: next, size: 1 }]);
      expect([...(await third.read(next))]).toEqual([7]);
    });

    it('throws for a number that is not in the list', async () => {
      const { store } = await opening();
      const journal = await store.open(container);
      await expect(journal.read(1)).rejects.toThrow(ContentMissingError);
    });

    it.each(['host', 'volume/data', '.', '..', 'a/../b', '%2e', 'next-5', '000000000001', 'ünï/😀'])(
      'keeps journals apart, whatever their names: %j',
      async (odd) => {
        const under = await opening();
        const plain = await under.store.open('plain');
        const journal = await under.store.open(odd);
        const one = await plain.append(Uint8Array.of(1));
        const two = await journal.append(Uint8Array.of(2));
        const store = await under.reopen();
        expect([...(await store.list())].sort()).toEqual([odd, 'plain'].sort());
        expect([...(await (await store.open('plain')).read(one))]).toEqual([1]);
        expect([...(await (await store.open(odd)).read(two))]).toEqual([2]);
      },
    );

    it('deletes a journal whole and leaves the others', async () => {
      const under = await opening();
      const journal = await under.store.open(container);
      const kept = await under.store.open('host');
      const number = await kept.append(Uint8Array.of(1));
      await journal.append(countingBytes(10_000));
      await journal.remove([await journal.append(countingBytes(10_000))]);
      await journal.close();
      await under.store.delete(container);
      await under.store.delete('volume/nobody');
      expect(await under.store.list()).toEqual(['host']);
      const store = await under.reopen();
      expect(await store.list()).toEqual(['host']);
      expect([...(await (await store.open('host')).read(number))]).toEqual([1]);
      expect((await store.open(container)).segments).toEqual([]);
    });

    it('has one opener of a journal at a time', async () => {
      const { store } = await opening();
      const journal = await store.open(container);
      await expect(store.open(container)).rejects.toThrow(SandboxInUseError);
      await journal.close();
      await journal.close();
      await (await store.open(container)).append(Uint8Array.of(1));
    });
  });
}
