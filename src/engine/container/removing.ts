/** How containers go, and the space that they took with them. */

import { ContainerStateError } from '../errors.ts';
import type { LiveContainers } from './live-containers.ts';
import { SIGKILL } from './signals.ts';

/**
 * Gives the container's space back, with `volumes` that of its anonymous volumes too. ContainerStateError when it runs,
 * unless `force` kills it first.
 */
export function removeContainer(
  live: LiveContainers,
  id: string,
  options: { force?: boolean; volumes?: boolean } = {},
): Promise<void> {
  return live.turns.take(id, async () => {
    const running = live.running(id);
    if (running !== undefined && !running.hasExited) {
      if (options.force !== true) throw inUse(live, id);
      live.restarts.cancel(id);
      running.process.signal(SIGKILL);
      live.emit('kill', live.get(id), { attributes: { signal: String(SIGKILL) } });
    }
    await live.started.get(id)?.finished;
    if (live.registry.has(id) && live.get(id).state.status === 'restarting') {
      if (options.force !== true) throw inUse(live, id);
      live.restarts.cancel(id);
    }
    // with --rm its end has removed it
    if (live.registry.has(id)) await deleteContainer(live, id, { volumes: options.volumes === true });
  });
}

function inUse(live: LiveContainers, id: string): Error {
  const { name, state } = live.get(id);
  const advice =
    state.status === 'paused'
      ? ' and must be unpaused first'
      : ': stop the container before removing or force remove';
  return new ContainerStateError(
    `cannot remove container "/${name}": container is ${state.status}${advice}`,
    { container: id },
  );
}

/** All that is stored of one that does not run; `volumes`: its anonymous volumes too. The caller has its turn, or sees its end. */
export async function deleteContainer(
  live: LiveContainers,
  id: string,
  { volumes }: { readonly volumes: boolean },
): Promise<void> {
  const record = live.get(id);
  await live.registry.setState(id, { status: 'removing' });
  live.files.forgetSize(id);
  await live.rootfs.delete(id);
  await live.registry.delete(id);
  await live.volumes.removed(record, { anonymous: volumes });
  live.emit('destroy', record);
}
