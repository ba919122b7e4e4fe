import { beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeName } from '../../../src/engine/names.ts';
import { type Errno, FsError } from '../../../src/engine/unionfs/errno.ts';
import type { FileSystem } from '../../../src/engine/unionfs/filesystem.ts';
import {
  encodeRequest,
  MESSAGES,
  type MessageName,
  type RequestOf,
} from '../../../src/machine/nine-p/messages.ts';
import { NinePServer } from '../../../src/machine/nine-p/server.ts';
import { WireReader } from '../../../src/machine/nine-p/wire.ts';
import { emptyTree } from '../../support/machine.ts';
import { expectErrno, NinePClient, NO_FID, ROOT_FID } from '../../support/nine-p-client.ts';

const owner = { uid: 0, gid: 0 };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (string: string) => new TextEncoder().encode(string);

let fs: FileSystem;
let server: NinePServer;
let client: NinePClient;
let reported: unknown[];

/** The tree `host`: f ("hello"), d/ with d/g ("in d"), l -> f. */
beforeEach(async () => {
  fs = await emptyTree();
  fs.write(fs.create(fs.root, 'f', 0o644, owner), 0, bytes('hello'));
  const d = fs.mkdir(fs.root, 'd', 0o755, owner);
  fs.write(fs.create(d, 'g', 0o600, owner), 0, bytes('in d'));
  fs.symlink(fs.root, 'l', 'f', owner);
  reported = [];
  server = new NinePServer({ report: (error) => reported.push(error), fidLimit: 100 });
  server.mount('host', fs);
  client = new NinePClient(server);
  await client.connect();
});

interface Entry {
  readonly name: string;
  readonly path: number;
  readonly offset: number;
  readonly type: number;
}

/** The entries packed in a readdir reply. */
function unpack(entries: Uint8Array): Entry[] {
  const message = new Uint8Array(7 + entries.length);
  message.set(entries, 7);
  const reader = new WireReader(message);
  const list: Entry[] = [];
  for (let left = entries.length; left > 0; ) {
    reader.u8();
    reader.u32();
    const path = reader.u64();
    const offset = reader.u64();
    const type = reader.u8();
    const name = reader.string();
    left -= 24 + new TextEncoder().encode(name).length;
    list.push({ name, path, offset, type });
  }
  return list;
}

async function content(path: string, fid = 90): Promise<string> {
  await client.walk(path, fid);
  const { bytes } = await client.call('read', { fid, offset: 0, count: 1000 });
  await client.call('clunk', { fid });
  return text(bytes);
}

describe('a session', () => {
  it.each([
    [65536, 65536],
    [2 ** 31, 1 << 20],
  ])('asked for messages of %i bytes agrees on %i', async (msize, agreed) => {
    const reply = await client.call('version', { msize, version: '9P2000.L' });
    expect(reply).toEqual({ msize: agreed, version: '9P2000.L' });
  });

  it('in another dialect is unknown, with tiny messages impossible', async () => {
    expect((await client.call('version', { msize: 8192, version: '9P2000.u' })).version).toBe('unknown');
    await expectErrno(client.call('version', { msize: 64, version: '9P2000.L' }), 'EINVAL');
  });

  it('begun anew has no fids', async () => {
    await client.walk('host/f', 1);
    await client.call('version', { msize: 8192, version: '9P2000.L' });
    expect(server.fids).toBe(0);
    await expectErrno(client.call('getattr', { fid: 1, mask: 0 }), 'EBADF');
  });

  it('attaches to nothing but the root, and no number twice', async () => {
    const attach = (fid: number, tree: string) =>
      client.call('attach', { fid, afid: NO_FID, user: '', tree, uid: 5 });
    expect((await attach(1, '/')).qid.type).toBe(0x80);
    await expectErrno(attach(2, '/etc'), 'ENOENT');
    await expectErrno(attach(1, ''), 'EINVAL');
  });
});

