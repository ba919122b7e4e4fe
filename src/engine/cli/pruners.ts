/** What `docker system prune` removes, in its order. */

import { ContainerStateError, NoSuchContainerError } from '../errors.ts';
import { prunedImages, pruneImages } from './commands/image-prune.ts';
import { pruneNetworks } from './commands/network-prune.ts';
import { pruneVolumes } from './commands/volume-prune.ts';
import type { DockerHost } from './docker-host.ts';
import { type Filters, filterTime, fitsLabels } from './filter.ts';

export interface Pruned {
  /** What is told of it; '' when nothing was removed. */
  readonly text: string;
  /** Bytes. */
  readonly reclaimed: number;
}

export interface Pruner {
  readonly warning: string;
  prune(host: DockerHost, filters: Filters, signal: AbortSignal): Promise<Pruned>;
}

/** `all`: images that have a name too; `volumes`: volumes that have none. */
export function pruners(options: { readonly all: boolean; readonly volumes: boolean }): readonly Pruner[] {
  const { all, volumes } = options;
  const ofVolumes: Pruner = {
    warning: 'all anonymous volumes not used by at least one container',
    prune: (host, filters) => pruneVolumes(host, filters, { all: false }),
  };
  return [
    { warning: 'all stopped containers', prune: pruneContainers },
    {
      warning: 'all networks not used by at least one container',
      prune: async (host, filters) => ({ text: await pruneNetworks(host, filters), reclaimed: 0 }),
    },
    ...(volumes ? [ofVolumes] : []),
    {
      warning: all ? 'all images without at least one container associated to them' : 'all dangling images',
      prune: async (host, filters, signal) => {
        const pruned = await pruneImages(host, filters, all, signal);
        return { text: prunedImages(pruned), reclaimed: pruned.reclaimed };
      },
    },
    {
      // there is none before images are built here
      warning: all ? 'all build cache' : 'unused build cache',
      prune: async () => ({ text: '', reclaimed: 0 }),
    },
  ];
}

/** Containers that do not run. One that is started meanwhile stays. */
export async function pruneContainers(
  host: DockerHost,
  filters: Filters,
  signal: AbortSignal,
): Promise<Pruned> {
  const until = (filters.get('until') ?? []).map((text) => filterTime(text, host.now()));
  const removed: string[] = [];
  let reclaimed = 0;
  for (const record of host.containers.list()) {
    signal.throwIfAborted();
    if (!['created', 'exited', 'dead'].includes(record.state.status)) continue;
    if (!fitsLabels(filters, record.config.labels) || !until.every((time) => record.createdAt < time))
      continue;
    const { own } = await host.containers.sizes(record.id);
    try {
      await host.containers.remove(record.id);
    } catch (error) {
      if (error instanceof ContainerStateError || error instanceof NoSuchContainerError) continue;
      throw error;
    }
    removed.push(record.id);
    reclaimed += own;
  }
  host.events.pruned('container', reclaimed);
  if (removed.length === 0) return { text: '', reclaimed };
  return { text: `Deleted Containers:\n${removed.map((id) => `${id}\n`).join('')}\n`, reclaimed };
}
