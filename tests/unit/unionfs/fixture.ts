/** Lowers from a few words, and unions over them on journals in memory. */

import type { NewEntry } from '../../../src/engine/layer/layer-index-builder.ts';
import { buildLayerIndex } from '../../../src/engine/layer/layer-index-builder.ts';
import type { DiffID } from '../../../src/engine/oci/digest.ts';
import type { Journal } from '../../../src/engine/store/journal.ts';
import { MemoryJournalStore } from '../../../src/engine/store/memory-journal.ts';
import { type Errno, FsError } from '../../../src/engine/unionfs/errno.ts';
import type { FileSystem } from '../../../src/engine/unionfs/filesystem.ts';
import { type Lower, openUnion, type Union, type UnionOptions } from '../../../src/engine/unionfs/union.ts';
import { walk } from '../../../src/engine/unionfs/walk.ts';

export const ROOT_OWNER = { uid: 0, gid: 0 };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function diffIDOf(number: number): DiffID {
  return `sha256:${number.toString(16).padStart(64, '0')}`;
}

/**
 * One line per entry: `etc/ 755`, `etc/motd = hello`, `bin/sh -> busybox`, `bin/ls => bin/busybox` (hard link),
 * `-etc/passwd` (whiteout), `!etc` (opaque), `dev/null c 1 3`, `run/pipe p`.
 */
export function entryOf(line: string, contents: string[]): NewEntry {
  const base = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 1_000_000_000n };
  if (line.startsWith('-')) return { ...base, path: line.slice(1), type: 'whiteout' };
  if (line.startsWith('!')) return { ...base, path: line.slice(1), type: 'dir', mode: 0o755, opaque: true };
  const [path = '', sign, ...rest] = line.split(' ');
  const value = rest.join(' ');
  if (path.endsWith('/')) {
    return { ...base, path: path.slice(0, -1), type: 'dir', mode: Number.parseInt(sign ?? '755', 8) };
  }
  if (sign === '->') return { ...base, path, type: 'symlink', mode: 0o777, link: value };
  if (sign === '=>') return { ...base, path, type: 'hardlink', link: value };
  if (sign === 'p') return { ...base, path, type: 'fifo' };
  if (sign === 'c') return { ...base, path, type: 'char', rdev: [Number(rest[0]), Number(rest[1])] };
  const offset = contents.reduce((sum, content) => sum + content.length, 0);
  contents.push(value);
  return { ...base, path, type: 'file', size: value.length, offset };
}

/** A lower whose contents are ASCII; `late`: read with a promise, as from storage. */
export function lowerOf(number: number, lines: readonly string[], late = false): Lower {
  const contents: string[] = [];
  const index = buildLayerIndex(
    diffIDOf(number),
    lines.map((line) => entryOf(line, contents)),
  );
  const tar = bytesOf(contents.join(''));
  const read = (offset: number, length: number) => tar.subarray(offset, offset + length);
  return { index, read: late ? async (offset, length) => read(offset, length) : read };
}

/** A clock that never gives one time twice. */
export function ticking(): () => bigint {
  let time = 1_700_000_000_000_000_000n;
  return () => {
    time += 1_000_000n;
    return time;
  };
}

/** Nothing flushes by itself. */
export const never = () => () => undefined;

/** A compaction that pauses goes on as soon as what waits for nothing is done. */
export const atOnce = async () => undefined;

export async function memoryJournal(): Promise<Journal> {
  return await new MemoryJournalStore().open('test');
}

export async function unionOver(
  lowers: readonly Lower[],
  options: Partial<UnionOptions> = {},
): Promise<Union> {
  const journal = options.journal ?? (await memoryJournal());
  return await openUnion({ now: ticking(), schedule: never, pause: atOnce, ...options, lowers, journal });
}

export function errnoOf(act: () => unknown): Errno | 'ok' {
  try {
    act();
    return 'ok';
  } catch (error) {
    if (error instanceof FsError) return error.errno;
    throw error;
  }
}

export async function errnoOfPromise(promise: Promise<unknown>): Promise<Errno | 'ok'> {
  try {
    await promise;
    return 'ok';
  } catch (error) {
    if (error instanceof FsError) return error.errno;
    throw error;
  }
}

/** The tree as lines: path, type letter and what is in it. */
export async function treeOf(fs: FileSystem): Promise<string[]> {
  const lines: string[] = [];
  for (const { path, stat, link } of walk(fs)) {
    if (path === '/') continue;
    if (stat.type === 'dir') lines.push(`${path}/`);
    else if (stat.type === 'file') {
      lines.push(`${path} = ${textOf(await fs.read(stat.ino, 0, stat.size))}`);
    } else if (stat.type === 'symlink') lines.push(`${path} -> ${link}`);
    else lines.push(`${path} ${stat.type} ${stat.rdev.join(' ')}`);
  }
  return lines;
}

/** Puts a file with this content there. */
export function put(fs: FileSystem, directory: number, name: string, content: string): number {
  const ino = fs.create(directory, name, 0o644, ROOT_OWNER);
  fs.write(ino, 0, bytesOf(content));
  return ino;
}
