/** What can be pruned, and how much that frees. */

import type { ContainerSummary, ImageSummary } from '../../rpc/sandbox.ts';

export interface Reclaimable {
  /** Containers that do not run, and the bytes of their own layers. */
  readonly containers: { readonly count: number; readonly bytes: number };
  /** Images that no container was made of, and the bytes of the layers that they alone have. */
  readonly images: { readonly count: number; readonly bytes: number };
}

/** Statuses of containers whose programs are there, and which `docker container prune` leaves alone. */
const ALIVE: ReadonlySet<string> = new Set(['running', 'paused', 'restarting']);

/** What `docker container prune` and `docker image prune --all` would remove now, one without the other. */
export function reclaimable(
  images: readonly ImageSummary[],
  containers: readonly ContainerSummary[],
): Reclaimable {
  const stopped = containers.filter(({ status }) => !ALIVE.has(status));
  const used = new Set(containers.map(({ imageID }) => imageID));
  const unused = images.filter(({ id }) => !used.has(id));
  const kept = new Set(
    images.filter(({ id }) => used.has(id)).flatMap(({ layers }) => layers.map(({ diffID }) => diffID)),
  );
  // unpacked, and as it came: both are stored
  const freed = new Map(
    unused
      .flatMap(({ layers }) => layers)
      .filter(({ diffID }) => !kept.has(diffID))
      .map(({ diffID, size, compressed }) => [diffID, size + compressed]),
  );
  return {
    containers: { count: stopped.length, bytes: sum(stopped.map(({ size }) => size)) },
    images: { count: new Set(unused.map(({ id }) => id)).size, bytes: sum([...freed.values()]) },
  };
}

/** Bytes of room below which a reader is told: what a program may have written and not stored yet fits into them. */
const LITTLE_ROOM = 32 * 1024 * 1024;

export function isNearlyFull({ usage, quota }: { readonly usage: number; readonly quota: number }): boolean {
  return quota - usage < LITTLE_ROOM;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
