/** A container's state as `docker ps` writes it. */

import type { ContainerRecord } from '../store/container-record.ts';
import { formatDuration } from './format.ts';

/** `Up 2 minutes`, `Exited (0) 3 seconds ago`, `Created`. */
export function statusText({ state }: ContainerRecord, now: number): string {
  switch (state.status) {
    case 'running':
      return `Up ${formatDuration(now - state.startedAt)}`;
    case 'paused':
      return `Up ${formatDuration(now - state.startedAt)} (Paused)`;
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

/** The words of the program, as `docker ps` shows them without quotes. */
export function commandText({ config }: ContainerRecord): string {
  return [...config.entrypoint, ...config.cmd].join(' ');
}
