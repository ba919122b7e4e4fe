/**
 * Containers that are frozen, and go on. The health of one that is frozen is not probed: no program can be started in it,
 * and its checks would count as failed.
 */

import { ContainerStateError } from '../errors.ts';
import type { LiveContainers } from './live-containers.ts';
import { notRunning, restarting } from './running.ts';
import { startedMachine } from './started-machine.ts';

/** Freezes all its programs. LayerboxError in Docker's words when it does not run, or is paused. */
export function pauseContainer(live: LiveContainers, id: string): Promise<void> {
  return live.turns.take(id, async () => {
    const { status } = live.get(id).state;
    if (status === 'restarting') throw restarting(id);
    const running = live.running(id);
    if (running === undefined || running.hasExited) throw notRunning(id);
    if (status === 'paused') {
      throw new ContainerStateError(`Container ${id} is already paused`, { container: id });
    }
    const machine = await startedMachine(live.ports.machine);
    await machine.freeze(id, true);
    live.health.stop(id);
    live.emit('pause', await live.registry.setState(id, { status: 'paused' }));
  });
}

/** Lets them go on. LayerboxError in Docker's words when it is not paused. */
export function unpauseContainer(live: LiveContainers, id: string): Promise<void> {
  return live.turns.take(id, async () => {
    if (live.get(id).state.status !== 'paused') {
      throw new ContainerStateError(`Container ${id} is not paused`, { container: id });
    }
    const machine = await startedMachine(live.ports.machine);
    const running = live.running(id);
    // its record first: the program may end as soon as it goes on
    const record = await live.registry.setState(id, { status: 'running' });
    if (running !== undefined && !running.hasExited) await machine.freeze(id, false);
    live.emit('unpause', record);
    if (running !== undefined && !running.hasExited) live.health.start(id);
  });
}
