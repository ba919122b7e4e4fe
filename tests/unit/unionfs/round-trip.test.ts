/** An upper as a layer: written, read again and stacked it is the same union; umoci makes the same tree of it. */

import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeName } from '../../../src/engine/names.ts';
import { resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import type { Lower, Union } from '../../../src/engine/unionfs/union.ts';
import { walk } from '../../../src/engine/unionfs/walk.ts';
import { contentDigest, listTree, nameOf } from '../../support/real-tree.ts';
import { run } from '../../support/run.ts';
import { committed, lowerOfTar, tarOf, wholeTreeOf } from './committing.ts';
import { bytesOf, lowerOf, put, ROOT_OWNER, textOf, unionOver } from './fixture.ts';

const LOWERS: readonly (readonly string[])[] = [
  ['a/ 755', 'a/x = one', 'a/b/ 700', 'a/b/c = deep', 'a/b/d = deeper', 'l -> a/x', 'n c 1 3', 'p p'],
  ['d/ 755', 'd/y = two', 'd/z => a/x', 'e/ 755', 'e/f = three', 'e/g => e/f', 'g = four'],
];
const lowers = () => LOWERS.map((lines, number) => lowerOf(number, lines));
const at = (union: Union, path: string) => resolvePath(union, path, { followLast: false });

/** cap_net_bind_service+ep as the kernel stores it (linux/capability.h, vfs_cap_data, revision 2). */
const netBindService = Uint8Array.from([1, 0, 0, 2, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

type Change = (union: Union) => void;
const cases: readonly (readonly [string, Change])[] = [
  ['nothing', () => undefined],
  ['a new file', (u) => put(u, u.root, 'new', 'content')],
  ['an empty file', (u) => put(u, u.root, 'empty', '')],
  ['a file of exactly one block', (u) => put(u, u.root, 'block', 'x'.repeat(512))],
  ['a copied-up file', (u) => u.write(at(u, 'a/x'), 1, bytesOf('NE'))],
  ['a file with a hole', (u) => u.setattr(put(u, u.root, 'hole', 'x'), { size: 5000 })],
  ['a changed mode', (u) => u.setattr(at(u, 'a/b/c'), { mode: 0o4711 })],
  ['owners beyond ustar', (u) => u.setattr(at(u, 'g'), { uid: 4_000_000_000, gid: 2_097_152 })],
  ['nanoseconds', (u) => u.setattr(at(u, 'g'), { mtimeNs: 1_234_567_890_123_456_789n })],
  ['a time before 1970', (u) => u.setattr(at(u, 'g'), { mtimeNs: -1_500_000_000n })],
  ['a time after 2242', (u) => u.setattr(at(u, 'g'), { mtimeNs: 9_000_000_000_000_000_000n })],
  ['a removed file', (u) => u.unlink(at(u, 'a'), 'x')],
  ['a removed name of several', (u) => u.unlink(at(u, 'e'), 'g')],
  [
    'a removed tree',
    (u) => {
      for (const name of ['c', 'd']) u.unlink(at(u, 'a/b'), name);
      u.rmdir(at(u, 'a'), 'b');
    },
  ],
  [
    'a directory made again',
    (u) => {
      for (const name of ['c', 'd']) u.unlink(at(u, 'a/b'), name);
      u.rmdir(at(u, 'a'), 'b');
      put(u, u.mkdir(at(u, 'a'), 'b', 0o750, ROOT_OWNER), 'd', 'again');
    },
  ],
  ['a moved directory', (u) => u.rename(u.root, 'a', u.root, 'moved')],
  [
    'a child that came back into a directory made again',
    (u) => {
      u.rename(u.root, 'a', u.root, 'old');
      u.mkdir(u.root, 'a', 0o755, ROOT_OWNER);
      u.rename(at(u, 'old'), 'b', at(u, 'a'), 'b');
    },
  ],
  [
    'two directories swapped',
    (u) => {
      u.rename(u.root, 'd', u.root, 'tmp');
      u.rename(u.root, 'e', u.root, 'd');
      u.rename(u.root, 'tmp', u.root, 'e');
    },
  ],
  ['a moved directory with a name of a file of others', (u) => u.rename(u.root, 'e', at(u, 'a'), 'e')],
  [
    'a file in place of a directory',
    (u) => {
      u.rename(u.root, 'a', u.root, 'b');
      put(u, u.root, 'a', 'file');
    },
  ],
  [
    'a directory in place of a file',
    (u) => {
      u.unlink(u.root, 'g');
      put(u, u.mkdir(u.root, 'g', 0o755, ROOT_OWNER), 'x', 'y');
    },
  ],
  [
    'a directory in place of a symlink to one',
    (u) => {
      u.unlink(u.root, 'l');
      u.mkdir(u.root, 'l', 0o755, ROOT_OWNER);
    },
  ],
  ['a new name of a lower file', (u) => u.link(at(u, 'd/y'), u.root, 'zz')],
  [
    'new names, the later made first',
    (u) => {
      const ino = put(u, u.root, 'zlast', 'shared');
      u.link(ino, u.root, 'first');
      u.link(ino, at(u, 'a/b'), 'middle');
    },
  ],
  ['a name of a symlink', (u) => u.link(at(u, 'l'), u.root, 'k')],
  [
    'devices and pipes',
    (u) => {
      u.mknod(u.root, 'sda', 'block', 0o660, [8, 1], { uid: 0, gid: 6 });
      u.mknod(u.root, 'far', 'char', 0o600, [4095, 1_048_575], ROOT_OWNER);
      u.mknod(u.root, 'pipe', 'fifo', 0o600, [0, 0], ROOT_OWNER);
      u.link(at(u, 'n'), u.root, 'n2');
    },
  ],
  [
    'a socket in place of a file',
    (u) => {
      u.unlink(u.root, 'g');
      u.mknod(u.root, 'g', 'socket', 0o600, [0, 0], ROOT_OWNER);
    },
  ],
  [
    'extended attributes',
    (u) => {
      u.setxattr(at(u, 'g'), 'user.b', bytesOf('1\n2=3\0'), 0);
      u.setxattr(at(u, 'g'), 'user.a=b%', Uint8Array.of(0, 255, 61, 10, 7), 0);
      u.setxattr(at(u, 'a/b/c'), 'security.capability', netBindService, 0);
      u.setxattr(at(u, 'd/y'), 'user.empty', new Uint8Array(0), 0);
    },
  ],
  [
    'names that are not UTF-8',
    (u) => {
      put(u, u.root, decodeName(Uint8Array.of(0x66, 0xff, 0xfe)), 'bytes');
      put(u, u.root, decodeName(Uint8Array.from({ length: 200 }, () => 0xe9)), 'long');
      u.symlink(u.root, 'sym', decodeName(Uint8Array.from({ length: 150 }, () => 0xe8)), ROOT_OWNER);
    },
  ],
  [
    'names of 255 bytes, four deep',
    (u) => {
      let directory = u.root;
      for (const letter of ['p', 'q', 'r', 's'])
        directory = u.mkdir(directory, letter.repeat(255), 0o755, ROOT_OWNER);
      put(u, directory, 'ä'.repeat(127), 'x');
      u.link(at(u, 'g'), directory, 'link');
    },
  ],
  [
    'names of exactly 100 and 101 bytes, and a newline',
    (u) => {
      for (const length of [99, 100, 101]) put(u, u.root, 'n'.repeat(length), 'x');
      for (const length of [98, 99, 100]) u.mkdir(u.root, 'm'.repeat(length), 0o755, ROOT_OWNER);
      put(u, u.root, 'new\nline', 'x');
      u.symlink(u.root, 'to', 't'.repeat(4000), ROOT_OWNER);
    },
  ],
  ['the attributes of the root', (u) => u.setattr(u.root, { mode: 0o1777, mtimeNs: 5n })],
];

describe('an upper as a layer, read again and stacked,', () => {
  it.each(cases)('is the same union: %s', async (_, change) => {
    const union = await unionOver(lowers());
    change(union);
    // the second time: whiteouts and opaque directories over a layer that has such itself
    const once = [...lowers(), await committed(union)];
    const again = await unionOver(once);
    expect(await wholeTreeOf(again)).toEqual(await wholeTreeOf(union));
    expect(again.changes()).toEqual([]);
    expect((await tarOf(again)).length).toBe(1024);
  });

  it('is so over an upper with all of it', async () => {
    const left: string[] = [];
    let base: readonly Lower[] = lowers();
    for (const [name, change] of cases) {
      const union = await unionOver(base);
      try {
        change(union);
      } catch {
        left.push(name);
        continue;
      }
      base = [...base, await committed(union)];
      expect(await wholeTreeOf(await unionOver(base)), name).toEqual(await wholeTreeOf(union));
    }
    // what an earlier change took away
    expect(left.length).toBeLessThan(20);
    expect(base.length).toBeGreaterThan(15);
  });

  it('whiteouts a name of 255 bytes', async () => {
    const name = 'w'.repeat(255);
    const lower = lowerOf(0, [`${name} = x`]);
    const union = await unionOver([lower]);
    union.unlink(union.root, name);
    expect((await unionOver([lower, await committed(union)])).readdir(1)).toEqual([]);
  });
});

describe('the tar of an upper', () => {
  it('is the same bytes whatever way its content came to be', async () => {
    const straight = await unionOver(lowers(), { now: () => 5n });
    put(straight, straight.root, 'b', 'same');
    straight.link(at(straight, 'b'), straight.root, 'a1');
    straight.setxattr(at(straight, 'b'), 'user.a', bytesOf('1'), 0);
    straight.setxattr(at(straight, 'b'), 'user.b', bytesOf('2'), 0);
    straight.unlink(at(straight, 'a'), 'x');

    const crooked = await unionOver(lowers(), { now: () => 5n, limits: { segmentBytes: 300 } });
    crooked.unlink(at(crooked, 'a'), 'x');
    put(crooked, at(crooked, 'a'), 'x', 'no');
    crooked.unlink(at(crooked, 'a'), 'x');
    const ino = put(crooked, crooked.root, 'a1', 'xxmexxxx');
    crooked.setxattr(ino, 'user.b', bytesOf('2'), 0);
    crooked.setxattr(ino, 'user.a', bytesOf('1'), 0);
    crooked.write(ino, 0, bytesOf('sa'));
    crooked.setattr(ino, { size: 4 });
    crooked.link(ino, crooked.root, 'tmp');
    crooked.rename(crooked.root, 'tmp', crooked.root, 'b');
    await crooked.compact();

    const digest = async (union: Union) =>
      createHash('sha256')
        .update(await tarOf(union))
        .digest('hex');
    expect(await digest(crooked)).toBe(await digest(straight));
    expect(await digest(straight)).toBe(await digest(straight));
    straight.setattr(at(straight, 'b'), { mtimeNs: 6n });
    expect(await digest(crooked)).not.toBe(await digest(straight));
  });

  it('keeps a file that is removed meanwhile, and lets go of it then', async () => {
    const union = await unionOver([]);
    const ino = put(union, union.root, 'big', 'x'.repeat(3 << 20));
    put(union, union.root, 'after', 'y');
    const { layerTarOf } = await import('../../../src/engine/unionfs/layer-tar.ts');
    const pieces: Uint8Array[] = [];
    for await (const piece of layerTarOf(union)) {
      if (pieces.length === 0) union.unlink(union.root, 'big');
      pieces.push(piece);
    }
    const lower = lowerOfTar(new Uint8Array(Buffer.concat(pieces)));
    expect(lower.index.entry(lower.index.find('big') ?? -1).size).toBe(3 << 20);
    expect(() => union.stat(ino)).toThrow('ESTALE');
    // bounded pieces, whatever the file
    expect(Math.max(...pieces.map((piece) => piece.length))).toBe(1 << 20);
  });

  it('says so when a file is cut meanwhile', async () => {
    const union = await unionOver([]);
    const ino = put(union, union.root, 'big', 'x'.repeat(3 << 20));
    const { layerTarOf } = await import('../../../src/engine/unionfs/layer-tar.ts');
    const reading = async () => {
      for await (const piece of layerTarOf(union)) if (piece.length > 0) union.setattr(ino, { size: 5 });
    };
    await expect(reading()).rejects.toThrow(
      /"\/big" gave \d+ of \d+ bytes.*changed while the layer was written/,
    );
  });

  it('refuses a name that would hide another', async () => {
    const union = await unionOver(lowers());
    put(union, at(union, 'a'), '.wh.x', 'mine');
    await expect(tarOf(union)).rejects.toThrow(/"\/a\/\.wh\.x" cannot be put in a layer.*rename it/);
  });

  it('gives the content of the first name in order, and links after it', async () => {
    const union = await unionOver([]);
    const ino = put(union, union.root, 'z', 'content');
    union.link(ino, union.mkdir(union.root, 'a', 0o755, ROOT_OWNER), 'z');
    const { index } = lowerOfTar(await tarOf(union));
    expect(index.entry(index.find('a/z') ?? -1)).toMatchObject({ type: 'file', size: 7 });
    expect(index.entry(index.find('z') ?? -1)).toMatchObject({ type: 'hardlink', link: 'a/z' });
  });
});

describe.runIf(process.getuid?.() === 0)('the tools of others', () => {
  let work = '';
  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'layerbox-round-trip-'));
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  async function listUnion(union: Union) {
    const list = [];
    for (const { path, stat, link } of walk(union)) {
      if (stat.type === 'socket') continue;
      list.push({
        path: nameOf(Buffer.from(encoded(path))),
        type: stat.type,
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        size: stat.type === 'file' ? stat.size : 0,
        mtimeNs: String(stat.mtimeNs),
        nlink: stat.type === 'dir' ? 0 : stat.nlink,
        ...(link === undefined ? {} : { link }),
        ...(stat.type === 'char' || stat.type === 'block' ? { rdev: stat.rdev.join(',') } : {}),
        ...(stat.type === 'file' ? { content: contentDigest(await union.read(stat.ino, 0, stat.size)) } : {}),
      });
    }
    return list;
  }

  const encoded = (path: string) => new Uint8Array(Buffer.from(path, 'utf8'));
  const byPath = <T extends { readonly path: string }>(list: readonly T[]) =>
    // the root's own attributes are the unpacker's affair
    new Map(list.filter(({ path }) => path !== '/').map((one) => [one.path, one]));

  /** Names that JavaScript's own functions of the disk cannot carry are compared above, not here. */
  const forDisk = cases.filter(([name]) => !/UTF-8|after 2242|four deep/.test(name));

  it('umoci unpacks the layers to the same tree', { timeout: 120_000 }, async () => {
    const layout = join(work, 'layout');
    await run('umoci', ['init', '--layout', layout]);
    const union = await unionOver([]);
    for (const lines of LOWERS) {
      for (const line of lines) make(union, line);
    }
    const base = await committed(union);
    await run('umoci', ['new', '--image', `${layout}:base`]);
    const first = join(work, 'base.tar');
    writeFileSync(first, await tarOf(union));
    await run('umoci', ['raw', 'add-layer', '--image', `${layout}:base`, first]);
    for (const [number, [name, change]] of forDisk.entries()) {
      const over = await unionOver([base]);
      change(over);
      const tar = join(work, `${number}.tar`);
      writeFileSync(tar, await tarOf(over));
      const tag = `${layout}:case${number}`;
      await run('umoci', ['tag', '--image', `${layout}:base`, `case${number}`]);
      await run('umoci', ['raw', 'add-layer', '--image', tag, tar]);
      const bundle = join(work, `case${number}`);
      await run('umoci', ['unpack', '--image', tag, bundle]);
      expect(byPath(listTree(join(bundle, 'rootfs'))), name).toEqual(byPath(await listUnion(over)));
    }
  });

  it('GNU tar reads names that are not UTF-8, long ones and attributes', async () => {
    const union = await unionOver([]);
    for (const [name, change] of cases) {
      if (!/UTF-8|four deep|exactly 100/.test(name)) continue;
      if (name.includes('four deep')) put(union, union.root, 'g', 'x');
      change(union);
    }
    put(union, union.root, 'attr', 'x');
    union.setxattr(at(union, 'attr'), 'user.b', bytesOf('value'), 0);
    const tar = join(work, 'names.tar');
    writeFileSync(tar, await tarOf(union));
    const root = join(work, 'names');
    mkdirSync(root);
    chmodSync(root, 0o755);
    await run('tar', ['-x', '--xattrs', '-f', tar, '-C', root]);
    const sizes = (await run('find', [root, '-type', 'f', '-printf', '%s\n'])).trim().split('\n').length;
    let files = 0;
    for (const { stat } of walk(union)) if (stat.type === 'file') files += 1;
    expect(sizes).toBe(files);
    const raw = Buffer.concat([Buffer.from(`${root}/`), Buffer.alloc(200, 0xe9)]);
    expect(statSync(raw).size).toBe(4);
    expect(await run('getfattr', ['--only-values', '-n', 'user.b', join(root, 'attr')])).toBe('value');
  });
});

/** Makes what a line of the fixture says. */
function make(union: Union, line: string): void {
  const [path = '', sign = '', ...rest] = line.split(' ');
  const value = rest.join(' ');
  const clean = path.replace(/\/$/, '');
  const slash = clean.lastIndexOf('/');
  const parent = resolvePath(union, clean.slice(0, Math.max(slash, 0)));
  const name = clean.slice(slash + 1);
  if (path.endsWith('/')) union.mkdir(parent, name, Number.parseInt(sign, 8), ROOT_OWNER);
  else if (sign === '=') put(union, parent, name, value);
  else if (sign === '->') union.symlink(parent, name, value, ROOT_OWNER);
  else if (sign === '=>') union.link(at(union, value), parent, name);
  else if (sign === 'c')
    union.mknod(parent, name, 'char', 0o644, [Number(rest[0]), Number(rest[1])], ROOT_OWNER);
  else if (sign === 'p') union.mknod(parent, name, 'fifo', 0o644, [0, 0], ROOT_OWNER);
  else throw new Error(`${line} ${textOf(bytesOf(sign))}`);
}
