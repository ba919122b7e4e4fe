/** The page's side of the worker for queries: a SandboxHost that asks that worker what can be answered there. */

import { proxy, transfer, wrap } from 'comlink';
import { LayerboxError } from '../engine/errors.ts';
import type { Connection } from './connect.ts';
import type { SandboxHost } from './host.ts';
import type { Listeners } from './listeners.ts';
import type { About } from './queries.ts';
import type { QuerySurface } from './query-surface.ts';
import type { SandboxOptions } from './sandbox.ts';

export interface QueriedEngine {
  readonly host: SandboxHost;
  readonly connection: Pick<Connection, 'until' | 'serveViews'>;
  readonly options: SandboxOptions;
  readonly late: Listeners<About>;
}

/**
 * The engine's host with the worker beside it, which must be new. Where the worker cannot be loaded or ends, the engine answers
 * as before.
 */
export async function connectQueries(
  worker: Worker,
  { host, connection, options, late }: QueriedEngine,
): Promise<SandboxHost> {
  const lost = new Promise<never>((_, reject) => {
    worker.addEventListener('error', () => reject(new LayerboxError('The worker for queries is gone.')));
  });
  let isLost = false;
  lost.catch(() => {
    isLost = true;
  });
  const remote = wrap<QuerySurface>(worker);
  const { port1, port2 } = new MessageChannel();
  const stored = options.storage === 'memory' ? undefined : (options.name ?? 'default');
  await connection.serveViews(port1);
  remote
    .open(
      stored,
      transfer(port2, [port2]),
      proxy((about: About) => late.tell(about)),
    )
    // a worker that is gone is told of by its error
    .catch(() => undefined);

  /** Grows when a command of this page ended: what it did is in every answer from then on. */
  let turn = 0;
  const ask = async <T>(query: () => Promise<T>, instead: () => Promise<T>): Promise<T> => {
    try {
      return await connection.until(() => Promise.race([query(), lost]));
    } catch (error) {
      if (isLost) return instead();
      throw error;
    }
  };
  return {
    ...host,
    command: async (words, io) => {
      try {
        return await host.command(words, io);
      } finally {
        turn += 1;
      }
    },
    images: () =>
      ask(
        () => remote.images(turn),
        () => host.images(),
      ),
    containers: () =>
      ask(
        () => remote.containers(turn),
        () => host.containers(),
      ),
    changes: (container) =>
      ask(
        () => remote.changes(turn, container),
        () => host.changes(container),
      ),
    list: (reference, path, range, platform) =>
      ask(
        () => remote.list(turn, reference, path, range, platform),
        () => host.list(reference, path, range, platform),
      ),
  };
}
