import { describe, expect, it } from 'vitest';
import { StorageFailedError, StorageFullError } from '../../../src/engine/errors.ts';
import type { LayerIndex } from '../../../src/engine/layer/layer-index.ts';
import { resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import { FaultyJournal } from './faulty-journal.ts';
import {
  bytesOf,
  errnoOf,
  errnoOfPromise,
  lowerOf,
  put,
  ROOT_OWNER,
  textOf,
  treeOf,
  unionOver,
} from './fixture.ts';

/** Timers that a test lets run out. */
function clockwork() {
  const timers = new Map<() => void, number>();
  return {
    timers,
    schedule: (callback: () => void, milliseconds: number) => {
      timers.set(callback, milliseconds);
      return () => {
        timers.delete(callback);
      };
    },
    ring: () => {
      const due = [...timers.keys()];
      timers.clear();
      for (const callback of due) callback();
    },
  };
}

describe('flush', () => {
  it('makes one segment of all that came before, and none when there is nothing', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal });
    await union.flush();
    expect(journal.segments).toEqual([]);
    put(union, union.root, 'a', '1');
    put(union, union.root, 'b', '2');
    await Promise.all([union.flush(), union.flush(), union.flush()]);
    expect(journal.segments.length).toBe(1);
    await union.flush();
    expect(journal.segments.length).toBe(1);
  });

  it('comes by itself 200 ms after the first change, once', async () => {
    const { timers, ring, schedule } = clockwork();
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal, schedule });
    expect(timers.size).toBe(0);
    put(union, union.root, 'a', '1');
    put(union, union.root, 'b', '2');
    expect([...timers.values()]).toEqual([200]);
    const appended = new Promise((resolve) => {
      journal.onStep = resolve;
    });
    ring();
    await appended;
    expect(await treeOf(await unionOver([], { journal }))).toEqual(['/a = 1', '/b = 2']);
    expect(timers.size).toBe(0);
  });

  it('comes at once when a segment is full, in segments of a bounded length', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal });
    const file = union.create(union.root, 'big', 0o644, ROOT_OWNER);
    const appended = new Promise((resolve) => {
      journal.onStep = resolve;
    });
    union.write(file, 0, new Uint8Array(5 * 1024 * 1024).fill(7));
    await appended;
    await union.flush();
    expect(journal.segments.length).toBeGreaterThan(3);
    for (const { size } of journal.segments) expect(size).toBeLessThan(1.5 * 1024 * 1024);
    const again = await unionOver([], { journal, limits: { cacheBytes: 0 } });
    const read = await again.read(resolvePath(again, '/big'), 0, 6 * 1024 * 1024);
    expect([read.length, read.every((byte) => byte === 7)]).toEqual([5 * 1024 * 1024, true]);
  });

  it('copies what it is given: the writer may use its buffer again', async () => {
    const union = await unionOver([]);
    const file = union.create(union.root, 'f', 0o644, ROOT_OWNER);
    const buffer = bytesOf('one');
    union.write(file, 0, buffer);
    buffer.fill(0);
    expect(textOf(await union.read(file, 0, 3))).toBe('one');
  });

  it.each([
    { failure: new StorageFullError('full'), errno: 'ENOSPC' },
    { failure: new StorageFailedError('broken'), errno: 'EIO' },
    { failure: new Error('anything'), errno: 'EIO' },
  ])(
    'rejects with $errno for $failure, keeps what is pending and stores it when it can',
    async ({ failure, errno }) => {
      const { timers, ring, schedule } = clockwork();
      const journal = new FaultyJournal();
      const union = await unionOver([], { journal, schedule });
      put(union, union.root, 'a', '1');
      journal.appendFailure = failure;
      const outcomes = await Promise.all([errnoOfPromise(union.flush()), errnoOfPromise(union.flush())]);
      expect(outcomes).toEqual([errno, errno]);
      put(union, union.root, 'b', '2');
      expect(await errnoOfPromise(union.flush())).toBe(errno);
      expect(await treeOf(union)).toEqual(['/a = 1', '/b = 2']);
      // it tries again by itself, more slowly
      expect([...timers.values()]).toEqual([2000]);
      journal.appendFailure = undefined;
      ring();
      await union.flush();
      expect(await treeOf(await unionOver([], { journal }))).toEqual(['/a = 1', '/b = 2']);
    },
  );

  it('rejects close too, and the journal is closed', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal });
    put(union, union.root, 'a', '1');
    journal.appendFailure = new StorageFullError('full');
    expect(await errnoOfPromise(union.close())).toBe('ENOSPC');
    expect(journal.closed).toBe(true);
    expect(errnoOf(() => put(union, union.root, 'b', '2'))).toBe('EIO');
  });
});

