/** Steps of a random history of a filesystem: how they are made up, and what each does to a model and to a union. */

import fc from 'fast-check';
import { FsError } from '../../../src/engine/unionfs/errno.ts';
import { resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import type { Lower, Union } from '../../../src/engine/unionfs/union.ts';
import { walk } from '../../../src/engine/unionfs/walk.ts';
import { bytesOf, lowerOf } from './fixture.ts';
import { type Changes, type Model, type ModelNode, modelNode, type Outcome } from './model.ts';

export type Step =
  | { readonly kind: 'create' | 'mkdir' | 'unlink' | 'rmdir' | 'open' | 'opendir'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'mknod';
      readonly path: string;
      readonly type: 'char' | 'block' | 'fifo' | 'socket';
      readonly minor: number;
    }
  | { readonly kind: 'write'; readonly path: string; readonly offset: number; readonly text: string }
  | { readonly kind: 'truncate' | 'chmod'; readonly path: string; readonly value: number }
  | { readonly kind: 'chown'; readonly path: string; readonly uid: number; readonly gid: number }
  | { readonly kind: 'utimes'; readonly path: string; readonly atime: number; readonly mtime: number }
  | { readonly kind: 'rename' | 'link'; readonly path: string; readonly to: string }
  | {
      readonly kind: 'setxattr';
      readonly path: string;
      readonly name: string;
      readonly text: string;
      readonly flags: number;
    }
  | { readonly kind: 'removexattr'; readonly path: string; readonly name: string }
  | {
      readonly kind: 'handleWrite';
      readonly handle: number;
      readonly offset: number;
      readonly text: string;
    }
  | { readonly kind: 'handleTruncate' | 'handleChmod'; readonly handle: number; readonly value: number }
  | { readonly kind: 'handleCreate'; readonly handle: number; readonly name: string }
  | { readonly kind: 'close'; readonly handle: number }
  | { readonly kind: 'flush' | 'compact' | 'layer' | 'reopen' | 'kill' | 'commit' };

/** Few, so that steps meet; one that sorts between "a" and "a/". */
const NAMES = ['a', 'b', 'c', 'a-b'];
const name = fc.constantFrom(...NAMES);
const anyPath = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const index = fc.nat({ max: 30 });
/** Mostly of what is there when the step is done: `#5` is the sixth of the tree, `@2/b` a name in the third directory. */
const path = fc.oneof(
  { arbitrary: anyPath, weight: 1 },
  { arbitrary: index.map((number) => `#${number}`), weight: 4 },
  { arbitrary: fc.tuple(index, name).map(([number, last]) => `@${number}/${last}`), weight: 4 },
);
const text = fc.string({ unit: fc.constantFrom('x', 'y', 'z'), minLength: 1, maxLength: 12 });
const small = fc.nat({ max: 24 });
const handle = fc.nat({ max: 3 });
const mode = fc.constantFrom(0o600, 0o644, 0o755, 0o700, 0o4755);
const second = fc.integer({ min: 0, max: 500_000_000 });
const xattr = fc.constantFrom('user.a', 'user.b');

/** What a real directory can do through Node too. */
const common: readonly fc.WeightedArbitrary<Step>[] = [
  { arbitrary: fc.record({ kind: fc.constantFrom('create', 'mkdir', 'unlink', 'rmdir'), path }), weight: 5 },
  { arbitrary: fc.record({ kind: fc.constant('symlink'), path, target: anyPath }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('write'), path, offset: small, text }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('truncate'), path, value: small }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('chmod'), path, value: mode }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('chown'), path, uid: small, gid: small }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('utimes'), path, atime: second, mtime: second }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constantFrom('rename', 'link'), path, to: path }), weight: 5 },
  { arbitrary: fc.record({ kind: fc.constant('open'), path }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('handleWrite'), handle, offset: small, text }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('handleTruncate'), handle, value: small }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('handleChmod'), handle, value: mode }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('close'), handle }), weight: 1 },
];
const linuxOnly: readonly fc.WeightedArbitrary<Step>[] = [
  {
    arbitrary: fc.record({
      kind: fc.constant('mknod'),
      path,
      type: fc.constantFrom('char', 'block', 'fifo', 'socket'),
      minor: small,
    }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('setxattr'),
      path,
      name: xattr,
      text,
      flags: fc.nat({ max: 2 }),
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ kind: fc.constant('removexattr'), path, name: xattr }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('opendir'), path }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('handleCreate'), handle, name }), weight: 1 },
];
/** Without change to the tree. `layer` takes the upper as a layer and goes on; `commit` starts anew over one lower more. */
const lifecycle: readonly fc.WeightedArbitrary<Step>[] = [
  { arbitrary: fc.record({ kind: fc.constant('layer') }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constantFrom('flush', 'compact', 'reopen', 'kill') }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('commit') }), weight: 1 },
];

