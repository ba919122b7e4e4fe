import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { projectRoot } from '../../scripts/project-root.ts';
import { type StaticServer, serveFolder } from '../../scripts/serve.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { listTree } from '../support/real-tree.ts';
import { docker, dockerOk, listUnion, openSandbox } from '../support/sandbox-page.ts';
import { makeLayout, type PushedDocument, pushIndex } from '../unit/mirror/images.ts';
import { mirror } from '../unit/mirror/place.ts';

const closed = inject('closedRegistry');
const busybox = `${closed}/test/busybox`;
const multi = `${closed}/test/multi`;

let chromium: Chromium;
let folder: string;
let index: PushedDocument;
let layout: Awaited<ReturnType<typeof makeLayout>>;
const servers: (StaticServer | Nginx)[] = [];

/** The built site with a sandbox.json of its own, and what else is beside the page. */
async function siteWith(settings: string, images?: string): Promise<string> {
  const site = await mkdtemp(join(folder, 'site-'));
  await cp(join(projectRoot, 'dist'), site, { recursive: true });
  if (images !== undefined) await cp(images, join(site, 'images'), { recursive: true });
  await writeFile(join(site, 'sandbox.json'), settings);
  const server = await serveFolder(site, 0);
  servers.push(server);
  return server.url;
}

const mirrors = (place: string) => JSON.stringify({ mirrors: { [closed]: place } });

beforeAll(async () => {
  chromium = await startChromium();
  folder = await mkdtemp(join(tmpdir(), 'layerbox-mirror-'));
  layout = await makeLayout(['linux/386', 'linux/amd64']);
  index = await pushIndex(layout.path, { host: closed, close: async () => undefined }, 'test/multi', [
    'linux/386',
    'linux/amd64',
  ]);
});
afterAll(async () => {
  await chromium.close();
  for (const server of servers) await server.close();
  await layout.remove();
  await rm(folder, { recursive: true });
});

const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);

async function expectBusybox(page: Page): Promise<void> {
  expect(await dockerOk(page, 'pull', busybox)).toContain('Status: Downloaded newer image');
  const walked = await listUnion(page, busybox);
  expect(walked.toSorted(byPath)).toEqual(listTree(inject('roots').busybox).toSorted(byPath));
}

describe('an image of a registry that no page may read', () => {
  it('is refused with the command that brings it, and the command brings it', async () => {
    const page = await openSandbox(chromium, inject('site'));
    const refused = await docker(page, 'pull', busybox);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`http://${closed}`);
    expect(refused.stderr).toMatch(
      /CORS headers: a web page may read another site only when that site allows it/,
    );
    expect(refused.stderr).toContain('docs/registry.md');
    const [, command = ''] = /npx layerbox (mirror .*)/.exec(refused.stderr) ?? [];
    const [, name = ''] = /^mirror (\S+) --to images$/.exec(command) ?? [];
    expect(name).toBe(`${busybox}:latest`);
    await page.close();

    const images = join(folder, 'images');
    expect(await mirror([name, '--to', images])).toMatchObject({ code: 0, stdout: `${name}: copied\n` });
    expect(await mirror([multi, '--to', images])).toMatchObject({ code: 0 });
  });

  it('comes from the folder beside the page, and its programs run', async () => {
    const page = await openSandbox(
      chromium,
      await siteWith(mirrors('layout:images/'), join(folder, 'images')),
    );
    await expectBusybox(page);
    expect(await dockerOk(page, 'run', '--rm', busybox, 'cat', '/data/kept')).toBe('kept, and changed\n');
    await page.close();
  });

  it('comes from the folder on a web server elsewhere that sends CORS headers', async () => {
    const nginx = await startNginx('static', { root: join(folder, 'images') });
    servers.push(nginx);
    const page = await openSandbox(chromium, await siteWith(mirrors(`layout:http://${nginx.host}/`)));
    await expectBusybox(page);
    const asked = await nginx.requests();
    expect(asked.filter(({ path, status }) => path.startsWith('/blobs/') && status === 200)).toHaveLength(5);
    await page.close();
  });
});

describe('an index of which linux/386 alone was copied', () => {
  let page: Page;
  beforeAll(async () => {
    page = await openSandbox(chromium, await siteWith(mirrors('layout:images/'), join(folder, 'images')));
  });

  it('is pulled, with the digest that it has in its registry', async () => {
    const output = await dockerOk(page, 'pull', multi);
    expect(output).toContain(`Digest: ${index.digest}\n`);
    await dockerOk(page, 'rmi', multi);
    expect(await dockerOk(page, 'pull', `${multi}@${index.digest}`)).toContain(index.digest);
    await dockerOk(page, 'rmi', `${multi}@${index.digest}`);
  });

  it('is refused for another platform, and nothing remains of that', async () => {
    const refused = await docker(page, 'pull', '--platform', 'linux/amd64', multi);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(
      /does not have manifest sha256:[0-9a-f]{64} of .*test\/multi: .*but not its linux\/amd64/,
    );
    expect(await dockerOk(page, 'images', '-aq')).toBe('');
  });
});

describe('sandbox.json', () => {
  it('that is broken is told of on the page, and nothing opens', async () => {
    const url = await siteWith('{"mirrors": {"docker.io": 5}}');
    const page = await openSandbox(chromium, url);
    const says = `The settings of this site, ${url}sandbox.json, can't be used: the mirror 5 for "docker.io" is no place`;
    await expect.poll(() => page.locator('body').textContent()).toContain(says);
    const failure = await page.evaluate(() => window.sandbox.images().then(String, String));
    expect(failure).toContain(says);
    await page.close();
  });
});
