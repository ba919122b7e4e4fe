import { openDB } from 'idb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ContentMissingError, StorageFailedError, StorageFullError } from '../../src/engine/errors.ts';
import type { Journal } from '../../src/engine/store/journal.ts';
import { LightningJournalStore } from '../../src/storage/lightning-journal.ts';
import { deleteSegmentDatabase, segmentDatabaseName } from '../../src/storage/segment-database.ts';
import { countingBytes } from '../conformance/bytes.ts';
import { freshSandbox } from '../conformance/sandbox-name.ts';

describe('journals on lightning-fs', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const close of closing.splice(0).reverse()) await close();
  });
  async function opened(sandbox: string): Promise<LightningJournalStore> {
    const store = await LightningJournalStore.open(sandbox);
    closing.push(() => store.close());
    return store;
  }
  function named(): string {
    const sandbox = freshSandbox('journals');
    closing.push(() => deleteSegmentDatabase(sandbox));
    return sandbox;
  }
  const contents = async (journal: Journal): Promise<number[][]> =>
    Promise.all(journal.segments.map(async ({ number }) => [...(await journal.read(number))]));
  /** What is really on the disk, seen by a connection of its own. */
  async function stored(sandbox: string): Promise<{ files: IDBValidKey[]; tree: unknown }> {
    const db = await openDB(segmentDatabaseName(sandbox));
    try {
      return { files: await db.getAllKeys('files'), tree: await db.get('trees', 'root') };
    } finally {
      db.close();
    }
  }

  it('share one transaction for what waits for the disk at the same time', async () => {
    const store = await opened(named());
    const journals = await Promise.all(['host', 'volume/a', 'container/b'].map((name) => store.open(name)));
    const transactions = vi.spyOn(IDBDatabase.prototype, 'transaction');
    await Promise.all(
      journals.flatMap((journal) => [1, 2, 3, 4].map((n) => journal.append(Uint8Array.of(n)))),
    );
    // the first goes at once, all that came meanwhile go together
    expect(transactions.mock.calls.filter(([, mode]) => mode === 'readwrite').length).toBeLessThanOrEqual(2);
    for (const journal of journals) expect(await contents(journal)).toEqual([[1], [2], [3], [4]]);
  });

  it('go in one transaction, whatever they hold, and without being read', async () => {
    const store = await opened(named());
    const lengths = { few: 1, many: 300 };
    for (const [name, segments] of Object.entries(lengths)) {
      const journal = await store.open(name);
      await Promise.all(Array.from({ length: segments }, (_, n) => journal.append(Uint8Array.of(n))));
      await journal.close();
    }
    const transactions = vi.spyOn(IDBDatabase.prototype, 'transaction');
    const reads = vi.spyOn(IDBObjectStore.prototype, 'get');
    const costs = [];
    for (const name of Object.keys(lengths)) {
      await store.delete(name);
      costs.push([transactions.mock.calls.length, reads.mock.calls.length]);
      transactions.mockClear();
      reads.mockClear();
    }
    expect(costs).toEqual([
      [1, 0],
      [1, 0],
    ]);
    expect(await store.list()).toEqual([]);
  });

  it('remove a segment that has no content, or none of its bytes, and go on above its number', async () => {
    const sandbox = named();
    const first = await LightningJournalStore.open(sandbox);
    const journal = await first.open('host');
    const kept = await journal.append(Uint8Array.of(1));
    const lost = await journal.append(Uint8Array.of(2));
    await journal.append(Uint8Array.of(3));
    await first.close();
    const db = await openDB(segmentDatabaseName(sandbox));
    const [, second, third] = await db.getAllKeys('files');
    await db.delete('files', second ?? 0);
    // lightning-fs's tree: a map per directory, whose key 0 is its stat
    const tree: Map<string, Map<string, Map<string, Map<0, { size: number; ino: number }>>>> = await db.get(
      'trees',
      'root',
    );
    for (const file of tree.get('/')?.get('host')?.values() ?? []) {
      const stat = file instanceof Map ? file.get(0) : undefined;
      if (stat !== undefined && stat.ino === third) stat.size = 0;
    }
    await db.put('trees', tree, 'root');
    db.close();

    const store = await opened(sandbox);
    const again = await store.open('host');
    expect(again.segments).toEqual([{ number: kept, size: 1 }]);
    await expect(again.read(lost)).rejects.toThrow(ContentMissingError);
    expect(await again.append(Uint8Array.of(4))).toBeGreaterThan(lost + 1);
    expect(await contents(again)).toEqual([[1], [4]]);
    expect((await stored(sandbox)).files.length).toBe(2);
  });

  it('keep nothing of an append that did not fit, and fail none that came with it', async () => {
    const sandbox = named();
    const store = await opened(sandbox);
    const [host, volume] = [await store.open('host'), await store.open('volume/a')];
    const first = await host.append(Uint8Array.of(1));
    const put = IDBObjectStore.prototype.put;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value, key) {
      if (value instanceof Uint8Array && value.byteLength === 999)
        throw new DOMException('full', 'QuotaExceededError');
      return put.call(this, value, key);
    });
    const [large, small, other, removed] = await Promise.allSettled([
      host.append(countingBytes(999)),
      host.append(Uint8Array.of(2)),
      volume.append(Uint8Array.of(3)),
      host.remove([first]),
    ]);
    expect(large.status === 'rejected' && large.reason).toBeInstanceOf(StorageFullError);
    expect([small.status, other.status, removed.status]).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    vi.restoreAllMocks();
    expect(await contents(host)).toEqual([[2]]);
    await host.append(Uint8Array.of(4));
    expect((await stored(sandbox)).files.length).toBe(3);
    await store.close();
    const again = await opened(sandbox);
    expect(await contents(await again.open('host'))).toEqual([[2], [4]]);
    expect(await contents(await again.open('volume/a'))).toEqual([[3]]);
  });

  it('are written and read after lightning-fs was idle and let go', async () => {
    const sandbox = named();
    const store = await opened(sandbox);
    const journal = await store.open('host');
    await journal.append(Uint8Array.of(1));
    // lightning-fs lets go of its own lock when it is idle: that is how one sees it
    await vi.waitFor(
      async () => {
        const { held = [] } = await navigator.locks.query();
        expect(held.filter((lock) => lock.name?.startsWith('layerbox/') === true)).toEqual([]);
      },
      { timeout: 10_000 },
    );
    await journal.append(Uint8Array.of(2));
    expect(await contents(journal)).toEqual([[1], [2]]);
  });

  it('give the space of what was removed back', async () => {
    const sandbox = named();
    const store = await opened(sandbox);
    const journal = await store.open('host');
    const numbers = await Promise.all([1, 2, 3].map((n) => journal.append(countingBytes(100_000, n))));
    await journal.remove(numbers.slice(0, 2));
    expect((await stored(sandbox)).files.length).toBe(1);
    await journal.close();
    await store.delete('host');
    expect((await stored(sandbox)).files.length).toBe(0);
  });

  it('refuse what is closed, empty or open', async () => {
    const store = await opened(named());
    const journal = await store.open('host');
    await expect(journal.append(new Uint8Array(0))).rejects.toThrow(RangeError);
    await expect(store.delete('host')).rejects.toThrow(StorageFailedError);
    await journal.close();
    await expect(journal.append(Uint8Array.of(1))).rejects.toThrow(StorageFailedError);
    await expect(journal.read(1)).rejects.toThrow(StorageFailedError);
    await store.delete('host');
    expect(await store.list()).toEqual([]);
  });
});
