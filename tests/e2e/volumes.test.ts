import { describe, expect, inject, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { docker, dockerOk, openSandbox } from '../support/sandbox-page.ts';

describe('a volume in the browser', () => {
  it('outlives its containers and a killed browser, once fsync(2) has returned', async () => {
    const first = await startChromium();
    const page = await openSandbox(first, inject('site'));
    await dockerOk(page, 'run', '--rm', '-v', 'data:/data', 'busybox', 'sh', '-c', 'echo kept > /data/a');
    await dockerOk(page, 'run', '-d', '--name', 'writer', '-v', 'data:/data', 'busybox', 'sleep', '1000');
    await dockerOk(page, 'exec', 'writer', 'sh', '-c', 'echo safe | dd of=/data/b conv=fsync');
    await first.kill();

    const second = await startChromium({ profile: first.profile });
    const again = await openSandbox(second, inject('site'));
    expect((await docker(again, 'volume', 'rm', 'data')).stderr).toContain('volume is in use');
    await dockerOk(again, 'rm', 'writer');
    expect(await dockerOk(again, 'volume', 'ls', '-q')).toBe('data\n');
    expect(await dockerOk(again, 'run', '--rm', '-v', 'data:/d', 'busybox', 'cat', '/d/a', '/d/b')).toBe(
      'kept\nsafe\n',
    );
    await dockerOk(again, 'volume', 'rm', 'data');
    expect(await dockerOk(again, 'run', '--rm', '-v', 'data:/d', 'busybox', 'ls', '/d')).toBe('');
    await second.close();
  });
});
