import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Errno, FsError } from '../../../src/engine/unionfs/errno.ts';
import { resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import type { Lower, Union } from '../../../src/engine/unionfs/union.ts';
import { walk } from '../../../src/engine/unionfs/walk.ts';
import { FaultyJournal } from './faulty-journal.ts';
import { bytesOf, lowerOf, ROOT_OWNER, textOf, unionOver } from './fixture.ts';
import { Model, modelDirectory, modelFile } from './model.ts';

const NAMES = ['a', 'b', 'c', 'a-b'];
const path = fc
  .array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 })
  .map((names) => names.join('/'));
const text = fc.string({ unit: fc.constantFrom('x', 'y', 'z'), minLength: 1, maxLength: 12 });
const small = fc.nat({ max: 24 });

type Step =
  | { readonly kind: 'create' | 'mkdir' | 'unlink' | 'rmdir' | 'deleteOpen'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'write'; readonly path: string; readonly offset: number; readonly text: string }
  | { readonly kind: 'truncate' | 'chmod'; readonly path: string; readonly value: number }
  | { readonly kind: 'rename' | 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'flush' | 'compact' | 'reopen' | 'kill' };

const change: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('create', 'mkdir', 'unlink', 'rmdir', 'deleteOpen'), path }),
  fc.record({ kind: fc.constant('symlink'), path, target: text }),
  { arbitrary: fc.record({ kind: fc.constant('write'), path, offset: small, text }), weight: 2 },
  fc.record({ kind: fc.constantFrom('truncate', 'chmod'), path, value: small }),
  { arbitrary: fc.record({ kind: fc.constantFrom('rename', 'link'), path, to: path }), weight: 3 },
);
const durable: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('flush', 'compact', 'reopen', 'kill'),
});

function placeOf(union: Union, at: string): [number, string] {
  const slash = at.lastIndexOf('/');
  const parent = at.slice(0, Math.max(slash, 0));
  let ino = union.root;
  for (const name of parent.split('/').filter((part) => part !== '')) ino = union.lookup(ino, name);
  union.parent(ino); // ENOTDIR
  return [ino, at.slice(slash + 1)];
}

function inoOf(union: Union, at: string): number {
  return union.lookup(...placeOf(union, at));
}

function outcome(act: () => unknown): Errno | 'ok' {
  try {
    act();
    return 'ok';
  } catch (error) {
    if (error instanceof FsError) return error.errno;
    throw error;
  }
}

function doInModel(model: Model, step: Step): Errno | 'ok' {
  switch (step.kind) {
    case 'create':
      return model.add(step.path, modelFile(''));
    case 'mkdir':
      return model.add(step.path, modelDirectory());
    case 'symlink':
      return model.add(step.path, modelFile(step.target, 'symlink'));
    case 'unlink':
    case 'deleteOpen':
      return model.remove(step.path, 'unlink');
    case 'rmdir':
      return model.remove(step.path, 'rmdir');
    case 'write':
      return model.write(step.path, step.offset, step.text);
    case 'truncate':
      return model.truncate(step.path, step.value);
    case 'chmod':
      return model.chmod(step.path, step.value);
    case 'rename':
      return model.rename(step.path, step.to);
    case 'link':
      return model.link(step.path, step.to);
    default:
      return 'ok';
  }
}

function doInUnion(union: Union, step: Step): unknown {
  switch (step.kind) {
    case 'create':
      return union.create(...placeOf(union, step.path), 0o644, ROOT_OWNER);
    case 'mkdir':
      return union.mkdir(...placeOf(union, step.path), 0o755, ROOT_OWNER);
    case 'symlink': {
      const [directory, name] = placeOf(union, step.path);
      return union.symlink(directory, name, step.target, ROOT_OWNER);
    }
    case 'unlink':
      return union.unlink(...placeOf(union, step.path));
    case 'deleteOpen': {
      const ino = inoOf(union, step.path);
      union.hold(ino);
      try {
        union.unlink(...placeOf(union, step.path));
        // what is open can be written to, name or not; a file with other names must not change
        if (union.stat(ino).nlink === 0 && union.stat(ino).type === 'file')
          union.write(ino, 3, bytesOf('gone'));
      } finally {
        union.release(ino);
      }
      return;
    }
    case 'rmdir':
      return union.rmdir(...placeOf(union, step.path));
    case 'write':
      return union.write(inoOf(union, step.path), step.offset, bytesOf(step.text));
    case 'truncate':
      return union.setattr(inoOf(union, step.path), { size: step.value });
    case 'chmod':
      return union.setattr(inoOf(union, step.path), { mode: step.value });
    case 'rename': {
      const [from, name] = placeOf(union, step.path);
      return union.rename(from, name, ...placeOf(union, step.to));
    }
    case 'link': {
      const ino = inoOf(union, step.path);
      return union.link(ino, ...placeOf(union, step.to));
    }
    default:
      return;
  }
}

