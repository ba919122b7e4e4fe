/** Where nothing is kept: a browser that gives no storage, and a private window, whose storage ends with it. */

import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { dockerOk, shows } from '../support/sandbox-page.ts';

let chromium: Chromium;

beforeAll(async () => {
  chromium = await startChromium();
});
afterAll(() => chromium.close());

/** The site in a context of its own, in whose pages and workers the script runs first. */
async function openPrivate(script?: string): Promise<Page> {
  const context = await chromium.browser.newContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => chromium.complaints.push(String(error)));
  if (script !== undefined) {
    // a worker has no init script: its own comes with the one that denies before it
    await page.route(/engine\.worker.*\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${script}\n${await response.text()}` });
    });
    await page.addInitScript(script);
  }
  await page.goto(inject('site'), { waitUntil: 'load' });
  return page;
}

const denials = {
  'IndexedDB fails, as where site data are blocked': `
    IDBFactory.prototype.open = () => { throw new DOMException('access is denied', 'SecurityError'); };`,
  'there is no IndexedDB': `delete globalThis.indexedDB; Object.defineProperty(globalThis, 'indexedDB', { value: undefined });`,
  'there are no locks': `for (const Kind of [globalThis.Navigator, globalThis.WorkerNavigator]) {
      if (Kind !== undefined) Object.defineProperty(Kind.prototype, 'locks', { value: undefined });
    }`,
};

describe.each(Object.entries(denials))('where %s', (_, script) => {
  it('the sandbox works in memory, and the page says so', async () => {
    const page = await openPrivate(script);
    await shows(page, /host:~[$#]$/m);
    expect(await dockerOk(page, 'run', '--name', 'box', 'busybox', 'echo', 'works')).toBe('works\n');
    await page.getByRole('region', { name: 'Nothing is kept' }).waitFor();
    expect(await page.getByRole('region', { name: 'Nothing is kept' }).textContent()).toMatch(
      /gone when this tab is closed/,
    );
    await page.context().close();
  });
});

describe('a private window', () => {
  it('works, has nothing of other windows, and leaves nothing to the next', async () => {
    for (const round of [1, 2]) {
      const page = await openPrivate();
      await shows(page, /host:~[$#]$/m);
      expect(await dockerOk(page, 'ps', '-aq'), `round ${round}`).toBe('');
      await dockerOk(page, 'run', '--name', 'box', 'busybox', 'true');
      await page.context().close();
    }
  });

  it('is told, as every window is, that nothing is kept for sure, and what a private one does', async () => {
    const page = await openPrivate();
    await dockerOk(page, 'pull', '-q', 'busybox');
    const notice = page.getByRole('region', { name: 'Keep what is here' });
    await notice.getByText(/stored in this browser, which may drop them when the disk gets full/).waitFor();
    await notice.getByRole('button', { name: 'Keep it' }).click();
    await notice.getByText(/did not promise it/).waitFor();
    expect(await notice.textContent()).toMatch(
      /in\s+a\s+private\s+window\s+everything\s+goes\s+with\s+the\s+window/,
    );
    await page.evaluate(() => {
      location.hash = '#/storage';
    });
    await page.getByText(/The browser may drop it when the disk gets full/).waitFor();
    await page.context().close();
  });
});

it('the pages raised no error', () => {
  expect(chromium.complaints).toEqual([]);
});
