import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { StaticServer } from '../../scripts/serve.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Deployment, startCache, startPlain } from '../support/deployment.ts';
import { startFaultyRegistry } from '../support/faulty-registry.ts';
import { openLibrary, serveLibraryPage } from '../support/library-page.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { listTree } from '../support/real-tree.ts';
import { type PushedManifest, pushLayout, readManifest } from '../support/registry.ts';
import { docker, dockerOk, listUnion, openSandbox } from '../support/sandbox-page.ts';

/** Pulls of a page on one origin from the configurations of `deploy/` on others, without a password. */

let chromium: Chromium;
let page: Page;
let library: StaticServer;
let plain: Deployment;
let cache: Deployment;
let folder: Nginx;
let manifest: PushedManifest;

beforeAll(async () => {
  [chromium, library, plain, folder] = await Promise.all([
    startChromium(),
    serveLibraryPage(),
    startPlain(),
    startNginx('static', { root: inject('layout') }),
  ]);
  cache = await startCache(plain);
  for (const tag of ['busybox', 'debian']) {
    await pushLayout(inject('layout'), tag, plain, `test/${tag}:latest`);
  }
  manifest = await readManifest(plain, 'test/busybox', 'latest');
  page = await openSandbox(chromium, inject('site'));
});
afterAll(async () => {
  await chromium.close();
  await Promise.all([library, cache, folder].map((server) => server.close()));
  await plain.close();
});

const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);

async function expectWhole(from: Page, reference: string, tag: 'busybox' | 'debian'): Promise<void> {
  const walked = await listUnion(from, reference);
  expect(walked.toSorted(byPath)).toEqual(listTree(inject('roots')[tag]).toSorted(byPath));
}

const blobPaths = () =>
  [manifest.config, ...manifest.layers].map(({ digest }) => `GET /v2/test/busybox/blobs/${digest} 200`);

const since = async (server: Nginx, mark: number) => (await server.requests()).slice(mark);
const told = (requests: readonly { method: string; path: string; status: number }[]) =>
  requests.map(({ method, path, status }) => `${method} ${path} ${status}`);

describe('a registry that everybody may read', () => {
  it('gives each blob once, and is never asked for leave', async () => {
    const mark = (await plain.requests()).length;
    const reference = `${plain.host}/test/busybox`;
    expect(await dockerOk(page, 'pull', reference)).toContain('Status: Downloaded newer image');
    const requests = await since(plain, mark);
    expect(requests.filter(({ method }) => method === 'OPTIONS')).toEqual([]);
    const blobs = told(requests).filter((line) => line.includes('/blobs/'));
    expect(blobs.toSorted()).toEqual(blobPaths().toSorted());
    await expectWhole(page, reference, 'busybox');
  });

  it('debian: the walked union equals what umoci unpacks', async () => {
    const reference = `${plain.host}/test/debian`;
    await dockerOk(page, 'pull', reference);
    await expectWhole(page, reference, 'debian');
  });

  it('is told by its name that a tag is not there', async () => {
    const result = await docker(page, 'pull', `${plain.host}/test/busybox:none`);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(
      /^Error response from daemon: manifest for \S+\/test\/busybox:none not found: manifest unknown/,
    );
  });
});

describe('a pull-through cache', () => {
  it('fetches from its origin and gives every byte', async () => {
    await dockerOk(page, 'rmi', '-f', `${plain.host}/test/busybox`, `${plain.host}/test/debian`);
    await page.reload();
    const mark = (await cache.requests()).length;
    const reference = `${cache.host}/test/busybox`;
    await dockerOk(page, 'pull', reference);
    const requests = await since(cache, mark);
    expect(requests.filter(({ method }) => method === 'OPTIONS')).toEqual([]);
    const blobs = told(requests).filter((line) => line.includes('/blobs/'));
    expect(blobs.toSorted()).toEqual(blobPaths().toSorted());
    await expectWhole(page, reference, 'busybox');
  });

  it('stands for another registry as its mirror', async () => {
    const mark = (await cache.requests()).length;
    const embedder = await openLibrary(chromium, library, {
      name: 'mirror',
      mirrors: { 'registry.example.org': `http://${cache.host}` },
    });
    const output = await dockerOk(embedder, 'pull', 'registry.example.org/test/busybox');
    expect(output).toContain('Status: Downloaded newer image for registry.example.org/test/busybox:latest');
    await expectWhole(embedder, 'registry.example.org/test/busybox', 'busybox');
    expect((await since(cache, mark)).length).toBeGreaterThan(0);
    await embedder.close();
  });

  it('goes on serving what it has when its origin is gone', async () => {
    const lonely = await startPlain();
    await pushLayout(inject('layout'), 'busybox', lonely, 'test/busybox:latest');
    const keeper = await startCache(lonely);
    const reference = `${keeper.host}/test/busybox@${await digestAt(lonely)}`;
    await dockerOk(page, 'pull', reference);
    await dockerOk(page, 'rmi', '-f', reference, `${cache.host}/test/busybox`);
    await page.reload();
    await keptBy(keeper, lonely);
    await lonely.close();
    await dockerOk(page, 'pull', reference);
    await expectWhole(page, reference, 'busybox');
    await keeper.close();
  });
});

