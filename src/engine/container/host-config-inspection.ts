/** What `docker inspect` says of a container's limits, rights, restart policy and health, in the fields of Docker's API. */

import type { Healthcheck } from '../oci/config.ts';
import { type ContainerHealth, type ContainerRecord, hostConfigOf } from '../store/container-record.ts';
import { normalizeCapability } from './capabilities.ts';
import { formatTimestamp } from './timestamp.ts';

type Document = Readonly<Record<string, unknown>>;

/** Fields of HostConfig. */
export function inspectHostConfig(record: ContainerRecord): Document {
  const host = hostConfigOf(record);
  const { limits, restart } = host;
  const listed = (list: readonly string[]) => (list.length === 0 ? null : list);
  return {
    AutoRemove: record.config.autoRemove,
    RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.maximumRetryCount },
    CapAdd: listed(host.capAdd.map((name) => normalizeCapability(name, 'CapAdd'))),
    CapDrop: listed(host.capDrop.map((name) => normalizeCapability(name, 'CapDrop'))),
    GroupAdd: listed(host.groupAdd),
    Privileged: host.privileged,
    ReadonlyRootfs: host.readOnly,
    CpuShares: limits.cpuShares,
    Memory: limits.memory,
    NanoCpus: limits.nanoCPUs,
    CpuPeriod: limits.cpuPeriod,
    CpuQuota: limits.cpuQuota,
    MemoryReservation: limits.memoryReservation,
    MemorySwap: limits.memorySwap,
    PidsLimit: limits.pidsLimit > 0 ? limits.pidsLimit : null,
    Ulimits: host.ulimits.map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
    ...(host.init && { Init: true }),
  };
}

/** Fields of State besides those that every container has. */
export function inspectHealth(health: ContainerHealth | undefined): Document {
  if (health === undefined) return {};
  return {
    Health: {
      Status: health.status,
      FailingStreak: health.failingStreak,
      Log: health.log.map(({ start, end, exitCode, output }) => ({
        Start: formatTimestamp(start),
        End: formatTimestamp(end),
        ExitCode: exitCode,
        Output: output,
      })),
    },
  };
}

/** Fields of Config besides those that every container has. */
export function inspectExtras({ config }: ContainerRecord): Document {
  return {
    ...(config.stopTimeout !== undefined && { StopTimeout: config.stopTimeout }),
    ...(config.healthcheck !== undefined && { Healthcheck: inspectCheck(config.healthcheck) }),
  };
}

function inspectCheck(check: Healthcheck): Document {
  const { test, interval, timeout, startPeriod, startInterval, retries } = check;
  return {
    Test: test,
    ...(interval !== 0 && { Interval: interval }),
    ...(timeout !== 0 && { Timeout: timeout }),
    ...(startPeriod !== 0 && { StartPeriod: startPeriod }),
    ...(startInterval !== undefined && startInterval !== 0 && { StartInterval: startInterval }),
    ...(retries !== 0 && { Retries: retries }),
  };
}
