import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
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

it('the pages raised no error', () => {
  expect(chromium.complaints).toEqual([]);
});
