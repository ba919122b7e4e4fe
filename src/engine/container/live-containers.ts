/**
 * The containers that are here, as the files that start, stop and remove them share them: their records, what runs of
 * them, and what is being done to each. Nothing in this file changes what a container does.
 */

import type { ContainerAction, EventStream } from '../events.ts';
import type { Networks } from '../network/networks.ts';
import type { ContainerHealth, ContainerRecord } from '../store/container-record.ts';
import type { ContentReader } from '../store/content-reader.ts';
import type { JournalStore } from '../store/journal.ts';
import type { Leases } from '../store/leases.ts';
import type { RecordStore } from '../store/records.ts';
import { Turns } from '../turns.ts';
import type { FileSystem } from '../unionfs/filesystem.ts';
import type { Volumes } from '../volume/volumes.ts';
import { containerEvent, type EventDetails } from './container-events.ts';
import { ContainerFiles } from './container-files.ts';
import type { Random } from './container-name.ts';
import { ContainerNetworks } from './container-networks.ts';
import type { ContainerRegistry } from './container-registry.ts';
import { ContainerVolumes } from './container-volumes.ts';
import type { ImageSource } from './creation.ts';
import { execProgram } from './exec.ts';
import { HealthMonitors } from './health-monitors.ts';
import type { ImageStacks } from './image-stacks.ts';
import { ContainerLog } from './log.ts';
import type { Machine } from './machine.ts';
import { Restarts } from './restarts.ts';
import { RootfsPool } from './rootfs.ts';
import type { Ending, RunningContainer } from './running.ts';

/** What containers need of the engine and of the host. */
export interface ContainerPorts {
  readonly records: RecordStore;
  readonly journals: JournalStore;
  readonly content: ContentReader;
  readonly stacks: ImageStacks;
  readonly leases: Leases;
  readonly images: ImageSource;
  readonly networks: Networks;
  readonly volumes: Volumes;
  /** Whether there is something at a path of the host, links followed. */
  readonly hostHas: (path: string) => Promise<boolean>;
  /** The host's durable home, as a tree. */
  readonly home: FileSystem;
  /** Undefined: nothing can run. */
  readonly machine: Machine | undefined;
  readonly events: EventStream;
  readonly now: () => number;
  readonly random: Random;
  /** Told of what went wrong where nobody waits. */
  readonly onFailure: (error: unknown) => void;
}

/** A container that runs, and what follows its end. */
export interface Started {
  readonly running: RunningContainer;
  /** Resolves once its files are safe and its state is stored, and with --rm it is gone. Never rejects. */
  readonly finished: Promise<Ending>;
}

/** One for all containers of an engine. */
export class LiveContainers {
  readonly ports: ContainerPorts;
  readonly registry: ContainerRegistry;
  readonly rootfs: RootfsPool;
  /** What runs, until all that follows its end is done. */
  readonly started = new Map<string, Started>();
  readonly files: ContainerFiles;
  readonly networks: ContainerNetworks;
  readonly volumes: ContainerVolumes;
  readonly restarts = new Restarts();
  readonly health: HealthMonitors;
  /** Restarted by hand: their end is not that of --rm. */
  readonly kept = new Set<string>();
  /** What is being done to each container; the next waits. */
  readonly turns = new Turns();

  constructor(ports: ContainerPorts, registry: ContainerRegistry) {
    this.ports = ports;
    this.registry = registry;
    this.rootfs = new RootfsPool(ports);
    const { stacks, machine, now, onFailure } = ports;
    const running = (id: string) => this.running(id);
    this.networks = new ContainerNetworks({ ...ports, registry });
    this.volumes = new ContainerVolumes({ ...ports, registry, running });
    this.health = new HealthMonitors({
      get: (id) => this.get(id),
      spawn: (id, argv) => execProgram(this, id, { argv, env: [] }),
      store: (id, health) => this.#storeHealth(id, health),
      now,
      onFailure,
    });
    this.files = new ContainerFiles({ stacks, machine, rootfs: this.rootfs, running });
  }

  /** All of them, newest first. */
  list(): readonly ContainerRecord[] {
    return this.registry.list();
  }

  /** By its whole ID. NoSuchContainerError. */
  get(id: string): ContainerRecord {
    return this.registry.get(id);
  }

  /** What runs of it, until all that follows its end is done. */
  running(id: string): RunningContainer | undefined {
    return this.started.get(id)?.running;
  }

  /** The log as it is stored, for one that does not run or is about to. */
  openLog(id: string): Promise<ContainerLog> {
    const { records, now, onFailure } = this.ports;
    return ContainerLog.open({ records, now, onFailure }, id);
  }

  /** Tells of what was done to a container. */
  emit(action: ContainerAction, record: ContainerRecord, details: EventDetails = {}): void {
    this.ports.events.emit(containerEvent(action, record, details));
  }

  async #storeHealth(id: string, health: ContainerHealth): Promise<void> {
    const before = this.get(id).state.health?.status;
    const record = await this.registry.setState(id, { health });
    if (health.status !== before) this.emit('health_status', record, { detail: health.status });
  }
}
