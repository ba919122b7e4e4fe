import { wrap } from 'comlink';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cdp } from 'vitest/browser';
import { StorageFullError } from '../../src/engine/errors.ts';
import { digestOf } from '../../src/engine/oci/digest.ts';
import { deleteSandboxDatabase, SandboxDatabase } from '../../src/storage/database.ts';
import { IndexedDBContentStore } from '../../src/storage/indexeddb-content.ts';
import { IndexedDBRecordStore } from '../../src/storage/indexeddb-records.ts';
import { LightningJournalStore } from '../../src/storage/lightning-journal.ts';
import { deleteSegmentDatabase } from '../../src/storage/segment-database.ts';
import { StorageRoom } from '../../src/storage/storage-room.ts';
import { countingBytes } from '../conformance/bytes.ts';
import { freshSandbox } from '../conformance/sandbox-name.ts';
import type { ReserveWorker } from './reserve-worker.ts';

const mebibyte = 1024 * 1024;

/** Allows the origin so many bytes more than it has; undefined for the browser's own limit. */
async function allow(more: number | undefined): Promise<void> {
  const { usage = 0 } = await navigator.storage.estimate();
  await cdp().send('Storage.overrideQuotaForOrigin', {
    origin: location.origin,
    ...(more === undefined ? {} : { quotaSize: usage + more }),
  });
}

