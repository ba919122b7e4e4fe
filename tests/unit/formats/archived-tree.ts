/** A real tree for real tools to archive, and what Layerbox and umoci make of the archives. */

import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { LayerFromTar } from '../../../src/engine/layer/layer-from-tar.ts';
import type { LayerIndex } from '../../../src/engine/layer/layer-index.ts';
import { encodeName } from '../../../src/engine/names.ts';
import { walk } from '../../../src/engine/unionfs/walk.ts';
import { contentDigest, type ListedFile, listTree, nameOf } from '../../support/real-tree.ts';
import { run } from '../../support/run.ts';
import { unionOver } from '../unionfs/fixture.ts';

/** By path, without the root: its attributes are the archiver's and the unpacker's affair. */
export type Listing = ReadonlyMap<string, ListedFile>;

function byPath(list: readonly ListedFile[]): Listing {
  return new Map(list.filter(({ path }) => path !== '/').map((one) => [one.path, one]));
}

export const listFolder = (folder: string): Listing => byPath(listTree(folder));

/** The same with whole seconds, rounded towards the past: what a format without fractions keeps. */
export function inSeconds(listing: Listing): Listing {
  const cut = (ns: string) => String(BigInt(ns) - (((BigInt(ns) % 10n ** 9n) + 10n ** 9n) % 10n ** 9n));
  return new Map([...listing].map(([path, one]) => [path, { ...one, mtimeNs: cut(one.mtimeNs) }]));
}

/** What every format has room for: short names, small numbers, no devices. */
export async function makePlainTree(folder: string): Promise<void> {
  mkdirSync(join(folder, 'dir/sub'), { recursive: true });
  writeFileSync(join(folder, 'dir/empty'), '');
  writeFileSync(join(folder, 'dir/sub/block'), 'b'.repeat(512));
  writeFileSync(join(folder, 'plain'), 'p'.repeat(1000));
  chownSync(join(folder, 'plain'), 1000, 100);
  chmodSync(join(folder, 'plain'), 0o4750);
  linkSync(join(folder, 'plain'), join(folder, 'twin'));
  symlinkSync('../plain', join(folder, 'dir/sym'));
  symlinkSync('/nowhere', join(folder, 'dangling'));
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.of(0xe9)]), 'latin-1');
  writeFileSync(join(folder, 'dir/ünïcode'), 'utf-8');
  mkdirSync(join(folder, 'sticky'));
  chmodSync(join(folder, 'sticky'), 0o1777);
  await setTimes(folder);
}

/** Half a second is what floating point, of which Python's times are, keeps exactly. */
const setTimes = (folder: string) =>
  run('find', [folder, '-exec', 'touch', '-h', '-d', '@1600000000.5', '{}', '+']);

/** Times that are finer, older and later than most. */
export async function makeTimesTree(folder: string): Promise<void> {
  for (const [name, time] of [
    ['fine', '@1600000000.123456789'],
    ['finest', '@0.000000001'],
    ['old', '1960-01-01T00:00:00.25Z'],
    ['second-before', '@-0.75'],
    ['late', '@8589934592.5'],
    ['whole', '@1600000000'],
    ['zero', '@0'],
    ['first', '@1'],
  ] as const) {
    writeFileSync(join(folder, name), name);
    await run('touch', ['-d', time, join(folder, name)]);
  }
}

/** What ustar has room for as well. */
export async function makeUstarTree(folder: string): Promise<void> {
  await makePlainTree(folder);
  const deep = join(folder, 'directory-with-a-long-name/'.repeat(5));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'n'.repeat(90)), 'deep');
  await run('mkfifo', [join(folder, 'pipe')]);
  await run('mknod', [join(folder, 'null'), 'c', '1', '3']);
  await run('mknod', [join(folder, 'disk'), 'b', '259', '70']);
  await setTimes(folder);
}