/** Much that is open, goes and is written to, and a layer taken in between. */
const held: readonly fc.WeightedArbitrary<Step>[] = [
  {
    arbitrary: fc.record({ kind: fc.constantFrom('open', 'open', 'unlink', 'unlink', 'create'), path }),
    weight: 10,
  },
  { arbitrary: fc.record({ kind: fc.constantFrom('rename', 'link'), path, to: path }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('handleWrite'), handle, offset: small, text }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('handleTruncate'), handle, value: small }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('close'), handle }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constantFrom('layer', 'layer', 'flush', 'compact') }), weight: 3 },
];

/** Long ones: left to itself fast-check makes most of them short. A step shrinks to none. */
const history =
  (...steps: (readonly fc.WeightedArbitrary<Step>[])[]) =>
  (length: number) =>
    fc
      .array(fc.option(fc.oneof(...steps.flat()), { freq: 20 }), { minLength: length, maxLength: length })
      .map((made) => made.filter((step) => step !== null));
/** Histories of at most so many steps. */
export const histories = history(common, linuxOnly, lifecycle);
export const historiesOfChanges = history(common, linuxOnly);
export const historiesOfHeld = history(held);
export const historiesForDisk = history(common, lifecycle);

/** The step about the paths that `#` and `@` stand for now. */
export function settled(step: Step, union: Union): Step {
  const all: string[] = [];
  const directories: string[] = [];
  for (const { path, stat } of walk(union)) {
    all.push(path);
    if (stat.type === 'dir') directories.push(path);
  }
  const settle = (path: string): string => {
    const [first = '', ...rest] = path.split('/');
    const number = Number(first.slice(1));
    if (first.startsWith('#')) return (all[1 + (number % Math.max(all.length - 1, 1))] ?? '/a').slice(1);
    if (!first.startsWith('@')) return path;
    return [directories[number % directories.length], ...rest].join('/').replace(/^\/+/, '');
  };
  if (!('path' in step)) return step;
  const path = settle(step.path);
  return 'to' in step ? { ...step, path, to: settle(step.to) } : { ...step, path };
}

/** Two layers: the second hides, replaces and links to what the first has. */
export const LAYERS: readonly (readonly string[])[] = [
  ['a/ 755', 'a/a = one', 'a/b/ 755', 'a/b/c = deep', 'b = file', 'a/c => b', 'c -> a/b'],
  ['-c', 'c/ 755', 'c/a = upper', 'a-b/ 755', 'a-b/a = y', 'a-b/b => a/a', 'a/a-b -> b/c', 'c/b -> b'],
];

export function lowersOf(over: 'layers' | 'nothing', late: boolean): readonly Lower[] {
  return over === 'nothing' ? [] : LAYERS.map((lines, number) => lowerOf(number, lines, late));
}

/** Puts into the model what the layers have. */
export function fill(model: Model): void {
  const file = modelNode('file', 'file');
  const one = modelNode('file', 'one');
  for (const directory of ['a', 'a/b', 'c', 'a-b']) model.add(directory, modelNode('dir'));
  model.add('b', file);
  model.add('a/a', one);
  for (const [target, at] of [
    ['b', 'a/c'],
    ['a/a', 'a-b/b'],
  ] as const) {
    model.link(target, at);
  }
  model.add('a/b/c', modelNode('file', 'deep'));
  model.add('c/a', modelNode('file', 'upper'));
  model.add('a-b/a', modelNode('file', 'y'));
  model.add('a/a-b', modelNode('symlink', 'b/c'));
  model.add('c/b', modelNode('symlink', 'b'));
  // no layer names the root
  Object.assign(model.root, { atime: 0n, mtime: 0n, ctime: 0n });
}

/** What each step changes of the owner, size, mode and times of what it is about. */
function changesOf(step: Step): Changes {
  switch (step.kind) {
    case 'truncate':
    case 'handleTruncate':
      return { size: step.value };
    case 'chmod':
    case 'handleChmod':
      return { mode: step.value };
    case 'chown':
      return { uid: step.uid, gid: step.gid };
    case 'utimes':
      return { atime: BigInt(step.atime) * 1_000_000_000n, mtime: BigInt(step.mtime) * 1_000_000_000n };
    default:
      return {};
  }
}

/** chown(2) and utimes(2) as Node's lchown and lutimes: of the symlink itself. */
const followsLast = (step: Step) => step.kind !== 'chown' && step.kind !== 'utimes';

