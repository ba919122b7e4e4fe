/** Processes of a browser that a test started, and the memory they take; Linux only. */

import { readdir, readFile } from 'node:fs/promises';
import type { Chromium } from './chromium.ts';

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

const renderers = (chromium: Chromium) => processesBelow(chromium.process.pid ?? -1, '--type=renderer');

/** Megabytes that the pages of a browser take: the proportional set size of their processes (proc(5), smaps_rollup). */
export async function pageMemory(chromium: Chromium): Promise<number> {
  let megabytes = 0;
  for (const pid of await renderers(chromium)) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    megabytes += Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1000;
  }
  return megabytes;
}

/**
 * The most megabytes that one page of a browser took for itself while `work` went on, looked at 20 times a second: what
 * no file backs (proc(5), status), which is the footprint that Chromium's own task manager shows.
 */
export async function peakMemory(chromium: Chromium, work: () => Promise<unknown>): Promise<number> {
  const pids = await renderers(chromium);
  let peak = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      for (const pid of pids) {
        const status = await readFile(`/proc/${pid}/status`, 'utf8');
        const own = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB/gm)];
        peak = Math.max(peak, own.reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0) / 1000);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  try {
    await work();
  } finally {
    isOver = true;
    await watching;
  }
  return peak;
}
