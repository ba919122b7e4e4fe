/** The health checks of all containers that run. */

import type { ContainerHealth, ContainerRecord } from '../store/container-record.ts';
import { checkOf, STARTING } from './health.ts';
import { HealthMonitor } from './health-monitor.ts';
import type { Process } from './machine.ts';

export interface HealthMonitorsParts {
  readonly get: (id: string) => ContainerRecord;
  readonly spawn: (id: string, argv: readonly string[]) => Promise<Process>;
  readonly store: (id: string, health: ContainerHealth) => Promise<void>;
  readonly now: () => number;
  readonly onFailure: (error: unknown) => void;
}

export class HealthMonitors {
  readonly #parts: HealthMonitorsParts;
  readonly #monitors = new Map<string, HealthMonitor>();

  constructor(parts: HealthMonitorsParts) {
    this.#parts = parts;
  }

  /** Begins to probe a container that has a check and runs. */
  start(id: string): void {
    this.stop(id);
    const { get, spawn, store, now, onFailure } = this.#parts;
    const { healthcheck, shell } = get(id).config;
    const check = checkOf(healthcheck, shell);
    if (check === undefined) return;
    this.#monitors.set(
      id,
      new HealthMonitor({
        check,
        record: () => get(id),
        spawn: (argv) => spawn(id, argv),
        store: (health) => store(id, health),
        now,
        onFailure,
      }),
    );
  }

  stop(id: string): void {
    this.#monitors.get(id)?.stop();
    this.#monitors.delete(id);
  }
}

/** The health of a container that has just been started; undefined when it has no check. */
export function initialHealth({ config }: ContainerRecord): ContainerHealth | undefined {
  return checkOf(config.healthcheck, config.shell) === undefined ? undefined : STARTING;
}

/** The health of one that is not probed any more: Docker calls it unhealthy. */
export function unprobed(health: ContainerHealth | undefined): ContainerHealth | undefined {
  return health === undefined ? undefined : { ...health, status: 'unhealthy' };
}
