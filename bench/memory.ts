/** Memory of the page: with two containers running, and the most that a pull took. */

import { startChromium } from '../tests/support/chromium.ts';
import { pageMemory, peakMemory } from '../tests/support/processes.ts';
import { pushLayout } from '../tests/support/registry.ts';
import { dockerOk, openSandbox, shows } from '../tests/support/sandbox-page.ts';
import type { Row } from './report.ts';
import type { Setting } from './setting.ts';

export async function memoryRows(setting: Setting): Promise<Row[]> {
  return [
    {
      name: 'memory of the page, two containers running (128 MB guest)',
      here: await withContainers(setting),
      unit: 'MB',
    },
    {
      name: 'most memory of the page in a pull of 150 MB in one layer',
      here: await inPull(setting),
      unit: 'MB',
    },
  ];
}

async function withContainers(setting: Setting): Promise<number> {
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  for (const image of ['busybox', 'debian']) {
    await dockerOk(page, 'pull', '-q', `${setting.registry.host}/test/${image}`);
    await dockerOk(page, 'run', '-d', `${setting.registry.host}/test/${image}`, 'sleep', '100000');
  }
  const megabytes = await pageMemory(chromium);
  await chromium.close();
  return megabytes;
}

async function inPull(setting: Setting): Promise<number> {
  const tag = 'large-gzip-one-layer';
  await pushLayout(setting.images, tag, setting.registry, `bench/${tag}`);
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  await shows(page, /host:~[$#]$/m);
  const megabytes = await peakMemory(chromium, () =>
    dockerOk(page, 'pull', '-q', `${setting.registry.host}/bench/${tag}`),
  );
  await chromium.close();
  return megabytes;
}