describe('memory and room', () => {
  it('makes writers wait above the bound, and lets them go when the journal took it', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal, limits: { pendingBytes: 1000 } });
    const file = union.create(union.root, 'f', 0o644, ROOT_OWNER);
    expect(union.ready()).toBeUndefined();
    union.write(file, 0, new Uint8Array(1000));
    const ready = union.ready();
    expect(ready).toBeInstanceOf(Promise);
    await ready;
    expect(union.ready()).toBeUndefined();
    expect(journal.segments.length).toBe(1);
  });

  it('refuses writes above the bound while storage is full, never removals', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal, limits: { pendingBytes: 1000 } });
    journal.appendFailure = new StorageFullError('full');
    const file = union.create(union.root, 'f', 0o644, ROOT_OWNER);
    union.write(file, 0, new Uint8Array(1000));
    await union.ready();
    expect(union.ready()).toBeUndefined();
    expect(errnoOf(() => union.write(file, 0, bytesOf('x')))).toBe('ENOSPC');
    expect(errnoOf(() => union.create(union.root, 'g', 0o644, ROOT_OWNER))).toBe('ENOSPC');
    union.unlink(union.root, 'f');
    journal.appendFailure = undefined;
    await union.flush();
    put(union, union.root, 'g', 'x');
    expect(await treeOf(union)).toEqual(['/g = x']);
  });

  it('is ENOSPC at the write that goes beyond the capacity, and statfs says what is free', async () => {
    let capacity = 40_960;
    const union = await unionOver([], { limits: { capacity: () => capacity } });
    const file = union.create(union.root, 'f', 0o644, ROOT_OWNER);
    expect([union.space().blocks, union.space().free, union.space().files]).toEqual([10, 9, 2]);
    union.write(file, 0, new Uint8Array(30_000));
    expect(errnoOf(() => union.write(file, 30_000, new Uint8Array(20_000)))).toBe('ENOSPC');
    expect([union.stat(file).size, union.space().free]).toEqual([30_000, 2]);
    capacity *= 2;
    union.write(file, 30_000, new Uint8Array(20_000));
    expect(union.stat(file).size).toBe(50_000);
  });
});

describe('opening', () => {
  it('refuses a journal that was written over other layers', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([lowerOf(1, ['a = 1'])], { journal });
    union.unlink(union.root, 'a');
    await union.flush();
    await expect(unionOver([lowerOf(2, ['a = 1'])], { journal })).rejects.toThrow(StorageFailedError);
    await expect(unionOver([], { journal })).rejects.toThrow('written over 1 layers');
    await union.compact();
    await expect(unionOver([lowerOf(2, ['a = 1'])], { journal })).rejects.toThrow('written over 1 layers');
  });

  it('refuses what is no journal of an upper', async () => {
    const journal = new FaultyJournal();
    await journal.append(bytesOf('something quite different, longer than any header'));
    await expect(unionOver([], { journal })).rejects.toThrow('it is no segment of an upper');
  });

  it('stops at a damaged record, says so, and goes on from there', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal });
    put(union, union.root, 'a', 'first');
    await union.flush();
    put(union, union.root, 'b', 'second');
    await union.flush();
    put(union, union.root, 'c', 'third');
    await union.flush();
    const second = journal.stored.get(2);
    if (second !== undefined) second[second.length - 1] = (second.at(-1) ?? 0) ^ 1;
    const opened = await unionOver([], { journal });
    expect(opened.damage).toBe('segment 2: the checksum of record 1 is wrong');
    expect(await treeOf(opened)).toEqual(['/a = first', '/b = ']);
    put(opened, opened.root, 'd', 'fourth');
    await opened.flush();
    const again = await unionOver([], { journal });
    expect([again.damage, await treeOf(again)]).toEqual([undefined, ['/a = first', '/b = ', '/d = fourth']]);
  });

  it('is EIO to read what a segment has lost since', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal, limits: { cacheBytes: 0 } });
    const a = put(union, union.root, 'a', 'content');
    const b = put(union, union.root, 'b', 'other');
    await union.flush();
    put(union, union.root, 'c', 'x');
    await union.flush();
    const bytes = journal.stored.get(1);
    if (bytes !== undefined) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const read = async (ino: number) => await union.read(ino, 0, 9);
    expect(await errnoOfPromise(read(a))).toBe('EIO');
    journal.stored.delete(1);
    expect(await errnoOfPromise(read(b))).toBe('EIO');
  });
});

