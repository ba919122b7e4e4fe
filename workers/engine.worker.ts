/** The worker in which a page's sandbox lives: engine, 9P server and machine; wiring only. */

import './global-scope.ts';
import { fetchedFiles } from '../src/machine/assets.ts';
import type { SandboxOptions } from '../src/rpc/sandbox.ts';
import { exposeEngine } from '../src/rpc/surface.ts';
import { indexedDBStores } from './indexeddb-stores.ts';
import { joinEngine } from './join-engine.ts';
import { memoryStores } from './memory-stores.ts';

/** Put here by the site's build; a bundle of the library has none. */
declare const LAYERBOX_SNAPSHOT_KEY: string | undefined;

const fetchHere = (url: string, init?: RequestInit) => fetch(url, init);

exposeEngine(self, async (options: SandboxOptions, emit) => {
  const assets = options.assets ?? new URL('../', self.location.href).href;
  const stores =
    options.storage === 'memory' ? memoryStores(fetchHere) : await indexedDBStores(options.name ?? 'default');
  const place = {
    assets,
    fetch: fetchHere,
    machineFiles: fetchedFiles(`${assets}machine/`, `${assets}machine/v86.wasm`),
    ...(typeof LAYERBOX_SNAPSHOT_KEY === 'string' && { snapshotKey: LAYERBOX_SNAPSHOT_KEY }),
  };
  return joinEngine(options, stores, place, emit);
});
