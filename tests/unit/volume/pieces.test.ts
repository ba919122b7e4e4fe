import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { TarFields } from '../../../src/engine/archive/tar-writer.ts';
import { MemoryJournalStore } from '../../../src/engine/store/memory-journal.ts';
import { type Piece, renamed } from '../../../src/engine/unionfs/pieces.ts';
import { piecesOfTar } from '../../../src/engine/unionfs/pieces-of-tar.ts';
import { piecesOfTree } from '../../../src/engine/unionfs/pieces-of-tree.ts';
import { readFile, resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import { tarOfPieces } from '../../../src/engine/unionfs/tar-of-pieces.ts';
import { openUnion, type Union } from '../../../src/engine/unionfs/union.ts';
import { walk } from '../../../src/engine/unionfs/walk.ts';
import { writePieces } from '../../../src/engine/unionfs/write-pieces.ts';

const ROOT = { uid: 0, gid: 0 };
const folder = mkdtempSync(join(tmpdir(), 'layerbox-pieces-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function empty(): Promise<Union> {
  const journal = await new MemoryJournalStore().open('x');
  return openUnion({ lowers: [], journal, now: () => 5n });
}

const at = (union: Union, path: string) => union.stat(resolvePath(union, path, { followLast: false }));
const text = async (union: Union, path: string) => new TextDecoder().decode(await readFile(union, path));
const entry = (path: string, fields: Partial<TarFields> = {}): { entry: TarFields } => ({
  entry: { path, type: 'file', mode: 0o644, uid: 7, gid: 8, mtimeNs: 9n, ...fields },
});

async function* of(...pieces: readonly Piece[]) {
  yield* pieces;
}

async function* chunked(bytes: Uint8Array, length: number) {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

function list(union: Union) {
  return [...walk(union)].map(({ path, stat, link }) => {
    const { type, mode, uid, gid, mtimeNs, nlink, size } = stat;
    return { path, type, mode, uid, gid, mtimeNs, nlink, link, ...(type === 'file' && { size }) };
  });
}

describe('pieces', () => {
  it('of a tar that GNU tar made, in chunks of any size, are its tree', async () => {
    const made = join(folder, 'made');
    mkdirSync(join(made, 'sub'), { recursive: true });
    writeFileSync(join(made, 'a'), 'A'.repeat(1000));
    chmodSync(join(made, 'a'), 0o4755);
    linkSync(join(made, 'a'), join(made, 'sub/hard'));
    symlinkSync('../a', join(made, 'sub/soft'));
    writeFileSync(join(made, 'holes'), 'begin');
    truncateSync(join(made, 'holes'), 1 << 20);
    writeFileSync(join(made, 'holes'), 'end', { flag: 'a' });
    const tar = execFileSync('tar', [
      '-C',
      made,
      '-S',
      '--format=posix',
      '--owner=5',
      '--group=6',
      '-cf',
      '-',
      '.',
    ]);
    for (const length of [100, 513, 1 << 20]) {
      const union = await empty();
      await writePieces(union, union.root, piecesOfTar(chunked(tar, length)));
      expect(await text(union, '/sub/soft')).toBe('A'.repeat(1000));
      expect(at(union, '/a')).toMatchObject({ mode: 0o4755, uid: 5, gid: 6, nlink: 2 });
      expect(at(union, '/sub/hard').ino).toBe(at(union, '/a').ino);
      const holes = await text(union, '/holes');
      expect([holes.length, holes.slice(0, 5), holes.slice(-3), holes[5000]]).toEqual([
        (1 << 20) + 3,
        'begin',
        'end',
        '\0',
      ]);
    }
  });

  it('of a tree come back as they were, by way of a tar that GNU tar reads', async () => {
    const union = await empty();
    const dir = union.mkdir(union.root, 'd', 0o1777, { uid: 1, gid: 2 });
    const file = union.create(dir, 'f', 0o600, ROOT);
    union.write(file, 0, new TextEncoder().encode('content'));
    union.link(file, union.root, 'other');
    union.symlink(dir, 's', '/d/f', ROOT);
    union.mknod(dir, 'null', 'char', 0o666, [1, 3], ROOT);
    union.mknod(dir, 'socket', 'socket', 0o666, [0, 0], ROOT);
    union.setxattr(file, 'user.a', Uint8Array.of(1), 0);
    const chunks: Uint8Array[] = [];
    for await (const chunk of tarOfPieces(piecesOfTree(union, union.root, ''))) chunks.push(chunk);
    const tar = Buffer.concat(chunks);
    const names = execFileSync('tar', ['-tf', '-'], { input: tar }).toString();
    expect(names.split('\n')).toEqual(['./', 'd/', 'd/f', 'd/null', 'd/s', 'other', '']);
    const copy = await empty();
    await writePieces(copy, copy.root, piecesOfTar(chunked(tar, 700)));
    const withoutSocket = list(union).filter(({ type }) => type !== 'socket');
    expect(list(copy)).toEqual(withoutSocket);
    expect(copy.getxattr(at(copy, '/other').ino, 'user.a')).toEqual(Uint8Array.of(1));
  });

  it('of a file that was cut while it was read are filled with zeros', async () => {
    const pieces = of(entry('a', { size: 600 }), { at: 2, bytes: Uint8Array.of(65) }, entry('b'));
    const chunks: Uint8Array[] = [];
    for await (const chunk of tarOfPieces(pieces)) chunks.push(chunk);
    const path = join(folder, 'cut.tar');
    writeFileSync(path, Buffer.concat(chunks));
    execFileSync('tar', ['-C', folder, '-xf', path, '--no-same-owner']);
    const bytes = readFileSync(join(folder, 'a'));
    expect([bytes.length, bytes[1], bytes[2], bytes[599]]).toEqual([600, 0, 65, 0]);
  });

  it('renamed leave out content with its entry', async () => {
    const pieces = of(entry('a', { size: 1 }), { at: 0, bytes: Uint8Array.of(1) }, entry('b'));
    const kept: Piece[] = [];
    for await (const piece of renamed(pieces, (one) =>
      one.path === 'a' ? undefined : { ...one, path: 'c' },
    )) {
      kept.push(piece);
    }
    expect(kept).toEqual([entry('c')]);
  });
});

describe('writing', () => {
  it('replaces files and links, merges directories, and makes what leads there', async () => {
    const union = await empty();
    const dir = union.mkdir(union.root, 'd', 0o700, ROOT);
    union.write(union.create(dir, 'old', 0o600, ROOT), 0, new TextEncoder().encode('old'));
    union.symlink(dir, 'link', '/d/old', ROOT);
    await writePieces(
      union,
      union.root,
      of(
        entry('d', { type: 'dir', mode: 0o755 }),
        entry('d/link', { size: 3 }),
        { at: 0, bytes: new TextEncoder().encode('new') },
        entry('x/y/z'),
      ),
    );
    expect(at(union, '/d/link').type).toBe('file');
    expect(await text(union, '/d/old')).toBe('old');
    expect(at(union, '/d')).toMatchObject({ mode: 0o755, uid: 7, gid: 8, mtimeNs: 9n });
    expect(at(union, '/x/y')).toMatchObject({ mode: 0o755, uid: 0 });
  });

  it('follows links on the way inside the filesystem', async () => {
    const union = await empty();
    const dir = union.mkdir(union.root, 'usr', 0o755, ROOT);
    union.mkdir(dir, 'lib', 0o755, ROOT);
    union.symlink(union.root, 'lib', '/../usr/lib', ROOT);
    await writePieces(union, union.root, of(entry('lib/a')));
    expect(at(union, '/usr/lib/a').type).toBe('file');
  });

  it('gives all to one owner when asked to', async () => {
    const union = await empty();
    await writePieces(union, union.root, of(entry('a')), { owner: { uid: 3, gid: 4 } });
    expect(at(union, '/a')).toMatchObject({ uid: 3, gid: 4 });
  });

  it.each([
    ['../a', entry('../a'), 'EINVAL'],
    ['a file over a directory', entry('d'), 'EEXIST'],
    ['a directory over a file', entry('f', { type: 'dir' }), 'EEXIST'],
    ['a way through a file', entry('f/a'), 'ENOTDIR'],
    ['a hard link to nothing', entry('l', { type: 'hardlink', link: 'nope' }), 'ENOENT'],
    ['a hard link out', entry('l', { type: 'hardlink', link: '../../f' }), 'EINVAL'],
  ])('refuses %s', async (_, piece, errno) => {
    const union = await empty();
    union.mkdir(union.root, 'd', 0o755, ROOT);
    union.create(union.root, 'f', 0o644, ROOT);
    await expect(writePieces(union, union.root, of(piece))).rejects.toMatchObject({ errno });
  });
});
