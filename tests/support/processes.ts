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

/**
 * Megabytes that the pages of a browser take: `now`, the proportional set size of
 * their processes (proc(5), smaps_rollup), and `peak`, the most that was ever resident.
 */
export async function pageMemory(chromium: Chromium): Promise<{ now: number; peak: number }> {
  let now = 0;
  let peak = 0;
  for (const pid of await processesBelow(chromium.process.pid ?? -1, '--type=renderer')) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    now += Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1000;
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    peak += Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1000;
  }
  return { now, peak };
}
