/** The sandbox of a page: its engine in a worker of its own, opening while the page goes on. */

import { LayerboxError } from '../engine/errors.ts';
import { connectEngine } from './connect.ts';
import { connectQueries } from './connect-queries.ts';
import { EventHub } from './event-hub.ts';
import { sandboxOver } from './facade.ts';
import { Listeners } from './listeners.ts';
import type { About, Sandbox, SandboxOptions } from './sandbox.ts';

export interface OpeningSandbox {
  /** Usable at once: each method waits for what it needs. */
  readonly sandbox: Sandbox;
  /** Resolves when the engine is open; rejects with why it can't be. */
  readonly ready: Promise<void>;
}

/**
 * `options.assets` defaults to the folder of the page. `later` are options that are still on their way, over those
 * there are: the worker loads meanwhile. When they fail the sandbox does not open.
 */
export function openInWorker(
  options: SandboxOptions,
  later: Promise<Omit<SandboxOptions, 'name' | 'assets'>> = Promise.resolve({}),
): OpeningSandbox {
  const events = new EventHub();
  const worker = new Worker(new URL('../../workers/engine.worker.ts', import.meta.url), {
    type: 'module',
    name: `layerbox ${options.name ?? 'default'}`,
  });
  const connection = connectEngine(worker, events);
  let isOpen = false;
  worker.addEventListener('error', (event) => {
    // what nobody caught in a worker that runs does not end it; before that there will be no answer
    if (isOpen) return;
    const why = event.message ? ` (${event.message})` : '';
    connection.fail(
      new LayerboxError(
        `The engine could not be loaded: its worker script is missing, blocked, or too new for this browser${why}.`,
      ),
    );
  });
  const assets = new URL(options.assets ?? './', document.baseURI).href;
  const late = new Listeners<About>();
  const queryWorker = new Worker(new URL('../../workers/query.worker.ts', import.meta.url), {
    type: 'module',
    name: `layerbox queries ${options.name ?? 'default'}`,
  });
  const opening = later.then(async (more) => {
    const chosen = { ...options, ...more, assets };
    const host = await connection.open(chosen);
    return connectQueries(queryWorker, { host, connection, options: chosen, late });
  });
  opening.catch(() => queryWorker.terminate());
  const sandbox = sandboxOver(opening, events, late);
  return {
    sandbox: {
      ...sandbox,
      close: async () => {
        await sandbox.close();
        worker.terminate();
        queryWorker.terminate();
      },
    },
    ready: opening.then(() => {
      isOpen = true;
    }),
  };
}
