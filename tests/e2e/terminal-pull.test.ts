import type { Page } from 'playwright';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Deployment, startBasic } from '../support/deployment.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import { pushLayout, readManifest } from '../support/registry.ts';
import { dockerOk, openSandbox, screen, shows, storedRows, type } from '../support/sandbox-page.ts';
import { storedState } from '../support/stored-state.ts';

/** Registries as a person at the terminal meets them. */

const learner = { name: 'learner', password: 'open sesame' };
const prompt = /host:~[$#]$/;

let chromium: Chromium;
let page: Page;
let basic: Deployment;
let open: FaultyRegistry;
let layer = '';

beforeAll(async () => {
  const registry = { host: inject('registry'), close: async () => undefined };
  [chromium, basic, open] = await Promise.all([
    startChromium(),
    startBasic({ [learner.name]: learner.password }),
    startFaultyRegistry(registry),
  ]);
  await pushLayout(inject('layout'), 'busybox', basic, 'test/busybox:latest', learner);
  layer = (await readManifest(registry, 'test/busybox', 'latest')).layers[0]?.digest ?? '';
  page = await openSandbox(chromium, inject('site'));
  await shows(page, prompt);
});
afterAll(async () => {
  await chromium.close();
  await Promise.all([basic, open].map((server) => server.close()));
});
beforeEach(async () => {
  open.faults.clear();
  open.forget();
  await type(page, 'clear');
  await shows(page, /^\S*host:~[$#]$/);
});

/** No image or container, and nothing staged or leased; layers that came whole may stay for the next try. */
async function expectNothingHalfDone(): Promise<void> {
  expect(await dockerOk(page, 'images', '-aq')).toBe('');
  expect(await dockerOk(page, 'ps', '-aq')).toBe('');
  const rows = Object.entries(await storedRows(page)).filter(([, count]) => count > 0);
  expect(rows.filter(([name]) => /\/(images|containers|ingests|leases)$/.test(name))).toEqual([]);
  const { orphans, wrong } = await storedState(page);
  expect([orphans.filter((orphan) => !/^(blob|layer) /.test(orphan)), wrong]).toEqual([[], []]);
}

/** What of a pull that is under way lies in the browser's storage. */
async function staged(): Promise<readonly string[]> {
  const { orphans } = await storedState(page);
  const kinds = new Set(orphans.map((orphan) => orphan.split(' ')[0] ?? ''));
  return ['ingest', 'lease'].filter((kind) => kinds.has(kind));
}

describe('Ctrl-C ends a pull', () => {
  it.each([
    ['in the middle of a layer: the connection too', 'pull', ''],
    ['of an image that is to be run: there is no container either', 'run -it', ' true'],
  ])('%s', async (_title, command, program) => {
    open.faults.set(layer, { kind: 'stall', after: 200_000 });
    await type(page, `docker ${command} ${open.host}/test/busybox${program}; echo code=$?`);
    await shows(page, /Downloading/);
    await expect.poll(() => open.sent(layer)).toBe(200_000);
    await expect.poll(staged).toEqual(['ingest', 'lease']);
    await page.keyboard.press('Control+C');
    await shows(page, prompt);
    const [request] = open.seen.filter(({ path }) => path.includes(layer));
    await expect.poll(() => request?.isOver).toBe(true);
    await expectNothingHalfDone();
  });

  it('while it waits because the registry asked it to', async () => {
    open.faults.set('/blobs/', { kind: 'status', status: 429, headers: { 'Retry-After': '50' } });
    await type(page, `docker pull ${open.host}/test/busybox; echo code=$?`);
    await expect.poll(() => open.seen.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
    const asked = open.seen.length;
    await page.keyboard.press('Control+C');
    await shows(page, prompt, 10_000);
    expect(open.seen.length).toBe(asked);
    await expectNothingHalfDone();
  });

  it('and the next one brings the image', async () => {
    await type(page, `docker pull ${open.host}/test/busybox; echo code=$?`);
    await shows(page, /code=0/);
  });
});

describe('docker login', () => {
  it('asks for name and password, shows neither password nor stars, and tells a wrong one', async () => {
    await type(page, `docker login ${basic.host}; echo code=$?`);
    await shows(page, /Username: ?$/m);
    await type(page, learner.name);
    await shows(page, /Password: ?$/m);
    await type(page, 'not this');
    const text = await shows(page, /code=1/);
    expect(text).toContain('failed with status: 401 Unauthorized');
    expect(text).not.toContain('not this');
    expect(text).not.toContain('*');
  });

  it('lets in with the right one, and a pull has every byte it wants', async () => {
    await type(page, `docker login ${basic.host}; echo code=$?`);
    await shows(page, /Username: ?$/m);
    await type(page, learner.name);
    await shows(page, /Password: ?$/m);
    await type(page, learner.password);
    expect(await shows(page, /code=0/)).toMatch(/Login Succeeded/);
    await type(page, `docker pull -q ${basic.host}/test/busybox; echo pulled=$?`);
    await shows(page, /pulled=0/);
    expect(await screen(page)).not.toContain(learner.password);
  });

  it('takes the password from a pipe of the shell', async () => {
    await type(page, `docker logout ${basic.host}; echo out=$?`);
    await shows(page, /out=0/);
    await type(
      page,
      `echo '${learner.password}' | docker login -u ${learner.name} --password-stdin ${basic.host}`,
    );
    await shows(page, /Login Succeeded/);
  });

  it('is left with Ctrl-C at the question', async () => {
    await type(page, `docker login ${basic.host} -u ${learner.name}; echo code=$?`);
    await shows(page, /Password: ?$/m);
    await page.keyboard.press('Control+C');
    await shows(page, prompt);
    // and what is typed after it is seen again
    await type(page, 'echo vis""ible');
    await shows(page, /^visible$/m);
  });
});
