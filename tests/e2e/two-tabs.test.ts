import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { databaseName } from '../../src/storage/database.ts';
import { segmentDatabaseName } from '../../src/storage/segment-database.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { docker, dockerOk, openSandbox, shows } from '../support/sandbox-page.ts';

let chromium: Chromium;

beforeAll(async () => {
  chromium = await startChromium();
});
afterAll(() => chromium.close());

/** What `docker ps` of a page that has no sandbox rejects with. */
const refusal = (page: Page) =>
  page.evaluate(() =>
    window.sandbox.docker(['ps']).then(
      () => 'answered',
      (error) => ({ name: error.name, code: error.code, message: error.message }),
    ),
  );

describe('two tabs of one profile', () => {
  it('the second says where the sandbox is open, the first goes on, and the second follows when it is closed', async () => {
    const first = await openSandbox(chromium, inject('site'));
    await dockerOk(first, 'run', '--name', 'mine', 'busybox', 'true');

    const second = await openSandbox(chromium, inject('site'));
    await second.getByRole('heading', { name: 'Open in another tab' }).waitFor();
    expect(await second.locator('main').textContent()).toMatch(/is in use in another tab of this browser/);
    expect(await refusal(second)).toMatchObject({ name: 'SandboxInUseError', code: 'SandboxInUse' });
    const noShell = await second.getByRole('tabpanel').textContent();
    expect(noShell).toMatch(/another tab/);

    await first.bringToFront();
    expect(await dockerOk(first, 'run', '--rm', 'busybox', 'echo', 'still here')).toBe('still here\n');
    expect((await docker(first, 'ps', '-aq')).stdout).toMatch(/^[0-9a-f]{12}\n$/);

    await first.close();
    await second.bringToFront();
    await second.getByRole('main').getByRole('button', { name: 'Try again' }).click();
    await shows(second, /host:~[$#]$/m);
    expect(await dockerOk(second, 'ps', '-a', '--format', '{{.Names}}')).toBe('mine\n');
    expect(await dockerOk(second, 'start', '-a', 'mine')).toBe('');
    await second.close();
  });

  it('the second takes over: what ran is stopped, what was stored is there, and the first says so', async () => {
    const first = await openSandbox(chromium, inject('site'));
    await dockerOk(first, 'run', '-d', '--name', 'box', 'busybox', 'sleep', '100000');
    await dockerOk(first, 'exec', 'box', 'sh', '-c', 'echo synced >/file; sync; echo late >/later');
    const second = await openSandbox(chromium, inject('site'));
    await second.getByRole('main').getByRole('button', { name: 'Take over' }).click();
    await shows(second, /host:~[$#]$/m);
    expect(await dockerOk(second, 'ps', '-a', '--filter', 'name=box', '--format', '{{.Status}}')).toMatch(
      /^Exited/,
    );
    await dockerOk(second, 'start', 'box');
    // the first one ended in good order: what nobody had synced came along
    expect(await dockerOk(second, 'exec', 'box', 'cat', '/file', '/later')).toBe('synced\nlate\n');

    await first.bringToFront();
    await first.getByRole('heading', { name: 'Open in another tab' }).waitFor();
    expect(await first.locator('main').textContent()).toMatch(/has taken the sandbox over/);
    expect(await refusal(first)).toMatchObject({
      code: 'SandboxInUse',
      message: expect.stringContaining('was taken over by another tab'),
    });
    // and back again, as often as one likes; a reload alone takes nothing from anybody
    await first.getByRole('main').getByRole('button', { name: 'Take over' }).click();
    await shows(first, /host:~[$#]$/m);
    expect(await dockerOk(first, 'start', 'box')).toBe('box\n');
    await second.reload();
    await second.getByRole('heading', { name: 'Open in another tab' }).waitFor();
    await second.reload();
    await second.getByRole('heading', { name: 'Open in another tab' }).waitFor();
    expect(await dockerOk(first, 'exec', 'box', 'cat', '/file')).toBe('synced\n');
    await Promise.all([first.close(), second.close()]);
  });
});

describe('a tab with an older Layerbox than the one that wrote the sandbox', () => {
  it.each([
    ['records', databaseName('default')],
    ['journals', segmentDatabaseName('default')],
  ])('says so where the %s are newer, says what to do, and leaves them alone', async (_, name) => {
    const version = 1000;
    const context = await chromium.browser.newContext();
    const page = await context.newPage();
    page.on('pageerror', (error) => chromium.complaints.push(String(error)));
    await page.goto(new URL('icon.svg', inject('site')).href);
    await page.evaluate(
      ([database, newer]) =>
        new Promise<void>((resolve, reject) => {
          const request = indexedDB.open(database, newer);
          request.onerror = () => reject(request.error);
          request.onsuccess = () => {
            request.result.close();
            resolve();
          };
        }),
      [name, version] as const,
    );
    await page.goto(inject('site'));
    const alert = page.getByRole('main').getByRole('alert');
    await alert.getByRole('heading', { name: 'The sandbox could not be opened' }).waitFor();
    await alert
      .getByText(/was written by a newer version of Layerbox: reload the page to get that version/)
      .waitFor();
    expect(await alert.getByRole('button').allTextContents()).toEqual(['Try again']);
    expect(await refusal(page)).toMatchObject({ code: 'StorageNewer' });
    const found = await page.evaluate(() => indexedDB.databases());
    expect(found).toContainEqual({ name, version });
    await context.close();
  });
});

it('the pages raised no error', () => {
  expect(chromium.complaints).toEqual([]);
});
