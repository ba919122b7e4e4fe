/** Images made here, in the hands of the real tools: pushed with each kind of account, pulled by skopeo, unpacked by umoci. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../../scripts/project-root.ts';
import { type Deployment, startBasic, startBearer, startPlain } from '../../support/deployment.ts';
import { listTree } from '../../support/real-tree.ts';
import { pushLayout } from '../../support/registry.ts';
import { run } from '../../support/run.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { input, openSandbox, type TestSandbox } from '../container/sandbox.ts';

const learner = { name: 'learner', password: 'correct horse: ünd battery' };
const accounts = { [learner.name]: learner.password };

const programs: Record<string, ProgramCode> = {
  change: async ({ root }) => {
    if (root === undefined) return 1;
    const owner = { uid: 1000, gid: 50 };
    const dir = root.mkdir(root.root, 'data', 0o1777, owner);
    const ino = root.create(dir, 'file', 0o4755, owner);
    root.write(ino, 0, new TextEncoder().encode('content\n'.repeat(50_000)));
    root.setattr(ino, { mtimeNs: 1_600_000_000_123_456_789n });
    root.link(ino, dir, 'link');
    root.symlink(dir, 'way', '/etc/passwd', owner);
    root.mknod(dir, 'pipe', 'fifo', 0o640, [0, 0], owner);
    root.mknod(dir, 'disk', 'block', 0o600, [8, 1], owner);
    root.create(dir, 'n'.repeat(180), 0o644, owner);
    const etc = root.lookup(root.root, 'etc');
    root.unlink(etc, 'group');
    root.write(root.lookup(etc, 'passwd'), 0, new TextEncoder().encode('ROOT'));
    root.rename(root.root, 'var', root.root, 'moved');
    return 0;
  },
  true: async () => 0,
};

let plain: Deployment;
let basic: Deployment;
let bearer: Awaited<ReturnType<typeof startBearer>>;
let folder: string;
beforeAll(async () => {
  [plain, basic, bearer] = await Promise.all([startPlain(), startBasic(accounts), startBearer(accounts)]);
  folder = await mkdtemp(join(tmpdir(), 'layerbox-interop-'));
  for (const server of [plain, basic, bearer]) {
    const account = server === plain ? undefined : learner;
    await pushLayout(
      join(projectRoot, 'public/registry'),
      'busybox:latest',
      server,
      'test/busybox:latest',
      account,
    );
  }
});
afterAll(async () => {
  await Promise.all([plain, basic, bearer].map((server) => server.close()));
  await rm(folder, { recursive: true });
});

async function ok(sandbox: TestSandbox, ...argv: string[]): Promise<string> {
  const { code, out, err } = await sandbox.docker(argv);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

const open = () => openSandbox({ programs, fetch: (url, init) => fetch(url, init) });

async function login(sandbox: TestSandbox, server: Deployment): Promise<void> {
  const argv = ['login', '-u', learner.name, '--password-stdin', server.host];
  const { code, err } = await sandbox.docker(argv, { input: input(learner.password) });
  expect({ code, err }).toEqual({ code: 0, err: '' });
}

const skopeo = (...args: string[]) => run('skopeo', ['--insecure-policy', '--override-arch', '386', ...args]);

/** A file of the walked union in the form of real-tree.ts, without what costs most. */
async function walked({ engine }: TestSandbox, name: string) {
  const found = new Map<string, string>();
  for await (const { path, type, mode, uid, gid, mtimeNs, link, rdev, size } of engine.walk(name)) {
    const shown = [
      type,
      mode,
      uid,
      gid,
      mtimeNs,
      link ?? '',
      rdev?.join(',') ?? '',
      type === 'file' ? size : 0,
    ];
    found.set(path, shown.join(' '));
  }
  return found;
}

