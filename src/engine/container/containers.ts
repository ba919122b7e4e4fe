/**
 * Containers: created from an image, started, stopped, removed. A container is its record, its own layer (a union
 * over the image's layers, in the journal `container/<id>`), its log, and while it runs a program on the machine.
 *
 *     const record = await containers.create({ image: 'busybox', ... });
 *     const { finished } = await containers.start(record.id);
 *     const { code } = await finished;
 *     await containers.remove(record.id);
 */

import { ContainerStateError } from '../errors.ts';
import type { ContainerAction, EventStream } from '../events.ts';
import type { Networks } from '../network/networks.ts';
import type { Digest } from '../oci/digest.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { ContentReader } from '../store/content-reader.ts';
import type { JournalStore } from '../store/journal.ts';
import type { Leases } from '../store/leases.ts';
import type { RecordStore } from '../store/records.ts';
import { Turns } from '../turns.ts';
import type { FileChange } from '../unionfs/union.ts';
import type { Attachment } from './attach.ts';
import { ContainerFiles } from './container-files.ts';
import type { Random } from './container-name.ts';
import { ContainerNetworks } from './container-networks.ts';
import { ContainerRegistry } from './container-registry.ts';
import { type CreateOptions, createContainer, type ImageSource } from './creation.ts';
import { type ExecOptions, execSpec } from './exec.ts';
import type { ImageStacks } from './image-stacks.ts';
import type { ContainerSizes } from './inspection.ts';
import { launch } from './launch.ts';
import { ContainerLog } from './log.ts';
import type { Machine, Process } from './machine.ts';
import { type Rootfs, RootfsPool } from './rootfs.ts';
import { type Ending, notRunning, RunningContainer } from './running.ts';
import { parseSignal, SIGKILL, SIGTERM } from './signals.ts';
import { execFailure, startFailure } from './start-failure.ts';
import { startedMachine } from './started-machine.ts';

export interface ContainerPorts {
  readonly records: RecordStore;
  readonly journals: JournalStore;
  readonly content: ContentReader;
  readonly stacks: ImageStacks;
  readonly leases: Leases;
  readonly images: ImageSource;
  readonly networks: Networks;
  /** Undefined: nothing can run. */
  readonly machine: Machine | undefined;
  readonly events: EventStream;
  readonly now: () => number;
  readonly random: Random;
  /** Told of what went wrong where nobody waits. */
  readonly onFailure: (error: unknown) => void;
}

export interface Started {
  readonly running: RunningContainer;
  /** Resolves once its files are safe and its state is stored, and with --rm it is gone. Never rejects. */
  readonly finished: Promise<Ending>;
}

/** Seconds that Docker gives a program between the stop signal and SIGKILL. */
const STOP_TIMEOUT = 10;

export class Containers {
  readonly #ports: ContainerPorts;
  readonly #registry: ContainerRegistry;
  readonly #rootfs: RootfsPool;
  /** What runs, until all that follows its end is done. */
  readonly #started = new Map<string, Started>();
  readonly #files: ContainerFiles;
  readonly networks: ContainerNetworks;
  /** What is being done to each container; the next waits. */
  readonly #turns = new Turns();

