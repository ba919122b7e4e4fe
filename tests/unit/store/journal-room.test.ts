import { describe, expect, it, vi } from 'vitest';
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
    { now: () => clock.time },
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

describe('the reserve', () => {
  /** A disk that has so much room for it, and what was asked of it. */
  async function held(disk: { room: number }, estimate: Estimate = {}) {
    const clock = { time: 0 };
    const calls: string[] = [];
    const told: string[] = [];
    const room = new StorageRoom(async () => estimate, {
      now: () => clock.time,
      reserve: {
        hold: async (bytes) => {
          calls.push('hold');
          return bytes <= disk.room;
        },
        release: async () => void calls.push('release'),
      },
    });
    await Promise.all([room.ask(), room.hold()]);
    room.onShort = () => told.push('short');
    room.onFull = () => told.push('full');
    return { room, clock, calls, told };
  }

  it('stands for the last bytes, and more may be stored than the browser tells of', async () => {
    const { room } = await held({ room: 100 * MB }, { usage: 10 * MB, quota: 100 * MB });
    expect([room.isShort, room.bytes]).toEqual([false, 90 * MB]);
    room.take(80 * MB);
    expect(room.bytes).toBe(56 * MB);
  });

  it('is given back once, when something is refused, and has room for what was written', async () => {
    const { room, calls, told } = await held({ room: 100 * MB });
    expect(await Promise.all([room.spend(), room.spend()])).toEqual([true, false]);
    expect([calls, told]).toEqual([
      ['hold', 'release'],
      ['short', 'full'],
    ]);
    expect([room.isShort, room.bytes]).toEqual([true, 56 * MB]);
    room.take(46 * MB);
    expect(room.bytes).toBe(10 * MB);
    room.take(15 * MB);
    expect(room.bytes).toBe(0);
  });

  it('is shared by what is written then, and what is removed is given to it', async () => {
    const { room } = await held({ room: 100 * MB });
    await room.spend();
    room.take(57 * MB);
    expect(room.bytes).toBe(0);
    room.give(30 * MB);
    expect(room.bytes).toBe(29 * MB);
    room.give(100 * MB);
    expect(room.bytes).toBe(56 * MB);
  });

  it('is given back when what must not take it is over, or after three seconds', async () => {
    const { room, calls } = await held({ room: 100 * MB });
    let end: () => void = () => undefined;
    room.onShort = () =>
      new Promise<void>((resolve) => {
        end = resolve;
      });
    const first = room.spend();
    await vi.waitUntil(() => room.isShort);
    expect(calls).toEqual(['hold']);
    end();
    await first;
    await room.hold();
    room.onShort = () => new Promise(() => undefined);
    vi.useFakeTimers();
    try {
      const second = room.spend();
      await vi.advanceTimersByTimeAsync(2999);
      expect(calls).toEqual(['hold', 'release', 'hold']);
      await vi.advanceTimersByTimeAsync(1);
      expect(await second).toBe(true);
    } finally {
      vi.useRealTimers();
    }
    expect(calls).toEqual(['hold', 'release', 'hold', 'release']);
  });

  it('of a sandbox that another tab took over is left as it is', async () => {
    const calls: string[] = [];
    let isOwn = true;
    const room = new StorageRoom(async () => ({}), {
      isOwn: async () => isOwn,
      reserve: {
        hold: async () => calls.push('hold') > 0,
        release: async () => void calls.push('release'),
      },
    });
    await room.hold();
    isOwn = false;
    expect(await room.spend()).toBe(false);
    expect([room.isShort, calls]).toEqual([false, ['hold']]);
    isOwn = true;
    await room.spend();
    isOwn = false;
    await room.hold();
    expect([room.isShort, calls]).toEqual([true, ['hold', 'release']]);
  });

  it('is told of in bytes whenever they change', async () => {
    const { room } = await held({ room: 100 * MB });
    const told: number[] = [];
    room.onReserve = (bytes) => told.push(bytes);
    await room.spend();
    await room.hold();
    expect(told).toEqual([64 * MB, 0, 64 * MB]);
  });

  it('is no room any more where something is refused even so', async () => {
    const { room, told } = await held({ room: 100 * MB });
    await room.spend();
    room.refuse();
    expect([room.bytes, told]).toEqual([0, ['short', 'full']]);
    room.take(MB);
    expect(room.bytes).toBe(55 * MB);
  });

  it('is held again when there is room for it, and room is short until then', async () => {
    const disk = { room: 100 * MB };
    const { room, clock, calls } = await held(disk);
    await room.spend();
    disk.room = 63 * MB;
    clock.time += 2001;
    expect(room.bytes).toBe(56 * MB);
    await room.spend(); // after what was asked for before
    expect([calls, room.isShort]).toEqual([['hold', 'release', 'hold'], true]);
    disk.room = 64 * MB;
    clock.time += 1999;
    expect([room.bytes, calls.length]).toEqual([56 * MB, 3]);
    clock.time += 2;
    expect(room.bytes).toBe(56 * MB);
    expect(await room.spend()).toBe(true);
    expect(calls).toEqual(['hold', 'release', 'hold', 'hold', 'release']);
  });

  it('that was not to be had from the start leaves no room, and the page hears of it', async () => {
    const { room, told } = await held({ room: 63 * MB }, { usage: 0, quota: 63 * MB });
    expect([room.isShort, room.bytes, told]).toEqual([true, 0, ['full']]);
    expect(await room.spend()).toBe(false);
  });

  it('that fails otherwise is as none', async () => {
    const room = new StorageRoom(async () => ({ usage: 0, quota: 100 * MB }), {
      reserve: { hold: () => Promise.reject(new TypeError('no')), release: () => Promise.resolve() },
    });
    await Promise.all([room.ask(), room.hold()]);
    expect([room.isShort, room.bytes, await room.spend()]).toEqual([false, 92 * MB, false]);
  });

  it('that could not be had for a while is held later', async () => {
    const clock = { time: 0 };
    let isBusy = true;
    const room = new StorageRoom(async () => ({ usage: 0, quota: 100 * MB }), {
      now: () => clock.time,
      reserve: {
        hold: () => (isBusy ? Promise.reject(new TypeError('busy')) : Promise.resolve(true)),
        release: () => Promise.resolve(),
      },
    });
    await Promise.all([room.ask(), room.hold()]);
    isBusy = false;
    clock.time += 2001;
    expect(room.bytes).toBe(92 * MB);
    expect(await room.spend()).toBe(true);
  });
});

