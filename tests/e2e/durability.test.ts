import { describe, expect, inject, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { docker, dockerOk, openSandbox, shows, type } from '../support/sandbox-page.ts';

describe('a killed browser', () => {
  it('two seconds after a write that nobody synced, the write is there', async () => {
    const first = await startChromium();
    const page = await openSandbox(first, inject('site'));
    await shows(page, /host:~[$#]$/m);
    await type(page, 'docker run -it --name box busybox sh');
    await shows(page, /\/ #$/m);
    await type(page, 'echo hi > /etc/motd; echo wro""te');
    await shows(page, /\nwrote\n/);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await first.kill();

    const second = await startChromium({ profile: first.profile });
    const again = await openSandbox(second, inject('site'));
    expect(await dockerOk(again, 'diff', 'box')).toContain('/etc/motd');
    const text = await again.evaluate(async () =>
      new TextDecoder().decode(await window.sandbox.files('box').read('/etc/motd')),
    );
    expect(text).toBe('hi\n');
    await second.close();
  });

  it('in the middle of a pull, nothing half-visible is left and the space is reclaimed', async () => {
    const first = await startChromium();
    const page = await openSandbox(first, inject('site'));
    await page.evaluate(
      async (name) => {
        const seen = new Promise<void>((resolve) => {
          window.sandbox.events().subscribe((event) => {
            if (event.type === 'layer' && event.bytes > 1_000_000) resolve();
          });
        });
        void window.sandbox.docker(['pull', name]);
        await seen;
      },
      `${inject('registry')}/test/debian`,
    );
    await first.kill();

    const second = await startChromium({ profile: first.profile });
    const again = await openSandbox(second, inject('site'));
    expect(await dockerOk(again, 'images', '-q')).toBe('');
    expect((await docker(again, 'inspect', `${inject('registry')}/test/debian`)).exitCode).toBe(1);
    await dockerOk(again, 'pull', `${inject('registry')}/test/debian`);
    await second.close();
  });
});

describe('storage', () => {
  it('appending 1 KB to a file of 200 MB in a lower layer takes less than 1 MB', async () => {
    const chromium = await startChromium();
    const page = await openSandbox(chromium, inject('site'));
    const reference = `${inject('registry')}/test/big`;
    await dockerOk(page, 'pull', reference);
    const usage = () => page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);
    const before = await usage();
    const result = await docker(
      page,
      'run',
      '--name',
      'grow',
      reference,
      'sh',
      '-c',
      'yes | head -c 1024 >> /big.txt; sync; stat -c %s /big.txt',
    );
    expect(result).toMatchObject({ exitCode: 0, stdout: `${209715200 + 1024}\n` });
    expect((await usage()) - before).toBeLessThan(1_000_000);
    await chromium.close();
  });
});