describe('walk', () => {
  it('gives a qid for each step, with the type of what it found', async () => {
    expect((await client.walk('host/d/g', 1)).qids.map(({ type }) => type)).toEqual([0x80, 0x80, 0]);
    expect((await client.walk('host/l', 2)).qids.at(-1)?.type).toBe(2);
  });

  it('makes no fid when it ends early', async () => {
    const { qids } = await client.walk('host/d/none/x', 1);
    expect(qids.length).toBe(2);
    await expectErrno(client.call('getattr', { fid: 1, mask: 0 }), 'EBADF');
  });

  it.each<[string, Errno]>([
    ['missing at the first step', 'ENOENT'],
    ['of a file', 'ENOTDIR'],
    ['to a number that is in use', 'EINVAL'],
    ['from a number that is free', 'EBADF'],
  ])('%s is an error: %s', async (what, errno) => {
    await client.walk('host', 1);
    await client.walk('host/f', 2);
    const calls: Record<string, RequestOf<'walk'>> = {
      'missing at the first step': { fid: 1, newFid: 3, names: ['none'] },
      'of a file': { fid: 2, newFid: 3, names: ['x'] },
      'to a number that is in use': { fid: 1, newFid: 2, names: [] },
      'from a number that is free': { fid: 9, newFid: 3, names: [] },
    };
    const request = calls[what];
    if (request === undefined) throw new TypeError(what);
    await expectErrno(client.call('walk', request), errno);
  });

  it('leaves a tree by ".." and stays in the root', async () => {
    const up = await client.walk('host/d/../../..', 1);
    expect(up.qids.at(-1)).toEqual((await client.call('getattr', { fid: ROOT_FID, mask: 0 })).qid);
    expect(up.qids[2]).toEqual(up.qids[0]);
  });

  it('may rebind its own number', async () => {
    await client.walk('host', 1);
    await client.call('walk', { fid: 1, newFid: 1, names: ['f'] });
    expect((await client.call('getattr', { fid: 1, mask: 0 })).size).toBe(5);
  });
});

describe('a fid', () => {
  it('means its inode, whatever happens to the name', async () => {
    await client.walk('host/f', 1);
    fs.rename(fs.root, 'f', fs.lookup(fs.root, 'd'), 'moved');
    expect(text((await client.call('read', { fid: 1, offset: 0, count: 9 })).bytes)).toBe('hello');
    fs.unlink(fs.lookup(fs.root, 'd'), 'moved');
    expect(text((await client.call('read', { fid: 1, offset: 0, count: 9 })).bytes)).toBe('hello');
    expect((await client.call('getattr', { fid: 1, mask: 0 })).nlink).toBe(0);
  });

  it('holds it until the last clunk, and no longer', async () => {
    await client.walk('host/f', 1);
    await client.call('walk', { fid: 1, newFid: 2, names: [] });
    const ino = fs.lookup(fs.root, 'f');
    fs.unlink(fs.root, 'f');
    await client.call('clunk', { fid: 1 });
    expect(fs.stat(ino).nlink).toBe(0);
    await client.call('clunk', { fid: 2 });
    expect(() => fs.stat(ino)).toThrow(FsError);
    await expectErrno(client.call('clunk', { fid: 2 }), 'EBADF');
  });

  it('is refused above the limit', async () => {
    for (let fid = 1; fid < 100; fid++) await client.walk('host', fid);
    await expectErrno(client.walk('host', 100), 'ENOMEM');
    await client.call('clunk', { fid: 7 });
    await client.walk('host', 7);
  });
});

describe('getattr', () => {
  it('tells type, mode, owner, links, size and times', async () => {
    const ino = fs.lookup(fs.root, 'f');
    fs.setattr(ino, {
      uid: 7,
      gid: 8,
      mode: 0o4755,
      mtimeNs: -1_500_000_000n,
      atimeNs: 1_700_000_000_123_456_789n,
    });
    await client.walk('host/f', 1);
    const reply = await client.call('getattr', { fid: 1, mask: 0x7ff });
    expect(reply).toMatchObject({ valid: 0x7ff, mode: 0o104755, uid: 7, gid: 8, nlink: 1, size: 5 });
    expect([reply.mtime, reply.atime]).toEqual([-1_500_000_000n, 1_700_000_000_123_456_789n]);
  });

  it.each([
    ['char', 1, 3, 0o020666, 0x103],
    ['block', 259, 300, 0o060660, 0x11032c],
    ['fifo', 0, 0, 0o010644, 0],
    ['socket', 0, 0, 0o140755, 0],
  ] as const)('knows a %s device %i:%i', async (type, major, minor, mode, rdev) => {
    fs.mknod(fs.root, 'n', type, mode & 0o7777, [major, minor], owner);
    await client.walk('host/n', 1);
    expect(await client.call('getattr', { fid: 1, mask: 0 })).toMatchObject({ mode, rdev });
  });

  it('gives two names of one file one qid, whose version does not change with writes', async () => {
    fs.link(fs.lookup(fs.root, 'f'), fs.root, 'f2');
    const [a] = (await client.walk('host/f', 1)).qids.slice(-1);
    fs.write(fs.lookup(fs.root, 'f'), 0, bytes('changed'));
    const [b] = (await client.walk('host/f2', 2)).qids.slice(-1);
    expect(a).toEqual(b);
  });
});

