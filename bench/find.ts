/**
 * `find /` in a Debian container, cold and warm, against the same tree on the host; and what it costs the guest, which
 * does not depend on how busy the computer is, against plain 9P2000.L.
 *
 * Cold: nothing of the tree is in the guest's caches. The page has been open for as long as a person needs to type.
 */

import { setTimeout as after } from 'node:timers/promises';
import { startChromium } from '../tests/support/chromium.ts';
import { HOST_ENV, run as runIn, testMachine } from '../tests/support/machine.ts';
import { run } from '../tests/support/run.ts';
import { dockerOk, openSandbox } from '../tests/support/sandbox-page.ts';
import { hostTree } from './host-tree.ts';
import { compared, median, milliseconds, type Row } from './report.ts';
import { type Setting, TYPING_MS } from './setting.ts';

const LINE = 'find / -xdev | wc -l';
/** How many times longer than the host it took with plain 9P2000.L and no rehearsal, as docs/performance.md has them. */
const AT_FIRST = { cold: 94, warm: 32 };
/** Million instructions with plain 9P2000.L, as docs/performance.md has them. */
const PLAIN = { cold: 60, warm: 47 };

export async function findRows(setting: Setting): Promise<Row[]> {
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  const image = `${setting.registry.host}/test/debian`;
  await dockerOk(page, 'pull', '-q', image);
  await dockerOk(page, 'run', '-d', '--name', 'find', image, 'sleep', '100000');
  await after(TYPING_MS);
  const find = () => dockerOk(page, 'exec', 'find', 'sh', '-c', LINE);
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
  const row = (what: 'cold' | 'warm', here: number) => [
    compared({ name: `${name}, ${what}`, here, unit: 'ms', against: 'the same on the host', there: host }),
    compared({
      name: `${name}, ${what}`,
      here,
      unit: 'ms',
      against: `at first, ${AT_FIRST[what]} times the host`,
      there: AT_FIRST[what] * host,
      atLeast: 2,
    }),
  ];
  return [...row('cold', cold), ...row('warm', warm), ...(await instructionRows(name, setting))];
}

async function instructionRows(name: string, setting: Setting): Promise<Row[]> {
  const machine = testMachine();
  machine.exportTree('c/find', await hostTree(setting.fixtures.roots.debian));
  await machine.start();
  const common = { env: HOST_ENV, cwd: '/', uid: 0, gid: 0 };
  const container = { tree: 'c/find', hostname: 'find', cgroup: 'find' };
  const inside = await machine.spawn({ ...common, argv: ['sleep', '100000'], container });
  const find = async () => {
    const before = machine.instructions;
    const { out, err } = await runIn(machine, { ...common, argv: ['sh', '-c', LINE], inside });
    if (Number(out) < 6000) throw new Error(`find saw ${out} files: ${err}`);
    return ((machine.instructions - before) >>> 0) / 1e6;
  };
  const cold = await find();
  const warm = await median(3, find);
  await machine.close();
  const row = { unit: 'million instructions', against: 'with plain 9P2000.L', atLeast: 1.5 };
  return [
    compared({ ...row, name: `${name}, cold`, here: cold, there: PLAIN.cold }),
    compared({ ...row, name: `${name}, warm`, here: warm, there: PLAIN.warm }),
  ];
}
