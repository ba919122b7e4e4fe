import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import type { Lower } from '../../../src/engine/unionfs/union.ts';
import { committed } from './committing.ts';
import { FaultyJournal } from './faulty-journal.ts';
import { unionOver } from './fixture.ts';
import { Model } from './model.ts';
import { linesForDisk, linesOfModel, linesOfUnion, RealDirectory } from './model-lines.ts';
import {
  doInModel,
  doInUnion,
  fill,
  histories,
  historiesForDisk,
  historiesOfChanges,
  historiesOfHeld,
  lowersOf,
  type Opened,
  outcomeOf,
  type Step,
  settled,
} from './steps.ts';

/** `npm run test:long` takes its time. */
const isLong = process.env.LAYERBOX_LONG === '1';
const limits = { segmentBytes: 400, cacheBytes: 500 };
const over = fc.constantFrom('layers' as const, 'nothing' as const);

/** A union and the model it is held against, on one clock. */
class History {
  readonly model = new Model();
  #journal = new FaultyJournal();
  #lowers: readonly Lower[];
  opened: Opened;

  private constructor(lowers: readonly Lower[], opened: Opened, journal: FaultyJournal) {
    this.#lowers = lowers;
    this.opened = opened;
    this.#journal = journal;
    if (lowers.length > 0) fill(this.model);
    this.model.now = 1_700_000_000_000_000_000n;
  }

  static async begin(start: 'layers' | 'nothing'): Promise<History> {
    const lowers = lowersOf(start, true);
    const journal = new FaultyJournal();
    const clock = { now: () => 0n };
    const union = await unionOver(lowers, { journal, limits, now: () => clock.now() });
    const history = new History(lowers, { union, handles: [] }, journal);
    clock.now = () => history.model.now;
    return history;
  }