  private constructor(ports: ContainerPorts, registry: ContainerRegistry) {
    this.#ports = ports;
    this.#registry = registry;
    this.#rootfs = new RootfsPool(ports);
    const { stacks, machine } = ports;
    this.networks = new ContainerNetworks({ ...ports, registry });
    this.#files = new ContainerFiles({
      stacks,
      machine,
      rootfs: this.#rootfs,
      running: (id) => this.running(id),
    });
  }

  /** Containers as they were left; those to be removed at their end are removed if the page ended them. */
  static async open(ports: ContainerPorts): Promise<Containers> {
    const containers = new Containers(ports, await ContainerRegistry.open(ports.records, ports.now));
    for (const { id, state, config } of containers.list()) {
      const ended = state.status === 'exited' && config.autoRemove;
      if (state.status === 'removing' || ended) await containers.#delete(id);
    }
    return containers;
  }

  /** All of them, newest first. */
  list(): readonly ContainerRecord[] {
    return this.#registry.list();
  }

  /** By ID, name, or beginning of an ID. NoSuchContainerError. */
  resolve(text: string): ContainerRecord {
    return this.#registry.resolve(text);
  }

  get(id: string): ContainerRecord {
    return this.#registry.get(id);
  }

  running(id: string): RunningContainer | undefined {
    return this.#started.get(id)?.running;
  }

  /**
   * A new container of an image that is here. NoSuchImageError, ContainerNameInUseError, LayerboxError for options
   * that cannot be.
   */
  async create(options: CreateOptions): Promise<ContainerRecord> {
    const record = await createContainer(this.#ports, this.#registry, options);
    this.#emit('create', record);
    return record;
  }

  /**
   * Runs the container's program; one that runs already is left alone. `attachments` see its output from the first
   * byte. CannotStartError (data.exitCode 125, 126 or 127) in Docker's words, MachineUnavailableError.
   */
  start(id: string, attachments: readonly Attachment[] = []): Promise<Started> {
    return this.#turns.take(id, async () => {
      const present = this.#started.get(id);
      if (present !== undefined && !present.running.hasExited) {
        for (const attachment of attachments) present.running.attach(attachment);
        return present;
      }
      await present?.finished;
      const record = this.get(id);
      if (record.state.status === 'removing') {
        throw new ContainerStateError(`container ${id} is marked for removal and cannot be started`, {
          container: id,
        });
      }
      const machine = await startedMachine(this.#ports.machine);
      const rootfs = await this.#rootfs.open(record);
      try {
        const process = await this.#spawn(machine, record, rootfs, attachments);
        return await this.#launched(machine, record, rootfs, process, attachments);
      } catch (error) {
        await rootfs.release();
        throw error;
      }
    });
  }

  /** Starts the program; what could not start is told in the record too. */
  async #spawn(
    machine: Machine,
    record: ContainerRecord,
    rootfs: Rootfs,
    attachments: readonly Attachment[],
  ): Promise<Process> {
    try {
      return await launch(machine, record, rootfs.union, attachments, { namespace: undefined, files: [] });
    } catch (error) {
      await this.networks.close(record.id);
      await machine.removeCgroup(record.id).catch(this.#ports.onFailure);
      const failure = startFailure(error, 'failed to create task for container: ');
      const exitCode = failure.data.exitCode;
      await this.#registry.setState(record.id, {
        error: failure.message,
        exitCode: typeof exitCode === 'number' ? exitCode : 128,
      });
      throw failure;
    }
  }

  async #launched(
    machine: Machine,
    record: ContainerRecord,
    rootfs: Rootfs,
    process: Process,
    attachments: readonly Attachment[],
  ): Promise<Started> {
    const { id, config } = record;
    const log = await this.#openLog(id);
    const running = new RunningContainer({ id, machine, process, union: rootfs.union, log, attachments });
    if (!config.openStdin && !config.tty) process.closeInput();
    const startedAt = this.#ports.now();
    const stored = this.#registry
      .setState(id, { status: 'running', pid: process.pid, exitCode: 0, error: '', startedAt, finishedAt: 0 })
      .then(() => this.#emit('start', record));
    const started = { running, finished: this.#finish(running, rootfs, id, stored) };
    this.#started.set(id, started);
    this.#files.forgetSize(id);
    try {
      await stored;
    } catch (error) {
      process.signal(SIGKILL);
      await started.finished;
      throw error;
    }
    return started;
  }

  /** What follows the program's end: its files let go, its state stored, or with --rm the container removed. Never rejects. */
  async #finish(
    running: RunningContainer,
    rootfs: Rootfs,
    id: string,
    stored: Promise<void>,
  ): Promise<Ending> {
    const ending = await running.ended;
    const failures = ending.error === '' ? [] : [ending.error];
    const attempt = async (step: () => Promise<unknown>) => {
      try {
        await step();
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    };
    await stored.catch(() => undefined); // `start` tells of it
    await this.networks.close(id);
    await attempt(() => rootfs.release());
    await attempt(async () => {
      const finishedAt = this.#ports.now();
      const error = failures.join('; ');
      const state = { status: 'exited', pid: 0, exitCode: ending.code, error, finishedAt } as const;
      const record = await this.#registry.setState(id, state);
      this.#started.delete(id);
      this.#emit('die', record, ending.code);
      if (record.config.autoRemove) await this.#delete(id);
    });
    this.#started.delete(id);
    return { code: ending.code, error: failures.join('; ') };
  }

  /** Resolves with the exit code once the container's files are safe, its state is stored and --rm is done. */
  async wait(id: string): Promise<number> {
    const started = this.#started.get(id);
    return started === undefined ? this.get(id).state.exitCode : (await started.finished).code;
  }

  /** The stop signal, then SIGKILL after `timeout` seconds (a negative one waits for ever). What does not run is left alone. */
  async stop(id: string, options: { signal?: string; timeout?: number } = {}): Promise<void> {
    const running = this.running(id);
    if (running === undefined) return;
    const { config } = this.get(id);
    const name = options.signal ?? config.stopSignal;
    running.process.signal(name === '' ? SIGTERM : parseSignal(name));
    const timeout = options.timeout ?? STOP_TIMEOUT;
    const settled = this.wait(id);
    if (timeout >= 0) await this.#killAfter(running, settled, timeout * 1000);
    await settled;
    if (this.#registry.has(id)) this.#emit('stop', this.get(id));
  }

  async #killAfter(
    running: RunningContainer,
    settled: Promise<unknown>,
    milliseconds: number,
  ): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), milliseconds);
    });
    const first = await Promise.race([settled, patience]);
    clearTimeout(timer);
    if (first === 'late') running.process.signal(SIGKILL);
  }

  /** Sends a signal. LayerboxError in Docker's words when it does not run. SIGKILL waits for the end. */
  async kill(id: string, signal = 'KILL'): Promise<void> {
    const number = parseSignal(signal);
    const running = this.running(id);
    if (running === undefined) throw notRunning(id);
    running.process.signal(number);
    this.#emit('kill', this.get(id));
    if (number === SIGKILL) await this.wait(id);
  }

  /** Gives the container's space back. ContainerStateError when it runs, unless `force` kills it first. */
  remove(id: string, options: { force?: boolean } = {}): Promise<void> {
    return this.#turns.take(id, async () => {
      const running = this.running(id);
      if (running !== undefined && !running.hasExited) {
        if (options.force !== true) {
          throw new ContainerStateError(
            `cannot remove container "/${this.get(id).name}": container is running: stop the container before removing or force remove`,
            { container: id },
          );
        }
        running.process.signal(SIGKILL);
      }
      await this.#started.get(id)?.finished;
      // with --rm its end has removed it
      if (this.#registry.has(id)) await this.#delete(id);
    });
  }

  /** The image, from which containers were started while it was still coming, is here whole. */
  async settle(imageID: Digest): Promise<void> {
    for (const { id } of this.#coming(imageID)) await this.#registry.settle(id);
  }

  /** The image will not come: what was started from it ends, and goes. */
  async abandon(imageID: Digest): Promise<void> {
    await Promise.all(this.#coming(imageID).map(({ id }) => this.remove(id, { force: true })));
  }

  #coming(imageID: Digest): readonly ContainerRecord[] {
    return this.list().filter((record) => record.isComing === true && record.imageID === imageID);
  }

  async #delete(id: string): Promise<void> {
    const record = this.get(id);
    await this.#registry.setState(id, { status: 'removing' });
    this.#files.forgetSize(id);
    await this.#rootfs.delete(id);
    await this.#registry.delete(id);
    this.#emit('destroy', record);
  }

  /** Starts another program in a running container. CannotStartError, LayerboxError when it does not run. */
  async exec(id: string, options: ExecOptions): Promise<Process> {
    const record = this.get(id);
    const running = this.running(id);
    if (running === undefined) throw notRunning(id);
    const machine = await startedMachine(this.#ports.machine);
    const spec = await execSpec(record, running, options);
    this.#emit('exec_start', record);
    try {
      return await machine.spawn(spec);
    } catch (error) {
      throw execFailure(error, spec.cwd);
    }
  }

  /** The container's log: the live one while it runs. */
  async log(id: string): Promise<ContainerLog> {
    return this.running(id)?.log ?? (await this.#openLog(this.get(id).id));
  }

  /** As `ContainerFiles.diff`. */
  async diff(id: string): Promise<readonly FileChange[]> {
    return this.#files.diff(this.get(id));
  }

  /** As `ContainerFiles.sizes`. */
  async sizes(id: string): Promise<ContainerSizes> {
    return this.#files.sizes(this.get(id));
  }

  /** The container's files, with what its programs wrote so far. The caller releases them. */
  async openRootfs(id: string): Promise<Rootfs> {
    return this.#files.open(this.get(id));
  }

  /** Ends all that runs, waits until files and records are safe. */
  async close(): Promise<void> {
    const started = [...this.#started.values()];
    for (const { running } of started) running.process.signal(SIGKILL);
    await Promise.all(started.map(({ finished }) => finished));
  }

  #openLog(id: string): Promise<ContainerLog> {
    const { records, now, onFailure } = this.#ports;
    return ContainerLog.open({ records, now, onFailure }, id);
  }

  #emit(action: ContainerAction, record: ContainerRecord, exitCode?: number): void {
    const { id, name } = record;
    this.#ports.events.emit({
      type: 'container',
      action,
      id,
      name,
      ...(exitCode !== undefined && { exitCode }),
    });
  }
}
