import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { docker, dockerOk, openSandbox, shows } from '../support/sandbox-page.ts';

let chromium: Chromium;

beforeAll(async () => {
  chromium = await startChromium();
});
afterAll(() => chromium.close());

describe('two tabs of one profile', () => {
  it('the second says where the sandbox is open, the first goes on, and the second follows when it is closed', async () => {
    const first = await openSandbox(chromium, inject('site'));
    await dockerOk(first, 'run', '--name', 'mine', 'busybox', 'true');

    const second = await openSandbox(chromium, inject('site'));
    await second.getByRole('heading', { name: 'Open in another tab' }).waitFor();
    expect(await second.locator('main').textContent()).toMatch(/is in use in another tab of this browser/);
    const refused = await second.evaluate(() =>
      window.sandbox.docker(['ps']).then(
        () => 'answered',
        (error) => ({ name: error.name, code: error.code, message: error.message }),
      ),
    );
    expect(refused).toMatchObject({ name: 'SandboxInUseError', code: 'SandboxInUse' });
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
  });
});

it('the pages raised no error', () => {
  expect(chromium.complaints).toEqual([]);
});
