/** Memory of the page with two containers running: the proportional set size of its renderer process. */

import { readdir, readFile } from 'node:fs/promises';
import { startChromium } from '../tests/support/chromium.ts';
import { dockerOk, openSandbox } from '../tests/support/sandbox-page.ts';
import type { Row } from './report.ts';
import type { Setting } from './setting.ts';

/** Processes below one, itself included, whose command line has the word. */
async function processesBelow(root: number, word: string): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // a process that ended since the listing has no stat to read
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = /\) \S (\d+)/.exec(stat)?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isBelow = (pid: number): boolean => {
    if (pid === root) return true;
    const parent = parents.get(pid);
    return parent !== undefined && isBelow(parent);
  };
  const found: number[] = [];
  for (const pid of parents.keys()) {
    if (!isBelow(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(word)) found.push(pid);
  }
  return found;
}

export async function memoryRows(setting: Setting): Promise<Row[]> {
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  for (const image of ['busybox', 'debian']) {
    await dockerOk(page, 'pull', '-q', `${setting.registry.host}/test/${image}`);
    await dockerOk(page, 'run', '-d', `${setting.registry.host}/test/${image}`, 'sleep', '100000');
  }
  let kilobytes = 0;
  for (const pid of await processesBelow(chromium.process.pid ?? -1, '--type=renderer')) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
  }
  await chromium.close();
  return [
    { name: 'memory of the page, two containers running (128 MB guest)', here: kilobytes / 1000, unit: 'MB' },
  ];
}
