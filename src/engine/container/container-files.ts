/** The files of containers for those who look at them: what changed, what it takes, the root itself. */

import type { ContainerRecord } from '../store/container-record.ts';
import type { FileChange, Union } from '../unionfs/union.ts';
import type { ImageStacks } from './image-stacks.ts';
import type { ContainerSizes } from './inspection.ts';
import type { Machine } from './machine.ts';
import { ownChanges } from './own-changes.ts';
import type { Rootfs, RootfsPool } from './rootfs.ts';
import type { RunningContainer } from './running.ts';

export interface ContainerFilesPorts {
  readonly stacks: ImageStacks;
  readonly machine: Machine | undefined;
  readonly rootfs: RootfsPool;
  /** What runs of a container, until all that follows its end is done. */
  readonly running: (id: string) => RunningContainer | undefined;
}

export class ContainerFiles {
  readonly #ports: ContainerFilesPorts;
  /** Bytes of the own layer of containers that do not run, where it was asked for. */
  readonly #sizes = new Map<string, number>();

  constructor(ports: ContainerFilesPorts) {
    this.#ports = ports;
  }

  /** Its files may change from now on, or are gone: what was measured is not true any more. */
  forgetSize(id: string): void {
    this.#sizes.delete(id);
  }

  /** What `docker diff` prints (own-changes.ts); of one that runs, what reached its files so far. */
  diff(record: ContainerRecord): Promise<readonly FileChange[]> {
    return this.#withUnion(record, ownChanges);
  }

  /** Bytes of the container's own layer, and of its image's. */
  async sizes(record: ContainerRecord): Promise<ContainerSizes> {
    const image = await this.#ports.stacks.contentSize(record.layers);
    return { own: await this.#ownSize(record), image };
  }

  /** Of what does not run it is measured once: nothing changes it. */
  async #ownSize(record: ContainerRecord): Promise<number> {
    const { id } = record;
    const running = this.#ports.running(id);
    if (running !== undefined) return running.union.usedBytes();
    const known = this.#sizes.get(id);
    if (known !== undefined) return known;
    const size = await this.#withUnion(record, (union) => union.usedBytes());
    if (this.#ports.running(id) === undefined) this.#sizes.set(id, size);
    return size;
  }

  /** The container's files, with what its programs wrote so far. The caller releases them. */
  async open(record: ContainerRecord): Promise<Rootfs> {
    const { rootfs: pool, machine, running } = this.#ports;
    const rootfs = await pool.open(record);
    try {
      if (running(record.id)?.hasExited === false) await machine?.sync();
      return rootfs;
    } catch (error) {
      await rootfs.release();
      throw error;
    }
  }

  async #withUnion<T>(record: ContainerRecord, use: (union: Union) => T): Promise<T> {
    const rootfs = await this.open(record);
    try {
      return use(rootfs.union);
    } finally {
      await rootfs.release();
    }
  }
}
