import { openDB } from 'idb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  SandboxInUseError,
  StorageFailedError,
  StorageFullError,
  StorageNewerError,
} from '../../src/engine/errors.ts';
import { digestOf } from '../../src/engine/oci/digest.ts';
import {
  databaseName,
  deleteSandboxDatabase,
  type Migration,
  migrations,
  SandboxDatabase,
} from '../../src/storage/database.ts';
import { storageFailure } from '../../src/storage/failures.ts';
import { IndexedDBContentStore } from '../../src/storage/indexeddb-content.ts';
import { IndexedDBRecordStore } from '../../src/storage/indexeddb-records.ts';
import { LightningJournalStore } from '../../src/storage/lightning-journal.ts';
import { deleteSegmentDatabase, segmentDatabaseName } from '../../src/storage/segment-database.ts';
import { countingBytes, sameBytes } from '../conformance/bytes.ts';
import { freshSandbox } from '../conformance/sandbox-name.ts';

describe('a sandbox’s database', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function opened(sandbox: string): Promise<SandboxDatabase> {
    const database = await SandboxDatabase.open(sandbox);
    closing.push(() => database.close());
    return database;
  }
  function named(): string {
    const sandbox = freshSandbox('database');
    closing.push(() => deleteSandboxDatabase(sandbox));
    return sandbox;
  }

  it('that a newer version wrote is refused with a sentence that says what to do', async () => {
    const sandbox = named();
    (await openDB(databaseName(sandbox), migrations.length + 1)).close();
    const failure = await SandboxDatabase.open(sandbox).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageNewerError);
    expect(String(failure)).toContain('newer version');
    expect(String(failure)).toContain(sandbox);
    (await openDB(segmentDatabaseName(sandbox), 2)).close();
    closing.push(() => deleteSegmentDatabase(sandbox));
    await expect(LightningJournalStore.open(sandbox)).rejects.toThrow(StorageNewerError);
  });

  it('is changed by its owner alone, also when an earlier one wakes up with it open', async () => {
    const sandbox = named();
    const [earlier, later] = [await opened(sandbox), await opened(sandbox)];
    await earlier.own('earlier');
    const records = new IndexedDBRecordStore(earlier);
    await records.commit([{ kind: 'logs', put: { id: 'c/1', bytes: countingBytes(1) } }]);
    const bytes = countingBytes(100);
    const digest = await digestOf(bytes);
    const writer = await new IndexedDBContentStore(earlier).ingest('x');
    await writer.write(bytes);
    await writer.commit(digest);

    expect(await earlier.isOwned()).toBe(true);
    await later.own('later');
    expect([await earlier.isOwned(), await later.isOwned()]).toEqual([false, true]);
    await expect(records.commit([{ kind: 'logs', delete: 'c/1' }])).rejects.toThrow(SandboxInUseError);
    await expect(new IndexedDBContentStore(earlier).delete(digest)).rejects.toThrow(SandboxInUseError);
    expect(await new IndexedDBRecordStore(later).ids('logs')).toEqual(['c/1']);
    expect(await new IndexedDBContentStore(later).stat(digest)).toEqual({ size: 100 });
    await new IndexedDBRecordStore(later).commit([{ kind: 'logs', delete: 'c/1' }]);
    expect(await records.ids('logs')).toEqual([]);
  });

  it('takes no segment of an earlier owner of the journals', async () => {
    const sandbox = named();
    closing.push(() => deleteSegmentDatabase(sandbox));
    const earlier = await LightningJournalStore.open(sandbox, { owner: 'earlier' });
    const journal = await earlier.open('host');
    const kept = await journal.append(Uint8Array.of(1));
    const later = await LightningJournalStore.open(sandbox, { owner: 'later' });
    await expect(journal.append(Uint8Array.of(2))).rejects.toThrow(SandboxInUseError);
    await expect(journal.remove([kept])).rejects.toThrow(SandboxInUseError);
    const own = await later.open('host');
    expect(own.segments).toEqual([{ number: kept, size: 1 }]);
    expect(await own.append(Uint8Array.of(3, 4))).toBe(kept + 1);
    await earlier.close();
    await later.close();
  });

  it('closes itself for a newer version in another tab, and says so from then on', async () => {
    const sandbox = named();
    const records = new IndexedDBRecordStore(await opened(sandbox));
    await records.commit([{ kind: 'meta', put: { id: 'x', value: 1 } }]);
    (await openDB(databaseName(sandbox), migrations.length + 1)).close();
    const failure = await records.get('meta', 'x').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageFailedError);
    expect(String(failure)).toContain('reload the page');
  });

  it('is brought up to date in steps, with what is in it', async () => {
    const sandbox = named();
    const first = await SandboxDatabase.open(sandbox);
    await new IndexedDBRecordStore(first).commit([{ kind: 'meta', put: { id: 'x', value: 1 } }]);
    first.close();
    const double: Migration = async (_db, transaction) => {
      const meta = transaction.objectStore('meta');
      const record = await meta.get('x');
      await meta.put({ id: 'x', value: Number(record?.value) * 2 });
    };
    const second = await SandboxDatabase.open(sandbox, [...migrations, double, double]);
    closing.push(() => second.close());
    expect(await new IndexedDBRecordStore(second).get('meta', 'x')).toEqual({ id: 'x', value: 4 });
  });

  it('of version 1 keeps its content, which had one lane', async () => {
    const sandbox = named();
    const bytes = countingBytes(3000);
    const digest = await digestOf(bytes);
    const first = await openDB(databaseName(sandbox), 1, {
      upgrade: async (db, _from, _to, transaction) => {
        await migrations[0]?.(db as never, transaction as never);
        const row = { digest, parts: 'p', size: 3000, chunks: 3, chunkSize: 1000 };
        await transaction.objectStore('blobs').put(row);
        for (const n of [0, 1, 2]) {
          const chunk = bytes.slice(n * 1000, (n + 1) * 1000).buffer;
          await transaction.objectStore('chunks').put(chunk, ['p', n]);
        }
      },
    });
    first.close();
    const store = new IndexedDBContentStore(await opened(sandbox));
    expect(sameBytes(await store.read(digest), bytes)).toBe(true);
    await store.delete(digest);
    expect(await store.list()).toEqual([]);
  });

  it('stays as it was when a step fails', async () => {
    const sandbox = named();
    const first = await SandboxDatabase.open(sandbox);
    await new IndexedDBRecordStore(first).commit([{ kind: 'meta', put: { id: 'x', value: 1 } }]);
    first.close();
    const spoil: Migration = async (_db, transaction) => {
      await transaction.objectStore('meta').clear();
      throw new RangeError('no way on');
    };
    await expect(SandboxDatabase.open(sandbox, [...migrations, spoil])).rejects.toThrow('no way on');
    expect(await new IndexedDBRecordStore(await opened(sandbox)).get('meta', 'x')).toEqual({
      id: 'x',
      value: 1,
    });
  });

  it('does not wait for a tab that hangs with an older version', async () => {
    const sandbox = named();
    (await SandboxDatabase.open(sandbox)).close();
    const hanging = await openDB(databaseName(sandbox));
    closing.push(() => hanging.close());
    const failure = await SandboxDatabase.open(sandbox, [...migrations, () => undefined]).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(SandboxInUseError);
    expect(String(failure)).toContain('close that tab');
  });

  it('shows one connection what another has committed, at once', async () => {
    const sandbox = named();
    const writing = new IndexedDBContentStore(await opened(sandbox));
    const reading = new IndexedDBContentStore(await opened(sandbox));
    const bytes = countingBytes(20 * 1024 * 1024);
    const digest = await digestOf(bytes);
    const put = async () => {
      const writer = await writing.ingest('x');
      await writer.write(bytes);
      await writer.commit(digest);
    };
    await put();
    expect(sameBytes(await reading.read(digest, 1000, 1000), bytes.subarray(1000, 2000))).toBe(true);
    await writing.delete(digest);
    expect(await reading.stat(digest)).toBeUndefined();
    // a blob that came back is read from its new chunks, also where the reader knew none of the old ones
    await put();
    expect(
      sameBytes(await reading.read(digest, 17_000_000, 1000), bytes.subarray(17_000_000, 17_001_000)),
    ).toBe(true);
  });

  it('lets several connections ingest at the same time', async () => {
    const sandbox = named();
    const stores = await Promise.all(
      [1, 2, 3].map(async () => new IndexedDBContentStore(await opened(sandbox))),
    );
    const digests = await Promise.all(
      stores.map(async (store, n) => {
        const bytes = countingBytes(18 * 1024 * 1024, n);
        const writer = await store.ingest(`ingest-${n}`);
        for (let at = 0; at < bytes.byteLength; at += 1_000_000)
          await writer.write(bytes.slice(at, at + 1_000_000));
        const digest = await digestOf(bytes);
        await writer.commit(digest);
        return digest;
      }),
    );
    const [store] = stores;
    for (const digest of digests)
      expect(await digestOf((await store?.read(digest)) ?? new Uint8Array(0))).toBe(digest);
  });
});