describe('compaction', () => {
  it('over layers whose content has moved reads it where it is now', async () => {
    const journal = new FaultyJournal();
    const lower = lowerOf(1, ['first = one', 'second = 0123456789']);
    const union = await unionOver([lower], { journal });
    const ino = resolvePath(union, '/second');
    union.write(ino, 3, bytesOf('xyz'));
    await union.compact();
    await union.close();
    const moved = lowerOf(1, ['second = 0123456789', 'first = one']);
    const again = await unionOver([moved], { journal });
    expect(await treeOf(again)).toEqual(['/first = one', '/second = 012xyz6789']);
  });

  it('bounds the number of segments that many small flushes make', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([lowerOf(1, ['d/a = 1'])], { journal });
    const d = resolvePath(union, '/d');
    for (let i = 0; i < 400; i++) {
      put(union, d, `f${i}`, `content ${i}`);
      await union.flush();
      // as a journal on a disk has it: what compacts meanwhile goes on
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(journal.segments.length).toBeLessThan(80);
    const again = await unionOver([lowerOf(1, ['d/a = 1'])], { journal });
    expect(again.readdir(d).length).toBe(401);
    expect(textOf(await again.read(resolvePath(again, '/d/f123'), 0, 99))).toBe('content 123');
  });

  it('gives back what was overwritten and removed', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal });
    const file = union.create(union.root, 'f', 0o644, ROOT_OWNER);
    for (let round = 0; round < 20; round++) {
      union.write(file, 0, new Uint8Array(1024 * 1024).fill(round));
      await union.flush();
    }
    await union.compact();
    expect(journal.bytes).toBeLessThan(1.2 * 1024 * 1024);
    expect(union.storedBytes()).toBe(journal.bytes);
    const read = await union.read(file, 0, 1024 * 1024);
    expect(read.every((byte) => byte === 19)).toBe(true);
    union.unlink(union.root, 'f');
    await union.compact();
    expect(journal.bytes).toBeLessThan(1000);
  });

  it('starts by itself when much is dead', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal });
    const file = union.create(union.root, 'f', 0o644, ROOT_OWNER);
    union.write(file, 0, new Uint8Array(8 * 1024 * 1024));
    await union.flush();
    const removed = new Promise<void>((resolve) => {
      journal.onStep = ({ removed: numbers }) => {
        if (numbers.length > 0) resolve();
      };
    });
    union.unlink(union.root, 'f');
    await union.flush();
    await removed;
    await union.close();
    expect(journal.bytes).toBeLessThan(1000);
  });

  it('goes on with writers and readers meanwhile', async () => {
    const journal = new FaultyJournal();
    const limits = { segmentBytes: 2000, cacheBytes: 0 };
    const union = await unionOver([], { journal, limits });
    const files = Array.from({ length: 20 }, (_, i) => put(union, union.root, `f${i}`, `old ${i}`));
    for (const [i, file] of files.entries()) {
      union.write(file, 0, bytesOf(`new ${i}`));
      await union.flush();
    }
    const compacting = union.compact();
    const reads = files.map(async (file) => textOf(await union.read(file, 0, 9)));
    union.write(files[3] ?? 0, 0, bytesOf('NEW'));
    union.unlink(union.root, 'f4');
    const texts = await Promise.all(reads);
    expect(texts).toEqual(files.map((_, i) => `new ${i}`));
    await compacting;
    const tree = await treeOf(union);
    expect(tree).toContain('/f3 = NEW 3');
    await union.flush();
    expect(await treeOf(await unionOver([], { journal, limits }))).toEqual(tree);
  });

  it('loses nothing when the journal is full or cannot remove, and reopening then cleans up', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal });
    for (let i = 0; i < 5; i++) {
      put(union, union.root, `f${i}`, `${i}`);
      await union.flush();
    }
    const tree = await treeOf(union);
    journal.appendFailure = new StorageFullError('full');
    expect(await errnoOfPromise(union.compact())).toBe('ENOSPC');
    expect(await treeOf(await unionOver([], { journal: journal.copy() }))).toEqual(tree);
    journal.appendFailure = undefined;
    journal.removeFailure = new StorageFailedError('no');
    await expect(union.compact()).rejects.toThrow('no');
    const left = journal.copy();
    const again = await unionOver([], { journal: left });
    expect(await treeOf(again)).toEqual(tree);
    await again.compact();
    expect(left.segments.length).toBe(1);
    expect(await treeOf(await unionOver([], { journal: left }))).toEqual(tree);
  });

  it('keeps what is open without a name, until it is closed', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal });
    const file = put(union, union.root, 'f', 'open');
    union.hold(file);
    union.unlink(union.root, 'f');
    await union.compact();
    expect(textOf(await union.read(file, 0, 9))).toBe('open');
    const again = await unionOver([], { journal: journal.copy() });
    expect([errnoOf(() => again.stat(file)), again.space().files]).toEqual(['ESTALE', 1]);
    union.release(file);
    await union.compact();
    expect(journal.bytes).toBeLessThan(300);
  });
});

