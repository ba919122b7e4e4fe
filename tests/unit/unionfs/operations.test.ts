import { describe, expect, it } from 'vitest';
import { resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import type { Union } from '../../../src/engine/unionfs/union.ts';
import {
  bytesOf,
  errnoOf,
  errnoOfPromise,
  lowerOf,
  memoryJournal,
  put,
  ROOT_OWNER,
  textOf,
  treeOf,
  unionOver,
} from './fixture.ts';

const LOWER = [
  'd/ 755',
  'd/a = lower a',
  'd/b = lower b',
  'empty/ 755',
  'f = lower f',
  'g => f',
  's -> d/a',
  'full/x/y = 1',
];

/** Over the lower: u/ with u/n in it and the file n are the upper's own; d/b is changed. */
async function unionWithBoth(): Promise<Union> {
  const union = await unionOver([lowerOf(1, LOWER, true)]);
  const u = union.mkdir(union.root, 'u', 0o755, ROOT_OWNER);
  put(union, u, 'n', 'upper n');
  put(union, union.root, 'n', 'own');
  union.write(resolvePath(union, '/d/b'), 0, bytesOf('UPPER'));
  return union;
}

type Act = (union: Union, at: (path: string) => number) => unknown;
const run = async (act: Act) => {
  const union = await unionWithBoth();
  const at = (path: string) => resolvePath(union, path, { followLast: false });
  return { union, errno: errnoOf(() => act(union, at)) };
};

describe('an operation that must fail', () => {
  const long = 'n'.repeat(256);
  const rows: readonly {
    what: string;
    act: Act;
    errno: string;
    /** What the steps before it take away. */
    gone?: readonly string[];
  }[] = [
    { what: 'lookup of nothing', act: (u) => u.lookup(u.root, 'none'), errno: 'ENOENT' },
    { what: 'lookup in a file', act: (u, at) => u.lookup(at('/f'), 'x'), errno: 'ENOTDIR' },
    { what: 'lookup of a long name', act: (u) => u.lookup(u.root, long), errno: 'ENAMETOOLONG' },
    { what: 'an inode that never was', act: (u) => u.stat(9999), errno: 'ESTALE' },
    {
      what: 'create over a lower file',
      act: (u) => u.create(u.root, 'f', 0o644, ROOT_OWNER),
      errno: 'EEXIST',
    },
    {
      what: 'create over an upper file',
      act: (u) => u.create(u.root, 'n', 0o644, ROOT_OWNER),
      errno: 'EEXIST',
    },
    {
      what: 'create with a long name',
      act: (u) => u.create(u.root, long, 0o644, ROOT_OWNER),
      errno: 'ENAMETOOLONG',
    },
    {
      what: 'create with a name of 128 letters and 256 bytes',
      act: (u) => u.create(u.root, 'é'.repeat(128), 0o644, ROOT_OWNER),
      errno: 'ENAMETOOLONG',
    },
    { what: 'create of ""', act: (u) => u.create(u.root, '', 0o644, ROOT_OWNER), errno: 'ENOENT' },
    { what: 'create of ".."', act: (u) => u.create(u.root, '..', 0o644, ROOT_OWNER), errno: 'EEXIST' },
    { what: 'create of "a/b"', act: (u) => u.create(u.root, 'a/b', 0o644, ROOT_OWNER), errno: 'EINVAL' },
    { what: 'mkdir in a file', act: (u, at) => u.mkdir(at('/f'), 'x', 0o755, ROOT_OWNER), errno: 'ENOTDIR' },
    { what: 'symlink to ""', act: (u) => u.symlink(u.root, 'x', '', ROOT_OWNER), errno: 'ENOENT' },
    {
      what: 'symlink to 4096 bytes',
      act: (u) => u.symlink(u.root, 'x', 'a'.repeat(4096), ROOT_OWNER),
      errno: 'ENAMETOOLONG',
    },
    { what: 'readlink of a file', act: (u, at) => u.readlink(at('/f')), errno: 'EINVAL' },
    { what: 'read of a directory', act: (u, at) => u.read(at('/d'), 0, 1), errno: 'EISDIR' },
    { what: 'write to a symlink', act: (u, at) => u.write(at('/s'), 0, bytesOf('x')), errno: 'EINVAL' },
    {
      what: 'write beyond what a file may be',
      act: (u, at) => u.write(at('/f'), 2 ** 43, bytesOf('x')),
      errno: 'EFBIG',
    },
    { what: 'truncate of a directory', act: (u, at) => u.setattr(at('/d'), { size: 0 }), errno: 'EISDIR' },
    {
      what: 'truncate to a negative size',
      act: (u, at) => u.setattr(at('/f'), { size: -1 }),
      errno: 'EINVAL',
    },
    { what: 'unlink of a directory', act: (u) => u.unlink(u.root, 'd'), errno: 'EISDIR' },
    { what: 'rmdir of a file', act: (u) => u.rmdir(u.root, 'f'), errno: 'ENOTDIR' },
    {
      what: 'rmdir of a lower directory with something in it',
      act: (u) => u.rmdir(u.root, 'd'),
      errno: 'ENOTEMPTY',
    },
    {
      what: 'rmdir of an upper directory with something in it',
      act: (u) => u.rmdir(u.root, 'u'),
      errno: 'ENOTEMPTY',
    },
    { what: 'link to a directory', act: (u, at) => u.link(at('/d'), u.root, 'x'), errno: 'EPERM' },
    { what: 'link over what is there', act: (u, at) => u.link(at('/f'), u.root, 'n'), errno: 'EEXIST' },
    { what: 'rename of nothing', act: (u) => u.rename(u.root, 'none', u.root, 'x'), errno: 'ENOENT' },
    { what: 'rename into itself', act: (u, at) => u.rename(u.root, 'd', at('/d'), 'x'), errno: 'EINVAL' },
    {
      what: 'rename into what is below itself',
      act: (u, at) => u.rename(u.root, 'full', at('/full/x'), 'z'),
      errno: 'EINVAL',
    },
    {
      what: 'rename of a directory over a file',
      act: (u) => u.rename(u.root, 'd', u.root, 'n'),
      errno: 'ENOTDIR',
    },
    {
      what: 'rename of a file over a directory',
      act: (u) => u.rename(u.root, 'n', u.root, 'empty'),
      errno: 'EISDIR',
    },
    {
      what: 'rename over a full directory',
      act: (u) => u.rename(u.root, 'u', u.root, 'd'),
      errno: 'ENOTEMPTY',
    },
    { what: 'rename to a long name', act: (u) => u.rename(u.root, 'f', u.root, long), errno: 'ENAMETOOLONG' },
    {
      what: 'setxattr CREATE of what is there',
      act: (u, at) => {
        u.setxattr(at('/f'), 'user.a', bytesOf('1'), 0);
        u.setxattr(at('/f'), 'user.a', bytesOf('2'), 1);
      },
      errno: 'EEXIST',
    },
    {
      what: 'setxattr REPLACE of what is not',
      act: (u, at) => u.setxattr(at('/f'), 'user.a', bytesOf('1'), 2),
      errno: 'ENODATA',
    },
    {
      what: 'setxattr with a long name',
      act: (u, at) => u.setxattr(at('/f'), long, bytesOf('1'), 0),
      errno: 'ERANGE',
    },
    {
      what: 'setxattr with 64 KB and a byte',
      act: (u, at) => u.setxattr(at('/f'), 'user.a', new Uint8Array(65537), 0),
      errno: 'E2BIG',
    },
    {
      what: 'removexattr of what is not',
      act: (u, at) => u.removexattr(at('/f'), 'user.a'),
      errno: 'ENODATA',
    },
    {
      what: 'an operation in a directory that was removed',
      act: (u, at) => {
        const empty = at('/empty');
        u.hold(empty);
        u.rmdir(u.root, 'empty');
        u.create(empty, 'x', 0o644, ROOT_OWNER);
      },
      errno: 'ENOENT',
      gone: ['/empty/'],
    },
    {
      what: 'a file after its last name and its last holder went',
      act: (u, at) => {
        const n = at('/n');
        u.unlink(u.root, 'n');
        u.stat(n);
      },
      errno: 'ESTALE',
      gone: ['/n = own'],
    },
    {
      what: 'the same of a lower file',
      act: (u, at) => {
        const a = at('/d/a');
        u.unlink(at('/d'), 'a');
        u.stat(a);
      },
      errno: 'ESTALE',
      gone: ['/d/a = lower a'],
    },
  ];
  it.each(rows)('$what: $errno, and nothing changes', async ({ act, errno, gone = [] }) => {
    const before = await treeOf(await unionWithBoth());
    const { union, errno: got } = await run(act);
    expect(got).toBe(errno);
    const tree = await treeOf(union);
    expect(tree.filter((line) => !before.includes(line))).toEqual([]);
    expect(before.filter((line) => !tree.includes(line))).toEqual(gone);
  });
});

describe('a change', () => {
  const rows: readonly { what: string; act: Act; gone: readonly string[]; come: readonly string[] }[] = [
    {
      what: 'appends to a lower file',
      act: (u, at) => u.write(at('/d/a'), 7, bytesOf('!')),
      gone: ['/d/a = lower a'],
      come: ['/d/a = lower a!'],
    },
    {
      what: 'writes into the middle of a lower file that has two names',
      act: (u, at) => u.write(at('/g'), 2, bytesOf('--')),
      gone: ['/f = lower f', '/g = lower f'],
      come: ['/f = lo--r f', '/g = lo--r f'],
    },
    {
      what: 'writes beyond the end and leaves a hole',
      act: (u, at) => u.write(at('/n'), 5, bytesOf('x')),
      gone: ['/n = own'],
      come: ['/n = own\0\0x'],
    },
    {
      what: 'shortens and lengthens a lower file',
      act: (u, at) => {
        u.setattr(at('/d/a'), { size: 2 });
        u.setattr(at('/d/a'), { size: 4 });
      },
      gone: ['/d/a = lower a'],
      come: ['/d/a = lo\0\0'],
    },
    {
      what: 'removes a lower file',
      act: (u, at) => u.unlink(at('/d'), 'a'),
      gone: ['/d/a = lower a'],
      come: [],
    },
    {
      what: 'removes a changed lower file',
      act: (u, at) => u.unlink(at('/d'), 'b'),
      gone: ['/d/b = UPPER b'],
      come: [],
    },
    { what: 'removes an upper file', act: (u) => u.unlink(u.root, 'n'), gone: ['/n = own'], come: [] },
    {
      what: 'removes one name of a lower file',
      act: (u) => u.unlink(u.root, 'f'),
      gone: ['/f = lower f'],
      come: [],
    },
    {
      what: 'removes a lower directory once it shows nothing',
      act: (u, at) => {
        u.unlink(at('/full/x'), 'y');
        u.rmdir(at('/full'), 'x');
        u.rmdir(u.root, 'full');
      },
      gone: ['/full/', '/full/x/', '/full/x/y = 1'],
      come: [],
    },
    {
      what: 'makes a directory anew where a lower one was, and it is empty',
      act: (u, at) => {
        const d = at('/d');
        u.unlink(d, 'a');
        u.unlink(d, 'b');
        u.rmdir(u.root, 'd');
        u.mkdir(u.root, 'd', 0o755, ROOT_OWNER);
      },
      gone: ['/d/a = lower a', '/d/b = UPPER b'],
      come: [],
    },
    {
      what: 'makes a file where a directory was',
      act: (u) => {
        u.rmdir(u.root, 'empty');
        put(u, u.root, 'empty', 'file');
      },
      gone: ['/empty/'],
      come: ['/empty = file'],
    },
    {
      what: 'renames a lower file',
      act: (u, at) => u.rename(at('/d'), 'a', u.root, 'z'),
      gone: ['/d/a = lower a'],
      come: ['/z = lower a'],
    },
    {
      what: 'renames a lower directory with all in it',
      act: (u, at) => u.rename(u.root, 'd', at('/u'), 'dd'),
      gone: ['/d/', '/d/a = lower a', '/d/b = UPPER b'],
      come: ['/u/dd/', '/u/dd/a = lower a', '/u/dd/b = UPPER b'],
    },
    {
      what: 'renames an upper file over a lower one',
      act: (u, at) => u.rename(u.root, 'n', at('/d'), 'a'),
      gone: ['/d/a = lower a', '/n = own'],
      come: ['/d/a = own'],
    },
    {
      what: 'renames a lower directory over an empty one',
      act: (u) => u.rename(u.root, 'full', u.root, 'empty'),
      gone: ['/full/', '/full/x/', '/full/x/y = 1'],
      come: ['/empty/x/', '/empty/x/y = 1'],
    },
    {
      what: 'renames there and back',
      act: (u) => {
        u.rename(u.root, 'd', u.root, 'z');
        u.rename(u.root, 'z', u.root, 'd');
      },
      gone: [],
      come: [],
    },
    { what: 'renames onto itself', act: (u) => u.rename(u.root, 'n', u.root, 'n'), gone: [], come: [] },
    {
      what: 'renames one hard link onto the other, which POSIX lets be',
      act: (u) => u.rename(u.root, 'f', u.root, 'g'),
      gone: [],
      come: [],
    },
    {
      what: 'makes a symlink, a fifo, devices',
      act: (u) => {
        u.symlink(u.root, 'l', 'd/a', ROOT_OWNER);
        u.mknod(u.root, 'p', 'fifo', 0o600, [0, 0], ROOT_OWNER);
        u.mknod(u.root, 'c', 'char', 0o666, [1, 3], ROOT_OWNER);
        u.mknod(u.root, 'k', 'block', 0o660, [259, 1048575], ROOT_OWNER);
        u.mknod(u.root, 'o', 'socket', 0o666, [0, 0], ROOT_OWNER);
      },
      gone: [],
      come: ['/c char 1 3', '/k block 259 1048575', '/l -> d/a', '/o socket 0 0', '/p fifo 0 0'],
    },
    {
      what: 'links a lower file',
      act: (u, at) => u.link(at('/d/a'), at('/u'), 'h'),
      gone: [],
      come: ['/u/h = lower a'],
    },
    {
      what: 'keeps names that are no UTF-8',
      act: (u) => put(u, u.root, '\udcff\udc80', 'x'),
      gone: [],
      come: ['/\udcff\udc80 = x'],
    },
  ];
  it.each(rows)('$what, and it is so again after reopening', async ({ act, gone, come }) => {
    const journal = await memoryJournal();
    const lowers = [lowerOf(1, LOWER, true)];
    const before = await treeOf(await unionWithBoth());
    const union = await unionOver(lowers, { journal });
    const u = union.mkdir(union.root, 'u', 0o755, ROOT_OWNER);
    put(union, u, 'n', 'upper n');
    put(union, union.root, 'n', 'own');
    union.write(resolvePath(union, '/d/b'), 0, bytesOf('UPPER'));
    act(union, (path) => resolvePath(union, path, { followLast: false }));
    const after = await treeOf(union);
    expect(before.filter((line) => !after.includes(line))).toEqual(gone);
    expect(after.filter((line) => !before.includes(line))).toEqual(come);
    await union.flush();
    expect(await treeOf(await unionOver(lowers, { journal }))).toEqual(after);
  });

  it('keeps an inode number through copy-up, rename and reopening', async () => {
    const journal = await memoryJournal();
    const lowers = [lowerOf(1, LOWER)];
    const union = await unionOver(lowers, { journal });
    const f = resolvePath(union, '/f');
    const own = put(union, union.root, 'own', 'x');
    union.write(f, 0, bytesOf('x'));
    union.rename(union.root, 'f', union.root, 'z');
    expect(resolvePath(union, '/z')).toBe(f);
    await union.flush();
    const again = await unionOver(lowers, { journal });
    expect([resolvePath(again, '/z'), resolvePath(again, '/g'), resolvePath(again, '/own')]).toEqual([
      f,
      f,
      own,
    ]);
    expect(put(again, again.root, 'more', 'x')).toBeGreaterThan(own);
  });

  it('moves times as POSIX says', async () => {
    let time = 100n;
    const union = await unionOver([lowerOf(1, LOWER)], { now: () => time });
    const times = (path: string) => {
      const { mtimeNs, ctimeNs } = union.stat(resolvePath(union, path, { followLast: false }));
      return [mtimeNs, ctimeNs];
    };
    const d = resolvePath(union, '/d');
    union.write(resolvePath(union, '/d/a'), 0, bytesOf('x'));
    expect([times('/d/a'), times('/d')]).toEqual([
      [100n, 100n],
      [1_000_000_000n, 1_000_000_000n],
    ]);
    time = 200n;
    union.setattr(resolvePath(union, '/d/a'), { mode: 0o600 });
    expect(times('/d/a')).toEqual([100n, 200n]);
    time = 300n;
    union.unlink(d, 'b');
    expect(times('/d')).toEqual([300n, 300n]);
    time = 400n;
    union.rename(d, 'a', resolvePath(union, '/empty'), 'a');
    expect([times('/d'), times('/empty'), times('/empty/a')]).toEqual([
      [400n, 400n],
      [400n, 400n],
      [100n, 400n],
    ]);
    time = 500n;
    union.setattr(resolvePath(union, '/empty/a'), { atimeNs: 7n, mtimeNs: 'now' });
    const stat = union.stat(resolvePath(union, '/empty/a'));
    expect([stat.atimeNs, stat.mtimeNs, stat.ctimeNs]).toEqual([7n, 500n, 500n]);
    time = 600n;
    union.setattr(resolvePath(union, '/empty/a'), { size: 1 });
    expect(times('/empty/a')).toEqual([600n, 600n]);
  });

  it('gives each change of an inode a greater version', async () => {
    const union = await unionOver([lowerOf(1, LOWER)]);
    const a = resolvePath(union, '/d/a');
    const versions = [union.stat(a).version];
    const step = (act: () => void) => {
      act();
      versions.push(union.stat(a).version);
    };
    step(() => union.write(a, 0, bytesOf('x')));
    step(() => union.setattr(a, { mode: 0o600 }));
    step(() => union.setxattr(a, 'user.x', bytesOf('1'), 0));
    step(() => union.link(a, union.root, 'h'));
    step(() => union.unlink(union.root, 'h'));
    expect(versions).toEqual([...new Set(versions)].sort((x, y) => x - y));
  });

  it('copies attributes up with the content, and keeps what was set', async () => {
    const union = await unionOver([lowerOf(1, ['a = 1'])]);
    const a = resolvePath(union, '/a');
    union.setxattr(a, 'user.k', bytesOf('v'), 0);
    union.setattr(a, { uid: 1000, gid: 50, mode: 0o104755 });
    const { uid, gid, mode, type, size } = union.stat(a);
    expect([uid, gid, mode, type, size]).toEqual([1000, 50, 0o4755, 'file', 1]);
    expect(union.listxattr(a)).toEqual(['user.k']);
    expect(textOf(union.getxattr(a, 'user.k') ?? bytesOf(''))).toBe('v');
    expect(union.getxattr(a, 'user.none')).toBeUndefined();
    union.removexattr(a, 'user.k');
    expect(union.listxattr(a)).toEqual([]);
  });
});

describe('what is open', () => {
  it.each(['/d/a', '/n'])('can be read and written after its last name went: %s', async (path) => {
    const union = await unionWithBoth();
    const ino = resolvePath(union, path);
    const { files } = union.space();
    union.hold(ino);
    union.hold(ino);
    union.unlink(path === '/n' ? union.root : resolvePath(union, '/d'), path.at(-1) ?? '');
    union.release(ino);
    expect(union.stat(ino).nlink).toBe(0);
    union.write(ino, 0, bytesOf('still'));
    expect(textOf(await union.read(ino, 0, 5))).toBe('still');
    expect(errnoOf(() => union.link(ino, union.root, 'back'))).toBe('ENOENT');
    union.release(ino);
    expect(errnoOf(() => union.stat(ino))).toBe('ESTALE');
    expect(union.space().files).toBe(files - 1);
  });

  it('gives its space back when a rename took its place', async () => {
    const union = await unionWithBoth();
    const n = resolvePath(union, '/n');
    union.hold(n);
    put(union, union.root, 'm', 'new');
    union.rename(union.root, 'm', union.root, 'n');
    expect(textOf(await union.read(n, 0, 9))).toBe('own');
    union.release(n);
    expect(errnoOf(() => union.stat(n))).toBe('ESTALE');
  });
});

describe('reading', () => {
  it('gives fewer bytes only at the end, across holes, upper and lower', async () => {
    const union = await unionOver([lowerOf(1, ['a = 0123456789'], true)]);
    const a = resolvePath(union, '/a');
    union.write(a, 3, bytesOf('XY'));
    union.write(a, 12, bytesOf('Z'));
    const read = async (offset: number, length: number) => textOf(await union.read(a, offset, length));
    expect(await read(0, 100)).toBe('012XY56789\0\0Z');
    expect([
      await read(4, 2),
      await read(10, 2),
      await read(12, 5),
      await read(13, 5),
      await read(99, 1),
    ]).toEqual(['Y5', '\0\0', 'Z', '', '']);
    expect(union.stat(a).blocks).toBe(1);
  });

  it.each([
    { what: 'rejects', read: async () => Promise.reject(new Error('gone')) },
    {
      what: 'throws',
      read: () => {
        throw new Error('gone');
      },
    },
    { what: 'gives too little', read: () => new Uint8Array(1) },
  ])('is EIO when the lower $what', async ({ read }) => {
    const union = await unionOver([{ ...lowerOf(1, ['a = 0123']), read }]);
    const a = resolvePath(union, '/a');
    const attempt = async () => await union.read(a, 0, 4);
    expect(await errnoOfPromise(attempt())).toBe('EIO');
    union.write(a, 0, bytesOf('x'));
    expect(await errnoOfPromise(attempt())).toBe('EIO');
  });
});

describe('what an observer is told', () => {
  it('is each copy-up once, with the layer it came from, and each change', async () => {
    const told: string[] = [];
    let changes = 0;
    const union = await unionOver([lowerOf(1, ['d/a = 1']), lowerOf(2, ['d/b = 2'])], {
      onCopyUp: ({ path, layer, type }) => told.push(`${path} ${type} ${layer}`),
      onChange: () => {
        changes += 1;
      },
    });
    const b = resolvePath(union, '/d/b');
    union.write(b, 0, bytesOf('x'));
    union.write(b, 0, bytesOf('y'));
    union.unlink(resolvePath(union, '/d'), 'a');
    expect(told).toEqual(['/d/b file 1', '/d dir 0']);
    expect(changes).toBe(4);
    expect([union.layerOf(b), union.layerOf(union.root)]).toEqual(['upper', 0]);
  });
});