describe('setattr', () => {
  const nothing = { fid: 1, valid: 0, mode: 0, uid: 0, gid: 0, size: 0, atime: 0n, mtime: 0n };

  it.each<[string, Partial<RequestOf<'setattr'>>, object]>([
    ['mode', { valid: 1, mode: 0o107711 }, { mode: 0o7711, size: 5 }],
    ['uid', { valid: 2, uid: 9 }, { uid: 9, gid: 0 }],
    ['gid', { valid: 4, gid: 9 }, { uid: 0, gid: 9 }],
    ['size', { valid: 8, size: 2 }, { size: 2 }],
    ['size, growing', { valid: 8, size: 2 ** 33 }, { size: 2 ** 33 }],
    ['given times', { valid: 0x1b0, atime: 5n, mtime: -7n }, { atimeNs: 5n, mtimeNs: -7n }],
    ['nothing', { valid: 0x40 }, { mode: 0o644, size: 5 }],
  ])('sets %s and nothing else', async (_, request, want) => {
    await client.walk('host/f', 1);
    await client.call('setattr', { ...nothing, ...request });
    expect(fs.stat(fs.lookup(fs.root, 'f'))).toMatchObject(want);
  });

  it('sets a time to now when none is given', async () => {
    await client.walk('host/f', 1);
    fs.setattr(fs.lookup(fs.root, 'f'), { mtimeNs: 1n, atimeNs: 1n });
    await client.call('setattr', { ...nothing, valid: 0x20, mtime: 99n });
    const { atimeNs, mtimeNs } = fs.stat(fs.lookup(fs.root, 'f'));
    expect(atimeNs).toBe(1n);
    expect(mtimeNs).toBeGreaterThan(99n);
  });

  it('refuses a time that no clock has', async () => {
    await client.walk('host/f', 1);
    const message = encodeRequest('setattr', 1, { ...nothing, valid: 0x180, mtime: 0n });
    new DataView(message.buffer).setBigUint64(message.length - 8, 1_000_000_000n, true);
    expect((await client.raw(message))[7]).toBe(22);
  });
});