describe('a full storage', () => {
  const sandbox = freshSandbox('full');
  let database: SandboxDatabase;
  let journals: LightningJournalStore;

  beforeAll(async () => {
    database = await SandboxDatabase.open(sandbox);
    journals = await LightningJournalStore.open(sandbox);
    const records = new IndexedDBRecordStore(database);
    // Chromium asks for the limit only when what it remembers of it is used up, or half a minute old.
    await vi.waitFor(
      async () => {
        // each time anew: what earlier suites removed may be given back only now
        await allow(4 * mebibyte);
        const id = 'probe/1';
        const refused = await records
          .commit([{ kind: 'logs', put: { id, bytes: countingBytes(6 * mebibyte) } }])
          .then(
            () => false,
            (error: unknown) => error instanceof StorageFullError,
          );
        await records.commit([{ kind: 'logs', delete: id }]);
        if (!refused) throw new Error('the new limit is not felt yet');
      },
      { timeout: 100_000, interval: 1000 },
    );
  }, 120_000);

  afterAll(async () => {
    await allow(undefined);
    await journals.close();
    database.close();
    await deleteSandboxDatabase(sandbox);
    await deleteSegmentDatabase(sandbox);
  });

  it('fails a commit of records whole', async () => {
    const records = new IndexedDBRecordStore(database);
    await expect(
      records.commit([
        { kind: 'meta', put: { id: 'x', value: 1 } },
        { kind: 'logs', put: { id: 'c/1', bytes: countingBytes(8 * mebibyte) } },
      ]),
    ).rejects.toThrow(StorageFullError);
    expect(await records.ids('meta')).toEqual([]);
    await records.commit([{ kind: 'meta', put: { id: 'x', value: 1 } }]);
  });

  it('takes the reserve for records, and tries them again, but not for those of images', async () => {
    let spent = 0;
    const spend = async () => {
      spent += 1;
      await allow(10 * mebibyte);
      return true;
    };
    const records = new IndexedDBRecordStore(database, { spend });
    const bytes = countingBytes(8 * mebibyte);
    const pulled = {
      kind: 'layers',
      put: { id: await digestOf(bytes), size: 1, index: bytes.buffer },
    } as const;
    await expect(records.commit([pulled])).rejects.toThrow(StorageFullError);
    expect(spent).toBe(0);
    await records.commit([{ kind: 'logs', put: { id: 'c/1', bytes } }]);
    expect([spent, await records.ids('logs'), await records.ids('layers')]).toEqual([1, ['c/1'], []]);
    await records.commit([{ kind: 'logs', delete: 'c/1' }]);
  });

  it('fails an append to a journal, after which smaller ones and removals go on', async () => {
    const journal = await journals.open('host');
    const kept = await journal.append(countingBytes(10_000));
    await expect(journal.append(countingBytes(16 * mebibyte))).rejects.toThrow(StorageFullError);
    const next = await journal.append(Uint8Array.of(1));
    await journal.remove([kept]);
    expect(journal.segments).toEqual([{ number: next, size: 1 }]);
    await journals.close();
    journals = await LightningJournalStore.open(sandbox);
    expect((await journals.open('host')).segments).toEqual([{ number: next, size: 1 }]);
  });

  it('gives a reserve back when a journal has no room, which then goes on, and holds it again when there is room', async () => {
    await journals.close();
    const worker = new Worker(new URL('./reserve-worker.ts', import.meta.url), { type: 'module' });
    const remote = wrap<ReserveWorker>(worker);
    const reserve = {
      hold: (bytes: number) => remote.hold(sandbox, bytes),
      release: () => remote.release(sandbox),
    };
    let time = 0;
    const room = new StorageRoom(() => navigator.storage.estimate(), { now: () => time, reserve });
    await allow(68 * mebibyte);
    await room.hold();
    expect(room.isShort).toBe(false);
    journals = await LightningJournalStore.open(sandbox, { room });
    const journal = await journals.open('full');
    const numbers: number[] = [];
    // what Chromium remembers of the limit may be larger than it is
    while (!room.isShort && numbers.length < 200) numbers.push(await journal.append(countingBytes(mebibyte)));
    expect([room.isShort, journal.isShort]).toEqual([true, true]);
    for (let more = 0; more < 55; more += 1) numbers.push(await journal.append(countingBytes(mebibyte)));
    expect(journal.room).toBe(0);
    expect(journal.segments.length).toBe(numbers.length);
    await room.hold();
    expect(room.isShort).toBe(true);
    await journal.remove(numbers.splice(0, 30));
    expect(journal.room).toBe(30 * mebibyte);
    for (let more = 0; more < 30; more += 1) numbers.push(await journal.append(countingBytes(mebibyte)));
    expect(journal.room).toBe(0);
    await journal.remove(numbers);
    await vi.waitFor(
      async () => {
        time += 3000;
        await allow(76 * mebibyte);
        expect(journal.room).toBeGreaterThanOrEqual(0);
        await room.hold();
        expect(room.isShort).toBe(false);
      },
      { timeout: 30_000, interval: 500 },
    );
    await journals.close();
    journals = await LightningJournalStore.open(sandbox);
    await reserve.release();
    worker.terminate();
    await allow(4 * mebibyte);
  });

  it('ends an ingest with a sentence, leaves what was there, and takes more once there is room', async () => {
    const content = new IndexedDBContentStore(database);
    const small = countingBytes(1000);
    const digest = await digestOf(small);
    const first = await content.ingest('small');
    await first.write(small);
    await first.commit(digest);

    const large = countingBytes(64 * mebibyte);
    const ingestLarge = async () => {
      const writer = await content.ingest('large');
      try {
        for (let at = 0; at < large.byteLength; at += mebibyte)
          await writer.write(large.slice(at, at + mebibyte));
        await writer.commit(await digestOf(large));
      } catch (error) {
        await writer.abort();
        throw error;
      }
    };
    const failure = await ingestLarge().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageFullError);
    expect(String(failure)).toContain('free space');
    expect(await content.list()).toEqual([{ digest, size: 1000 }]);
    expect(await content.pendingIngests()).toEqual([]);

    await allow(undefined);
    await ingestLarge();
    expect((await content.list()).length).toBe(2);
  });

  it('ends an ingest that is under way when room gets short, and hears of what is removed', async () => {
    const given: number[] = [];
    const room = { isShort: false, give: (bytes: number) => given.push(bytes) };
    const content = new IndexedDBContentStore(database, undefined, room);
    const bytes = countingBytes(100_000);
    const writer = await content.ingest('under way');
    await writer.write(bytes);
    room.isShort = true;
    await expect(writer.write(bytes)).rejects.toThrow(StorageFullError);
    await writer.abort();
    await expect(content.ingest('another')).rejects.toThrow(StorageFullError);
    room.isShort = false;
    const again = await content.ingest('again');
    await again.write(bytes);
    const digest = await digestOf(bytes);
    await again.commit(digest);
    await content.delete(digest);
    await content.delete(digest);
    expect(given).toEqual([100_000, 0]);
  });
});

describe('a reserve', () => {
  it('is held though a worker that is ending has its file for a moment longer', async () => {
    const sandbox = freshSandbox('reserve');
    const worker = new Worker(new URL('./reserve-worker.ts', import.meta.url), { type: 'module' });
    expect(await wrap<ReserveWorker>(worker).holdWhileOpen(sandbox, mebibyte)).toBe(true);
    worker.terminate();
    await deleteSandboxDatabase(sandbox);
  });
});

describe('room that gets short', () => {
  it('ends a file that is being written, and nothing of it is left', async () => {
    const sandbox = freshSandbox('short');
    const worker = new Worker(new URL('./reserve-worker.ts', import.meta.url), { type: 'module' });
    const after = await wrap<ReserveWorker>(worker).writtenWhenShort(sandbox);
    expect(after).toEqual({ written: 1, failure: 'StorageFull', left: [] });
    worker.terminate();
    await deleteSandboxDatabase(sandbox);
  });
});