/** What needs GNU's extensions or pax. */
export async function makeLongTree(folder: string): Promise<void> {
  await makeUstarTree(folder);
  const deep = join(folder, 'd'.repeat(200), 'e'.repeat(200));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'f'.repeat(255)), 'long');
  linkSync(join(deep, 'f'.repeat(255)), join(folder, 'g'.repeat(150)));
  symlinkSync('s/'.repeat(1000), join(folder, 'far'));
  writeFileSync(join(folder, 'owned'), '');
  chownSync(join(folder, 'owned'), 3_000_000, 2_100_000);
  await setTimes(folder);
}

/** Files with holes: at the start, at the end, everywhere, many, and none at all. */
export function makeSparseTree(folder: string): void {
  const make = (name: string, size: number, pieces: readonly (readonly [number, string])[]) => {
    const file = openSync(join(folder, name), 'w');
    for (const [at, text] of pieces) writeSync(file, text, at);
    ftruncateSync(file, size);
    closeSync(file);
  };
  mkdirSync(folder, { recursive: true });
  make('all-hole', 1 << 20, []);
  make('hole-first', (1 << 20) + 5, [[1 << 20, 'end.x']]);
  make('hole-last', 1 << 20, [[0, 'start']]);
  make('odd-size', 300_001, [
    [70_000, 'seventy thousand'],
    [250_000, 'x'.repeat(9000)],
  ]);
  make(
    'many',
    64 * 65_536,
    Array.from({ length: 64 }, (_, i) => [i * 65_536 + 8192, `piece ${i}`]),
  );
  make('n'.repeat(180), 200_000, [[100_000, 'long name']]);
  make('dense', 20_000, [[0, 'y'.repeat(20_000)]]);
  linkSync(join(folder, 'odd-size'), join(folder, 'second-name'));
}

/** The index of a tar that arrives in pieces which fit nothing in it. */
export function indexOf(tar: Uint8Array): LayerIndex {
  const layer = new LayerFromTar();
  for (let at = 0; at < tar.length; at += 9973) layer.push(tar.subarray(at, at + 9973));
  return layer.finish(`sha256:${createHash('sha256').update(tar).digest('hex')}`);
}

/** What a container would see of the tar as its only layer. */
export const listTar = (tar: Uint8Array): Promise<Listing> => listLayers([tar]);

/** What a container would see of tars as its layers, bottom first. */
export async function listLayers(tars: readonly Uint8Array[]): Promise<Listing> {
  const union = await unionOver(
    tars.map((tar) => ({
      index: indexOf(tar),
      read: async (offset: number, length: number) => tar.subarray(offset, offset + length),
    })),
  );
  const list: ListedFile[] = [];
  for (const { path, stat, link } of walk(union)) {
    const isDevice = stat.type === 'char' || stat.type === 'block';
    list.push({
      path: nameOf(Buffer.from(encodeName(path))),
      type: stat.type,
      mode: stat.mode,
      uid: stat.uid,
      gid: stat.gid,
      size: stat.type === 'file' ? stat.size : 0,
      mtimeNs: String(stat.mtimeNs),
      nlink: stat.type === 'dir' ? 0 : stat.nlink,
      ...(link === undefined ? {} : { link }),
      ...(isDevice ? { rdev: stat.rdev.join(',') } : {}),
      ...(stat.type === 'file' ? { content: contentDigest(await union.read(stat.ino, 0, stat.size)) } : {}),
    });
  }
  await union.close();
  return byPath(list);
}

/** What `umoci unpack` makes of an image of these layers, bottom first; rejects with its words when it refuses. */
export async function listUnpacked(work: string, ...tars: readonly Uint8Array[]): Promise<Listing> {
  const layout = join(work, 'layout');
  const bundle = join(work, 'bundle');
  const file = join(work, 'layer.tar');
  try {
    await run('umoci', ['init', '--layout', layout]);
    await run('umoci', ['new', '--image', `${layout}:made`]);
    for (const tar of tars) {
      writeFileSync(file, tar);
      await run('umoci', ['raw', 'add-layer', '--image', `${layout}:made`, file]);
    }
    await run('umoci', ['unpack', '--image', `${layout}:made`, bundle]);
    return listFolder(join(bundle, 'rootfs'));
  } finally {
    for (const path of [layout, bundle, file]) rmSync(path, { recursive: true, force: true });
  }
}
