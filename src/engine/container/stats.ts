/** What a container uses at one moment, read from its cgroup (v2) and its network: `docker stats`. */

import { cgroupFile } from './limits.ts';
import type { Machine } from './machine.ts';

export interface Sample {
  /** Seconds of processor time so far, and when that was: seconds since the machine's start. */
  readonly cpu: number;
  readonly at: number;
  /** Bytes, without what the kernel would give back at once. */
  readonly memory: number;
  /** Bytes; the machine's own where there is no limit. */
  readonly memoryLimit: number;
  readonly processes: number;
  /** Bytes since its start. */
  readonly received: number;
  readonly sent: number;
}

/**
 * A sample of the container whose first process has this pid; of one on the host's network no traffic is its own, as with
 * Docker. Errors of the machine, also when it has just ended.
 */
export async function sampleOf(
  machine: Machine,
  id: string,
  { pid, isOnHost }: { readonly pid: number; readonly isOnHost: boolean },
): Promise<Sample> {
  const read = (file: string) => machine.readControl(cgroupFile(id, file));
  const uptime = Number((await machine.readControl('/proc/uptime')).split(' ')[0]);
  const cpu = field(await read('cpu.stat'), 'usage_usec') / 1e6;
  const current = Number(await read('memory.current'));
  const inactive = field(await read('memory.stat'), 'inactive_file');
  const limit = Number(await read('memory.max')); // NaN: max
  const total = field(await machine.readControl('/proc/meminfo'), 'MemTotal:') * 1024;
  const { received, sent } = isOnHost
    ? NO_TRAFFIC
    : parseTraffic(await machine.readControl(`/proc/${pid}/net/dev`));
  return {
    cpu,
    at: uptime,
    memory: Math.max(0, current - inactive),
    memoryLimit: Number.isNaN(limit) ? total : Math.min(limit, total),
    processes: Number(await read('pids.current')),
    received,
    sent,
  };
}

const NO_TRAFFIC = { received: 0, sent: 0 };

/** The number behind a word at the beginning of a line; 0 when there is none. */
function field(text: string, name: string): number {
  for (const line of text.split('\n')) {
    const [word, value] = line.trim().split(/\s+/);
    if (word === name) return Number(value);
  }
  return 0;
}

/** Bytes over all interfaces but lo (proc(5), /proc/net/dev). */
export function parseTraffic(text: string): { readonly received: number; readonly sent: number } {
  let received = 0;
  let sent = 0;
  for (const line of text.split('\n')) {
    const match = /^\s*([^:\s]+):\s*(.*)$/.exec(line);
    if (match === null || match[1] === 'lo') continue;
    const numbers = (match[2] ?? '').split(/\s+/).map(Number);
    received += numbers[0] ?? 0;
    sent += numbers[8] ?? 0;
  }
  return { received, sent };
}

/** Per cent of one processor between two samples. */
export function cpuPercent(before: Sample, after: Sample): number {
  const elapsed = after.at - before.at;
  return elapsed > 0 ? (100 * (after.cpu - before.cpu)) / elapsed : 0;
}
