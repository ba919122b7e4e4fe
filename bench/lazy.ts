/** From `docker run` of an image that is not here to its prompt, over a slow line: brought whole, and started early. */

import { startChromium } from '../tests/support/chromium.ts';
import { startNarrowLine } from '../tests/support/narrow-line.ts';
import { pushLayout } from '../tests/support/registry.ts';
import { openSandbox, shows, type } from '../tests/support/sandbox-page.ts';
import { STARGZ_TAG } from './images.ts';
import { compared, milliseconds, type Row } from './report.ts';
import type { Setting } from './setting.ts';

/** 20 Mbit/s, in bytes a second. */
const RATE = 2_500_000;

async function runToPrompt(setting: Setting, tag: string): Promise<number> {
  await pushLayout(setting.images, tag, setting.registry, `bench/${tag}`);
  const line = await startNarrowLine(setting.registry, RATE);
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  await shows(page, /host:~[$#]$/m);
  const spent = await milliseconds(async () => {
    await type(page, `docker run -it ${line.host}/bench/${tag} bash`);
    await shows(page, /root@[0-9a-f]{12}:\/#/, 300_000);
  });
  await chromium.close();
  await line.close();
  return spent / 1000;
}

export async function lazyRows(setting: Setting): Promise<Row[]> {
  const whole = await runToPrompt(setting, 'large-gzip-one-layer');
  const early = await runToPrompt(setting, STARGZ_TAG);
  return [
    compared({
      name: 'docker run of a 150 MB image to its prompt at 20 Mbit/s, started early (eStargz)',
      here: early,
      unit: 's',
      against: 'the same, brought whole (gzip)',
      there: whole,
    }),
  ];
}
