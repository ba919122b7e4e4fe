/** The worker in which a page's sandbox lives: engine, 9P server and machine; wiring only. */

import './global-scope.ts';
import { StorageFailedError } from '../src/engine/errors.ts';
import { fetchedFiles } from '../src/machine/assets.ts';
import type { SandboxOptions } from '../src/rpc/sandbox.ts';
import { exposeEngine } from '../src/rpc/surface.ts';
import { indexedDBStores } from './indexeddb-stores.ts';
import { joinEngine, type SandboxStores } from './join-engine.ts';
import { memoryStores } from './memory-stores.ts';

/** Put here by the site's build; a bundle of the library has none. */
declare const LAYERBOX_SNAPSHOT_KEY: string | undefined;

const fetchHere = (url: string, init?: RequestInit) => fetch(url, init);

exposeEngine(self, async (options: SandboxOptions, emit) => {
  const assets = options.assets ?? new URL('../', self.location.href).href;
  const stores = await openStores(options);
  const place = {
    assets,
    fetch: fetchHere,
    machineFiles: fetchedFiles(`${assets}machine/`, `${assets}machine/v86.wasm`),
    ...(typeof LAYERBOX_SNAPSHOT_KEY === 'string' && { snapshotKey: LAYERBOX_SNAPSHOT_KEY }),
  };
  return joinEngine(options, stores, place, emit);
});

/** Where the browser gives no storage, in a private window for instance, they are in memory unless that was ruled out. */
async function openStores(options: SandboxOptions): Promise<SandboxStores> {
  if (options.storage === 'memory') return memoryStores(fetchHere);
  try {
    return await indexedDBStores(options.name ?? 'default', { takeOver: options.takeOver ?? false });
  } catch (error) {
    if (options.storage !== undefined || !(error instanceof StorageFailedError)) throw error;
    return { ...memoryStores(fetchHere), notDurable: error.message };
  }
}
