import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Deployment, startPlain } from '../support/deployment.ts';
import {
  type Fault,
  type FaultyRegistry,
  type Seen,
  startFaultyRegistry,
} from '../support/faulty-registry.ts';
import { type MadeImage, pushMade, randomly } from '../support/made-image.ts';
import { contentDigests, docker, dockerOk, openSandbox, storedRows } from '../support/sandbox-page.ts';

/**
 * Faults between a page and the real registry behind the real nginx. What completes is right to the byte, what fails
 * says why and leaves nothing half-done, and a second try fetches what is missing and nothing else.
 */

let chromium: Chromium;
let page: Page;
let plain: Deployment;
let faulty: FaultyRegistry;
/** Another origin, in front of the same registry. */
let elsewhere: FaultyRegistry;
let seed = 0;

beforeAll(async () => {
  [chromium, plain] = await Promise.all([startChromium(), startPlain()]);
  [faulty, elsewhere] = await Promise.all([startFaultyRegistry(plain), startFaultyRegistry(plain)]);
  page = await openSandbox(chromium, inject('site'));
});
afterAll(async () => {
  await chromium.close();
  await Promise.all([faulty.close(), elsewhere.close()]);
  await plain.close();
});
beforeEach(() => {
  for (const proxy of [faulty, elsewhere]) {
    proxy.faults.clear();
    proxy.forget();
  }
});
afterEach(async () => {
  const ids = (await dockerOk(page, 'images', '-aq')).split('\n').filter((id) => id !== '');
  if (ids.length > 0) await dockerOk(page, 'rmi', '-f', ...ids);
});

/** An image that nobody has pulled before; layers in bytes. */
async function freshImage(...sizes: number[]): Promise<MadeImage & { reference: string; path: string }> {
  seed += 1;
  const repository = `test/made-${seed}`;
  const made = await pushMade(plain.direct, repository, seed, sizes);
  return { ...made, reference: `${faulty.host}/${repository}`, path: `/v2/${repository}` };
}

async function expectRight(image: MadeImage & { reference: string }): Promise<void> {
  const paths = image.files.map(({ path }) => path);
  const found = await contentDigests(page, image.reference, paths);
  expect(found).toEqual(image.files.map(({ digest }) => digest));
}

const requestsOf = (proxy: FaultyRegistry, part: string): readonly Seen[] =>
  proxy.seen.filter(({ path, method }) => path.includes(part) && method !== 'OPTIONS');

const preflights = () => [...faulty.seen, ...elsewhere.seen].filter(({ method }) => method === 'OPTIONS');

const digestOf = (image: MadeImage, at: number) => image.manifest.layers[at]?.digest ?? '';
const sizeOf = (image: MadeImage, at: number) => image.manifest.layers[at]?.size ?? 0;

const startOf = ({ range }: Seen) => (range === undefined ? 0 : Number(/^bytes=(\d+)-$/.exec(range)?.[1]));