describe('what it costs', () => {
  it('to append 1 KB to a file of 200 MB is a few KB', async () => {
    const journal = new FaultyJournal();
    const size = 200 * 1024 * 1024;
    const lower = lowerOf(1, ['big = x']);
    const columns = { ...lower.index.columns, size: Float64Array.of(0, size) };
    const { diffID, count, buffer } = lower.index;
    const index: LayerIndex = {
      diffID,
      count,
      buffer,
      columns,
      entry: (number) => lower.index.entry(number),
      find: (path) => lower.index.find(path),
      children: (directory) => lower.index.children(directory),
      child: (directory, name) => lower.index.child(directory, name),
      path: (number) => lower.index.path(number),
    };
    const union = await unionOver([{ index, read: (_, length) => new Uint8Array(length) }], { journal });
    const file = resolvePath(union, '/big');
    expect(union.stat(file).size).toBe(size);
    union.write(file, size, new Uint8Array(1024).fill(1));
    await union.flush();
    expect(union.stat(file).size).toBe(size + 1024);
    expect(journal.bytes).toBeLessThan(2048);
    expect(union.usedBytes()).toBe(size + 1024);
    const tail = await union.read(file, size - 2, 4);
    expect([...tail]).toEqual([0, 0, 1, 1]);
  });

  it('to rename a directory of 10,000 files is one record, over the lower and in the upper', async () => {
    const journal = new FaultyJournal();
    const lines = Array.from({ length: 10_000 }, (_, i) => `d/f${i} = x`);
    const union = await unionOver([lowerOf(1, lines)], { journal });
    union.rename(union.root, 'd', union.root, 'e');
    await union.flush();
    expect(journal.bytes).toBeLessThan(300);
    expect(union.readdir(resolvePath(union, '/e')).length).toBe(10_000);
    const own = union.mkdir(union.root, 'own', 0o755, ROOT_OWNER);
    for (let i = 0; i < 10_000; i++) union.create(own, `f${i}`, 0o644, ROOT_OWNER);
    await union.flush();
    const before = journal.bytes;
    union.rename(union.root, 'own', union.root, 'moved');
    await union.flush();
    expect(journal.bytes - before).toBeLessThan(200);
  });

  it('to write a byte at a time is hardly more than to write at once', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal });
    const file = union.create(union.root, 'f', 0o644, ROOT_OWNER);
    for (let i = 0; i < 10_000; i++) union.write(file, i, bytesOf(String(i % 10)));
    await union.flush();
    expect(journal.bytes).toBeLessThan(10_300);
    const again = await unionOver([], { journal });
    expect(textOf(await again.read(file, 9995, 10))).toBe('56789');
  });

  it('to open after a compaction is to read what came since', async () => {
    const journal = new FaultyJournal();
    const union = await unionOver([], { journal });
    const file = union.create(union.root, 'f', 0o644, ROOT_OWNER);
    union.write(file, 0, new Uint8Array(10 * 1024 * 1024).fill(1));
    await union.compact();
    put(union, union.root, 'g', 'x');
    await union.flush();
    const read: number[] = [];
    const counting = journal.copy();
    const original = counting.read.bind(counting);
    counting.read = (number) => {
      read.push(number);
      return original(number);
    };
    const again = await unionOver([], { journal: counting });
    expect(new Set(read).size).toBeLessThan(4);
    expect((await again.read(file, 5_000_000, 1))[0]).toBe(1);
  });
});
