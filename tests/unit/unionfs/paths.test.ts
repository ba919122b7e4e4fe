import { describe, expect, it } from 'vitest';
import { compareNames } from '../../../src/engine/names.ts';
import { readFile, resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import { walk } from '../../../src/engine/unionfs/walk.ts';
import { bytesOf, errnoOf, errnoOfPromise, lowerOf, put, ROOT_OWNER, textOf, unionOver } from './fixture.ts';

describe('resolvePath', () => {
  const LOWER = [
    'usr/bin/sh = shell',
    'bin -> usr/bin',
    'abs -> /usr/bin/sh',
    'up -> ../../../../usr',
    'usr/back -> ../f',
    'f = file',
    'loop -> loop2',
    'loop2 -> /loop',
    'dangling -> none',
    ...Array.from({ length: 41 }, (_, i) => `chain${i} -> ${i === 0 ? 'f' : `chain${i - 1}`}`),
  ];
  it.each([
    ['/bin/sh', 'shell'],
    ['bin/sh', 'shell'],
    ['//bin/./sh', 'shell'],
    ['/abs', 'shell'],
    ['/up/bin/sh', 'shell'],
    ['/up/../f', 'file'],
    ['/usr/back', 'file'],
    ['/../../f', 'file'],
    ['/chain39', 'file'],
  ])('%s is the file "%s"', async (path, content) => {
    const union = await unionOver([lowerOf(1, LOWER, true)]);
    expect(textOf(await readFile(union, path))).toBe(content);
  });
  it.each([
    ['/none', 'ENOENT'],
    ['/dangling', 'ENOENT'],
    ['/f/x', 'ENOTDIR'],
    ['/f/', 'ENOTDIR'],
    ['/f/.', 'ENOTDIR'],
    ['/f/..', 'ENOTDIR'],
    ['/loop', 'ELOOP'],
    ['/chain40', 'ELOOP'],
    ['/usr', 'EISDIR'],
    [`/${'x'.repeat(256)}`, 'ENAMETOOLONG'],
  ])('reading %s is %s', async (path, errno) => {
    const union = await unionOver([lowerOf(1, LOWER)]);
    expect(await errnoOfPromise(readFile(union, path))).toBe(errno);
  });
  it('gives the link itself when the last one is not to be followed', async () => {
    const union = await unionOver([lowerOf(1, LOWER)]);
    const type = (path: string) => union.stat(resolvePath(union, path, { followLast: false })).type;
    expect([type('/abs'), type('/bin'), type('/bin/'), type('/loop'), type('/')]).toEqual([
      'symlink',
      'symlink',
      'dir',
      'symlink',
      'dir',
    ]);
  });
});

describe('walk', () => {
  it('gives parents first and all bytewise by full path', async () => {
    const names = [
      'a',
      'a-',
      'a-b',
      'a/b',
      'a/b-c',
      'a/b/d',
      'a/b.c',
      'a-/x',
      'ab',
      'a.b',
      'é',
      '\udcff',
      '-',
    ];
    const union = await unionOver([
      lowerOf(
        1,
        names.map((name) => `d/${name.replaceAll('/', '/')}.f = x`),
      ),
    ]);
    const deep = union.mkdir(union.root, 'a', 0o755, ROOT_OWNER);
    put(union, union.mkdir(deep, 'b', 0o755, ROOT_OWNER), 'c', '1');
    put(union, deep, 'b-c', '1');
    const dash = union.mkdir(union.root, 'a-', 0o755, ROOT_OWNER);
    put(union, dash, 'x', '1');
    put(union, union.root, 'a-b', '1');
    put(union, union.root, 'a.b', '1');
    put(union, union.root, 'ab', '1');
    const paths = [...walk(union)].map(({ path }) => path);
    expect(paths).toEqual([...paths].sort(compareNames));
    expect(paths.slice(0, 10)).toEqual([
      '/',
      '/a',
      '/a-',
      '/a-/x',
      '/a-b',
      '/a.b',
      '/a/b',
      '/a/b-c',
      '/a/b/c',
      '/ab',
    ]);
    const seen = new Set<string>();
    for (const path of paths.slice(1)) {
      const parent = path.slice(0, path.lastIndexOf('/')) || '/';
      if (path !== '/') expect(parent === '/' || seen.has(parent)).toBe(true);
      seen.add(path);
    }
    expect(seen.size).toBe(paths.length - 1);
  });

  it('says what each entry is and where it comes from', async () => {
    const union = await unionOver([
      lowerOf(1, ['a = 1', 'b => a', 's -> a']),
      lowerOf(2, ['c = 2', 'dev/null c 1 3']),
    ]);
    union.setxattr(resolvePath(union, '/c'), 'user.k', bytesOf('v'), 0);
    put(union, union.root, 'own', 'x');
    const lines = [...walk(union)].map(({ path, stat, link, xattrs, layer }) =>
      [path, stat.type, stat.nlink, layer, link ?? '', Object.keys(xattrs ?? {}).join()].join(' ').trim(),
    );
    expect(lines).toEqual([
      '/ dir 3 upper',
      '/a file 2 0',
      '/b file 2 0',
      '/c file 1 upper  user.k',
      '/dev dir 2 1',
      '/dev/null char 1 1',
      '/own file 1 upper',
      '/s symlink 1 0 a',
    ]);
  });

  it('leaves out what is removed on the way', async () => {
    const union = await unionOver([lowerOf(1, ['a = 1', 'd/x = 1', 'z = 1'])]);
    const paths: string[] = [];
    for (const { path } of walk(union)) {
      paths.push(path);
      if (path !== '/a') continue;
      union.unlink(resolvePath(union, '/d'), 'x');
      union.rmdir(union.root, 'd');
    }
    expect(paths).toEqual(['/', '/a', '/z']);
    expect(errnoOf(() => resolvePath(union, '/d'))).toBe('ENOENT');
  });
});
