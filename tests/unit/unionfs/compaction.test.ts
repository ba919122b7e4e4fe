/** Compaction works in slices: what is done between them, and how much one of them does. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Union } from '../../../src/engine/unionfs/union.ts';
import { FaultyJournal } from './faulty-journal.ts';
import { put, ROOT_OWNER, textOf, unionOver } from './fixture.ts';
import { linesOfUnion } from './model-lines.ts';
import { doInUnion, historiesOfChanges, lowersOf, type Opened, outcomeOf, settled } from './steps.ts';

const isLong = process.env.LAYERBOX_LONG === '1';

/** The tree; what is open without a name counts as a file, and is gone when it is opened again. */
async function namedLines(union: Union): Promise<string[]> {
  const lines = await linesOfUnion({ union, handles: [] });
  return lines.filter((line) => !/^\d+ files$/.test(line));
}

describe('a compaction', () => {
  it('lets operations between its slices, and keeps each of them wherever it is killed', async () => {
    let between = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('layers' as const, 'nothing' as const),
        historiesOfChanges(30),
        historiesOfChanges(30),
        async (start, before, during) => {
          const lowers = lowersOf(start, false);
          const journal = new FaultyJournal();
          const opened: Opened = {
            union: await unionOver(lowers, {
              journal,
              limits: { segmentBytes: 300, cacheBytes: 500, slice: 1 },
              pause: async () => {
                const step = todo.shift();
                if (step === undefined) return;
                between += 1;
                outcomeOf(() => doInUnion(opened, settled(step, opened.union)));
                seen.push((await namedLines(opened.union)).join('\n'));
              },
            }),
            handles: [],
          };
          const { union } = opened;
          for (const step of before) outcomeOf(() => doInUnion(opened, settled(step, union)));
          await union.flush();
          const todo = [...during];
          const seen = [(await namedLines(union)).join('\n')];
          const killed: FaultyJournal[] = [];
          journal.onStep = (now) => killed.push(now.copy());
          await union.compact();
          await union.flush();
          const tree = await namedLines(union);
          const left = journal.copy();
          expect(await namedLines(await unionOver(lowers, { journal: left }))).toEqual(tree);
          for (const copy of killed) {
            const again = await unionOver(lowers, { journal: copy });
            expect(again.damage).toBeUndefined();
            // records of one operation may lie in two segments only where it was several: a state that was there
            expect(seen).toContain((await namedLines(again)).join('\n'));
          }
        },
      ),
      { numRuns: isLong ? 2000 : 100 },
    );
    expect(between).toBeGreaterThan(500);
  }, 3_600_000);

  it('that is given up in the middle is as if it had not begun', async () => {
    const journal = new FaultyJournal();
    let pauses = 0;
    let giveUp = () => Promise.resolve();
    const union = await unionOver([], {
      journal,
      limits: { slice: 1 },
      pause: async () => {
        pauses += 1;
        if (pauses === 30) void giveUp();
      },
    });
    for (let i = 0; i < 40; i++) {
      put(union, union.root, `f${i}`, `content ${i}`);
      if (i % 4 === 0) await union.flush();
    }
    const tree = await namedLines(union);
    const closed = new Promise<void>((resolve, reject) => {
      giveUp = () => union.close().then(resolve, reject);
    });
    await union.compact();
    await closed;
    expect(journal.removed).toEqual([]);
    const again = await unionOver([], { journal });
    expect(await namedLines(again)).toEqual(tree);
    await again.compact();
    expect(journal.segments.length).toBe(1);
    expect(await namedLines(await unionOver([], { journal }))).toEqual(tree);
  });

  it('of 20,000 files lets whoever asks in between have the answer within a slice or two', async () => {
    const journal = new FaultyJournal();
    let slices = 0;
    const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
    const union = await unionOver([], {
      journal,
      // what is in the cache needs no journal
      limits: { cacheBytes: 0 },
      pause: () => {
        slices += 1;
        return turn();
      },
    });
    const directory = union.mkdir(union.root, 'd', 0o755, ROOT_OWNER);
    for (let i = 0; i < 20_000; i++) {
      put(union, directory, `file-${i}`, `content ${i}`);
      if (i % 500 === 0) await union.flush();
    }
    await union.flush();
    const before = slices;
    let isRunning = true;
    const running = union.compact().then(() => {
      isRunning = false;
    });
    /** Of each kind of question the most slices that were done while one waited for its answer. */
    const waited = { look: 0, read: 0, write: 0, sync: 0 };
    let turns = 0;
    for (; isRunning; turns++) {
      await turn();
      const asked = async (kind: keyof typeof waited, question: () => unknown) => {
        const at = slices;
        await question();
        waited[kind] = Math.max(waited[kind], slices - at);
      };
      const number = (turns * 7919) % 20_000;
      let ino = 0;
      await asked('look', () => {
        ino = union.lookup(directory, `file-${number}`);
      });
      await asked('read', async () => {
        expect(textOf(await union.read(ino, 0, 100))).toBe(`content ${number}`);
      });
      await asked('write', () => put(union, union.root, `new-${turns}`, `${turns}`));
      await asked('sync', () => union.flush());
    }
    await running;
    expect(slices - before).toBeGreaterThan(40);
    expect(turns).toBeGreaterThan(20);
    expect(waited).toEqual({
      look: 0,
      read: expect.toBeOneOf([0, 1, 2]),
      write: 0,
      sync: expect.toBeOneOf([0, 1, 2]),
    });
  });

  it('writes a bounded number of bytes between two pauses, of 20,000 files and of a file in 20,000 pieces', async () => {
    const journal = new FaultyJournal();
    const slices: number[] = [];
    let last = 0;
    const union = await unionOver([], {
      journal,
      pause: async () => {
        slices.push(union.storedBytes() - last);
        last = union.storedBytes();
      },
    });
    for (let d = 0; d < 20; d++) {
      const directory = union.mkdir(union.root, `d${d}`, 0o755, ROOT_OWNER);
      for (let i = 0; i < 1000; i++) put(union, directory, `file-${i}`, `${i}`);
      await union.flush();
    }
    const pieces = union.create(union.root, 'pieces', 0o644, ROOT_OWNER);
    for (let i = 20_000; i > 0; i--) union.write(pieces, i * 8, Uint8Array.of(i));
    await union.flush();
    last = union.storedBytes();
    await union.compact();
    expect(slices.length).toBeGreaterThan(40);
    expect(Math.max(...slices)).toBeLessThan(1.2 * 1024 * 1024);
    expect(await union.read(pieces, 8 * 1234, 1)).toEqual(Uint8Array.of(1234 & 0xff));
  });
});