/** Lines as `Model.lines` writes them, sorted. */
async function linesOf(union: Union): Promise<string[]> {
  const lines: string[] = [];
  for (const { path: at, stat, link } of walk(union)) {
    const line = `${at} ${stat.type} ${stat.mode.toString(8)} ${stat.nlink}`;
    if (stat.type === 'dir') lines.push(line);
    else {
      const content = link ?? textOf(await union.read(stat.ino, 0, stat.size));
      lines.push(`${line} ${JSON.stringify(content)}`);
    }
  }
  return lines.sort();
}

const LOWERS: readonly (readonly string[])[] = [
  ['a/ 755', 'a/a = one', 'a/b/ 755', 'a/b/c = deep', 'b = file', 'a/c => b', 'c -> a/b'],
  ['-c', 'c/ 755', 'c/a = upper', 'a-b/ 755', 'a-b/a = y', 'a-b/b => a/a'],
];

async function modelOf(lowers: readonly Lower[]): Promise<Model> {
  const model = new Model();
  if (lowers.length === 0) return model;
  const shared = modelFile('file');
  shared.nlink = 2;
  const one = modelFile('one');
  one.nlink = 2;
  for (const directory of ['a', 'a/b', 'c', 'a-b']) model.add(directory, modelDirectory());
  model.add('a/a', one);
  model.add('a-b/b', one);
  model.add('a/b/c', modelFile('deep'));
  model.add('b', shared);
  model.add('a/c', shared);
  model.add('c/a', modelFile('upper'));
  model.add('a-b/a', modelFile('y'));
  return model;
}

const limits = { segmentBytes: 400, cacheBytes: 500 };
const lowersOf = (over: 'lowers' | 'nothing', late: boolean) =>
  over === 'nothing' ? [] : LOWERS.map((lines, number) => lowerOf(number, lines, late));

describe('a union and a model of it', () => {
  it('have the same tree and the same errors, whatever is done and wherever it is reopened', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('lowers' as const, 'nothing' as const),
        fc.array(fc.oneof({ arbitrary: change, weight: 9 }, { arbitrary: durable, weight: 2 }), {
          maxLength: 60,
          size: 'max',
        }),
        async (over, steps) => {
          const lowers = lowersOf(over, true);
          const model = await modelOf(lowers);
          let journal = new FaultyJournal();
          let union = await unionOver(lowers, { journal, limits });
          for (const step of steps) {
            if (step.kind === 'flush') await union.flush();
            else if (step.kind === 'compact') await union.compact();
            else if (step.kind === 'reopen') {
              await union.close();
              union = await unionOver(lowers, { journal, limits });
            } else if (step.kind === 'kill') {
              await union.flush();
              journal = journal.copy();
              union = await unionOver(lowers, { journal, limits });
            } else {
              expect(outcome(() => doInUnion(union, step))).toBe(doInModel(model, step));
            }
            expect(await linesOf(union)).toEqual(model.lines().sort());
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is a tree that it once was when its last segment is cut at any byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ arbitrary: change, weight: 6 }, { arbitrary: durable, weight: 1 }), {
          maxLength: 40,
          size: 'max',
        }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (steps, where) => {
          const lowers = lowersOf('lowers', false);
          const journal = new FaultyJournal();
          const union = await unionOver(lowers, { journal });
          let states = [(await linesOf(union)).join('\n')];
          for (const step of steps) {
            if (step.kind === 'flush' || step.kind === 'reopen' || step.kind === 'kill') {
              await union.flush();
              states = [(await linesOf(union)).join('\n')];
            } else if (step.kind !== 'compact') outcome(() => doInUnion(union, step));
            states.push((await linesOf(union)).join('\n'));
          }
          const before = journal.segments.length;
          await union.flush();
          const last = journal.segments.at(-1);
          if (last === undefined || journal.segments.length === before) return;
          const length = Math.floor(where * last.size);
          journal.cutLast(length);
          const cut = await unionOver(lowers, { journal });
          expect(states).toContain((await linesOf(cut)).join('\n'));
          expect(cut.damage === undefined).toBe(length === last.size);
          // what it is now is what it stays
          const again = await unionOver(lowers, { journal });
          expect(await linesOf(again)).toEqual(await linesOf(cut));
          expect(again.damage).toBeUndefined();
        },
      ),
      { numRuns: 150 },
    );
  });

  it('loses nothing wherever a compaction is killed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
        const lowers = lowersOf('lowers', false);
        const journal = new FaultyJournal();
        const union = await unionOver(lowers, { journal, limits });
        for (const step of steps) {
          outcome(() => doInUnion(union, step));
          await union.flush();
        }
        const tree = await linesOf(union);
        const killed: FaultyJournal[] = [];
        journal.onStep = (now) => killed.push(now.copy());
        await union.compact();
        for (const left of killed) {
          const reopened = await unionOver(lowers, { journal: left, limits });
          expect(await linesOf(reopened)).toEqual(tree);
          expect(reopened.damage).toBeUndefined();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('resolves the paths that the steps use', async () => {
    const union = await unionOver(lowersOf('lowers', false));
    expect(inoOf(union, 'a/b/c')).toBe(resolvePath(union, '/a/b/c'));
  });
});