  async #open(): Promise<void> {
    const union = await unionOver(this.#lowers, {
      journal: this.#journal,
      limits,
      now: () => this.model.now,
    });
    this.opened = { union, handles: [] };
  }

  /** Does a step in both; they must agree on how it ends. */
  async do(step: Step): Promise<string> {
    const { model } = this;
    model.now += 1_000_001n;
    const wanted = doInModel(model, step);
    const { union } = this.opened;
    switch (step.kind) {
      case 'flush':
        await union.flush();
        break;
      case 'compact':
        await union.compact();
        break;
      case 'layer': {
        // as a commit of a container that runs: what is open in the union stays so
        const stacked = await unionOver([...this.#lowers, await committed(union)], { limits });
        const layered = model.copy();
        layered.commit();
        expect(await linesOfUnion({ union: stacked, handles: [] })).toEqual(linesOfModel(layered));
        break;
      }
      case 'reopen':
        await union.close();
        await this.#open();
        break;
      case 'kill':
        await union.flush();
        this.#journal = this.#journal.copy();
        await this.#open();
        break;
      case 'commit':
        this.#lowers = [...this.#lowers, await committed(union)];
        await union.close();
        this.#journal = new FaultyJournal();
        await this.#open();
        break;
      default:
        expect(outcomeOf(() => doInUnion(this.opened, step))).toBe(wanted);
    }
    return wanted;
  }
}

describe('a union and a model of it', () => {
  it('have the same tree and the same errors, whatever is done and wherever it is reopened or committed', async () => {
    const done = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(over, histories(40), async (start, steps) => {
        const history = await History.begin(start);
        for (const made of steps) {
          const step = settled(made, history.opened.union);
          const outcome = await history.do(step);
          done.set(`${step.kind} ${outcome}`, (done.get(`${step.kind} ${outcome}`) ?? 0) + 1);
          expect(await linesOfUnion(history.opened)).toEqual(linesOfModel(history.model));
        }
      }),
      { numRuns: isLong ? 10_000 : 500 },
    );
    // that the steps reach what they are there for
    const wanted = [
      'rename ok',
      'rename ENOTEMPTY',
      'rename EINVAL',
      'rmdir ENOTEMPTY',
      'link ok',
      'mknod ok',
    ];
    wanted.push(
      'open ok',
      'handleWrite ok',
      'setxattr ok',
      'setxattr ENODATA',
      'layer ok',
      'commit ok',
      'kill ok',
    );
    expect(wanted.filter((each) => !done.has(each))).toEqual([]);
  }, 3_600_000);

  it('stay the same when a layer is taken of what is open, and it is written to and loses its names after that', async () => {
    let written = 0;
    let nameless = 0;
    await fc.assert(
      fc.asyncProperty(over, historiesOfHeld(40), async (start, steps) => {
        const history = await History.begin(start);
        const { union, handles } = history.opened;
        let inLayer: readonly number[] = [];
        for (const made of steps) {
          const step = settled(made, union);
          await history.do(step);
          expect(await linesOfUnion(history.opened)).toEqual(linesOfModel(history.model));
          if (step.kind === 'layer') inLayer = handles.filter((ino) => union.stat(ino).nlink > 0);
          const held = inLayer.filter((ino) => handles.includes(ino));
          if (step.kind === 'handleWrite' && held.includes(handles[step.handle % handles.length] ?? 0)) {
            written += 1;
          }
          nameless += held.filter((ino) => union.stat(ino).nlink === 0).length;
        }
      }),
      { numRuns: isLong ? 10_000 : 100 },
    );
    expect(Math.min(written, nameless)).toBeGreaterThan(20);
  }, 3_600_000);

  it('is a tree that it once was when its last segment is cut at any byte', async () => {
    const flush: Step = { kind: 'flush' };
    await fc.assert(
      fc.asyncProperty(
        historiesOfChanges(40),
        fc.nat({ max: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (steps, flushAt, where) => {
          const lowers = lowersOf('layers', false);
          const journal = new FaultyJournal();
          const opened = { union: await unionOver(lowers, { journal }), handles: [] };
          // what is held open goes when the tab does: nobody holds anything here
          const tree = async (one: Opened) =>
            (await linesOfUnion({ ...one, handles: [] })).slice(0, -1).join('\n');
          let states = [await tree(opened)];
          for (const step of steps.toSpliced(flushAt, 0, flush)) {
            if (step.kind === 'flush') {
              await opened.union.flush();
              states = [await tree(opened)];
            } else outcomeOf(() => doInUnion(opened, settled(step, opened.union)));
            states.push(await tree(opened));
          }
          const before = journal.segments.length;
          await opened.union.flush();
          const last = journal.segments.at(-1);
          if (last === undefined || journal.segments.length === before) return;
          const length = Math.floor(where * last.size);
          journal.cutLast(length);
          const cut = await unionOver(lowers, { journal });
          expect(states).toContain(await tree({ union: cut, handles: [] }));
          expect(cut.damage === undefined).toBe(length === last.size);
          // what it is now is what it stays
          const again = { union: await unionOver(lowers, { journal }), handles: [] };
          expect(await linesOfUnion(again)).toEqual(await linesOfUnion({ union: cut, handles: [] }));
          expect(again.union.damage).toBeUndefined();
        },
      ),
      { numRuns: isLong ? 2000 : 150 },
    );
  }, 3_600_000);

  it('loses nothing wherever a compaction is killed', async () => {
    await fc.assert(
      fc.asyncProperty(historiesOfChanges(40), async (steps) => {
        const lowers = lowersOf('layers', false);
        const journal = new FaultyJournal();
        const opened: Opened = { union: await unionOver(lowers, { journal, limits }), handles: [] };
        for (const step of steps) {
          outcomeOf(() => doInUnion(opened, settled(step, opened.union)));
          await opened.union.flush();
        }
        for (const ino of opened.handles.splice(0)) opened.union.release(ino);
        await opened.union.flush();
        const tree = await linesOfUnion(opened);
        const killed: FaultyJournal[] = [];
        journal.onStep = (now) => killed.push(now.copy());
        await opened.union.compact();
        for (const left of killed) {
          const union = await unionOver(lowers, { journal: left, limits });
          expect(await linesOfUnion({ union, handles: [] })).toEqual(tree);
          expect(union.damage).toBeUndefined();
        }
      }),
      { numRuns: isLong ? 1000 : 60 },
    );
  }, 3_600_000);

  it('resolves the paths that the steps use', async () => {
    const { union, handles } = (await History.begin('layers')).opened;
    expect(union.stat(resolvePath(union, '/a/a-b'))).toMatchObject({ type: 'file', size: 4 });
    expect(handles).toEqual([]);
  });
});

describe.runIf(process.getuid?.() === 0)('a union, its model and a real directory', () => {
  let work = '';
  let number = 0;
  const umask = process.umask(0o022);
  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'layerbox-model-'));
    chmodSync(work, 0o755);
  });
  afterAll(() => {
    process.umask(umask);
    rmSync(work, { recursive: true, force: true });
  });

  it('have the same tree and the same errors', async ({ skip }) => {
    // some filesystems count no subdirectories
    skip(lstatSync(work).nlink !== 2, `${work} is on a filesystem whose directories all have one link`);
    await fc.assert(
      fc.asyncProperty(over, historiesForDisk(40), async (start, steps) => {
        const history = await History.begin(start);
        number += 1;
        const folder = join(work, String(number));
        mkdirSync(folder);
        const real = new RealDirectory(folder);
        real.fill(history.model);
        try {
          for (const made of steps) {
            const step = settled(made, history.opened.union);
            const wanted = await history.do(step);
            expect(real.do(step)).toBe(wanted);
            expect(real.lines()).toEqual(linesForDisk(history.model));
            expect(await linesOfUnion(history.opened)).toEqual(linesOfModel(history.model));
          }
        } finally {
          real.closeAll();
          rmSync(folder, { recursive: true });
        }
      }),
      { numRuns: isLong ? 10_000 : 300 },
    );
  }, 3_600_000);
});
