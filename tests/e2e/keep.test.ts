/** The browser is asked to keep what is here when there is something to keep, and by somebody who read why. */

import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { dockerOk, openSandbox } from '../support/sandbox-page.ts';

let chromium: Chromium;

beforeAll(async () => {
  chromium = await startChromium();
});
afterAll(() => chromium.close());

it.each([
  ['denied', /did not promise it/, /was asked to keep it, and did not promise/],
  ['granted', undefined, /has promised to keep it/],
] as const)('asked once there is an image, and %s', async (setting, refusal, told) => {
  const page = await openSandbox(chromium, inject('site'));
  const session = await page.context().newCDPSession(page);
  await session.send('Browser.setPermission', {
    permission: { name: 'persistent-storage' },
    setting,
    origin: new URL(inject('site')).origin,
  });
  const notice = page.getByRole('region', { name: 'Keep what is here' });
  if (setting === 'denied') {
    await dockerOk(page, 'images');
    expect(await notice.count()).toBe(0);
    await dockerOk(page, 'pull', '-q', 'busybox');
  }
  await notice.getByText(/may drop them when the disk gets full/).waitFor();
  await notice.getByRole('button', { name: 'Keep it' }).click();
  if (refusal === undefined) await notice.waitFor({ state: 'detached' });
  else await notice.getByText(refusal).waitFor();
  await page.evaluate(() => {
    location.hash = '#/storage';
  });
  await page.getByText(told).waitFor();
  // what is held in reserve is told of by itself
  const kept = page.getByText(/This page keeps [\s\S]* 67\.1 MB more are held/).locator('[title]');
  const bytes = Number((await kept.getAttribute('title'))?.replace(/[^0-9]/g, ''));
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(40_000_000);
  const beside = page.getByRole('link', { name: /^In this browser/ });
  await beside.getByText((await kept.textContent()) ?? 'nothing', { exact: true }).waitFor();
  await page.close();
});

it('the pages raised no error', () => {
  expect(chromium.complaints).toEqual([]);
});
