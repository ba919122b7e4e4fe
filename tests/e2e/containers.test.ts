/** Containers in the page: policies that outlast a reload, an OOM kill, a health check, from the host's shell. */

import { describe, expect, inject, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { docker, dockerOk, openSandbox, sh } from '../support/sandbox-page.ts';

describe('containers in a page', () => {
  it('are limited, probed and started again, also after a reload', async () => {
    const first = await startChromium();
    const page = await openSandbox(first, inject('site'));
    const grow = 'x=a; while :; do x=$x$x; done';
    expect(
      (await docker(page, 'run', '--name', 'oom', '-m', '8m', 'busybox', 'sh', '-c', grow)).exitCode,
    ).toBe(137);
    expect(await dockerOk(page, 'inspect', '-f', '{{.State.OOMKilled}}', 'oom')).toBe('true\n');

    const health = ['--health-cmd', 'test -e /ok', '--health-interval', '200ms'];
    await dockerOk(
      page,
      'run',
      '-d',
      '--name',
      'kept',
      '--restart',
      'always',
      ...health,
      'busybox',
      'sleep',
      '1000',
    );
    await dockerOk(page, 'run', '-d', '--name', 'lost', 'busybox', 'sleep', '1000');
    await dockerOk(page, 'exec', 'kept', 'touch', '/ok');
    const status = (of: typeof page, name: string) =>
      dockerOk(of, 'ps', '-a', '--format', '{{.Status}}', '-f', `name=${name}`);
    await expect.poll(() => status(page, 'kept'), { timeout: 30_000 }).toMatch(/^Up .*\(healthy\)\n$/);

    const line =
      'docker pause kept && docker ps --format "{{.Names}} {{.Status}}" -f name=kept; docker unpause kept; docker wait oom';
    expect((await sh(page, line)).stdout).toMatch(/^kept\nkept Up .*\(Paused\)\nkept\n137\n$/);
    await first.kill();

    const second = await startChromium({ profile: first.profile });
    const again = await openSandbox(second, inject('site'));
    await expect.poll(() => status(again, 'kept'), { timeout: 60_000 }).toMatch(/^Up .*\(healthy\)\n$/);
    expect(await status(again, 'lost')).toMatch(/^Exited \(255\)/);
    expect(await dockerOk(again, 'exec', 'kept', 'ls', '/ok')).toBe('/ok\n');
    await dockerOk(again, 'rm', '-f', 'kept');
    await second.close();
  });
});
