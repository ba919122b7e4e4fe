/** `--memory`, `--cpus`, `--pids-limit` and their like: what a container may use, for create, run and update. */

import type { ResourceLimits } from '../store/container-record.ts';
import type { Flag } from './command.ts';
import type { ParsedFlags } from './parse.ts';
import { bytesFault, cpusFault, parseBytes, parseCPUs } from './quantities.ts';

const BYTES = { type: 'string', typeName: 'bytes', check: bytesFault } as const;

/** `swapHelp`: the flag whose help differs between the commands. */
export function limitFlags(swapHelp: string): readonly Flag[] {
  return [
    { long: 'cpu-period', type: 'int', help: 'Limit CPU CFS (Completely Fair Scheduler) period' },
    { long: 'cpu-quota', type: 'int', help: 'Limit CPU CFS (Completely Fair Scheduler) quota' },
    { long: 'cpu-shares', short: 'c', type: 'int', help: 'CPU shares (relative weight)' },
    { long: 'cpus', type: 'string', typeName: 'decimal', check: cpusFault, help: 'Number of CPUs' },
    { long: 'memory', short: 'm', ...BYTES, help: 'Memory limit' },
    { long: 'memory-reservation', ...BYTES, help: 'Memory soft limit' },
    { long: 'memory-swap', ...BYTES, help: swapHelp },
    { long: 'pids-limit', type: 'int', help: 'Tune container pids limit (set -1 for unlimited)' },
  ];
}

/** What the flags say; 0 for what they do not. */
export function limitsOf(flags: ParsedFlags): ResourceLimits {
  const bytes = (long: string) => (flags.given(long) ? (parseBytes(flags.string(long)) ?? 0) : 0);
  return {
    memory: bytes('memory'),
    memoryReservation: bytes('memory-reservation'),
    memorySwap: bytes('memory-swap'),
    nanoCPUs: flags.given('cpus') ? (parseCPUs(flags.string('cpus')) ?? 0) : 0,
    cpuPeriod: flags.int('cpu-period'),
    cpuQuota: flags.int('cpu-quota'),
    cpuShares: flags.int('cpu-shares'),
    pidsLimit: flags.int('pids-limit'),
  };
}