describe('open files', () => {
  it('are read from any offset, at most as much as a message holds', async () => {
    fs.write(fs.lookup(fs.root, 'f'), 0, new Uint8Array(100_000).fill(7));
    await client.walk('host/f', 1);
    await client.call('lopen', { fid: 1, flags: 0 });
    const read = async (offset: number, count: number) =>
      (await client.call('read', { fid: 1, offset, count })).bytes.length;
    expect(await read(0, 0xffffffff)).toBe(65536 - 11);
    expect(await read(99_999, 100)).toBe(1);
    expect(await read(100_000, 100)).toBe(0);
    expect(await read(2 ** 52, 100)).toBe(0);
  });

  it('are truncated by O_TRUNC', async () => {
    await client.walk('host/f', 1);
    await client.call('lopen', { fid: 1, flags: 0o1001 });
    expect(fs.stat(fs.lookup(fs.root, 'f')).size).toBe(0);
  });

  it('are opened to be read alone where nothing is free, and keep their content until they are cut by name', async () => {
    const { free, ...space } = fs.space();
    const spied = vi.spyOn(fs, 'space').mockReturnValue({ ...space, free: 0 });
    const [read, write, both, truncate] = [0, 1, 2, 0o1000];
    // what the guest's kernel sends for O_TRUNC, and for truncate(2)
    const emptied = { fid: 1, valid: 0x68, mode: 0, uid: 0, gid: 0, size: 0, atime: 0n, mtime: 0n };
    await client.walk('host/f', 1);
    await client.call('lopen', { fid: 1, flags: read });
    for (const flags of [write, both, write | truncate, read | truncate]) {
      await expectErrno(client.call('lopen', { fid: 1, flags }), 'ENOSPC');
    }
    await expectErrno(client.call('setattr', emptied), 'ENOSPC');
    expect(await content('host/f')).toBe('hello');
    await client.call('setattr', { ...emptied, size: 4 });
    expect(await content('host/f')).toBe('hell');
    await client.call('setattr', { ...emptied, valid: 8 });
    expect(await content('host/f')).toBe('');
    spied.mockReturnValue({ ...space, free });
    await client.call('lopen', { fid: 1, flags: write | truncate });
    await client.call('setattr', emptied);
  });

  it('are written', async () => {
    await client.walk('host/f', 1);
    expect(await client.call('write', { fid: 1, offset: 3, bytes: bytes('XYZ') })).toEqual({ count: 3 });
    expect(await content('host/f')).toBe('helXYZ');
  });

  it('are created with the owner who attached, and the fid is then the file', async () => {
    await client.call('attach', { fid: 50, afid: NO_FID, user: '', tree: '', uid: 1000 });
    await client.call('walk', { fid: 50, newFid: 51, names: ['host'] });
    await client.call('lcreate', { fid: 51, name: 'new', flags: 1, mode: 0o100640, gid: 100 });
    await client.call('write', { fid: 51, offset: 0, bytes: bytes('x') });
    expect(fs.stat(fs.lookup(fs.root, 'new'))).toMatchObject({ mode: 0o640, uid: 1000, gid: 100, size: 1 });
  });

  it.each<[string, Errno]>([
    ['host', 'EISDIR'],
    ['host/l', 'EINVAL'],
  ])('%s is not read or written: %s', async (path, errno) => {
    await client.walk(path, 1);
    await expectErrno(client.call('read', { fid: 1, offset: 0, count: 1 }), errno);
    await expectErrno(client.call('write', { fid: 1, offset: 0, bytes: bytes('x') }), errno);
  });

  it('are locked as the guest likes', async () => {
    await client.walk('host/f', 1);
    const lock = { fid: 1, type: 1, start: 0, length: 10, process: 3, client: 'me' };
    expect(await client.call('lock', { ...lock, flags: 0 })).toEqual({ status: 0 });
    expect(await client.call('getlock', lock)).toMatchObject({ type: 2, process: 3, client: 'me' });
  });
});

