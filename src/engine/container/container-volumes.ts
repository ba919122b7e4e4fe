/** Volumes in the lives of containers: made and filled with them, mounted when they start, taken away when they go. */

import type { DiffID } from '../oci/digest.ts';
import type { ContainerMounts, MountRequests } from '../store/container-mount.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { ContentReader } from '../store/content-reader.ts';
import { deviceMount } from '../volume/volume-options.ts';
import type { Volumes } from '../volume/volumes.ts';
import type { ContainerRegistry } from './container-registry.ts';
import type { ImageStacks } from './image-stacks.ts';
import { openImage } from './image-view.ts';
import type { Bind, Machine, TmpfsMount } from './machine.ts';
import { MemoryVolumes, mountFault } from './memory-volumes.ts';
import {
  announceMounts,
  deviceOf,
  fillFolder,
  fillVolume,
  machineMounts,
  mountsOf,
  removeAnonymous,
  type VolumePlace,
  volumePath,
  volumesOf,
} from './mounted.ts';
import { prepareMounts } from './mounting.ts';
import type { RunningContainer } from './running.ts';
import { startedMachine } from './started-machine.ts';

export interface ContainerVolumesPorts {
  readonly volumes: Volumes;
  readonly stacks: ImageStacks;
  readonly content: ContentReader;
  readonly machine: Machine | undefined;
  readonly registry: ContainerRegistry;
  readonly running: (id: string) => RunningContainer | undefined;
  /** Whether there is something at a path of the host, links followed. */
  readonly hostHas: (path: string) => Promise<boolean>;
}

/** The mounts of a container that is being made. */
export interface NewMounts {
  readonly mounts: ContainerMounts;
  /** The record names them now. */
  keep(): void;
  /** There is no such container: nothing stays of what was made for it. */
  undo(): Promise<void>;
}

export class ContainerVolumes {
  readonly #ports: ContainerVolumesPorts;
  readonly #memory = new MemoryVolumes();

  constructor(ports: ContainerVolumesPorts) {
    this.#ports = ports;
    for (const record of ports.registry.list()) this.claim(record);
  }

  /** The volumes are not removed while there is such a container. */
  claim(record: ContainerRecord): void {
    this.#ports.volumes.claim(record.id, volumesOf(record));
  }

  /** Makes and fills volumes as `docker create` does. LayerboxError in Docker's words for mounts that cannot be. */
  async prepare(
    requests: MountRequests | undefined,
    ofImage: readonly string[],
    layers: readonly DiffID[],
  ): Promise<NewMounts> {
    const { volumes, registry, hostHas, machine, stacks, content } = this.#ports;
    const container = (text: string) => registry.resolve(text);
    const prepared = await prepareMounts({ volumes, container, hostHas }, requests, ofImage);
    try {
      if (prepared.copies.length > 0) {
        const image = await openImage(layers, { stacks, content });
        try {
          for (const copy of prepared.copies) {
            const device = deviceMount(volumes.get(copy.volume).options);
            // of what is in memory nothing is left by the time that a container starts
            if (device?.kind === 'tmpfs') continue;
            if (device !== undefined) {
              const started = await startedMachine(machine);
              await fillFolder(started, { ...copy, folder: device.source, image });
              continue;
            }
            await fillVolume(volumes, machine, { ...copy, image }, this.#place(copy.volume));
          }
        } finally {
          await image.close();
        }
      }
    } catch (error) {
      await prepared.undo();
      throw error;
    }
    return { mounts: prepared.mounts, keep: prepared.release, undo: prepared.undo };
  }

  /** What the machine is to mount in the container now. LayerboxError in Docker's words. */
  async mounts(record: ContainerRecord): Promise<readonly (Bind | TmpfsMount)[]> {
    const { volumes, machine, hostHas } = this.#ports;
    for (const mount of mountsOf(record)) {
      const device = deviceOf(mount, volumes);
      if (device?.kind === 'tmpfs') {
        await this.#memory.take(await startedMachine(machine), record.id, mount.name, device);
      } else if (device !== undefined && !(await hostHas(device.source))) {
        const flags = device.isRecursive ? '0x5000' : '0x1000';
        const what = `${device.source}:${volumePath(mount.name)}, flags: ${flags}`;
        throw mountFault(mount.name, `${what}: no such file or directory`);
      }
    }
    return machineMounts(record, volumes, 'shared');
  }

  /** The container has ended, or could not start. */
  async release(id: string): Promise<void> {
    const { machine } = this.#ports;
    if (machine?.state.status === 'running') await this.#memory.release(machine, id);
  }

  announce(action: 'mount' | 'unmount', record: ContainerRecord): void {
    announceMounts(action, record, this.#ports.volumes);
  }

  /** The container is gone; `anonymous`: its anonymous volumes go with it. */
  async removed(record: ContainerRecord, { anonymous }: { readonly anonymous: boolean }): Promise<void> {
    this.#ports.volumes.disclaim(record.id);
    if (anonymous) await removeAnonymous(record, this.#ports.volumes);
  }

  /** Where a container that runs can write the volume; undefined when none runs that has it. */
  #place(volume: string): VolumePlace | undefined {
    const { volumes, registry, running } = this.#ports;
    for (const id of volumes.usedBy(volume)) {
      const found = running(id);
      if (found === undefined || found.hasExited) continue;
      const mount = mountsOf(registry.get(id)).find(
        ({ name, readOnly, subpath }) => name === volume && !readOnly && subpath === '',
      );
      if (mount !== undefined) return { inside: found.process, directory: mount.destination };
    }
    return undefined;
  }
}
