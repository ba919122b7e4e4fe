/** The health of a container: what a probe's outcome makes of it, by the rules of moby's daemon/health.go. */

import type { Healthcheck } from '../oci/config.ts';
import type { ContainerHealth, Probe } from '../store/container-record.ts';

/** Milliseconds, where the check does not say. */
const INTERVAL = 30_000;
const TIMEOUT = 30_000;
const START_INTERVAL = 5_000;
const RETRIES = 3;
const LOG_LENGTH = 5;
/** Bytes of a probe's output that are kept. */
export const OUTPUT_LIMIT = 4096;

const NANOSECONDS = 1e6;

export const STARTING: ContainerHealth = { status: 'starting', failingStreak: 0, log: [] };

export interface Check {
  readonly argv: readonly string[];
  /** Milliseconds. */
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** What to run and when; undefined when there is no check, or it is NONE. */
export function checkOf(
  healthcheck: Healthcheck | undefined,
  shell: readonly string[] | undefined,
): Check | undefined {
  const [kind, ...words] = healthcheck?.test ?? [];
  if (healthcheck === undefined || words.length === 0) return undefined;
  if (kind !== 'CMD' && kind !== 'CMD-SHELL') return undefined;
  const shellWords = shell === undefined || shell.length === 0 ? ['/bin/sh', '-c'] : shell;
  const milliseconds = (nanoseconds: number | undefined, otherwise: number) =>
    nanoseconds === undefined || nanoseconds === 0 ? otherwise : nanoseconds / NANOSECONDS;
  return {
    argv: kind === 'CMD' ? words : [...shellWords, ...words],
    interval: milliseconds(healthcheck.interval, INTERVAL),
    timeout: milliseconds(healthcheck.timeout, TIMEOUT),
    startPeriod: milliseconds(healthcheck.startPeriod, 0),
    startInterval: milliseconds(healthcheck.startInterval, START_INTERVAL),
    retries: healthcheck.retries === 0 ? RETRIES : healthcheck.retries,
  };
}

/**
 * The health after a probe. A success is healthy at once; so many failures in a row are unhealthy; those of the start
 * period do not count before the first success. `startedAt`: of the container, milliseconds since 1970.
 */
export function afterProbe(
  health: ContainerHealth,
  probe: Probe,
  check: Check,
  startedAt: number,
): ContainerHealth {
  const log = [...health.log, probe].slice(-LOG_LENGTH);
  if (probe.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  const isInStartPeriod = health.status === 'starting' && probe.start - startedAt < check.startPeriod;
  if (isInStartPeriod) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  const status = failingStreak >= check.retries ? 'unhealthy' : health.status;
  return { status, failingStreak, log };
}

/** Milliseconds until the next probe. */
export function untilProbe(health: ContainerHealth, check: Check, startedAt: number, now: number): number {
  const isStarting = health.status === 'starting' && now - startedAt < check.startPeriod;
  return isStarting ? check.startInterval : check.interval;
}
