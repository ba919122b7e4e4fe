/** What the page asks is answered while the engine's worker is busy: here it is blocked on purpose. */

import type { Page, Worker } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { dockerOk, openSandbox } from '../support/sandbox-page.ts';

let chromium: Chromium;
let page: Page;
let container = '';

beforeAll(async () => {
  chromium = await startChromium();
  page = await openSandbox(chromium, inject('site'));
  await dockerOk(page, 'pull', '-q', 'busybox');
  container = (await dockerOk(page, 'run', '-d', 'busybox', 'sleep', '100000')).trim();
  await dockerOk(page, 'exec', container, 'sh', '-c', 'echo changed >/etc/changed');
});
afterAll(() => chromium.close());

/** The worker in which the engine runs: the others have no machine. */
async function engineWorker(): Promise<Worker> {
  const found = page.workers().filter((worker) => /\/engine\.worker-/.test(worker.url()));
  expect(found.map((worker) => worker.url())).toHaveLength(1);
  return found[0] ?? expect.unreachable();
}

/** Takes the engine's thread until the promise that comes back is told to end, at most for so many seconds. */
async function block(engine: Worker, seconds: number): Promise<{ readonly ended: Promise<void> }> {
  const ended = engine.evaluate((milliseconds) => {
    const until = performance.now() + milliseconds;
    while (performance.now() < until);
  }, seconds * 1000);
  return { ended };
}

/** Each question once, in the page: what the answers say. */
const askOnce = (id: string) =>
  page.evaluate(async (name) => {
    const { sandbox } = window;
    const [images, containers, changes, listing] = await Promise.all([
      sandbox.images(),
      sandbox.containers(),
      sandbox.changes(name),
      sandbox.files('busybox').list('/etc'),
    ]);
    return {
      layers: images.map(({ layers }) => layers.length),
      containers: containers.map(({ status }) => status),
      changes: changes.map(({ kind, path }) => `${kind} ${path}`),
      names: listing.entries.map(({ path }) => path),
    };
  }, id);

describe('a page whose engine is busy', () => {
  it('has fifty answers of each kind, the same as before, and knows more when the engine does', async () => {
    const before = await askOnce(container);
    expect(before.containers).toEqual(['running']);
    expect(before.changes).toEqual(['C /etc', 'A /etc/changed']);
    expect(before.names).toContain('/etc/passwd');
    const own = await page.evaluate(
      async (id) => (await window.sandbox.files(id).list('/etc')).entries.map(({ path }) => path),
      container,
    );
    expect(own).toContain('/etc/changed');

    const engine = await engineWorker();
    let blocked = true;
    const { ended } = await block(engine, 15);
    const over = ended.then(() => {
      blocked = false;
    });
    // this one waits for the engine: what it changes is in every answer after it
    const removal = dockerOk(page, 'rm', '-f', container);
    for (let i = 0; i < 50; i++) expect(await askOnce(container)).toEqual(before);
    expect(blocked).toBe(true);
    const late = page.evaluate(
      () =>
        new Promise((resolve) => {
          const end = window.sandbox.onLate(({ what }) => {
            if (what !== 'containers') return;
            end();
            resolve(what);
          });
        }),
    );
    await over;
    await removal;
    expect(await late).toBe('containers');
    expect(await page.evaluate(async () => (await window.sandbox.containers()).length)).toBe(0);
    const gone = await page.evaluate(
      (id) =>
        window.sandbox.changes(id).then(
          () => 'answered',
          (error) => error.code,
        ),
      container,
    );
    expect(gone).toBe('NoSuchContainer');
  });

  it('lists a part of a directory, and says how many names it has', async () => {
    const { whole, part, error } = await page.evaluate(async () => {
      const files = window.sandbox.files('busybox');
      const all = await files.list('/bin');
      const some = await files.list('/bin/', { start: 2, end: 5 });
      return {
        whole: { count: all.count, paths: all.entries.map(({ path }) => path) },
        part: { count: some.count, paths: some.entries.map(({ path }) => path) },
        error: await files.list('/bin/nope').then(
          () => 'answered',
          ({ code }) => code,
        ),
      };
    });
    expect(whole.count).toBe(whole.paths.length);
    expect(part).toEqual({ count: whole.count, paths: whole.paths.slice(2, 5) });
    expect(error).toBe('NoSuchFile');
  });

  it('raised no error', () => {
    expect(chromium.complaints).toEqual([]);
  });
});
