/** The dialect 9P2000.L.lists, read as the guest's kernel reads it. */

import { beforeEach, describe, expect, it } from 'vitest';
import { decodeName } from '../../../src/engine/names.ts';
import { FsError } from '../../../src/engine/unionfs/errno.ts';
import type { FileSystem } from '../../../src/engine/unionfs/filesystem.ts';
import { NinePServer } from '../../../src/machine/nine-p/server.ts';
import { emptyTree } from '../../support/machine.ts';
import { expectErrno, NinePClient, ROOT_FID } from '../../support/nine-p-client.ts';

const owner = { uid: 0, gid: 0 };
const bytes = (string: string) => new TextEncoder().encode(string);

let fs: FileSystem;
let server: NinePServer;
let client: NinePClient;

beforeEach(async () => {
  fs = await emptyTree();
  server = new NinePServer({ report: () => undefined });
  server.mount('host', fs);
  client = new NinePClient(server);
  await client.connect(65536, 5, '9P2000.L.lists');
});

/** The fields of attributes[84], by the offsets that listing.ts documents. */
function attributesOf(record: Uint8Array) {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const time = (i: number) =>
    view.getBigInt64(48 + 8 * i, true) * 1_000_000_000n + BigInt(view.getUint32(72 + 4 * i, true));
  return {
    qidType: view.getUint8(0),
    flags: view.getUint8(1),
    mode: view.getUint32(4, true),
    path: Number(view.getBigUint64(8, true)),
    uid: view.getUint32(16, true),
    gid: view.getUint32(20, true),
    nlink: view.getUint32(24, true),
    rdev: view.getUint32(28, true),
    size: Number(view.getBigUint64(32, true)),
    blocks: Number(view.getBigUint64(40, true)),
    atime: time(0),
    mtime: time(1),
    ctime: time(2),
  };
}

function entriesOf(data: Uint8Array) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const entries = [];
  for (let at = 4; at < data.length; ) {
    const start = at + 88;
    const nameEnd = start + view.getUint16(at + 84, true);
    const end = nameEnd + view.getUint16(at + 86, true);
    entries.push({
      name: decodeName(data.subarray(start, nameEnd)),
      target: decodeName(data.subarray(nameEnd, end)),
      ...attributesOf(data.subarray(at, at + 84)),
    });
    at = end;
  }
  return entries;
}

const list = async (names: readonly string[], count = 60000) =>
  (await client.call('list', { fid: ROOT_FID, names, count })).bytes;
const lookup = async (...names: string[]) =>
  (await client.call('lookup', { fid: ROOT_FID, names })).attributes;

describe('a listing', () => {
  it('has every entry sorted by bytes, with what getattr says of it', async () => {
    const f = fs.create(fs.root, 'f', 0o4755, { uid: 7, gid: 8 });
    fs.write(f, 0, bytes('hello'));
    fs.setattr(f, { atimeNs: 1_700_000_000_000_000_005n, mtimeNs: -1_500_000_000n });
    fs.link(f, fs.root, 'B');
    fs.mknod(fs.root, 'null', 'char', 0o666, [1, 3], owner);
    fs.mkdir(fs.root, '\udce9', 0o700, owner);
    fs.symlink(fs.root, 'l', 'to/where', owner);
    fs.symlink(fs.root, 'zoé', 'là-bas', owner);
    fs.setxattr(f, 'user.colour', bytes('green'), 0);
    const data = await list(['host']);
    expect(data[0]).toBe(1);
    const entries = entriesOf(data);
    expect(entries.map(({ name, target }) => [name, target])).toEqual([
      ['B', ''],
      ['f', ''],
      ['l', 'to/where'],
      ['null', ''],
      ['zoé', 'là-bas'],
      ['\udce9', ''],
    ]);
    expect(entries[0]).toEqual({ ...entries[1], name: 'B' });
    for (const [number, { name, target: _, flags, qidType, path, ...entry }] of entries.entries()) {
      const fid = 10 + number;
      await client.walk(`host/${name}`, fid);
      const reply = await client.call('getattr', { fid, mask: 0x7ff });
      expect({ qidType, path }).toEqual({ qidType: reply.qid.type, path: reply.qid.path });
      expect(entry).toEqual({
        mode: reply.mode,
        uid: reply.uid,
        gid: reply.gid,
        nlink: reply.nlink,
        rdev: reply.rdev,
        size: reply.size,
        blocks: reply.blocks,
        atime: reply.atime,
        mtime: reply.mtime,
        ctime: reply.ctime,
      });
      const hasXattr = name === 'f' || name === 'B';
      expect(flags).toBe(hasXattr ? 0 : 1);
      expect(reply.valid).toBe(0x7ff + (hasXattr ? 0 : 2 ** 32));
    }
  });

  it('of a directory that does not fit says so', async () => {
    for (let i = 0; i < 20; i++) fs.create(fs.root, `file${i}`, 0o644, owner);
    const whole = (await list(['host'])).length;
    expect((await list(['host'], whole)).length).toBe(whole);
    expect(await list(['host'], whole - 1)).toEqual(Uint8Array.of(2, 0, 0, 0));
  });

  it('of what the engine mounts is none: it may change without the guest', async () => {
    expect(await list([])).toEqual(new Uint8Array(4));
    expect(await list(['c'])).toEqual(new Uint8Array(4));
  });

  it('makes no fid and keeps none', async () => {
    fs.mkdir(fs.root, 'd', 0o755, owner);
    const before = server.fids;
    await list(['host', 'd']);
    await lookup('host', 'd');
    expect(server.fids).toBe(before);
  });

  it.each([
    [['host', 'f'], 'ENOTDIR'],
    [['host', 'missing'], 'ENOENT'],
    [['c', 'missing'], 'ESTALE'],
  ] as const)('of %j is %s', async (names, errno) => {
    fs.create(fs.root, 'f', 0o644, owner);
    await expectErrno(list(names), errno);
  });
});