describe('names', () => {
  const at = async () => {
    await client.walk('host', 1);
    await client.walk('host/d', 2);
  };

  it('are made: mkdir, symlink, mknod, link', async () => {
    await at();
    await client.call('mkdir', { directory: 1, name: 'sub', mode: 0o41777, gid: 3 });
    await client.call('symlink', { directory: 1, name: 'sl', target: '../x', gid: 3 });
    await client.call('mknod', { directory: 1, name: 'null', mode: 0o020666, major: 1, minor: 3, gid: 3 });
    await client.walk('host/f', 3);
    await client.call('link', { directory: 2, fid: 3, name: 'hard' });
    expect(fs.stat(fs.lookup(fs.root, 'sub'))).toMatchObject({ type: 'dir', mode: 0o1777, gid: 3 });
    expect(fs.readlink(fs.lookup(fs.root, 'sl'))).toBe('../x');
    expect(fs.stat(fs.lookup(fs.root, 'null'))).toMatchObject({ type: 'char', rdev: [1, 3] });
    expect(fs.stat(fs.lookup(fs.root, 'f')).nlink).toBe(2);
    await client.walk('host/sl', 4);
    expect(await client.call('readlink', { fid: 4 })).toEqual({ target: '../x' });
    await expectErrno(client.call('readlink', { fid: 3 }), 'EINVAL');
  });

  it('change: renameat, rename', async () => {
    await at();
    await client.call('renameat', { from: 1, name: 'f', to: 2, newName: 'f2' });
    expect(await content('host/d/f2')).toBe('hello');
    await client.walk('host/d/f2', 3);
    await client.call('rename', { fid: 3, directory: 1, name: 'back' });
    expect(await content('host/back')).toBe('hello');
    await expectErrno(client.call('rename', { fid: 3, directory: 1, name: 'again' }), 'ENOENT');
  });

  it('go: unlinkat, remove', async () => {
    await at();
    await expectErrno(client.call('unlinkat', { directory: 1, name: 'd', flags: 0 }), 'EISDIR');
    await expectErrno(client.call('unlinkat', { directory: 1, name: 'f', flags: 0x200 }), 'ENOTDIR');
    await expectErrno(client.call('unlinkat', { directory: 1, name: 'd', flags: 0x200 }), 'ENOTEMPTY');
    await client.walk('host/d/g', 3);
    await client.call('remove', { fid: 3 });
    await expectErrno(client.call('clunk', { fid: 3 }), 'EBADF');
    await client.call('unlinkat', { directory: 1, name: 'd', flags: 0x200 });
    await client.call('unlinkat', { directory: 1, name: 'f', flags: 0 });
    expect(fs.readdir(fs.root).map(({ name }) => name)).toEqual(['l']);
  });

  it.each<[string, Errno]>([
    ['', 'EINVAL'],
    ['a/b', 'EINVAL'],
    ['a\0b', 'EINVAL'],
    ['.', 'EEXIST'],
    ['..', 'EEXIST'],
    ['f', 'EEXIST'],
    ['x'.repeat(256), 'ENAMETOOLONG'],
    ['ä'.repeat(128), 'ENAMETOOLONG'],
  ])('%j is not made: %s', async (name, errno) => {
    await at();
    await expectErrno(client.call('mkdir', { directory: 1, name, mode: 0o755, gid: 0 }), errno);
  });

  it('that are no UTF-8 pass both ways', async () => {
    await at();
    const name = decodeName(Uint8Array.of(0xff, 0x61, 0xc3));
    await client.call('symlink', { directory: 1, name, target: name, gid: 0 });
    expect(fs.readlink(fs.lookup(fs.root, name))).toBe(name);
    const message = encodeRequest('walk', 1, { fid: 1, newFid: 9, names: [name] });
    expect([...message.subarray(-3)]).toEqual([0xff, 0x61, 0xc3]);
    expect((await client.raw(message))[4]).toBe(MESSAGES.walk.type + 1);
    const { entries } = await client.call('readdir', { fid: 1, offset: 0, count: 8000 });
    expect(Buffer.from(entries).includes(Buffer.from([0xff, 0x61, 0xc3]))).toBe(true);
  });

  it('stay within their tree', async () => {
    server.mount('c/one', await emptyTree());
    await at();
    await client.walk('c/one', 3);
    await client.walk('host/f', 4);
    await expectErrno(client.call('renameat', { from: 1, name: 'f', to: 3, newName: 'f' }), 'EXDEV');
    await expectErrno(client.call('link', { directory: 3, fid: 4, name: 'f' }), 'EXDEV');
  });
});

describe('readdir', () => {
  const list = async (fid: number, offset: number, count = 8000) =>
    unpack((await client.call('readdir', { fid, offset, count })).entries);

  it('lists ".", "..", then the rest, with types and inodes', async () => {
    await client.walk('host', 1);
    const entries = await list(1, 0);
    expect(entries.map(({ name, type, offset }) => `${name} ${type} ${offset}`)).toEqual([
      '. 4 1',
      '.. 4 2',
      'd 4 3',
      'f 8 4',
      'l 10 5',
    ]);
    const { qids } = await client.walk('host/f', 2);
    expect(entries[3]?.path).toBe(qids.at(-1)?.path);
    expect(await list(1, 5)).toEqual([]);
  });

  it('goes on where it stopped, in the directory as it was at offset 0', async () => {
    await client.walk('host', 1);
    const seen: string[] = [];
    for (let offset = 0; ; ) {
      const [entry] = await list(1, offset, 30);
      if (entry === undefined) break;
      seen.push(entry.name);
      offset = entry.offset;
      if (entry.name === 'd') {
        fs.create(fs.root, 'a', 0o644, owner);
        fs.unlink(fs.root, 'f');
      }
    }
    expect(seen).toEqual(['.', '..', 'd', 'f', 'l']);
    expect((await list(1, 0)).map(({ name }) => name)).toEqual(['.', '..', 'a', 'd', 'l']);
  });

  it('leaves no room for another entry unless it is the last reply', async () => {
    await client.walk('host', 1);
    for (let i = 0; i < 200; i++) fs.create(fs.root, `file-${i}`, 0o644, owner);
    const { entries } = await client.call('readdir', { fid: 1, offset: 0, count: 1000 });
    expect(entries.length).toBeGreaterThan(1000 - 24 - 8);
    expect(entries.length).toBeLessThanOrEqual(1000);
  });

  it('is for directories', async () => {
    await client.walk('host/f', 1);
    await expectErrno(client.call('readdir', { fid: 1, offset: 0, count: 100 }), 'ENOTDIR');
  });
});

