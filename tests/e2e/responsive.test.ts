/** What the page asks is answered while the engine's worker is busy: here it is blocked on purpose. */

import { once } from 'node:events';
import { createServer } from 'node:http';
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

/**
 * Takes the engine's thread until `release`, and at most for so many seconds. Blocked as it is, it can still ask a
 * server, and does so ten times a second.
 */
async function block(
  engine: Worker,
  seconds: number,
): Promise<{ readonly ended: Promise<void>; release(): void }> {
  let isReleased = false;
  const server = createServer((_, response) => {
    response.writeHead(isReleased ? 200 : 204, { 'Access-Control-Allow-Origin': '*' }).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  const ended = engine.evaluate(
    ([milliseconds, url]) => {
      const isOver = () => {
        const request = new XMLHttpRequest();
        request.open('GET', url, false);
        request.send();
        return request.status === 200;
      };
      const until = performance.now() + milliseconds;
      while (performance.now() < until && !isOver()) {
        const next = performance.now() + 100;
        while (performance.now() < next);
      }
    },
    [seconds * 1000, `http://127.0.0.1:${address.port}/`] as const,
  );
  return {
    ended: ended.finally(() => {
      server.close();
      server.closeAllConnections();
    }),
    release: () => {
      isReleased = true;
    },
  };
}

/** Milliseconds within which an answer seems to be there at once. */
const PROMPT = 100;
const TIMES = 50;
/** Of the fifty, at the least, that must be prompt: the computer may have other work, and what waits for the engine is late in most. */
const MOST = 40;

/** Each question once, in the page: what the answers say, and the milliseconds until all of them had come. */
const askOnce = (id: string) =>
  page.evaluate(async (name) => {
    const { sandbox } = window;
    const begun = performance.now();
    const [images, containers, changes, listing] = await Promise.all([
      sandbox.images(),
      sandbox.containers(),
      sandbox.changes(name),
      sandbox.files('busybox').list('/etc'),
    ]);
    const took = performance.now() - begun;
    const answers = {
      layers: images.map(({ layers }) => layers.length),
      containers: containers.map(({ status }) => status),
      changes: changes.map(({ kind, path }) => `${kind} ${path}`),
      names: listing.entries.map(({ path }) => path),
    };
    return { answers, took };
  }, id);

/** Asks fifty times, in turn; every answer must be like this one. Milliseconds of each, the shortest first. */
async function askAgainAndAgain(id: string, wanted: object): Promise<number[]> {
  const waits: number[] = [];
  for (let turn = 0; turn < TIMES; turn++) {
    const { answers, took } = await askOnce(id);
    expect(answers).toMatchObject(wanted);
    waits.push(took);
  }
  return waits.sort((a, b) => a - b);
}

function expectPrompt(waits: readonly number[]): void {
  expect(waits[MOST - 1], `milliseconds: ${waits.map(Math.round)}`).toBeLessThanOrEqual(PROMPT);
}

describe('a page whose engine is busy', () => {
  it('has fifty answers of each kind, the same as before, and knows more when the engine does', async () => {
    const { answers: before } = await askOnce(container);
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
    const { ended, release } = await block(engine, 15);
    const over = ended.then(() => {
      blocked = false;
    });
    // this one waits for the engine: what it changes is in every answer after it
    const removal = dockerOk(page, 'rm', '-f', container);
    const waits = await askAgainAndAgain(container, before);
    expect(blocked).toBe(true);
    expectPrompt(waits);
    const listening = await page.evaluateHandle(() => ({
      late: new Promise((resolve) => {
        const end = window.sandbox.onLate(({ what }) => {
          if (what !== 'containers') return;
          end();
          resolve(what);
        });
      }),
    }));
    release();
    await over;
    await removal;
    expect(await listening.evaluate(({ late }) => late)).toBe('containers');
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

  it('answers within 100 ms while a program computes without a pause and a pull goes on', async () => {
    const id = (
      await dockerOk(
        page,
        ...['run', '-d', 'busybox', 'sh', '-c', 'echo changed >/etc/changed; while :; do :; done'],
      )
    ).trim();
    const { answers } = await askOnce(id);
    expect(answers.containers).toContain('running');
    const reference = `${inject('registry')}/test/debian`;
    const pulls = page.evaluate(async (name) => {
      let count = 0;
      for (; document.title !== 'enough'; count++) {
        const { exitCode, stderr } = await window.sandbox.docker(['pull', '-q', name]);
        if (exitCode !== 0) throw new Error(stderr);
        await window.sandbox.docker(['rmi', name]);
      }
      return count;
    }, reference);
    const waits = await askAgainAndAgain(id, { containers: answers.containers, names: answers.names });
    await page.evaluate(() => {
      document.title = 'enough';
    });
    expect(await pulls).toBeGreaterThan(0);
    expectPrompt(waits);
    expect(await dockerOk(page, 'exec', id, 'cat', '/etc/changed')).toBe('changed\n');
    await dockerOk(page, 'rm', '-f', id);
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
