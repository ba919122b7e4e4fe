/** The engine in this process, for Node: everything in memory, the assets from the package's folder. */

import type { StampedEvent } from '../src/engine/events.ts';
import type { SandboxHost } from '../src/rpc/host.ts';
import type { SandboxOptions } from '../src/rpc/sandbox.ts';
import { joinEngine } from './join-engine.ts';
import { memoryStores } from './memory-stores.ts';
import { packageAsset, withPackageAssets } from './package-assets.ts';

export async function openInProcess(
  options: SandboxOptions,
  emit: (event: StampedEvent) => void,
): Promise<SandboxHost> {
  const { assets, fetch } = withPackageAssets(options.assets);
  const stores = memoryStores(fetch);
  return joinEngine(options, stores, { assets, fetch, machineFiles: packageAsset(assets, fetch) }, emit);
}