describe('extended attributes', () => {
  const set = async (name: string, value: string, flags = 0, size = value.length) => {
    await client.walk('host/f', 20);
    await client.call('xattrcreate', { fid: 20, name, size, flags });
    if (value !== '') await client.call('write', { fid: 20, offset: 0, bytes: bytes(value) });
    await client.call('clunk', { fid: 20 });
  };
  const get = async (name: string) => {
    const { size } = await client.call('xattrwalk', { fid: 1, newFid: 21, name });
    const { bytes } = await client.call('read', { fid: 21, offset: 0, count: 1000 });
    await client.call('clunk', { fid: 21 });
    expect(bytes.length).toBe(size);
    return text(bytes);
  };

  beforeEach(() => client.walk('host/f', 1));

  it('are set at clunk, read and listed', async () => {
    await set('user.a', 'one');
    await set('user.b', '');
    expect(await get('user.a')).toBe('one');
    expect(await get('user.b')).toBe('');
    expect(await get('')).toBe('user.a\0user.b\0');
    await expectErrno(client.call('xattrwalk', { fid: 1, newFid: 21, name: 'user.c' }), 'ENODATA');
  });

  it('are removed by replacing them with nothing', async () => {
    await set('user.a', 'one');
    await set('user.a', '', 2);
    expect(fs.getxattr(fs.lookup(fs.root, 'f'), 'user.a')).toBeUndefined();
    await expectErrno(set('user.a', '', 2), 'ENODATA');
    await expectErrno(set('user.a', 'x', 2), 'ENODATA');
  });

  it('are not set when less came than announced; the fid is gone all the same', async () => {
    await expectErrno(set('user.a', 'one', 0, 10), 'EINVAL');
    expect(fs.listxattr(fs.lookup(fs.root, 'f'))).toEqual([]);
    await expectErrno(client.call('clunk', { fid: 20 }), 'EBADF');
  });

  it.each<[string, Partial<RequestOf<'xattrcreate'>>, Errno]>([
    ['too large a value', { size: 65537 }, 'E2BIG'],
    ['too large a value to count', { size: 2 ** 60 }, 'E2BIG'],
    ['no name', { name: '' }, 'EINVAL'],
    ['too long a name', { name: `user.${'x'.repeat(251)}` }, 'ERANGE'],
  ])('are refused with %s', async (_, request, errno) => {
    await expectErrno(
      client.call('xattrcreate', { fid: 1, name: 'user.a', size: 1, flags: 0, ...request }),
      errno,
    );
  });

  it('take no more than was announced, and are no files', async () => {
    await client.call('xattrcreate', { fid: 1, name: 'user.a', size: 2, flags: 0 });
    await expectErrno(client.call('write', { fid: 1, offset: 0, bytes: bytes('abc') }), 'ENOSPC');
    await expectErrno(client.call('write', { fid: 1, offset: 2 ** 40, bytes: bytes('a') }), 'ENOSPC');
    await expectErrno(client.call('read', { fid: 1, offset: 0, count: 1 }), 'EBADF');
    await expectErrno(client.call('getattr', { fid: 1, mask: 0 }), 'EBADF');
  });
});

