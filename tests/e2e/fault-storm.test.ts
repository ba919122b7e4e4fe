import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Deployment, startPlain } from '../support/deployment.ts';
import { type Fault, type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import { pushMade, randomly } from '../support/made-image.ts';
import { contentDigests, docker, dockerOk, openSandbox, storedRows } from '../support/sandbox-page.ts';

/** Any fault at any request, many at once: a pull either brings every byte or says why it did not. */

/** Gives the same faults in the same order; which request meets which is for the network to say. Printed with the name. */
const seed = Number(process.env.LAYERBOX_FAULT_SEED ?? 20_260);
const random = randomly(seed);

let chromium: Chromium;
let page: Page;
let plain: Deployment;
let faulty: FaultyRegistry;

beforeAll(async () => {
  [chromium, plain] = await Promise.all([startChromium(), startPlain()]);
  faulty = await startFaultyRegistry(plain);
  page = await openSandbox(chromium, inject('site'));
});
afterAll(async () => {
  await chromium.close();
  await faulty.close();
  await plain.close();
});

function anyFault(): Fault | undefined {
  const after = random(150_000);
  const kinds: readonly (Fault | undefined)[] = [
    { kind: 'cut', after },
    { kind: 'cut', after, reset: true },
    { kind: 'cut', after, silence: 50 },
    { kind: 'refuse' },
    { kind: 'status', status: 429, headers: { 'Retry-After': '0' } },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503 },
    { kind: 'whole' },
    { kind: 'flip' },
    { kind: 'short', by: 1 },
    { kind: 'long', by: 1 },
    { kind: 'length', by: 1 },
  ];
  // two requests of three go well
  return kinds[random(kinds.length * 3)];
}

it(`what arrives is right, and what does not says why (seed ${seed})`, async () => {
  let failures = 0;
  for (let at = 0; at < 6; at += 1) {
    const sizes = [1 + random(200_000), 1 + random(2000), 1 + random(200_000)];
    const image = await pushMade(plain.direct, `test/storm-${at}`, seed + at, sizes);
    const reference = `${faulty.host}/test/storm-${at}`;
    const known = await dockerOk(page, 'images', '-aq');
    faulty.pick = anyFault;
    for (;;) {
      const { exitCode, stderr } = await docker(page, 'pull', reference);
      if (exitCode === 0) break;
      failures += 1;
      expect(exitCode, stderr).toBe(1);
      expect(stderr).toMatch(/^Error response from daemon: \S.{20,}/s);
      expect(stderr).not.toMatch(/TypeError|undefined|\[object|could not be ingested/);
      expect(await dockerOk(page, 'images', '-aq')).toBe(known);
    }
    faulty.pick = undefined;
    const paths = image.files.map(({ path }) => path);
    expect(await contentDigests(page, reference, paths)).toEqual(image.files.map(({ digest }) => digest));
  }
  expect(failures).toBeGreaterThan(0);

  const ids = (await dockerOk(page, 'images', '-aq')).split('\n').filter((id) => id !== '');
  await dockerOk(page, 'rmi', '-f', ...ids);
  await page.reload();
  expect(await dockerOk(page, 'images', '-aq')).toBe('');
  const rows = Object.entries(await storedRows(page)).filter(([, count]) => count > 0);
  expect(rows.filter(([name]) => /images|layers|leases|ingests|blobs|chunks/.test(name))).toEqual([]);
});