describe('content that is removed', () => {
  it('gives its space back', async () => {
    const sandbox = freshSandbox('space');
    const database = await SandboxDatabase.open(sandbox);
    try {
      const store = new IndexedDBContentStore(database);
      const usage = async () => (await navigator.storage.estimate()).usage ?? 0;
      // what the tests before have removed is given back in its own time
      let before = await usage();
      const isSteady = async () => {
        const last = before;
        before = await usage();
        return before === last;
      };
      await expect.poll(isSteady, { interval: 250, timeout: 60_000 }).toBe(true);
      const size = 48 * 1024 * 1024;
      const writer = await store.ingest('x');
      await writer.write(countingBytes(size));
      const digest = await digestOf(new Uint8Array(1));
      await writer.commit(digest);
      await store.read(digest, 0, 1000);
      expect((await usage()) - before).toBeGreaterThan(size * 0.9);
      await store.delete(digest);
      await vi.waitFor(async () => expect((await usage()) - before).toBeLessThan(size * 0.1), {
        timeout: 60_000,
      });
    } finally {
      database.close();
      await deleteSandboxDatabase(sandbox);
    }
  });
});

describe('what the browser’s storage throws', () => {
  it.each([
    [new DOMException('full', 'QuotaExceededError'), StorageFullError, 'free space'],
    [new DOMException('closed', 'InvalidStateError'), StorageFailedError, 'reload the page'],
    [new DOMException('odd', 'UnknownError'), StorageFailedError, 'UnknownError: odd'],
    [new TypeError('odd'), StorageFailedError, 'TypeError: odd'],
    ['odd', StorageFailedError, 'odd'],
  ])('%o', (cause, Class, words) => {
    const failure = storageFailure(cause, 'writing a layer');
    expect(failure).toBeInstanceOf(Class);
    expect(failure.message).toContain('while writing a layer');
    expect(failure.message).toContain(words);
    expect(failure.cause).toBe(cause);
  });

  it('is left alone when it is an error of ours', () => {
    const ours = new StorageFullError('full');
    expect(storageFailure(ours, 'x')).toBe(ours);
  });
});