describe('a lookup', () => {
  it('gives attributes and, where it fits, the target', async () => {
    fs.symlink(fs.root, 'short', 'x'.repeat(256), owner);
    fs.symlink(fs.root, 'long', 'x'.repeat(257), owner);
    expect(decodeName((await lookup('host', 'short')).subarray(84))).toBe('x'.repeat(256));
    const long = await lookup('host', 'long');
    expect(long.length).toBe(84);
    expect(attributesOf(long)).toMatchObject({ mode: 0o120777, size: 257 });
  });

  it('of what is not there is ENOENT', async () => {
    await expectErrno(lookup('host', 'missing'), 'ENOENT');
  });
});

describe('make', () => {
  const make = (fid: number, name: string) =>
    client.call('make', { directory: 1, fid, name, flags: 0, mode: 0o640, gid: 9 });

  it("creates a file owned by the directory's fid, and leaves that a directory", async () => {
    await client.walk('host', 1);
    const { attributes } = await make(2, 'new');
    expect(attributesOf(attributes)).toMatchObject({ mode: 0o100640, uid: 5, gid: 9, nlink: 1, size: 0 });
    await client.call('write', { fid: 2, offset: 0, bytes: bytes('content') });
    expect(fs.stat(fs.lookup(fs.root, 'new')).size).toBe(7);
    await make(3, 'another');
    expect(fs.readdir(fs.root).map(({ name }) => name)).toEqual(['another', 'new']);
  });

  it.each([
    ['taken', 'EEXIST'],
    ['..', 'EEXIST'],
    ['a/b', 'EINVAL'],
    ['n'.repeat(256), 'ENAMETOOLONG'],
  ] as const)('of %s is %s', async (name, errno) => {
    await client.walk('host', 1);
    fs.create(fs.root, 'taken', 0o644, owner);
    await expectErrno(make(2, name), errno);
  });

  it('with a fid in use changes nothing', async () => {
    await client.walk('host', 1);
    await expectErrno(make(1, 'new'), 'EINVAL');
    expect(fs.readdir(fs.root)).toEqual([]);
  });
});

describe('a session of plain 9P2000.L', () => {
  it('has no listings, and no flag in the attributes', async () => {
    await client.connect();
    await expectErrno(list(['host']), 'EOPNOTSUPP');
    await expectErrno(lookup('host'), 'EOPNOTSUPP');
    await client.walk('host', 1);
    await expectErrno(
      client.call('make', { directory: 1, fid: 2, name: 'f', flags: 0, mode: 0, gid: 0 }),
      'EOPNOTSUPP',
    );
    expect((await client.call('getattr', { fid: 1, mask: 0x7ff })).valid).toBe(0x7ff);
  });
});

describe('an fsync of the root, which is how sync(2) comes', () => {
  /** A tree whose flush waits for `let`, or fails. */
  function waiting(flush: () => Promise<void>): FileSystem {
    return new Proxy(fs, {
      get: (target, name) => {
        if (name === 'flush') return flush;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  }

  it('waits until every tree is durable', async () => {
    const open: (() => void)[] = [];
    const flush = () => new Promise<void>((resolve) => open.push(resolve));
    server.mount('c/one', waiting(flush));
    server.mount('v/two', waiting(flush));
    let isDone = false;
    const synced = client.call('fsync', { fid: ROOT_FID }).then(() => {
      isDone = true;
    });
    expect(open.length).toBe(2);
    open[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    open[1]?.();
    await synced;
  });

  it('fails as one of them does, once all are done', async () => {
    server.mount(
      'c/full',
      waiting(() => Promise.reject(new FsError('ENOSPC'))),
    );
    await expectErrno(client.call('fsync', { fid: ROOT_FID }), 'ENOSPC');
  });
});