describe('trees', () => {
  it('are listed where they are mounted, and have numbers of their own', async () => {
    server.mount('c/abc', await emptyTree());
    server.mount('v/data', await emptyTree());
    await client.walk('', 1);
    const names = unpack((await client.call('readdir', { fid: 1, offset: 0, count: 8000 })).entries);
    expect(names.map(({ name }) => name)).toEqual(['.', '..', 'c', 'v', 'host']);
    const paths = await Promise.all(
      ['c/abc', 'v/data', 'host'].map(async (path, i) => (await client.walk(path, 10 + i)).qids.at(-1)?.path),
    );
    expect(new Set(paths).size).toBe(3);
    expect(paths.map((path) => (path ?? 0) % 2 ** 32)).toEqual([2 ** 31 + 1, 2 ** 31 + 1, 2 ** 31 + 1]);
    await client.walk('c', 2);
    expect(unpack((await client.call('readdir', { fid: 2, offset: 0, count: 100 })).entries)[2]?.name).toBe(
      'abc',
    );
  });

  it('that were withdrawn are stale, let go of their inodes, and come back as others', async () => {
    const [before] = (await client.walk('host/f', 1)).qids;
    const ino = fs.lookup(fs.root, 'f');
    fs.unlink(fs.root, 'f');
    server.unmount('host');
    expect(() => fs.stat(ino)).toThrow(FsError);
    await expectErrno(client.call('read', { fid: 1, offset: 0, count: 1 }), 'ESTALE');
    await expectErrno(client.walk('host', 2), 'ESTALE');
    await client.call('clunk', { fid: 1 });
    server.mount('host', fs);
    const [after] = (await client.walk('host', 2)).qids;
    expect(after?.path).not.toBe(before?.path);
  });

  it('that do not exist are ESTALE, which the guest does not remember', async () => {
    await expectErrno(client.walk('nothing', 1), 'ESTALE');
    await client.walk('c', 1);
    await expectErrno(client.call('walk', { fid: 1, newFid: 2, names: ['x'] }), 'ESTALE');
  });

  it('leave their root as it is', async () => {
    await client.walk('c', 1);
    await expectErrno(client.call('mkdir', { directory: 1, name: 'x', mode: 0, gid: 0 }), 'EROFS');
    await expectErrno(client.call('unlinkat', { directory: ROOT_FID, name: 'host', flags: 0x200 }), 'EROFS');
  });

  it.each(['', 'c', 'c/', 'c/a/b', 'c/..', 'x/a', '/host', `v/${'x'.repeat(256)}`])(
    'have no place at %j',
    (path) => {
      expect(() => server.mount(path, fs)).toThrow(RangeError);
    },
  );

  it('do not replace each other', () => {
    expect(() => server.mount('host', fs)).toThrow(/already exported/);
  });
});

describe('what is answered later', () => {
  interface Held {
    readonly resolve: (bytes: Uint8Array) => void;
    readonly reject: (error: Error) => void;
  }
  let held: Held[];

  beforeEach(async () => {
    held = [];
    fs.read = () => new Promise((resolve, reject) => held.push({ resolve, reject }));
    await client.walk('host/f', 1);
  });
  const read = (tag: number) => client.call('read', { fid: 1, offset: 0, count: 100 }, tag);

  it('comes in any order', async () => {
    const [one, two] = [read(1), read(2)];
    expect(server.inFlight).toBe(2);
    held[1]?.resolve(bytes('two'));
    expect(text((await two).bytes)).toBe('two');
    held[0]?.resolve(bytes('one'));
    expect(text((await one).bytes)).toBe('one');
    expect(server.inFlight).toBe(0);
  });

  it('fails with the errno that storage gave, or EIO for what is none', async () => {
    const [one, two] = [read(1), read(2)];
    held[0]?.reject(new FsError('ENOSPC'));
    held[1]?.reject(new TypeError('a defect'));
    await expectErrno(one, 'ENOSPC');
    await expectErrno(two, 'EIO');
    expect(reported.map(String)).toEqual(['TypeError: a defect']);
  });

  it('is ended by a flush, before the flush is answered; what comes then goes nowhere', async () => {
    const order: string[] = [];
    const one = read(1).catch((error: unknown) => {
      order.push('read');
      throw error;
    });
    const flushed = client.call('flush', { tag: 1 }).then(() => order.push('flush'));
    await expectErrno(one, 4);
    await flushed;
    expect(order).toEqual(['read', 'flush']);
    const again = read(1);
    held[0]?.resolve(bytes('late'));
    held[1]?.resolve(bytes('new'));
    expect(text((await again).bytes)).toBe('new');
  });

  it('is ended by a new session', async () => {
    const one = read(1);
    await client.call('version', { msize: 8192, version: '9P2000.L' });
    await expectErrno(one, 4);
  });

  it('a flush of nothing is answered', async () => {
    expect(await client.call('flush', { tag: 77 })).toEqual({});
  });

  it('a write is answered when there is room again', async () => {
    let makeRoom: () => void = () => undefined;
    fs.ready = () =>
      new Promise<void>((resolve) => {
        makeRoom = resolve;
      });
    const written = client.call('write', { fid: 1, offset: 0, bytes: bytes('x') });
    expect(server.inFlight).toBe(1);
    makeRoom();
    expect(await written).toEqual({ count: 1 });
  });

  it('fsync is answered when all is durable, or says that it is not', async () => {
    const flush = fs.flush.bind(fs);
    let isDurable = false;
    fs.flush = async () => {
      await flush();
      isDurable = true;
    };
    await client.call('fsync', { fid: 1 });
    expect(isDurable).toBe(true);
    fs.flush = () => Promise.reject(new FsError('EIO'));
    await expectErrno(client.call('fsync', { fid: 1 }), 'EIO');
  });
});

