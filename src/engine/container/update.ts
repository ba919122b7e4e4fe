/** `docker update`: what changes in a container's host config. */

import { LayerboxError } from '../errors.ts';
import type {
  ContainerRecord,
  HostConfig,
  ResourceLimits,
  RestartPolicy,
} from '../store/container-record.ts';
import { hostConfigOf } from '../store/container-record.ts';
import { checkLimits } from './limits.ts';

export interface HostConfigChange {
  /** 0: as it was. */
  readonly limits: Partial<ResourceLimits>;
  readonly restart?: RestartPolicy;
}

/** LayerboxError in the words of moby's Container.UpdateContainer for what cannot be. */
export function updatedHostConfig(record: ContainerRecord, change: HostConfigChange): HostConfig {
  const before = hostConfigOf(record);
  const given = Object.fromEntries(Object.entries(change.limits).filter(([, value]) => value !== 0));
  checkLimits({ ...NOTHING, ...given });
  const limits: ResourceLimits = { ...before.limits, ...given };
  const cannot = (why: string) => {
    throw new LayerboxError(`Cannot update container ${record.id}: ${why}`, { container: record.id });
  };
  const { nanoCPUs, cpuPeriod, cpuQuota } = change.limits;
  if ((nanoCPUs ?? 0) > 0 && before.limits.cpuPeriod > 0) {
    cannot('Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set');
  }
  if ((nanoCPUs ?? 0) > 0 && before.limits.cpuQuota > 0) {
    cannot('Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set');
  }
  if ((cpuPeriod ?? 0) !== 0 && before.limits.nanoCPUs > 0) {
    cannot('Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set');
  }
  if ((cpuQuota ?? 0) !== 0 && before.limits.nanoCPUs > 0) {
    cannot('Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set');
  }
  const setsMemoryAlone = given.memory !== undefined && given.memorySwap === undefined;
  if (setsMemoryAlone && before.limits.memorySwap > 0 && limits.memory > before.limits.memorySwap) {
    cannot(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
  if (change.restart !== undefined && change.restart.name !== 'no' && record.config.autoRemove) {
    cannot('Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  return { ...before, limits, ...(change.restart !== undefined && { restart: change.restart }) };
}

const NOTHING: ResourceLimits = {
  memory: 0,
  memoryReservation: 0,
  memorySwap: 0,
  nanoCPUs: 0,
  cpuPeriod: 0,
  cpuQuota: 0,
  cpuShares: 0,
  pidsLimit: 0,
};
