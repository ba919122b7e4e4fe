/** What every RecordStore does. */

import { afterEach, describe, expect, it } from 'vitest';
import type { DiffID } from '../../src/engine/oci/digest.ts';
import type { Change, LogRecord, RecordStore } from '../../src/engine/store/records.ts';
import { countingBytes } from './bytes.ts';

export interface RecordsUnderTest {
  readonly store: RecordStore;
  /** The same records as a new tab sees them. */
  reopen(): Promise<RecordStore>;
  close(): Promise<void>;
}

const log = (id: string, ...bytes: number[]): LogRecord => ({ id, bytes: Uint8Array.from(bytes) });
const putLog = (id: string, ...bytes: number[]): Change => ({ kind: 'logs', put: log(id, ...bytes) });

export function describeRecordStore(name: string, open: () => Promise<RecordsUnderTest>): void {
  describe(`record store: ${name}`, () => {
    const opened: RecordsUnderTest[] = [];
    const opening = async (): Promise<RecordsUnderTest> => {
      const under = await open();
      opened.push(under);
      return under;
    };
    afterEach(async () => {
      for (const under of opened.splice(0)) await under.close();
    });

    it('gives undefined, or an empty list, for what is not there', async () => {
      const { store } = await opening();
      expect(await store.get('images', 'nobody')).toBeUndefined();
      expect(await store.list('images')).toEqual([]);
      expect(await store.ids('images')).toEqual([]);
      await store.commit([]);
      await store.commit([{ kind: 'images', delete: 'nobody' }]);
    });

    it('keeps buffers as they were, whole', async () => {
      const under = await opening();
      const id: DiffID = `sha256:${'1'.repeat(64)}`;
      const index = countingBytes(100_000).buffer;
      await under.store.commit([{ kind: 'layers', put: { id, size: 7, index } }, putLog('c/1', 1, 2, 3)]);
      for (const store of [under.store, await under.reopen()]) {
        const layer = await store.get('layers', id);
        expect(layer?.size).toBe(7);
        expect(new Uint8Array(layer?.index ?? new ArrayBuffer(0))).toEqual(countingBytes(100_000));
        expect(await store.get('logs', 'c/1')).toEqual(log('c/1', 1, 2, 3));
      }
    });

    it('replaces a record of the same kind and ID, and keeps kinds apart', async () => {
      const { store } = await opening();
      await store.commit([
        { kind: 'meta', put: { id: 'x', value: 1 } },
        { kind: 'logs', put: log('x', 1) },
      ]);
      await store.commit([{ kind: 'meta', put: { id: 'x', value: 'two' } }]);
      expect(await store.get('meta', 'x')).toEqual({ id: 'x', value: 'two' });
      expect(await store.get('logs', 'x')).toEqual(log('x', 1));
      await store.commit([{ kind: 'meta', delete: 'x' }]);
      expect(await store.get('meta', 'x')).toBeUndefined();
      expect(await store.get('logs', 'x')).toEqual(log('x', 1));
    });

    it('lists by ID, code units ascending, and by prefix', async () => {
      const { store } = await opening();
      const ids = ['b', 'a/2', 'a/10', 'a', 'a0', 'Z', 'é', 'a/', '😀', '￮'];
      await store.commit(ids.map((id) => putLog(id)));
      const sorted = ['Z', 'a', 'a/', 'a/10', 'a/2', 'a0', 'b', 'é', '😀', '￮'];
      expect(await store.ids('logs')).toEqual(sorted);
      expect((await store.list('logs')).map((record) => record.id)).toEqual(sorted);
      expect(await store.ids('logs', 'a/')).toEqual(['a/', 'a/10', 'a/2']);
      expect((await store.list('logs', 'a/')).map((record) => record.id)).toEqual(['a/', 'a/10', 'a/2']);
      expect(await store.ids('logs', 'nothing')).toEqual([]);
    });

    it('applies the changes of a commit in order', async () => {
      const { store } = await opening();
      await store.commit([
        putLog('c/1', 1),
        { kind: 'logs', delete: 'c/1' },
        putLog('c/2', 2),
        putLog('c/2', 3),
      ]);
      expect(await store.list('logs')).toEqual([log('c/2', 3)]);
    });

    it('commits all or nothing', async () => {
      const under = await opening();
      await under.store.commit([{ kind: 'meta', put: { id: 'before', value: 1 } }]);
      const uncloneable = log('bad');
      Object.assign(uncloneable, { hook: () => undefined });
      await expect(
        under.store.commit([
          { kind: 'meta', delete: 'before' },
          { kind: 'meta', put: { id: 'after', value: 2 } },
          { kind: 'logs', put: uncloneable },
        ]),
      ).rejects.toThrow();
      for (const store of [under.store, await under.reopen()]) {
        expect(await store.list('meta')).toEqual([{ id: 'before', value: 1 }]);
        expect(await store.list('logs')).toEqual([]);
      }
      await under.store.commit([{ kind: 'meta', put: { id: 'after', value: 2 } }]);
      expect(await under.store.ids('meta')).toEqual(['after', 'before']);
    });

    it('shares no state with who wrote or read a record', async () => {
      const { store } = await opening();
      const bytes = Uint8Array.of(1, 2, 3);
      await store.commit([{ kind: 'logs', put: { id: 'c/1', bytes } }]);
      bytes.fill(9);
      (await store.get('logs', 'c/1'))?.bytes.fill(9);
      (await store.list('logs'))[0]?.bytes.fill(9);
      expect(await store.get('logs', 'c/1')).toEqual(log('c/1', 1, 2, 3));
    });

    it('has what a commit acknowledged after a reopening, in the order of the commits', async () => {
      const under = await opening();
      await Promise.all(
        [1, 2, 3, 4, 5].map((n) => under.store.commit([{ kind: 'meta', put: { id: 'n', value: n } }])),
      );
      expect(await (await under.reopen()).get('meta', 'n')).toEqual({ id: 'n', value: 5 });
    });
  });
}