describe('a pull that goes on', () => {
  it.each([
    { end: 'in good order', reset: false },
    { end: 'with a reset', reset: true },
  ])('where each layer was cut at a random byte, $end', async ({ reset }) => {
    const image = await freshImage(300_000, 300_000, 300_000, 300_000, 300_000, 300_000);
    const random = randomly(reset ? 7 : 11);
    const cuts = image.manifest.layers.map(({ size }) => 1 + random(size - 1));
    for (const [at, after] of cuts.entries()) {
      faulty.faults.set(digestOf(image, at), { kind: 'cut', after, reset, times: 1 });
    }
    await dockerOk(page, 'pull', image.reference);
    await expectRight(image);
    for (const [at, after] of cuts.entries()) {
      const requests = requestsOf(faulty, digestOf(image, at));
      const [first, second, ...more] = requests;
      expect(more, `layer ${at} cut after ${after}`).toEqual([]);
      expect(first?.sent).toBe(after);
      // no later than where it broke: what the browser had not handed on yet is lost with its connection
      const start = second === undefined ? -1 : startOf(second);
      expect(start).toBeGreaterThanOrEqual(0);
      expect(start).toBeLessThanOrEqual(after);
      expect(second?.sent).toBe(sizeOf(image, at) - start);
    }
    expect(preflights()).toEqual([]);
  });

  it('and no byte that the page has told of is fetched again', async () => {
    const image = await freshImage(500_000);
    faulty.faults.set(digestOf(image, 0), { kind: 'stall', after: 234_567, times: 1 });
    const done = page.evaluate(async (reference) => {
      const stop = window.sandbox.events().subscribe((event) => {
        if (event.type === 'layer' && event.status === 'downloading') document.title = `${event.bytes}`;
      });
      const { exitCode } = await window.sandbox.docker(['pull', reference]);
      stop();
      return exitCode;
    }, image.reference);
    await expect.poll(async () => Number(await page.title()), { timeout: 20_000 }).toBeGreaterThan(0);
    await expect.poll(() => faulty.sent(digestOf(image, 0))).toBe(234_567);
    const told = Number(await page.title());
    faulty.cut();
    expect(await done).toBe(0);
    await expectRight(image);
    const [, second, ...more] = requestsOf(faulty, digestOf(image, 0));
    expect(more).toEqual([]);
    const start = second === undefined ? -1 : startOf(second);
    expect(start).toBeGreaterThanOrEqual(told);
    expect(start).toBeLessThanOrEqual(234_567);
    expect(second?.sent).toBe(sizeOf(image, 0) - start);
    expect(preflights()).toEqual([]);
  });

  it('where a layer is cut again and again', async () => {
    const image = await freshImage(1_000_000);
    faulty.faults.set(digestOf(image, 0), { kind: 'cut', after: 150_000, silence: 400 });
    await dockerOk(page, 'pull', image.reference);
    await expectRight(image);
    const size = sizeOf(image, 0);
    expect(requestsOf(faulty, digestOf(image, 0)).length).toBeGreaterThanOrEqual(Math.ceil(size / 150_000));
  });

  it('from the start, where the server knows no ranges, without a byte too many in the layer', async () => {
    const image = await freshImage(400_000);
    faulty.faults.set(digestOf(image, 0), { kind: 'cut', after: 123_456, times: 1 });
    faulty.faults.set(image.path, { kind: 'whole' });
    await dockerOk(page, 'pull', image.reference);
    await expectRight(image);
    const [, second] = requestsOf(faulty, digestOf(image, 0));
    expect(second?.status).toBe(200);
    expect(second?.sent).toBe(sizeOf(image, 0));
  });

  const passing: readonly { name: string; fault: Fault; tries: number }[] = [
    { name: '429', fault: { kind: 'status', status: 429, times: 2 }, tries: 3 },
    { name: '500', fault: { kind: 'status', status: 500, times: 1 }, tries: 2 },
    { name: '502', fault: { kind: 'status', status: 502, times: 1 }, tries: 2 },
    { name: '503', fault: { kind: 'status', status: 503, times: 2 }, tries: 3 },
    { name: '504', fault: { kind: 'status', status: 504, times: 1 }, tries: 2 },
    { name: 'no answer', fault: { kind: 'refuse', times: 1 }, tries: 2 },
    { name: 'a length that promises more', fault: { kind: 'length', by: 100, times: 1 }, tries: 1 },
  ];
  it.each(passing)('after $name for a layer', async ({ fault, tries }) => {
    const image = await freshImage(100_000, 1000);
    faulty.faults.set(digestOf(image, 0), fault);
    await dockerOk(page, 'pull', image.reference);
    await expectRight(image);
    expect(requestsOf(faulty, digestOf(image, 0)).length).toBeGreaterThanOrEqual(tries);
    expect(requestsOf(faulty, digestOf(image, 1))).toHaveLength(1);
    expect(preflights()).toEqual([]);
  });

  it.each<[string, Fault]>([
    ['429', { kind: 'status', status: 429, times: 1 }],
    ['503', { kind: 'status', status: 503, times: 1 }],
    ['a connection that breaks', { kind: 'cut', after: 100, silence: 200, times: 1 }],
    ['a length that promises more', { kind: 'length', by: 100, times: 1 }],
  ])('after %s for the manifest', async (_, fault) => {
    const image = await freshImage(1000);
    faulty.faults.set('/manifests/', fault);
    await dockerOk(page, 'pull', image.reference);
    await expectRight(image);
  });

  it('no sooner than Retry-After asks, and says what it waits for', async () => {
    const image = await freshImage(1000);
    faulty.faults.set(digestOf(image, 0), {
      kind: 'status',
      status: 429,
      headers: { 'Retry-After': '2' },
      times: 1,
    });
    const retries = await page.evaluate(async (reference) => {
      const seen: unknown[] = [];
      const stop = window.sandbox.events().subscribe((event) => {
        if (event.type === 'retry') seen.push({ status: event.status, wait: event.wait });
      });
      await window.sandbox.docker(['pull', reference]);
      stop();
      return seen;
    }, image.reference);
    expect(retries).toEqual([{ status: 429, wait: 2000 }]);
    const [first, second] = requestsOf(faulty, digestOf(image, 0));
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1990);
    await expectRight(image);
  });

  it('slowly, where the network is slow', async () => {
    const image = await freshImage(60_000, 60_000);
    faulty.faults.set('/blobs/', { kind: 'slow', bytesPerSecond: 60_000 });
    await dockerOk(page, 'pull', image.reference);
    await expectRight(image);
    expect(faulty.sent('/blobs/')).toBe(image.size + image.manifest.config.size);
  });

  it('at another origin, where the registry sends it on', async () => {
    const image = await freshImage(100_000);
    faulty.faults.set('/blobs/', { kind: 'redirect', origin: `http://${elsewhere.host}` });
    await dockerOk(page, 'pull', image.reference);
    await expectRight(image);
    expect(elsewhere.sent(digestOf(image, 0))).toBe(sizeOf(image, 0));
    expect(preflights()).toEqual([]);
  });

  it('at another origin, cut there', async () => {
    const image = await freshImage(300_000);
    faulty.faults.set('/blobs/', { kind: 'redirect', origin: `http://${elsewhere.host}` });
    elsewhere.faults.set(digestOf(image, 0), { kind: 'cut', after: 200_000, times: 1 });
    await dockerOk(page, 'pull', image.reference);
    await expectRight(image);
    const [first, second] = requestsOf(elsewhere, digestOf(image, 0));
    expect(first?.sent).toBe(200_000);
    expect(second?.sent).toBe(sizeOf(image, 0) - (second === undefined ? -1 : startOf(second)));
  });
});

