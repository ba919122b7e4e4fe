/** What a container may use of the machine: checked as Docker's daemon checks it, written into its cgroup (v2). */

import { LayerboxError } from '../errors.ts';
import type { ResourceLimits } from '../store/container-record.ts';
import type { Machine } from './machine.ts';

/** moby, daemon/daemon_unix.go: a container that has less cannot start. */
const MINIMUM_MEMORY = 6 * 1024 * 1024;
/** The emulated machine has one. */
const PROCESSORS = 1;
const BILLION = 1e9;
/** Microseconds that a quota is for when nothing else is said. */
const PERIOD = 100_000;

const GROUPS = '/sys/fs/cgroup/layerbox';

/** A file of a container's cgroup, as a path of the guest's host side. */
export function cgroupFile(id: string, file: string): string {
  return `${GROUPS}/${id}/${file}`;
}

/** LayerboxError, in the words of moby's verifyPlatformContainerResources, for limits that cannot be. */
export function checkLimits(limits: ResourceLimits): void {
  const { memory, memorySwap, memoryReservation, nanoCPUs, cpuPeriod, cpuQuota } = limits;
  const refuse = (message: string) => {
    throw new LayerboxError(message);
  };
  if (memory !== 0 && memory < MINIMUM_MEMORY) refuse('Minimum memory limit allowed is 6MB');
  if (memory > 0 && memorySwap > 0 && memorySwap < memory) {
    refuse('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && memorySwap > 0) {
    refuse('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (memoryReservation > 0 && memoryReservation < MINIMUM_MEMORY) {
    refuse('Minimum memory reservation allowed is 6MB');
  }
  if (memory > 0 && memoryReservation > memory) {
    refuse('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
  if (nanoCPUs > 0 && cpuPeriod > 0) {
    refuse('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  }
  if (nanoCPUs > 0 && cpuQuota > 0) refuse('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (nanoCPUs < 0 || nanoCPUs > PROCESSORS * BILLION) {
    refuse(
      `range of CPUs is from 0.01 to ${PROCESSORS.toFixed(2)}, as there are only ${PROCESSORS} CPUs available`,
    );
  }
  if (cpuPeriod !== 0 && (cpuPeriod < 1000 || cpuPeriod > 1_000_000)) {
    refuse('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (cpuQuota > 0 && cpuQuota < 1000) refuse('CPU cfs quota can not be less than 1ms (i.e. 1000)');
}

/** Each file of the cgroup with what to write; with `all`, also for what is not limited. */
export function cgroupValues(
  limits: ResourceLimits,
  { all }: { readonly all: boolean },
): readonly (readonly [file: string, value: string])[] {
  const { memory, memoryReservation, nanoCPUs, cpuPeriod, cpuQuota, cpuShares, pidsLimit } = limits;
  const period = cpuPeriod === 0 ? PERIOD : cpuPeriod;
  const quota = nanoCPUs > 0 ? Math.round((nanoCPUs * period) / BILLION) : cpuQuota;
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['memory.max', memory > 0 ? String(memory) : 'max', memory > 0],
    ['memory.low', String(memoryReservation), memoryReservation > 0],
    ['pids.max', pidsLimit > 0 ? String(pidsLimit) : 'max', pidsLimit > 0],
    ['cpu.max', quota > 0 ? `${quota} ${period}` : `max ${period}`, quota > 0 || cpuPeriod > 0],
    ['cpu.weight', String(weightOf(cpuShares)), cpuShares > 0],
  ];
  return rows.flatMap(([file, value, isLimited]) => (all || isLimited ? [[file, value] as const] : []));
}

/** A weight of 1 to 10000 of the shares of cgroup v1, 2 to 262144 (runc, libcontainer, ConvertCPUSharesToCgroupV2Value). */
function weightOf(shares: number): number {
  if (shares === 0) return 100;
  return 1 + Math.floor(((Math.min(Math.max(shares, 2), 262144) - 2) * 9999) / 262142);
}

/** Makes the container's cgroup and writes its limits: before its first program, or while it runs. */
export async function writeLimits(
  machine: Machine,
  id: string,
  limits: ResourceLimits,
  options: { readonly all: boolean },
): Promise<void> {
  for (const [file, value] of cgroupValues(limits, options)) {
    await machine.writeControl(cgroupFile(id, file), value);
  }
}

/** True when the kernel has killed a program of the container for want of memory (memory.events, oom_kill). */
export async function wasOOMKilled(machine: Machine, id: string): Promise<boolean> {
  const events = await machine.readControl(cgroupFile(id, 'memory.events'));
  return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0) > 0;
}
