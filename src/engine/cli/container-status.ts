/** A container's state as `docker ps` writes it. */

import type { ContainerHealth, ContainerRecord } from '../store/container-record.ts';
import { formatDuration } from './format.ts';

/** `Up 2 minutes`, `Exited (0) 3 seconds ago`, `Created`. */
export function statusText({ state }: ContainerRecord, now: number): string {
  switch (state.status) {
    case 'running':
      return `Up ${formatDuration(now - state.startedAt)}${healthText(state.health)}`;
    case 'paused':
      return `Up ${formatDuration(now - state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${formatDuration(now - state.finishedAt)} ago`;
    case 'exited':
      return `Exited (${state.exitCode}) ${formatDuration(now - state.finishedAt)} ago`;
    case 'created':
      return 'Created';
    case 'dead':
      return 'Dead';
    case 'removing':
      return 'Removal In Progress';
  }
}

function healthText(health: ContainerHealth | undefined): string {
  if (health === undefined) return '';
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`;
}

/** The words of the program, as `docker ps` shows them without quotes. */
export function commandText({ config }: ContainerRecord): string {
  return [...config.entrypoint, ...config.cmd].join(' ');
}