describe('a pull that fails', () => {
  const cases: readonly { name: string; fault: Fault; says: RegExp }[] = [
    {
      name: 'a flipped bit',
      fault: { kind: 'flip' },
      says: /layer sha256:[0-9a-f]{12}.*(digest|gzip|corrupt)/is,
    },
    { name: 'too few bytes', fault: { kind: 'short', by: 100 }, says: /layer sha256:[0-9a-f]{12}.*bytes/is },
    { name: 'too many bytes', fault: { kind: 'long', by: 100 }, says: /layer sha256:[0-9a-f]{12}.*bytes/is },
    {
      name: 'connections that always break',
      fault: { kind: 'cut', after: 2000 },
      says: /layer sha256:[0-9a-f]{12}/i,
    },
    { name: 'a server that always fails', fault: { kind: 'status', status: 500 }, says: /\b500\b/ },
    {
      name: 'an hour to wait',
      fault: { kind: 'status', status: 429, headers: { 'Retry-After': '3600' } },
      says: /\b429\b|too ?many ?requests/i,
    },
    {
      name: 'a blob that is gone',
      fault: { kind: 'status', status: 404 },
      says: /does not have layer sha256:[0-9a-f]{12}/,
    },
  ];
  it.each(cases)(
    '$name: says why, shows no image, and a second try fetches what is missing alone',
    async ({ fault, says }) => {
      // three layers at once: when the last one is asked for, two at least are here
      const image = await freshImage(50_000, 1000, 60_000, 70_000, 80_000);
      const bad = digestOf(image, 4);
      faulty.faults.set(bad, fault);
      const { failed, complete } = await page.evaluate(async (reference) => {
        const arrived: string[] = [];
        const stop = window.sandbox.events().subscribe((event) => {
          if (event.type === 'layer' && event.status === 'complete') arrived.push(event.digest);
        });
        const result = await window.sandbox.docker(['pull', reference]);
        stop();
        return { failed: result, complete: arrived };
      }, image.reference);
      expect(failed.exitCode).toBe(1);
      expect(failed.stderr).toMatch(/^Error response from daemon: /);
      expect(failed.stderr).toMatch(says);
      expect(await dockerOk(page, 'images', '-aq')).toBe('');

      faulty.faults.clear();
      faulty.forget();
      await dockerOk(page, 'pull', image.reference);
      await expectRight(image);
      expect(complete.length).toBeGreaterThanOrEqual(2);
      const fetched = image.manifest.layers.filter(({ digest }) => requestsOf(faulty, digest).length > 0);
      const digests = fetched.map(({ digest }) => digest);
      expect(digests).toContain(bad);
      expect(digests.filter((digest) => complete.includes(digest))).toEqual([]);
      expect(faulty.sent(bad)).toBe(sizeOf(image, 4));
    },
  );

  it('leaves nothing after a reload, staged or whole', async () => {
    const image = await freshImage(50_000, 60_000);
    faulty.faults.set(digestOf(image, 1), { kind: 'flip' });
    expect((await docker(page, 'pull', image.reference)).exitCode).toBe(1);
    await page.reload();
    expect(await dockerOk(page, 'images', '-aq')).toBe('');
    const rows = Object.entries(await storedRows(page)).filter(([, count]) => count > 0);
    expect(rows.filter(([name]) => /images|layers|leases|ingests|blobs|chunks|^files/.test(name))).toEqual(
      [],
    );
  });

  it('when the manifest is not answered, saying what a page cannot tell apart', async () => {
    const image = await freshImage(1000);
    faulty.faults.set('/manifests/', { kind: 'refuse' });
    const failed = await docker(page, 'pull', image.reference);
    expect(failed).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/no answer from .*Either it is down, or it does not send CORS headers/s),
    });
  });

  it('when it is sent on to a place that pages may not read', async () => {
    const image = await freshImage(1000);
    const closed = inject('closedRegistry');
    faulty.faults.set(digestOf(image, 0), { kind: 'redirect', origin: `http://${closed}` });
    const failed = await docker(page, 'pull', image.reference);
    expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/CORS/) });
  });
});

