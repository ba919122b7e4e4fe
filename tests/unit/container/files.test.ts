/** The files of images and containers: what the init layer adds, what a walk tells, what can be read. */

import { describe, expect, it } from 'vitest';
import type { WalkEntry } from '../../../src/engine/container/files-view.ts';
import type { ProgramCode } from './fake-machine.ts';
import { killPage, openSandbox, openWithBusybox, type TestSandbox } from './sandbox.ts';

const programs: Record<string, ProgramCode> = {
  write: async ({ root }) => {
    if (root === undefined) return 1;
    const etc = root.lookup(root.root, 'etc');
    const ino = root.create(etc, 'greeting', 0o600, { uid: 5, gid: 6 });
    root.write(ino, 0, new TextEncoder().encode('hi\n'));
    return 0;
  },
  sh: async () => 0,
  '/.layerbox/bin/sh': async () => 0,
};

async function walk({ engine }: TestSandbox, reference: string): Promise<Map<string, WalkEntry>> {
  const entries = new Map<string, WalkEntry>();
  for await (const entry of engine.walk(reference)) entries.set(entry.path, entry);
  return entries;
}

const text = async ({ engine }: TestSandbox, reference: string, path: string) =>
  new TextDecoder().decode(await engine.read(reference, path));

describe('the files of a container', () => {
  it('are those of the image, with what Docker puts in, and what its programs wrote', async () => {
    const sandbox = await openWithBusybox({ programs });
    await sandbox.docker('run --name web -h box busybox write');
    const id = (await sandbox.docker('ps -aq --no-trunc')).out.trim();
    const image = await walk(sandbox, 'busybox');
    const container = await walk(sandbox, 'web');
    const added = [...container.keys()].filter((path) => !image.has(path));
    expect(added).toEqual(
      expect.arrayContaining(['/.dockerenv', '/.layerbox', '/dev/pts', '/dev/shm', '/etc/greeting']),
    );
    for (const path of ['/proc', '/sys', '/dev', '/etc/hosts', '/etc/resolv.conf', '/etc/hostname']) {
      expect(container.has(path), path).toBe(true);
    }
    expect(await text(sandbox, 'web', '/etc/hostname')).toBe('box\n');
    expect(await text(sandbox, 'web', '/etc/hosts')).toMatch(/^127\.0\.0\.1\tlocalhost\n[\s\S]*\tbox\n$/);
    expect(await text(sandbox, 'web', '/etc/mtab').catch((error: Error) => error.name)).toBe(
      'NoSuchFileError',
    );
    expect(container.get('/etc/greeting')).toMatchObject({
      type: 'file',
      mode: 0o600,
      uid: 5,
      gid: 6,
      size: 3,
      layer: { container: id },
    });
    expect(await text(sandbox, 'web', '/etc/greeting')).toBe('hi\n');
    const [layer] = (await sandbox.engine.images())[0]?.layers ?? [];
    expect(container.get('/bin/busybox')?.layer).toEqual({ index: 0, diffID: layer?.diffID });
    // what the image says of its directories stays
    expect(container.get('/etc')).toMatchObject({ mode: image.get('/etc')?.mode, uid: 0 });
    expect((await sandbox.docker('diff web')).out).toBe('C /etc\nA /etc/greeting\n');
  });

  it('have the same inode numbers after a reload', async () => {
    const first = await openWithBusybox({ programs });
    await first.docker('run --name web busybox write');
    const before = await walk(first, 'web');
    const second = await openSandbox({ programs, stores: await killPage(first) });
    expect(await walk(second, 'web')).toEqual(before);
  });

  it('can be walked while it is removed: the walk fails, the removal does not', async () => {
    const sandbox = await openWithBusybox({ programs });
    await sandbox.docker('run --name web busybox write');
    const walking = sandbox.engine.walk('web');
    await walking.next();
    expect((await sandbox.docker('rm web')).code).toBe(0);
    await walking.return(undefined).catch(() => undefined);
    expect(await sandbox.stores.journals.list()).toEqual(['host']);
  });
});

describe('the files of an image', () => {
  it('come bytewise by path, parents first, and cannot be changed', async () => {
    const sandbox = await openWithBusybox();
    const paths = [...(await walk(sandbox, 'busybox')).keys()];
    const bytes = paths.map((path) => Buffer.from(path));
    expect(bytes).toEqual([...bytes].sort(Buffer.compare));
    expect(paths[0]).toBe('/');
    expect((await sandbox.engine.read('busybox', '/bin/busybox')).subarray(0, 4)).toEqual(
      Uint8Array.of(0x7f, 0x45, 0x4c, 0x46),
    );
  });

  it('of what is not here are refused by name', async () => {
    const sandbox = await openWithBusybox();
    await expect(walk(sandbox, 'nosuch')).rejects.toThrow('No such image or container: nosuch');
    await expect(sandbox.engine.read('busybox', '/nosuch')).rejects.toMatchObject({ code: 'NoSuchFile' });
    await expect(sandbox.engine.read('busybox', '/bin')).rejects.toThrow('"/bin" is a directory');
    await expect(sandbox.engine.walk('busybox', 'linux/arm64').next()).rejects.toThrow(
      'busybox is here for linux/386, not for linux/arm64: pull it with --platform linux/arm64',
    );
  });
});

describe('an image of another platform', () => {
  async function foreign() {
    const sandbox = await openWithBusybox({ programs });
    for (const image of await sandbox.stores.records.list('images')) {
      const platform = { os: 'linux', architecture: 'amd64' };
      await sandbox.stores.records.commit([{ kind: 'images', put: { ...image, platform } }]);
    }
    return sandbox;
  }

  it('gives a shell to walk its files, and says so', async () => {
    const sandbox = await foreign();
    const { code, err } = await sandbox.docker('run busybox');
    expect(code).toBe(0);
    expect(err).toMatch(
      /^WARNING: The requested image's platform \(linux\/amd64\) does not match the machine's/,
    );
    expect(sandbox.machine.spawned.at(-1)).toMatchObject({
      argv: ['/.layerbox/bin/sh'],
      container: {
        binds: [
          { source: '/usr/lib/layerbox/walk', target: '/.layerbox', readOnly: true },
          { target: '/etc/hosts' },
          { target: '/etc/resolv.conf' },
        ],
      },
    });
    expect(sandbox.machine.spawned.at(-1)?.env[0]).toMatch(/^PATH=\/\.layerbox\/bin:/);
    expect((await sandbox.engine.images())[0]).toMatchObject({ runnable: false, platform: 'linux/amd64' });
  });

  it('leaves its other programs to fail in the guest', async () => {
    const sandbox = await foreign();
    await sandbox.docker('run busybox uname');
    expect(sandbox.machine.spawned.at(-1)?.argv).toEqual(['uname']);
    expect(sandbox.machine.spawned.at(-1)?.env[0]).toBe(
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    );
  });
});

describe('what the machine does in idle time waits', () => {
  it.each<[string, (sandbox: TestSandbox) => Promise<unknown>]>([
    ['a docker command', ({ docker }) => docker('images')],
    ['a walk', (sandbox) => walk(sandbox, 'busybox')],
    ['a read', (sandbox) => text(sandbox, 'busybox', '/bin/busybox')],
    ['a listing', ({ engine }) => engine.list('busybox', '/', {})],
  ])('for %s', async (_, act) => {
    const sandbox = await openWithBusybox({ programs });
    const before = sandbox.machine.touches;
    await act(sandbox);
    expect(sandbox.machine.touches).toBeGreaterThan(before);
  });
});
