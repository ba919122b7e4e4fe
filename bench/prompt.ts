/** From opening the page to a prompt, from `docker run` to a container's, and from a key to its echo. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { type Chromium, startChromium } from '../tests/support/chromium.ts';
import { run } from '../tests/support/run.ts';
import { dockerOk, openSandbox, shows, type } from '../tests/support/sandbox-page.ts';
import { compared, median, milliseconds, type Row } from './report.ts';
import type { Setting } from './setting.ts';

const HOST_PROMPT = /host:~[$#]$/;

async function pageToPrompt(chromium: Chromium, setting: Setting): Promise<{ page: Page; spent: number }> {
  const start = performance.now();
  const page = await openSandbox(chromium, setting.site);
  await shows(page, HOST_PROMPT);
  return { page, spent: performance.now() - start };
}

/** The same program in a container of a native runtime, from start to its first output and end. */
async function nativeRun(setting: Setting): Promise<number> {
  const bundle = await mkdtemp(join(tmpdir(), 'layerbox-bundle-'));
  await run('umoci', ['unpack', '--image', `${setting.fixtures.layout}:busybox`, join(bundle, 'b')]);
  const path = join(bundle, 'b/config.json');
  const config = JSON.parse(await readFile(path, 'utf8'));
  config.process.terminal = false;
  config.process.args = ['sh', '-c', 'echo ready'];
  delete config.linux.resources;
  config.linux.namespaces = config.linux.namespaces.filter(
    (space: { type: string }) => space.type !== 'cgroup',
  );
  config.mounts = config.mounts.filter((mount: { type: string }) => mount.type !== 'cgroup');
  await writeFile(path, JSON.stringify(config));
  let count = 0;
  const spent = await median(5, () =>
    milliseconds(async () => {
      count += 1;
      const output = await run('runc', ['run', `layerbox-bench-${process.pid}-${count}`], {
        cwd: join(bundle, 'b'),
      });
      if (!output.includes('ready')) throw new Error('the native runtime printed nothing');
    }),
  );
  await rm(bundle, { recursive: true });
  return spent;
}

/** Milliseconds from a key to the change of the screen, as the page itself sees it. */
const keystroke = async (page: Page, key: string): Promise<number> => {
  await page.evaluate(() => {
    const rows = document.querySelector('.terminal-tab:not([hidden]) .xterm-rows');
    if (rows === null) throw new Error('no terminal');
    const times: { down?: number } = {};
    window.echoed = new Promise((resolve) => {
      document.addEventListener(
        'keydown',
        () => {
          times.down = performance.now();
          const before = rows.textContent;
          const watch = new MutationObserver(() => {
            if (rows.textContent === before) return;
            watch.disconnect();
            resolve(performance.now() - (times.down ?? 0));
          });
          watch.observe(rows, { childList: true, subtree: true, characterData: true });
        },
        { once: true, capture: true },
      );
    });
  });
  await page.keyboard.press(key);
  return page.evaluate(() => window.echoed);
};

declare global {
  interface Window {
    echoed: Promise<number>;
  }
}

export async function promptRows(setting: Setting): Promise<Row[]> {
  const rows: Row[] = [];
  const first = await startChromium();
  const visit = await pageToPrompt(first, setting);
  rows.push({ name: 'page to prompt, first visit', here: visit.spent, unit: 'ms' });
  await visit.page.close();
  const later = await median(3, async () => {
    const { page, spent } = await pageToPrompt(first, setting);
    await page.close();
    return spent;
  });
  rows.push({ name: 'page to prompt, later visits', here: later, unit: 'ms' });

  const { page } = await pageToPrompt(first, setting);
  await dockerOk(page, 'pull', '-q', `${setting.registry.host}/test/busybox`);
  const toPrompt = await median(5, async () => {
    await type(page, 'clear');
    await shows(page, HOST_PROMPT);
    await page.keyboard.type(`docker run --rm -it ${setting.registry.host}/test/busybox sh`);
    const spent = await milliseconds(async () => {
      await page.keyboard.press('Enter');
      await shows(page, /\/ #$/m);
    });
    await type(page, 'exit');
    await shows(page, HOST_PROMPT);
    return spent;
  });
  rows.push(
    compared({
      name: 'docker run to the prompt in the container',
      here: toPrompt,
      unit: 'ms',
      against: 'runc run to the first output',
      there: await nativeRun(setting),
    }),
  );
  const echo = await median(21, () => keystroke(page, 'x'));
  rows.push({ name: 'key to echo in the host shell, median', here: echo, unit: 'ms' });
  await first.close();
  return rows;
}
