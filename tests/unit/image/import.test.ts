/** `docker export` and `docker import`: a container's files as a tar that tar(1) unpacks, and a tar as an image. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LayerTree } from '../../../images/layer-tree.ts';
import { run } from '../../support/run.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { openSandbox, openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

const programs: Record<string, ProgramCode> = {
  write: async ({ root }) => {
    if (root === undefined) return 1;
    const owner = { uid: 5, gid: 6 };
    const dir = root.mkdir(root.root, 'made', 0o750, owner);
    const ino = root.create(dir, 'a', 0o4755, owner);
    root.write(ino, 0, new TextEncoder().encode('content\n'));
    root.setattr(ino, { mtimeNs: 1_600_000_000_123_000_000n });
    root.link(ino, dir, 'b');
    root.symlink(dir, 'l', '../etc/passwd', owner);
    root.mknod(dir, 'f', 'fifo', 0o600, [0, 0], owner);
    root.mknod(dir, 's', 'socket', 0o600, [0, 0], owner);
    root.mknod(dir, 'n', 'char', 0o666, [1, 3], owner);
    root.setxattr(ino, 'user.colour', new TextEncoder().encode('green'), 0);
    root.unlink(root.lookup(root.root, 'etc'), 'group');
    return 0;
  },
  true: async () => 0,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layerbox-import-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function ok(sandbox: TestSandbox, ...argv: string[]): Promise<string> {
  const { code, out, err } = await sandbox.docker(argv);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

async function exported(sandbox: TestSandbox, name: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const { code, err } = await sandbox.docker(['export', name], {
    write: async (stream, bytes) => {
      if (stream === 'out') pieces.push(Uint8Array.from(bytes));
    },
  });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return Buffer.concat(pieces);
}

async function* once(bytes: Uint8Array) {
  yield bytes;
}

async function config(sandbox: TestSandbox, id: string) {
  const record = await sandbox.stores.records.get('images', id);
  if (record === undefined) throw new Error(`no image ${id}`);
  return JSON.parse(new TextDecoder().decode(await sandbox.stores.content.read(record.imageID)));
}

const TAR = new LayerTree().dir('etc').file('etc/motd', 'imported\n').tar();

describe('docker export', () => {
  it('gives every file of the container, as tar(1) reads it', async () => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'run', '--name', 'web', 'busybox', 'write');
    const path = join(folder, 'web.tar');
    await writeFile(path, await exported(sandbox, 'web'));
    const lines = await run('tar', ['--numeric-owner', '--utc', '--full-time', '-tvf', path]);
    const made = lines.split('\n').filter((line) => / made\//.test(line));
    const shown = made.map((line) =>
      line.replace(/ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? /, ' ').replace(/ +/g, ' '),
    );
    expect(shown).toEqual([
      'drwxr-x--- 5/6 0 made/',
      '-rwsr-xr-x 5/6 8 made/a',
      'hrwsr-xr-x 5/6 0 made/b link to made/a',
      'prw------- 5/6 0 made/f',
      'lrwxrwxrwx 5/6 0 made/l -> ../etc/passwd',
      'crw-rw-rw- 5/6 1,3 made/n',
    ]);
    expect(made[1]).toContain('2020-09-13 12:26:40');
    const names = lines.split('\n').map((line) => / ([^ ]+)(?: link to .*| -> .*)?$/.exec(line)?.[1]);
    expect(names).toContain('bin/busybox');
    expect(names).not.toContain('etc/group');
    // what Docker puts into every container is there, too
    expect(names).toEqual(expect.arrayContaining(['.dockerenv', 'etc/hosts', 'proc/']));
    const unpacked = join(folder, 'web');
    await mkdir(unpacked);
    await run('tar', ['-C', unpacked, '-xf', path, '--xattrs', 'made/a', 'made/b', 'bin']);
    expect(await readFile(join(unpacked, 'made/b'), 'utf8')).toBe('content\n');
    expect(
      Buffer.from(await sandbox.engine.read('web', '/bin/busybox')).equals(
        await readFile(join(unpacked, 'bin/busybox')),
      ),
    ).toBe(true);
    expect(await run('getfattr', ['--only-values', '-n', 'user.colour', join(unpacked, 'made/a')])).toBe(
      'green',
    );
  });

  it('-o writes a file of the host', async () => {
    const first = await openWithBusybox({ programs });
    await ok(first, 'run', '--name', 'web', 'busybox', 'write');
    const whole = await exported(first, 'web');
    await first.page.kill();
    const sandbox = await openSandbox({ stores: first.stores, withoutMachine: true });
    expect(await ok(sandbox, 'export', '-o', 'web.tar', 'web')).toBe('');
    const id = (await ok(sandbox, 'import', 'web.tar', 'web:1')).trim();
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    const record = await sandbox.stores.records.get('images', 'docker.io/library/web:1');
    const tar = await sandbox.stores.content.read(record?.layers[0]?.diffID ?? 'sha256:');
    expect(Buffer.from(tar).equals(whole)).toBe(true);
    expect(await sandbox.docker('export -o none/x web')).toMatchObject({
      code: 1,
      err: 'failed to export container: invalid output path: stat none: no such file or directory\n',
    });
    expect(await sandbox.docker('export nosuch')).toMatchObject({
      code: 1,
      err: 'Error response from daemon: No such container: nosuch\n',
    });
  });
});

describe('docker import', () => {
  it('of standard input makes an image that can be run', async () => {
    const sandbox = await openSandbox({ programs });
    for (const [name, bytes] of [
      ['plain', TAR],
      ['packed', gzipSync(TAR)],
    ] as const) {
      const { code, out } = await sandbox.docker(['import', '-', name], { input: once(bytes) });
      expect(code).toBe(0);
      const record = await sandbox.stores.records.get('images', `docker.io/library/${name}:latest`);
      expect(out).toBe(`${record?.imageID}\n`);
      expect(new TextDecoder().decode(await sandbox.engine.read(name, '/etc/motd'))).toBe('imported\n');
      expect(await ok(sandbox, 'run', '--rm', name, 'true')).toBe('');
    }
    expect(await config(sandbox, 'docker.io/library/plain:latest')).toEqual({
      architecture: '386',
      os: 'linux',
      created: '2026-01-02T03:04:05.000Z',
      config: {},
      rootfs: { type: 'layers', diff_ids: [expect.stringMatching(/^sha256:/)] },
      history: [{ created: '2026-01-02T03:04:05.000Z', created_by: '', comment: 'Imported from -' }],
    });
    expect(sandbox.events.filter(({ type }) => type === 'image')).toMatchObject([
      { action: 'import' },
      { action: 'import' },
    ]);
  });

  it('-c, -m and --platform say what the image is', async () => {
    const sandbox = await openSandbox({ programs });
    const flags = ['-c', 'CMD ["true"]', '-c', 'ENV A=1', '-m', 'from afar', '--platform', 'linux/arm64/v8'];
    const { code } = await sandbox.docker(['import', ...flags, '-', 'mine'], { input: once(TAR) });
    expect(code).toBe(0);
    expect(await config(sandbox, 'docker.io/library/mine:latest')).toMatchObject({
      architecture: 'arm64',
      config: { Cmd: ['true'], Env: ['A=1'] },
      history: [{ comment: 'from afar' }],
    });
    expect((await sandbox.engine.images())[0]?.platform).toBe('linux/arm64');
  });

  it('of a file; without a name it is an image without one', async () => {
    const sandbox = await openSandbox({ withoutMachine: true });
    await sandbox.docker(['import', '-', 'first'], { input: once(TAR) });
    const save = await sandbox.docker('save -o first.tar first');
    expect(save.code).toBe(0);
    const id = (await ok(sandbox, 'import', '/root/first.tar')).trim();
    expect(await sandbox.stores.records.ids('images')).toContain(`<none>@${id}`);
    expect((await config(sandbox, `<none>@${id}`)).history[0].comment).toBe('Imported from /root/first.tar');
    expect(await sandbox.docker('import none.tar')).toEqual({
      code: 1,
      out: '',
      err: 'open none.tar: no such file or directory\n',
    });
  });

  it('of an address', async () => {
    const fetch = async (url: string) =>
      url === 'http://files.test/x.tar'
        ? new Response(new Uint8Array(TAR))
        : new Response('gone', { status: 404, statusText: 'Not Found' });
    const sandbox = await openSandbox({ fetch });
    expect(await ok(sandbox, 'import', 'http://files.test/x.tar', 'x')).toMatch(
      /^Downloading from http:\/\/files\.test\/x\.tar\nsha256:[0-9a-f]{64}\n$/,
    );
    expect(await sandbox.docker('import http://files.test/y.tar y')).toMatchObject({
      code: 1,
      err: 'Got HTTP status code >= 400: 404 Not Found\n',
    });
  });

  it.each([
    ['no tar', Buffer.from('x'.repeat(1000)), [], /./],
    ['a cut tar', TAR.subarray(0, 700), [], /the tar ends at byte/],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0]), [], /compressed with xz/],
    ['a wrong change', TAR, ['-c', 'RUN x'], /^RUN is not a valid change command\n$/],
    ['a wrong platform', TAR, ['--platform', 'a/b/c/d'], /cannot parse platform specifier/],
    ['damaged gzip', gzipSync(TAR).fill(9, 20, 30), [], /gzip data is damaged/],
  ])('of %s is refused, and leaves nothing', async (_, bytes, flags, message) => {
    const sandbox = await openSandbox();
    const { code, err, out } = await sandbox.docker(['import', ...flags, '-', 'x'], { input: once(bytes) });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(message);
    expect(await sandbox.stores.content.list()).toEqual([]);
    expect(await sandbox.stores.content.pendingIngests()).toEqual([]);
    expect(await sandbox.stores.records.ids('leases')).toEqual([]);
  });
});