describe('a union over a journal with little room', () => {
  async function opened(room: () => number, isShort = () => false) {
    const journal = await new MemoryJournalStore().open('container/x');
    const limited: Journal = new Proxy(journal, {
      get: (target, name) => {
        if (name === 'room') return room();
        if (name === 'isShort') return isShort();
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

  it('writes nothing again while room is short, and gives back what is dead as a whole', async () => {
    let isShort = false;
    let appended = 0;
    const journal = await new MemoryJournalStore().open('container/x');
    const short: Journal = new Proxy(journal, {
      get: (target, name) => {
        if (name === 'isShort') return isShort;
        if (name === 'append') {
          return (bytes: Uint8Array<ArrayBuffer>) => {
            appended += bytes.length;
            return target.append(bytes);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const union = await openUnion({ lowers: [], journal: short, now: () => 0n });
    const file = (name: string) => union.create(union.root, name, 0o644, OWNER);
    const kept = file('kept');
    for (const [at, name] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      union.write(kept, at * 100_000, new Uint8Array(100_000).fill(at + 1));
      union.write(file(name), 0, new Uint8Array(900_000));
      await union.flush();
    }
    union.write(file('large'), 0, new Uint8Array(3 * MB));
    await union.flush();
    isShort = true;
    for (const name of ['a', 'b', 'c', 'd', 'e', 'large']) union.unlink(union.root, name);
    const before = union.storedBytes();
    appended = 0;
    await union.compact();
    expect(appended).toBeLessThan(10_000);
    expect(before - union.storedBytes()).toBeGreaterThan(2 * MB);
    await union.compact();
    expect(appended).toBeLessThan(10_000);
    isShort = false;
    await union.compact();
    expect(appended).toBeGreaterThan(500_000);
    expect(union.storedBytes()).toBeLessThan(MB);
    expect(await union.read(kept, 300_000, 1)).toEqual(Uint8Array.of(4));
    await union.close();
  });

  it('takes content that was promised room, and nothing new, while room is short', async () => {
    let isShort = false;
    let asked = 0;
    const union = await opened(
      () => {
        asked += 1;
        return MB;
      },
      () => isShort,
    );
    const ino = union.create(union.root, 'file', 0o644, OWNER);
    isShort = true;
    expect([union.isShort, union.space().free]).toEqual([true, 0]);
    union.write(ino, 0, new Uint8Array(1000));
    const before = asked;
    expect(() => union.create(union.root, 'another', 0o644, OWNER)).toThrow('ENOSPC');
    expect(asked).toBe(before + 1); // which is when it is tried whether there is more
    expect(() => union.mkdir(union.root, 'directory', 0o755, OWNER)).toThrow('ENOSPC');
    expect(() => union.link(ino, union.root, 'link')).toThrow('ENOSPC');
    expect(() => union.setxattr(ino, 'user.a', new Uint8Array(1), 0)).toThrow('ENOSPC');
    expect(() => union.setattr(ino, { size: 1001 })).toThrow('ENOSPC');
    expect(union.stat(ino).size).toBe(1000);
    union.setattr(ino, { size: 999 });
    union.setattr(ino, { size: 0 });
    union.rename(union.root, 'file', union.root, 'moved');
    union.unlink(union.root, 'moved');
    isShort = false;
    union.create(union.root, 'another', 0o644, OWNER);
    expect(union.space().free).toBeGreaterThan(0);
    await union.close();
  });
});
