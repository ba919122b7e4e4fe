/** The engine on the stores, the machine and the fetch of where it runs: in a worker or in Node. */

import { Unpackers } from '../src/engine/archive/unpackers.ts';
import { type Engine, openEngine } from '../src/engine/engine.ts';
import { EventStream, type StampedEvent } from '../src/engine/events.ts';
import type { LayerIngestor } from '../src/engine/image/layer-ingestor.ts';
import { joinMirrors, type Mirrors } from '../src/engine/registry/mirrors.ts';
import type { Fetch } from '../src/engine/registry/request.ts';
import type { ContentStore } from '../src/engine/store/content.ts';
import type { JournalStore } from '../src/engine/store/journal.ts';
import type { RecordStore } from '../src/engine/store/records.ts';
import type { MachineFiles } from '../src/machine/assets.ts';
import { createMachine } from '../src/machine/v86-machine.ts';
import { engineHost } from '../src/rpc/engine-host.ts';
import type { SandboxHost } from '../src/rpc/host.ts';
import type { SandboxOptions } from '../src/rpc/sandbox.ts';
import { loadCodecs } from './codecs.ts';

export interface SandboxStores {
  readonly content: ContentStore;
  readonly records: RecordStore;
  readonly journals: JournalStore;
  readonly ingestor: LayerIngestor;
  /** For `docker info`. */
  readonly description: string;
  /** Where the browser may refuse to store more. */
  readonly room?: { onFull: () => void; onReserve: (bytes: number) => void };
  /** Why they end with the page, where they were to last. */
  readonly notDurable?: string;
  /** Of stores that other tabs can have as well. */
  readonly ownership?: { readonly asked: Promise<void>; readonly lost: Promise<void> };
  close(): Promise<void>;
}

/** Milliseconds in which a machine that runs has its first prompt. */
const PROMPT_MS = 300;

export interface SandboxPlace {
  /** URL of the folder with `registry/`, with a slash at its end; `fetch` must reach it. */
  readonly assets: string;
  readonly fetch: Fetch;
  readonly machineFiles: MachineFiles;
  /** The snapshot that was built with this code; without it the machine finds out which one fits. */
  readonly snapshotKey?: string;
}

/** Opens a sandbox; when that fails, the stores are closed again. `emit` gets its events from the first on. */
export async function joinEngine(
  options: SandboxOptions,
  stores: SandboxStores,
  place: SandboxPlace,
  emit: (event: StampedEvent) => void,
): Promise<SandboxHost> {
  const events = new EventStream(Date.now);
  events.subscribe(emit);
  let isLost = false;
  // what is cut off when another tab takes over fails because of that, and nobody waits for it any more
  const report = (error: unknown) => {
    if (!isLost) console.error(error);
  };
  const onLost = () => {
    isLost = true;
    events.emit({ type: 'ownership', status: 'lost' });
  };
  if (stores.room !== undefined) {
    stores.room.onFull = () => events.emit({ type: 'storage', action: 'full' });
    stores.room.onReserve = (bytes) => events.emit({ type: 'storage', action: 'reserve', bytes });
  }
  if (stores.notDurable !== undefined) {
    events.emit({ type: 'storage', action: 'memory', reason: stores.notDurable });
  }
  const machine =
    options.machine === false
      ? undefined
      : createMachine({
          files: place.machineFiles,
          ...(options.memory !== undefined && { memoryMB: options.memory }),
          ...(place.snapshotKey !== undefined && { snapshotKey: place.snapshotKey }),
          rehearse: true,
          report,
        });
  // a pull needs the processor, and the machine knows nothing of it
  if (machine !== undefined) events.subscribe(() => machine.touch());
  rehearseIngest(stores.ingestor, events);
  try {
    const engine = await openEngine({
      content: stores.content,
      records: stores.records,
      journals: stores.journals,
      ingestor: stores.ingestor,
      mirrors: withBundled(options.mirrors ?? {}, place.assets),
      fetch: place.fetch,
      unpackers: new Unpackers(loadCodecs),
      ...(machine !== undefined && { machine }),
      events,
      now: Date.now,
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      description: { storage: stores.description, assets: place.assets },
      onFailure: report,
    });
    const { ownership } = stores;
    return ownership === undefined
      ? engineHost(engine, () => stores.close())
      : handedOver({ ...stores, ownership }, engine, onLost, report);
  } catch (error) {
    await stores.close();
    throw error;
  }
}

/** Once the machine runs, and the first prompt had its time: before that nobody can ask for a layer. */
function rehearseIngest(ingestor: LayerIngestor, events: EventStream): void {
  const unsubscribe = events.subscribe((event) => {
    if (event.type !== 'machine' || event.status !== 'running') return;
    unsubscribe();
    if (ingestor.rehearse !== undefined) setTimeout(() => ingestor.rehearse?.(), PROMPT_MS);
  });
}

/**
 * A host that ends when another tab wants the sandbox, which that has as soon as this one has let go: all that was
 * acknowledged is stored by then.
 */
function handedOver(
  stores: SandboxStores & {
    readonly ownership: { readonly asked: Promise<void>; readonly lost: Promise<void> };
  },
  engine: Engine,
  onLost: () => void,
  report: (error: unknown) => void,
): SandboxHost {
  let isOver = false;
  const host = engineHost(engine, () => {
    isOver = true;
    return stores.close();
  });
  const end = async () => {
    if (isOver) return;
    isOver = true;
    onLost();
    await host.close();
  };
  stores.ownership.asked.then(end).catch(report);
  // robbed of it, what is done here comes to nothing, and fails
  stores.ownership.lost.then(end).catch(report);
  return host;
}

/**
 * The bundled layout serves what Docker Hub would: after the mirrors that the user gave for it, of which the longest
 * key alone is asked.
 */
export function withBundled(own: Mirrors, assets: string): Mirrors {
  const bundled = `layout:${assets}registry/`;
  const keys = ['docker.io', ...Object.keys(own).filter((key) => key.startsWith('docker.io/'))];
  return joinMirrors(own, Object.fromEntries(keys.map((key) => [key, bundled])));
}