describe('hostile messages', () => {
  const names = Object.keys(MESSAGES).filter((name): name is MessageName => name in MESSAGES);
  /** Any well-formed request of a name: fields of zeros and empty strings. */
  const sample = (name: MessageName): Uint8Array<ArrayBuffer> => {
    const zeros: Record<string, unknown> = {
      u8: 0,
      u16: 0,
      u32: 0,
      u64: 0,
      time: 0n,
      string: 'x',
      names: ['x', 'y'],
      data: bytes('xyz'),
    };
    const fields = Object.entries(MESSAGES[name].request).map(([field, type]) => [field, zeros[type]]);
    return encodeRequest(name, 9, Object.fromEntries(fields));
  };

  it.each(names)('%s, cut anywhere, is answered once, with its tag', async (name) => {
    const whole = sample(name);
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.slice(0, length);
      const replies: Uint8Array[] = [];
      server.receive(cut, (reply) => replies.push(reply));
      expect(replies.length).toBe(1);
      if (length >= 7) expect([replies[0]?.[4], replies[0]?.[5], replies[0]?.[7]]).toEqual([7, 9, 22]);
      // the same with a size that is true: too short for its fields
      if (length < 7) continue;
      new DataView(cut.buffer).setUint32(0, length, true);
      expect((await client.raw(cut))[5]).toBe(9);
    }
    expect(reported).toEqual([]);
  });

  it.each([0, 6, 102, 112, 255])('of type %i are not supported', async (type) => {
    const message = new Uint8Array(7);
    message.set([7, 0, 0, 0, type, 3, 0]);
    expect([...(await client.raw(message))]).toEqual([11, 0, 0, 0, 7, 3, 0, 95, 0, 0, 0]);
  });

  it('with more names than a walk may have, or a size below a header, are refused', async () => {
    const names = Array.from({ length: 17 }, () => '.');
    await expectErrno(client.call('walk', { fid: ROOT_FID, newFid: 1, names }), 'EINVAL');
    const message = sample('clunk');
    new DataView(message.buffer).setUint32(0, 3, true);
    expect((await client.raw(message))[7]).toBe(22);
  });

  it('of random bytes never throw and are each answered once', () => {
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed >>> 8;
    };
    const types = names.map((name) => MESSAGES[name].type);
    for (let i = 0; i < 20_000; i++) {
      const message = Uint8Array.from({ length: random() % 64 }, () => (random() % 3 === 0 ? random() : 0));
      if (message.length >= 7) {
        new DataView(message.buffer).setUint32(0, message.length, true);
        message[4] = types[random() % types.length] ?? 0;
      }
      let replies = 0;
      server.receive(message, () => {
        replies += 1;
      });
      expect(replies + server.inFlight).toBeGreaterThanOrEqual(1);
    }
    expect(reported).toEqual([]);
  });
});

it('requests are counted by name', async () => {
  await client.walk('host', 1);
  expect(server.requests).toMatchObject({ version: 1, attach: 1, walk: 1 });
});
