/** `find /` in a Debian container, cold and warm, against the same tree on the host. */

import { startChromium } from '../tests/support/chromium.ts';
import { run } from '../tests/support/run.ts';
import { dockerOk, openSandbox } from '../tests/support/sandbox-page.ts';
import { compared, median, milliseconds, type Row } from './report.ts';
import type { Setting } from './setting.ts';

export async function findRows(setting: Setting): Promise<Row[]> {
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  const image = `${setting.registry.host}/test/debian`;
  await dockerOk(page, 'pull', '-q', image);
  await dockerOk(page, 'run', '-d', '--name', 'find', image, 'sleep', '100000');
  const find = () => dockerOk(page, 'exec', 'find', 'sh', '-c', 'find / -xdev | wc -l');
  let count = 0;
  const cold = await milliseconds(async () => {
    count = Number(await find());
  });
  if (count < 6000) throw new Error(`find saw ${count} files`);
  const warm = await median(3, () => milliseconds(find));
  await chromium.close();
  const host = await median(3, () =>
    milliseconds(() => run('sh', ['-c', 'find "$1" -xdev | wc -l', 'sh', setting.fixtures.roots.debian])),
  );
  const name = `find / over ${count} files`;
  return [
    compared({ name: `${name}, cold`, here: cold, unit: 'ms', against: 'the same on the host', there: host }),
    compared({ name: `${name}, warm`, here: warm, unit: 'ms', against: 'the same on the host', there: host }),
  ];
}
