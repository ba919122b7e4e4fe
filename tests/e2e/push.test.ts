import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Deployment, startBasic, startBearer, startPlain } from '../support/deployment.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import { pushMade } from '../support/made-image.ts';
import { listTree } from '../support/real-tree.ts';
import { pushLayout } from '../support/registry.ts';
import { run } from '../support/run.ts';
import { docker, dockerOk, listUnion, openSandbox, sh } from '../support/sandbox-page.ts';

/** Pushes of a page to the configurations of `deploy/` on other origins: what a browser lets it do. */

const learner = { name: 'learner', password: 'correct horse: ünd battery' };
const accounts = { [learner.name]: learner.password };

let chromium: Chromium;
let page: Page;
let plain: Deployment;
let other: Deployment;
let basic: Deployment;
let bearer: Awaited<ReturnType<typeof startBearer>>;
let faulty: FaultyRegistry;
let folder: string;

beforeAll(async () => {
  [chromium, plain, other, basic, bearer] = await Promise.all([
    startChromium(),
    startPlain(),
    startPlain(),
    startBasic(accounts),
    startBearer(accounts),
  ]);
  faulty = await startFaultyRegistry(other);
  folder = await mkdtemp(join(tmpdir(), 'layerbox-push-'));
  await pushLayout(inject('layout'), 'busybox', plain, 'test/busybox:latest');
  page = await openSandbox(chromium, inject('site'));
  await dockerOk(page, 'pull', `${plain.host}/test/busybox`);
});
afterAll(async () => {
  await chromium.close();
  await faulty.close();
  await Promise.all([plain, other, basic, bearer].map((server) => server.close()));
  await rm(folder, { recursive: true });
});

const skopeo = (...args: string[]) => run('skopeo', ['--insecure-policy', '--override-arch', '386', ...args]);
const raw = (name: string, ...more: string[]) =>
  skopeo('inspect', '--raw', '--tls-verify=false', ...more, `docker://${name}`);
const creds = ['--creds', `${learner.name}:${learner.password}`];
const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);

const login = (host: string) =>
  page.evaluate(([argv, stdin]) => window.sandbox.docker(argv, { stdin }), [
    ['login', '-u', learner.name, '--password-stdin', host],
    learner.password,
  ] as const);

describe('a page pushes what it pulled, to the byte', () => {
  it('to a registry that takes it from everybody here', async () => {
    const target = `${other.host}/kept/box:1`;
    await dockerOk(page, 'tag', `${plain.host}/test/busybox`, target);
    expect(await dockerOk(page, 'push', target)).toMatch(/\n1: digest: sha256:[0-9a-f]{64} size: \d+\n$/);
    expect(await raw(target)).toBe(await raw(`${plain.host}/test/busybox`));
  });

  it('to another repository, by mounting', async () => {
    const target = `${plain.host}/mounted/box:1`;
    await dockerOk(page, 'tag', `${plain.host}/test/busybox`, target);
    const out = await dockerOk(page, 'push', target);
    expect(out.match(/: Mounted from test\/busybox$/gm)).toHaveLength(3);
    expect(await raw(target)).toBe(await raw(`${plain.host}/test/busybox`));
  });

  for (const [name, server] of [
    ['a password', () => basic],
    ['a token', () => bearer],
  ] as const) {
    it(`to a registry that wants ${name}, and not without`, async () => {
      const target = `${server().host}/kept/box:1`;
      await dockerOk(page, 'tag', `${plain.host}/test/busybox`, target);
      expect(await docker(page, 'push', target)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/^unauthorized: authentication required: nothing may be pushed to /),
      });
      expect((await login(server().host)).exitCode).toBe(0);
      await dockerOk(page, 'push', target);
      expect(await raw(target, ...creds)).toBe(await raw(`${plain.host}/test/busybox`));
    });
  }

  it('in chunks, and goes on after one that did not get through', async () => {
    await pushMade(plain.direct, 'test/large', 1, [10 << 20]);
    await dockerOk(page, 'pull', `${plain.host}/test/large`);
    const target = `${faulty.host}/large/made:1`;
    await dockerOk(page, 'tag', `${plain.host}/test/large`, target);
    let chunks = 0;
    faulty.pick = (path) => {
      // a chunk, not the request that closes an upload or opens one
      if (!/\/blobs\/uploads\/[^?]/.test(path) || path.includes('digest=')) return undefined;
      chunks += 1;
      return chunks === 2 ? { kind: 'status', status: 503 } : undefined;
    };
    await dockerOk(page, 'push', target);
    faulty.pick = undefined;
    const uploads = faulty.seen.filter(({ path }) => /\/blobs\/uploads\/[^?]/.test(path));
    const told = uploads
      .filter(({ method }) => method !== 'OPTIONS')
      .map(({ method, status }) => `${method} ${status}`);
    expect(told.filter((line) => !line.startsWith('PUT'))).toEqual([
      'PATCH 202',
      'PATCH 503',
      'GET 204',
      'PATCH 202',
    ]);
    expect(await raw(`${other.host}/large/made:1`)).toBe(await raw(`${plain.host}/test/large`));
  });
});

describe('an image that was committed in the page', () => {
  it('is pulled by skopeo and unpacked by umoci, tree and digests the same', async () => {
    const image = `${other.host}/made/box:1`;
    const line =
      'echo hi > /data/made; chmod 4755 /data/made; chown 5:6 /data/made; ln /data/made /data/again; rm /data/kept; mv /data/old /data/moved; mkfifo /data/pipe2; ln -s made /data/way';
    expect(
      (await sh(page, `docker run --name web ${plain.host}/test/busybox sh -c '${line}'`)).exitCode,
    ).toBe(0);
    expect(await sh(page, `docker commit -m made -c 'CMD ["cat", "/data/way"]' web ${image}`)).toMatchObject({
      exitCode: 0,
    });
    const pushed = await dockerOk(page, 'push', image);
    const digest = /digest: (\S+) size/.exec(pushed)?.[1];
    const layout = join(folder, 'layout');
    await skopeo(
      'copy',
      '-q',
      '--preserve-digests',
      '--src-tls-verify=false',
      `docker://${image}`,
      `oci:${layout}:1`,
    );
    const seen = JSON.parse(await skopeo('inspect', `oci:${layout}:1`));
    expect(seen.Digest).toBe(digest);
    await run('umoci', ['unpack', '--image', `${layout}:1`, join(folder, 'bundle')]);
    const walked = await listUnion(page, image);
    expect(walked.toSorted(byPath)).toEqual(listTree(join(folder, 'bundle/rootfs')).toSorted(byPath));
    expect((await sh(page, `docker run --rm ${image}`)).stdout).toBe('hi\n');
  });
});

it('the page raised no error', () => {
  const expected = /Failed to load resource|CORS policy/;
  expect(chromium.complaints.filter((text) => !expected.test(text))).toEqual([]);
});