async function digestAt(server: Nginx): Promise<string> {
  const answer = await fetch(`http://${server.host}/v2/test/busybox/manifests/latest`, {
    headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  await answer.body?.cancel();
  return answer.headers.get('docker-content-digest') ?? '';
}

/** Until the cache answers every blob without its origin; it keeps what it gave out a little later. */
async function keptBy(keeper: Nginx, upstream: Nginx): Promise<void> {
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    for (;;) {
      const before = (await upstream.requests()).length;
      await (await fetch(`http://${keeper.host}/v2/test/busybox/blobs/${digest}`)).arrayBuffer();
      if ((await upstream.requests()).length === before) break;
    }
  }
}

describe('a folder on a web server', () => {
  it('gives every byte, each file once, and is never asked for leave', async () => {
    const mark = (await folder.requests()).length;
    const embedder = await openLibrary(chromium, library, {
      name: 'static',
      mirrors: { 'course.example.org': `layout:http://${folder.host}/` },
    });
    await dockerOk(embedder, 'pull', 'course.example.org/busybox');
    await expectWhole(embedder, 'course.example.org/busybox', 'busybox');
    const requests = await since(folder, mark);
    expect(requests.filter(({ method }) => method === 'OPTIONS')).toEqual([]);
    expect(requests.every(({ status }) => status === 200)).toBe(true);
    const paths = requests.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    await embedder.close();
  });

  it('goes on where a connection broke, and refuses what is not what its name says', async () => {
    const faulty = await startFaultyRegistry(folder);
    const embedder = await openLibrary(chromium, library, {
      name: 'static-faults',
      mirrors: { 'course.example.org': `layout:http://${faulty.host}/` },
    });
    const layer = manifest.layers[0]?.digest.replace(':', '/') ?? '';
    faulty.faults.set(layer, { kind: 'flip' });
    const wrong = await docker(embedder, 'pull', 'course.example.org/busybox');
    expect(wrong).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/layer sha256:.*(digest|gzip)/s),
    });
    expect(await dockerOk(embedder, 'images', '-aq')).toBe('');

    faulty.forget();
    faulty.faults.set(layer, { kind: 'stall', after: 900_000, times: 1 });
    const done = embedder.evaluate(async (digest) => {
      window.sandbox.events().subscribe((event) => {
        if (event.type === 'layer' && event.digest === digest) document.title = `${event.bytes}`;
      });
      const { exitCode } = await window.sandbox.docker(['pull', 'course.example.org/busybox']);
      return exitCode;
    }, manifest.layers[0]?.digest);
    await expect.poll(() => faulty.sent(layer), { timeout: 20_000 }).toBe(900_000);
    await expect.poll(async () => Number(await embedder.title()), { timeout: 20_000 }).toBeGreaterThan(0);
    faulty.cut();
    expect(await done).toBe(0);
    await expectWhole(embedder, 'course.example.org/busybox', 'busybox');
    const requests = faulty.seen.filter(({ path }) => path.includes(layer));
    expect(requests.map(({ status }) => status)).toEqual([200, 206]);
    const start = Number(/^bytes=(\d+)-$/.exec(requests[1]?.range ?? '')?.[1]);
    expect(requests[1]?.sent).toBe((manifest.layers[0]?.size ?? 0) - start);
    expect(faulty.seen.filter(({ method }) => method === 'OPTIONS')).toEqual([]);
    await embedder.close();
    await faulty.close();
  });

  it('says what it does not have', async () => {
    const embedder = await openLibrary(chromium, library, {
      name: 'static-missing',
      mirrors: { 'course.example.org': `layout:http://${folder.host}/` },
    });
    const result = await docker(embedder, 'pull', 'course.example.org/none');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(folder.host);
    await embedder.close();
  });
});

it('the pages raised no error', () => {
  expect(chromium.complaints.filter((text) => !/Failed to load resource|CORS policy/.test(text))).toEqual([]);
});
