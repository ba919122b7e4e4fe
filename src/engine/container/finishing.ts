/** How containers end, once their program has: what is stored, let go, removed or started again; and who waits for that. */

import { unprobed } from './health-monitors.ts';
import type { LiveContainers } from './live-containers.ts';
import { deleteContainer } from './removing.ts';
import { shouldRestart } from './restart-policy.ts';
import type { Rootfs } from './rootfs.ts';
import type { Ending, RunningContainer } from './running.ts';

/** A container whose program has just been started. */
export interface Finishing {
  readonly running: RunningContainer;
  readonly rootfs: Rootfs;
  /** That it runs has been stored, or could not be. */
  readonly stored: Promise<void>;
  /** Starts it once more, if it is still to be. */
  readonly startAgain: () => Promise<void>;
}

/** Waits for the program's end, and does what follows it: its files let go, its state stored, or with --rm the container removed. Never rejects. */
export async function finishContainer(
  live: LiveContainers,
  { running, rootfs, stored, startAgain }: Finishing,
): Promise<Ending> {
  const { id } = running;
  const ending = await running.ended;
  live.health.stop(id);
  const failures = ending.error === '' ? [] : [ending.error];
  const attempt = async (step: () => Promise<unknown>) => {
    try {
      await step();
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  };
  await stored.catch(() => undefined); // `start` tells of it
  await live.networks.close(id);
  await attempt(() => rootfs.release());
  await attempt(() => live.volumes.release(id));
  await attempt(async () => {
    const before = live.get(id);
    const finishedAt = live.ports.now();
    const ranFor = finishedAt - before.state.startedAt;
    const isDue = !live.restarts.isCancelled(id) && shouldRestart(before, ending.code);
    const health = unprobed(before.state.health);
    const state = {
      status: isDue ? 'restarting' : 'exited',
      pid: 0,
      exitCode: ending.code,
      error: failures.join('; '),
      oomKilled: ending.oomKilled,
      finishedAt,
      ...(health !== undefined && { health }),
    } as const;
    const restartCount = (before.restartCount ?? 0) + 1;
    const record = await live.registry.setState(id, state, isDue ? { restartCount } : {});
    live.started.delete(id);
    if (ending.oomKilled) live.emit('oom', record);
    const execDuration = String(Math.trunc(ranFor / 1000));
    live.emit('die', record, { exitCode: ending.code, attributes: { execDuration } });
    live.volumes.announce('unmount', record);
    if (isDue) live.restarts.schedule(id, ranFor, startAgain);
    else if (record.config.autoRemove && !live.kept.has(id)) {
      await deleteContainer(live, id, { volumes: true });
    }
  });
  live.started.delete(id);
  return { ...ending, error: failures.join('; ') };
}

/**
 * Resolves with the exit code once the container's files are safe, its state is stored and --rm is done. Of one that
 * is about to be started again, with that of its next run.
 */
export async function waitForEnd(live: LiveContainers, id: string): Promise<number> {
  await live.restarts.over(id);
  const started = live.started.get(id);
  return started === undefined ? live.get(id).state.exitCode : (await started.finished).code;
}
