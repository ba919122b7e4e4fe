import { describe, expect, it } from 'vitest';
import type { Journal } from '../../../src/engine/store/journal.ts';
import { MemoryJournalStore } from '../../../src/engine/store/memory-journal.ts';
import { openUnion } from '../../../src/engine/unionfs/union.ts';
import { type Estimate, StorageRoom } from '../../../src/storage/storage-room.ts';

const MB = 1024 * 1024;
const OWNER = { uid: 0, gid: 0 };

/** A room whose browser says what `estimate` holds, on a clock that stands still until it is moved. */
function roomOf(estimate: { value: Estimate | Error }) {
  const clock = { time: 0 };
  let asked = 0;
  const room = new StorageRoom(
    async () => {
      asked += 1;
      if (estimate.value instanceof Error) throw estimate.value;
      return estimate.value;
    },
    () => clock.time,
  );
  return { room, clock, asked: () => asked };
}

describe('the room that is left', () => {
  it('is what the browser gives, less what is stored and a reserve of 8 MB', async () => {
    const { room } = roomOf({ value: { usage: 10 * MB, quota: 100 * MB } });
    await room.ask();
    expect(room.bytes).toBe(82 * MB);
    room.take(80 * MB);
    expect(room.bytes).toBe(2 * MB);
    room.take(10 * MB);
    expect(room.bytes).toBe(0);
  });

  it('is asked for anew sooner where there is little', async () => {
    const estimate: { value: Estimate } = { value: { usage: 0, quota: 20 * MB } };
    const { room, clock, asked } = roomOf(estimate);
    await room.ask();
    expect([room.bytes, asked()]).toEqual([12 * MB, 1]);
    estimate.value = { usage: 0, quota: 1000 * MB };
    clock.time += 501;
    expect(room.bytes).toBe(12 * MB); // the answer is on its way
    await room.ask();
    expect([room.bytes, asked()]).toEqual([992 * MB, 2]);
    clock.time += 501;
    expect([room.bytes, asked()]).toEqual([992 * MB, 2]);
    clock.time += 5000;
    expect([room.bytes, asked()]).toEqual([992 * MB, 3]);
  });

  it.each<[string, Estimate | Error]>([
    ['does not tell', {}],
    ['fails', new TypeError('no')],
  ])('is no limit where the browser %s', async (_, value) => {
    const { room } = roomOf({ value });
    await room.ask();
    expect(room.bytes).toBe(Number.POSITIVE_INFINITY);
  });

  it('is none once the browser refused to store, whatever it says, until it stores again', async () => {
    const { room } = roomOf({ value: { usage: 0, quota: 1000 * MB } });
    let told = 0;
    room.onFull = () => {
      told += 1;
    };
    await room.ask();
    room.refuse();
    room.refuse();
    expect([room.bytes, told]).toEqual([0, 1]);
    await room.ask();
    expect(room.bytes).toBe(0);
    room.take(MB);
    expect(room.bytes).toBe(991 * MB);
    room.refuse();
    expect([room.bytes, told]).toEqual([0, 2]);
  });
});

describe('a union over a journal with little room', () => {
  async function opened(room: () => number) {
    const journal = await new MemoryJournalStore().open('container/x');
    const limited: Journal = new Proxy(journal, {
      get: (target, name) => {
        if (name === 'room') return room();
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return openUnion({ lowers: [], journal: limited, now: () => 0n });
  }

  it('gives ENOSPC to what does not fit, and takes removals, renames and what fits again', async () => {
    let room = MB;
    const union = await opened(() => room);
    const ino = union.create(union.root, 'file', 0o644, OWNER);
    union.write(ino, 0, new Uint8Array(MB / 2));
    expect(() => union.write(ino, MB / 2, new Uint8Array(MB / 2))).toThrow('ENOSPC');
    await union.flush();
    room = MB / 2 - 1;
    expect(() => union.write(ino, MB / 2, new Uint8Array(MB / 2))).toThrow('ENOSPC');
    expect(union.stat(ino).size).toBe(MB / 2);
    expect(union.space().free).toBe(Math.floor((MB / 2 - 1) / union.space().blockSize));
    room = 0;
    expect(() => union.create(union.root, 'another', 0o644, OWNER)).toThrow('ENOSPC');
    union.rename(union.root, 'file', union.root, 'moved');
    union.unlink(union.root, 'moved');
    await union.flush();
    room = MB;
    union.create(union.root, 'another', 0o644, OWNER);
    await union.close();
  });
});