describe('many at once', () => {
  it('pulls of one image fetch each layer once', async () => {
    const image = await freshImage(100_000, 100_000);
    faulty.faults.set(digestOf(image, 0), { kind: 'stall', after: 1000 });
    const done = page.evaluate(
      (reference) =>
        Promise.all(
          [1, 2, 3].map(() => window.sandbox.docker(['pull', reference]).then((result) => result.exitCode)),
        ),
      image.reference,
    );
    await expect.poll(() => faulty.sent(digestOf(image, 0))).toBe(1000);
    faulty.release();
    expect(await done).toEqual([0, 0, 0]);
    for (const { digest } of image.manifest.layers) expect(requestsOf(faulty, digest)).toHaveLength(1);
    await expectRight(image);
  });

  it('a pull that is cancelled stops what is on its way, and leaves the other one its own', async () => {
    const image = await freshImage(200_000);
    faulty.faults.set(digestOf(image, 0), { kind: 'stall', after: 1000, times: 1 });
    const ended = await page.evaluate(async (reference) => {
      const cancel = new AbortController();
      const stop = window.sandbox.events().subscribe((event) => {
        if (event.type === 'layer' && event.bytes > 0) cancel.abort(new Error('enough'));
      });
      const result = await window.sandbox
        .docker(['pull', reference], { signal: cancel.signal })
        .catch(String);
      stop();
      return result;
    }, image.reference);
    expect(ended).toBe('Error: enough');
    const [request] = requestsOf(faulty, digestOf(image, 0));
    await expect.poll(() => request?.isOver).toBe(true);
    faulty.release();
    expect(request?.sent).toBe(1000);
    expect(await dockerOk(page, 'images', '-aq')).toBe('');
    await dockerOk(page, 'pull', image.reference);
    await expectRight(image);
  });
});