describe('an image that was committed here', () => {
  it('is pulled by skopeo and unpacked by umoci with the same digests and the same tree', async () => {
    const sandbox = await open();
    const host = plain.host;
    await ok(sandbox, 'pull', `${host}/test/busybox`);
    await ok(sandbox, 'run', '--name', 'web', `${host}/test/busybox`, 'change');
    await ok(sandbox, 'commit', '-m', 'changed', '-c', 'LABEL a=b', 'web', `${host}/made/box:1`);
    const pushed = await ok(sandbox, 'push', `${host}/made/box:1`);
    const digest = /digest: (\S+) size/.exec(pushed)?.[1] ?? '';
    const source = `docker://${host}/made/box:1`;
    const seen = JSON.parse(await skopeo('inspect', '--tls-verify=false', source));
    expect(seen).toMatchObject({ Digest: digest, Labels: { a: 'b' }, Architecture: '386', Os: 'linux' });
    const record = await sandbox.stores.records.get('images', `${host}/made/box:1`);
    expect(seen.Layers).toEqual(record?.layers.map(({ blob }) => blob.digest));
    const layout = join(folder, 'made');
    await skopeo('copy', '-q', '--preserve-digests', '--src-tls-verify=false', source, `oci:${layout}:1`);
    const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'));
    expect(index.manifests[0].digest).toBe(digest);
    await run('umoci', ['unpack', '--image', `${layout}:1`, join(folder, 'bundle')]);
    const real = new Map(
      listTree(join(folder, 'bundle/rootfs')).map(
        ({ path, type, mode, uid, gid, mtimeNs, link, rdev, size }) => [
          path,
          [type, mode, uid, gid, mtimeNs, link ?? '', rdev ?? '', size].join(' '),
        ],
      ),
    );
    expect(await walked(sandbox, `${host}/made/box:1`)).toEqual(real);
    const stat = JSON.parse(await run('umoci', ['stat', '--json', '--image', `${layout}:1`]));
    expect(stat.history.at(-1)).toMatchObject({ comment: 'changed', created_by: 'change' });
  });

  it('comes back by a pull as it went', async () => {
    const sandbox = await open();
    const name = `${plain.host}/made/box:1`;
    await ok(sandbox, 'pull', name);
    const record = await sandbox.stores.records.get('images', name);
    expect(record?.layers).toHaveLength(2);
    expect((await sandbox.engine.read(name, '/data/link')).length).toBe(400_000);
  });
});

describe('pull and push keep the digest to the byte', () => {
  it.each([
    ['in the same registry', () => plain.host],
    ['to another one that wants a password', () => basic.host],
    ['to another one that wants a token', () => bearer.host],
  ])('%s', async (_, host) => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${plain.host}/test/busybox`);
    const target = `${host()}/kept/box:1`;
    await ok(sandbox, 'tag', `${plain.host}/test/busybox`, target);
    for (const server of [basic, bearer]) if (host() === server.host) await login(sandbox, server);
    const out = await ok(sandbox, 'push', target);
    const digest = /digest: (\S+) size/.exec(out)?.[1];
    const original = JSON.parse(
      await skopeo('inspect', '--tls-verify=false', `docker://${plain.host}/test/busybox`),
    );
    expect(digest).toBe(original.Digest);
    const creds = host() === plain.host ? [] : ['--creds', `${learner.name}:${learner.password}`];
    const raw = async (name: string, more: string[]) =>
      skopeo('inspect', '--raw', '--tls-verify=false', ...more, `docker://${name}`);
    expect(await raw(target, creds)).toBe(await raw(`${plain.host}/test/busybox`, []));
  });
});

describe('a registry that knows its users', () => {
  it('with Basic takes nothing from who has not logged in', async () => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${plain.host}/test/busybox`);
    await ok(sandbox, 'tag', `${plain.host}/test/busybox`, `${basic.host}/no/box`);
    const { code, err } = await sandbox.docker(`push ${basic.host}/no/box`);
    expect(code).toBe(1);
    expect(err).toBe(
      `unauthorized: authentication required: nothing may be pushed to ${basic.host}/no/box without an account that may (docker login ${basic.host})\n`,
    );
    await login(sandbox, basic);
    await ok(sandbox, 'push', `${basic.host}/no/box`);
    // what is logged out may not go on
    await ok(sandbox, 'logout', basic.host);
    expect((await sandbox.docker(`push ${basic.host}/no/box`)).code).toBe(1);
  });

  it('with tokens: who may only read is told so, who may write gets one for both repositories of a mount', async () => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${bearer.host}/test/busybox`);
    await ok(sandbox, 'tag', `${bearer.host}/test/busybox`, `${bearer.host}/mounted/box`);
    const refused = await sandbox.docker(`push ${bearer.host}/mounted/box`);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(
      /^unauthorized: authentication required: nothing may be pushed to \S+\/mounted\/box/,
    );
    await login(sandbox, bearer);
    bearer.tokens.requests.length = 0;
    const out = await ok(sandbox, 'push', `${bearer.host}/mounted/box`);
    expect(out).toContain(': Mounted from test/busybox\n');
    expect(bearer.tokens.requests.map(({ scopes }) => scopes)).toEqual([
      ['repository:mounted/box:pull,push', 'repository:test/busybox:pull'],
    ]);
  });
});