export function doInModel(model: Model, step: Step): Outcome {
  const made = (type: Parameters<typeof modelNode>[0], content = '', rdev?: string) =>
    modelNode(type, content, model.now, rdev);
  const onNode = (path: string, follow: boolean, act: (node: ModelNode) => Outcome): Outcome => {
    const node = model.find(path, follow);
    return typeof node === 'string' ? node : act(node);
  };
  const onHandle = (number: number, act: (node: ModelNode) => Outcome): Outcome => {
    const node = model.handles[number % model.handles.length];
    return node === undefined ? 'ok' : act(node);
  };
  switch (step.kind) {
    case 'create':
      return model.add(step.path, made('file'));
    case 'mkdir':
      return model.add(step.path, made('dir'));
    case 'symlink':
      return model.add(step.path, made('symlink', step.target));
    case 'mknod': {
      const isDevice = step.type === 'char' || step.type === 'block';
      return model.add(step.path, made(step.type, '', isDevice ? `7,${step.minor}` : undefined));
    }
    case 'unlink':
    case 'rmdir':
      return model.remove(step.path, step.kind);
    case 'open':
      return model.open(step.path, 'file');
    case 'opendir':
      return model.open(step.path, 'dir');
    case 'write':
      return onNode(step.path, true, (node) => model.write(node, step.offset, step.text));
    case 'truncate':
    case 'chmod':
    case 'chown':
    case 'utimes':
      return onNode(step.path, followsLast(step), (node) => model.change(node, changesOf(step)));
    case 'rename':
      return model.rename(step.path, step.to);
    case 'link':
      return model.link(step.path, step.to);
    case 'setxattr':
      return onNode(step.path, true, (node) => model.setXattr(node, step.name, step.text, step.flags));
    case 'removexattr':
      return onNode(step.path, true, (node) => model.removeXattr(node, step.name));
    case 'handleWrite':
      return onHandle(step.handle, (node) => model.write(node, step.offset, step.text));
    case 'handleTruncate':
    case 'handleChmod':
      return onHandle(step.handle, (node) => model.change(node, changesOf(step)));
    case 'handleCreate':
      return onHandle(step.handle, (node) => model.addTo(node, step.name, made('file')));
    case 'close':
      if (model.handles.length > 0) model.handles.splice(step.handle % model.handles.length, 1);
      return 'ok';
    case 'commit':
      model.commit();
      return 'ok';
    case 'reopen':
    case 'kill':
      model.handles = [];
      return 'ok';
    default:
      return 'ok';
  }
}

/** A union and what is held open in it. */
export interface Opened {
  readonly union: Union;
  readonly handles: number[];
}

function placeOf(union: Union, at: string): [number, string] {
  const slash = at.lastIndexOf('/');
  const directory = resolvePath(union, at.slice(0, Math.max(slash, 0)));
  union.parent(directory); // ENOTDIR
  return [directory, at.slice(slash + 1)];
}

export function outcomeOf(act: () => unknown): Outcome {
  try {
    act();
    return 'ok';
  } catch (error) {
    if (error instanceof FsError) return error.errno;
    throw error;
  }
}

const OWNER = { uid: 0, gid: 0 };

/** Does what changes the tree; the other steps are its caller's. Throws FsError. */
export function doInUnion({ union, handles }: Opened, step: Step): void {
  const find = (path: string, followLast = true) => resolvePath(union, path, { followLast });
  const change = (ino: number) => {
    const { atime, mtime, ...attributes } = changesOf(step);
    union.setattr(ino, {
      ...attributes,
      ...(atime === undefined ? {} : { atimeNs: atime }),
      ...(mtime === undefined ? {} : { mtimeNs: mtime }),
    });
  };
  const hold = (ino: number) => {
    union.hold(ino);
    handles.push(ino);
  };
  const handle = 'handle' in step ? handles[step.handle % handles.length] : undefined;
  switch (step.kind) {
    case 'create':
      union.create(...placeOf(union, step.path), 0o644, OWNER);
      break;
    case 'mkdir':
      union.mkdir(...placeOf(union, step.path), 0o755, OWNER);
      break;
    case 'symlink':
      union.symlink(...placeOf(union, step.path), step.target, OWNER);
      break;
    case 'mknod':
      union.mknod(...placeOf(union, step.path), step.type, 0o644, [7, step.minor], OWNER);
      break;
    case 'unlink':
      union.unlink(...placeOf(union, step.path));
      break;
    case 'rmdir':
      union.rmdir(...placeOf(union, step.path));
      break;
    case 'open': {
      const ino = find(step.path);
      const { type } = union.stat(ino);
      if (type !== 'file') throw new FsError(type === 'dir' ? 'EISDIR' : 'EINVAL');
      hold(ino);
      break;
    }
    case 'opendir': {
      const ino = find(step.path);
      union.parent(ino); // ENOTDIR
      hold(ino);
      break;
    }
    case 'write':
      union.write(find(step.path), step.offset, bytesOf(step.text));
      break;
    case 'truncate':
    case 'chmod':
    case 'chown':
    case 'utimes':
      change(find(step.path, followsLast(step)));
      break;
    case 'rename':
      union.rename(...placeOf(union, step.path), ...placeOf(union, step.to));
      break;
    case 'link': {
      const ino = find(step.path, false);
      union.link(ino, ...placeOf(union, step.to));
      break;
    }
    case 'setxattr':
      union.setxattr(find(step.path), step.name, bytesOf(step.text), step.flags);
      break;
    case 'removexattr':
      union.removexattr(find(step.path), step.name);
      break;
    case 'handleWrite':
      if (handle !== undefined) union.write(handle, step.offset, bytesOf(step.text));
      break;
    case 'handleTruncate':
    case 'handleChmod':
      if (handle !== undefined) change(handle);
      break;
    case 'handleCreate':
      if (handle !== undefined) union.create(handle, step.name, 0o644, OWNER);
      break;
    case 'close':
      if (handle === undefined) break;
      handles.splice(step.handle % handles.length, 1);
      union.release(handle);
      break;
    default:
      throw new TypeError(`${step.kind} is no change`);
  }
}
