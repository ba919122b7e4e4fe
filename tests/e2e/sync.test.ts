/** What was synced is there, however soon the browser is killed. */

import { describe, expect, inject, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { dockerOk, openSandbox, sh } from '../support/sandbox-page.ts';

describe('a browser that is killed at once', () => {
  it('after `sync` in a container has lost nothing', async () => {
    const first = await startChromium();
    const page = await openSandbox(first, inject('site'));
    await dockerOk(page, 'run', '-d', '--name', 'box', 'busybox', 'sleep', '100000');
    const line = 'mkdir -p /made/deep && echo synced >/made/deep/file && sync && echo done';
    expect(await dockerOk(page, 'exec', 'box', 'sh', '-c', line)).toBe('done\n');
    await first.kill();

    const second = await startChromium({ profile: first.profile });
    const again = await openSandbox(second, inject('site'));
    const text = await again.evaluate(async () =>
      new TextDecoder().decode(await window.sandbox.files('box').read('/made/deep/file')),
    );
    expect(text).toBe('synced\n');
    await second.close();
  });

  it('after a line of sandbox.sh ended has what that wrote at home', async () => {
    const first = await startChromium();
    const page = await openSandbox(first, inject('site'));
    expect((await sh(page, 'mkdir work && echo kept >work/file')).exitCode).toBe(0);
    await first.kill();

    const second = await startChromium({ profile: first.profile });
    const again = await openSandbox(second, inject('site'));
    expect(await sh(again, 'cat work/file')).toMatchObject({ exitCode: 0, stdout: 'kept\n' });
    await second.close();
  });
});
