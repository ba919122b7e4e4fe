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
import { type ContainerHealth, type ContainerRecord, hostConfigOf } from '../store/container-record.ts';
import type { ContentReader } from '../store/content-reader.ts';
import type { JournalStore } from '../store/journal.ts';
import type { Leases } from '../store/leases.ts';
import type { RecordStore } from '../store/records.ts';
import { Turns } from '../turns.ts';
import type { FileSystem } from '../unionfs/filesystem.ts';
import type { FileChange } from '../unionfs/union.ts';
import type { Volumes } from '../volume/volumes.ts';
import type { Attachment } from './attach.ts';
import { containerEvent, type EventDetails } from './container-events.ts';
import { ContainerFiles } from './container-files.ts';
import { checkName, generateID, type Random } from './container-name.ts';
import { ContainerNetworks } from './container-networks.ts';
import { ContainerRegistry } from './container-registry.ts';
import { ContainerVolumes } from './container-volumes.ts';
import { ContainerCopying } from './copying.ts';
import { type CreateOptions, createContainer, type ImageSource } from './creation.ts';
import { type ExecOptions, execSpec } from './exec.ts';
import { HealthMonitors, initialHealth, unprobed } from './health-monitors.ts';
import type { ImageStacks } from './image-stacks.ts';
import type { ContainerSizes } from './inspection.ts';
import { launch } from './launch.ts';
import { cgroupFile, writeLimits } from './limits.ts';
import { ContainerLog } from './log.ts';
import type { Machine, Process } from './machine.ts';
import { type GuestProcessEntry, processesOf } from './processes.ts';
import { shouldRestart, startsWithHost } from './restart-policy.ts';
import { Restarts } from './restarts.ts';
import { type Rootfs, RootfsPool } from './rootfs.ts';
import { type Ending, notRunning, RunningContainer } from './running.ts';
import { parseSignal, SIGKILL, SIGTERM } from './signals.ts';
import { execFailure, startFailure } from './start-failure.ts';
import { startedMachine } from './started-machine.ts';
import { type Sample, sampleOf } from './stats.ts';
import { type HostConfigChange, updatedHostConfig } from './update.ts';

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
  readonly #volumes: ContainerVolumes;
  readonly copying: ContainerCopying;
  readonly #restarts = new Restarts();
  readonly #health: HealthMonitors;
  /** Restarted by hand: their end is not that of --rm. */
  readonly #kept = new Set<string>();
  /** What is being done to each container; the next waits. */
  readonly #turns = new Turns();

  private constructor(ports: ContainerPorts, registry: ContainerRegistry) {
    this.#ports = ports;
    this.#registry = registry;
    this.#rootfs = new RootfsPool(ports);
    const { stacks, machine } = ports;
    this.networks = new ContainerNetworks({ ...ports, registry });
    this.#volumes = new ContainerVolumes({ ...ports, registry, running: (id) => this.running(id) });
    this.copying = new ContainerCopying({
      ...ports,
      get: (id) => this.get(id),
      openRootfs: (id) => this.openRootfs(id),
      running: (id) => this.running(id),
      inTurn: (id, work) => this.#turns.take(id, work),
    });
    const { now, onFailure } = ports;
    this.#health = new HealthMonitors({
      get: (id) => this.get(id),
      spawn: async (id, argv) => this.exec(id, { argv, env: [] }),
      store: (id, health) => this.#storeHealth(id, health),
      now,
      onFailure,
    });
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
      if (state.status === 'removing' || ended) await containers.#delete(id, { volumes: config.autoRemove });
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
    if (options.network !== undefined) this.networks.check(options.network);
    const record = await createContainer({ ...this.#ports, mounts: this.#volumes }, this.#registry, options);
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
        if (this.get(id).state.status === 'paused') {
          throw new ContainerStateError('cannot start a paused container, try unpause instead', {
            container: id,
          });
        }
        for (const attachment of attachments) present.running.attach(attachment);
        return present;
      }
      await present?.finished;
      this.#restarts.reset(id);
      return this.#startNow(id, attachments, { restartCount: 0, isManuallyStopped: false });
    });
  }

  async #startNow(
    id: string,
    attachments: readonly Attachment[],
    change: { restartCount?: number; isManuallyStopped?: boolean },
  ): Promise<Started> {
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
      return await this.#launched(machine, record, rootfs, process, attachments, change);
    } catch (error) {
      await rootfs.release();
      throw error;
    }
  }

  /** By its restart policy, when it still waits for that. */
  #startAgain(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      const isDue = () => this.#registry.has(id) && this.get(id).state.status === 'restarting';
      if (!isDue() || this.#restarts.isCancelled(id)) return;
      try {
        await this.#startNow(id, [], {});
      } catch (error) {
        if (!isDue()) return;
        const reason = error instanceof Error ? error.message : String(error);
        await this.#registry.setState(id, { status: 'exited', error: reason });
      }
    });
  }

  /**
   * Starts what was running when the page went away and is to run again, as Docker's daemon does when it comes back.
   * What cannot be started has the reason in its record.
   */
  async startWithHost(): Promise<void> {
    const due = this.list().filter((record) => startsWithHost(record));
    await Promise.all(due.map(({ id }) => this.start(id).catch(this.#ports.onFailure)));
  }

  /** Starts the program; what could not start is told in the record too. */
  async #spawn(
    machine: Machine,
    record: ContainerRecord,
    rootfs: Rootfs,
    attachments: readonly Attachment[],
  ): Promise<Process> {
    try {
      await writeLimits(machine, record.id, hostConfigOf(record).limits, { all: false });
      const mounts = await this.#volumes.mounts(record);
      const network = await this.networks.open(machine, record);
      return await launch(machine, record, rootfs.union, attachments, network, mounts);
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
    change: { restartCount?: number; isManuallyStopped?: boolean },
  ): Promise<Started> {
    const { id, config } = record;
    const log = await this.#openLog(id);
    const running = new RunningContainer({ id, machine, process, union: rootfs.union, log, attachments });
    if (!config.openStdin && !config.tty) process.closeInput();
    const startedAt = this.#ports.now();
    const health = initialHealth(record);
    const state = {
      status: 'running',
      pid: process.pid,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt,
      finishedAt: 0,
      ...(health !== undefined && { health }),
    } as const;
    const stored = this.#registry.setState(id, state, change).then(() => {
      this.#volumes.announce('mount', record);
      this.#emit('start', record);
      if (!running.hasExited) this.#health.start(id);
    });
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
    this.#health.stop(id);
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
      const before = this.get(id);
      const finishedAt = this.#ports.now();
      const ranFor = finishedAt - before.state.startedAt;
      const isDue = !this.#restarts.isCancelled(id) && shouldRestart(before, ending.code);
      const health = unprobed(before.state.health);
      const state = {
        status: isDue ? 'restarting' : 'exited',
        pid: 0,
        exitCode: ending.code,
        error: failures.join('; '),
        oomKilled: ending.oomKilled,
        finishedAt,
        ...(health !== undefined && { health }),
      } as const;
      const restartCount = (before.restartCount ?? 0) + 1;
      const record = await this.#registry.setState(id, state, isDue ? { restartCount } : {});
      this.#started.delete(id);
      if (ending.oomKilled) this.#emit('oom', record);
      const execDuration = String(Math.trunc(ranFor / 1000));
      this.#emit('die', record, { exitCode: ending.code, attributes: { execDuration } });
      this.#volumes.announce('unmount', record);
      if (isDue) this.#restarts.schedule(id, ranFor, () => this.#startAgain(id));
      else if (record.config.autoRemove && !this.#kept.has(id)) await this.#delete(id, { volumes: true });
    });
    this.#started.delete(id);
    return { ...ending, error: failures.join('; ') };
  }

  /**
   * Resolves with the exit code once the container's files are safe, its state is stored and --rm is done. Of one that
   * is about to be started again, with that of its next run.
   */
  async wait(id: string): Promise<number> {
    await this.#restarts.over(id);
    const started = this.#started.get(id);
    return started === undefined ? this.get(id).state.exitCode : (await started.finished).code;
  }

  /** Joins a client to a container that runs. ContainerStateError in Docker's words. */
  attach(id: string, attachment: Attachment): Started {
    const started = this.#started.get(id);
    const { status } = this.get(id).state;
    const refuse = (message: string) => new ContainerStateError(message, { container: id });
    if (status === 'restarting') {
      throw refuse('You cannot attach to a restarting container, wait until it is running');
    }
    if (status === 'paused') throw refuse('You cannot attach to a paused container, unpause it first');
    if (started === undefined || started.running.hasExited) {
      throw refuse('You cannot attach to a stopped container, start it first');
    }
    started.running.attach(attachment);
    this.#emit('attach', this.get(id));
    void attachment.left.then((how) => {
      if (how === 'detached' && !started.running.hasExited) this.#emit('detach', this.get(id));
    });
    return started;
  }

  /** The stop signal, then SIGKILL after `timeout` seconds (a negative one waits for ever). What does not run is left alone. */
  async stop(id: string, options: { signal?: string; timeout?: number } = {}): Promise<void> {
    const { config } = this.get(id);
    const name = options.signal ?? config.stopSignal;
    const number = name === '' ? SIGTERM : parseSignal(name);
    const running = await this.#holdBack(id);
    if (running === undefined) return;
    await this.#signal(running, id, number, true);
    const timeout = options.timeout ?? config.stopTimeout ?? STOP_TIMEOUT;
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
    if (first === 'late') await this.#signal(running, running.id, SIGKILL, true);
  }

  /** Its restart policy does not start it again. Resolves with what runs, if anything does. */
  #holdBack(id: string): Promise<RunningContainer | undefined> {
    this.#restarts.cancel(id);
    return this.#turns.take(id, async () => {
      if (this.get(id).state.status === 'restarting') await this.#registry.setState(id, { status: 'exited' });
      const running = this.running(id);
      if (running !== undefined) await this.#registry.change(id, { isManuallyStopped: true });
      return running;
    });
  }

  /** A paused program takes the signal when it goes on, which one that is to end does at once. */
  async #signal(running: RunningContainer, id: string, number: number, ends: boolean): Promise<void> {
    running.process.signal(number);
    if (!this.#registry.has(id)) return;
    this.#emit('kill', this.get(id), { attributes: { signal: String(number) } });
    if (ends && this.get(id).state.status === 'paused') await this.unpause(id);
  }

  /** Sends a signal. LayerboxError in Docker's words when it does not run. SIGKILL waits for the end. */
  async kill(id: string, signal = 'KILL'): Promise<void> {
    const number = parseSignal(signal);
    if (this.get(id).state.status === 'restarting') {
      await this.#holdBack(id);
      return;
    }
    const running = this.running(id);
    if (running === undefined) throw notRunning(id);
    const { stopSignal } = this.get(id).config;
    // as moby's killWithSignal: a signal that is not known for the one that ends it may leave it running
    const ends = stopSignal === '' || number === SIGKILL || parseSignal(stopSignal) === number;
    if (ends) this.#restarts.cancel(id);
    await this.#registry.change(id, { isManuallyStopped: true });
    await this.#signal(running, id, number, ends);
    if (number === SIGKILL) await this.wait(id);
  }

  /** Stops and starts; what did not run is only started. As `stop` and `start`. */
  async restart(id: string, options: { signal?: string; timeout?: number } = {}): Promise<void> {
    this.#kept.add(id);
    try {
      await this.stop(id, options);
      await this.start(id);
    } finally {
      this.#kept.delete(id);
    }
    this.#emit('restart', this.get(id));
  }

  /** Freezes all its programs. LayerboxError in Docker's words when it does not run, or is paused. */
  pause(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      const { status } = this.get(id).state;
      if (status === 'restarting') throw restarting(id);
      const running = this.running(id);
      if (running === undefined || running.hasExited) throw notRunning(id);
      if (status === 'paused') {
        throw new ContainerStateError(`Container ${id} is already paused`, { container: id });
      }
      const machine = await startedMachine(this.#ports.machine);
      await machine.freeze(id, true);
      this.#health.stop(id);
      this.#emit('pause', await this.#registry.setState(id, { status: 'paused' }));
    });
  }

  /** Lets them go on. LayerboxError in Docker's words when it is not paused. */
  unpause(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      if (this.get(id).state.status !== 'paused') {
        throw new ContainerStateError(`Container ${id} is not paused`, { container: id });
      }
      const machine = await startedMachine(this.#ports.machine);
      const running = this.running(id);
      // its record first: the program may end as soon as it goes on
      const record = await this.#registry.setState(id, { status: 'running' });
      if (running !== undefined && !running.hasExited) await machine.freeze(id, false);
      this.#emit('unpause', record);
      if (running !== undefined && !running.hasExited) this.#health.start(id);
    });
  }

  /** LayerboxError in Docker's words for a name that cannot be, its own, or another's. */
  async rename(id: string, text: string): Promise<void> {
    const oldName = this.get(id).name;
    const record = await this.#registry.rename(id, checkName(text));
    this.#emit('rename', record, { attributes: { oldName: `/${oldName}` } });
  }

  /** Other limits, which hold at once, or another restart policy. LayerboxError in Docker's words. */
  update(id: string, change: HostConfigChange): Promise<void> {
    return this.#turns.take(id, async () => {
      const record = this.get(id);
      const hostConfig = updatedHostConfig(record, change);
      const running = this.running(id);
      if (running !== undefined && !running.hasExited) {
        const machine = await startedMachine(this.#ports.machine);
        await writeLimits(machine, id, hostConfig.limits, { all: true });
      }
      this.#emit('update', await this.#registry.change(id, { hostConfig }));
    });
  }

  /** What runs in it, by pid of the host's side. LayerboxError in Docker's words when it does not run. */
  async top(id: string): Promise<readonly GuestProcessEntry[]> {
    const { status } = this.get(id).state;
    if (status === 'restarting') throw restarting(id);
    if (this.running(id) === undefined) throw notRunning(id);
    const machine = await startedMachine(this.#ports.machine);
    const entries = await processesOf(machine, cgroupFile(id, ''));
    this.#emit('top', this.get(id));
    return entries;
  }

  /** What it uses now; undefined when it does not run. */
  async sample(id: string): Promise<Sample | undefined> {
    const running = this.running(id);
    const { machine } = this.#ports;
    if (running === undefined || running.hasExited || machine === undefined) return undefined;
    try {
      return await sampleOf(machine, id, running.process.pid);
    } catch (error) {
      if (running.hasExited || this.running(id) !== running) return undefined;
      throw error;
    }
  }

  async #storeHealth(id: string, health: ContainerHealth): Promise<void> {
    const before = this.get(id).state.health?.status;
    const record = await this.#registry.setState(id, { health });
    if (health.status !== before) this.#emit('health_status', record, { detail: health.status });
  }

  /**
   * Gives the container's space back, with `volumes` that of its anonymous volumes too. ContainerStateError when it runs,
   * unless `force` kills it first.
   */
  remove(id: string, options: { force?: boolean; volumes?: boolean } = {}): Promise<void> {
    return this.#turns.take(id, async () => {
      const running = this.running(id);
      if (running !== undefined && !running.hasExited) {
        if (options.force !== true) throw this.#inUse(id);
        this.#restarts.cancel(id);
        running.process.signal(SIGKILL);
      }
      await this.#started.get(id)?.finished;
      if (this.#registry.has(id) && this.get(id).state.status === 'restarting') {
        if (options.force !== true) throw this.#inUse(id);
        this.#restarts.cancel(id);
      }
      // with --rm its end has removed it
      if (this.#registry.has(id)) await this.#delete(id, { volumes: options.volumes === true });
    });
  }

  #inUse(id: string): Error {
    const { name, state } = this.get(id);
    const advice =
      state.status === 'paused'
        ? ' and must be unpaused first'
        : ': stop the container before removing or force remove';
    return new ContainerStateError(
      `cannot remove container "/${name}": container is ${state.status}${advice}`,
      { container: id },
    );
  }

  /** The image, from which containers were started while it was still coming, is here whole. */
  async settle(imageID: Digest): Promise<void> {
    for (const { id } of this.#coming(imageID)) await this.#registry.settle(id);
  }

  /** The image will not come: what was started from it ends, and goes. */
  async abandon(imageID: Digest): Promise<void> {
    await Promise.all(this.#coming(imageID).map(({ id }) => this.remove(id, { force: true, volumes: true })));
  }

  #coming(imageID: Digest): readonly ContainerRecord[] {
    return this.list().filter((record) => record.isComing === true && record.imageID === imageID);
  }

  async #delete(id: string, { volumes }: { readonly volumes: boolean }): Promise<void> {
    const record = this.get(id);
    await this.#registry.setState(id, { status: 'removing' });
    this.#files.forgetSize(id);
    await this.#rootfs.delete(id);
    await this.#registry.delete(id);
    await this.#volumes.removed(record, { anonymous: volumes });
    this.#emit('destroy', record);
  }

  /** Starts another program in a running container. CannotStartError, LayerboxError when it does not run. */
  async exec(id: string, options: ExecOptions): Promise<Process> {
    const record = this.get(id);
    const { status } = record.state;
    if (status === 'restarting') throw restarting(id);
    if (status === 'paused') {
      throw new ContainerStateError(`Container ${id} is paused, unpause the container before exec`, {
        container: id,
      });
    }
    const running = this.running(id);
    if (running === undefined) throw notRunning(id);
    const machine = await startedMachine(this.#ports.machine);
    const spec = await execSpec(record, running, options);
    const attributes = { execID: generateID(this.#ports.random) };
    const detail = options.argv.join(' ');
    this.#emit('exec_create', record, { detail, attributes });
    this.#emit('exec_start', record, { detail, attributes });
    try {
      const process = await machine.spawn(spec);
      process.exit.then(
        ({ code }) => this.#emit('exec_die', record, { exitCode: code, attributes }),
        () => undefined, // a machine that failed: who runs it has the error
      );
      return process;
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
    this.#restarts.close();
    const started = [...this.#started.values()];
    for (const { running } of started) running.process.signal(SIGKILL);
    await Promise.all(started.map(({ finished }) => finished));
  }

  #openLog(id: string): Promise<ContainerLog> {
    const { records, now, onFailure } = this.#ports;
    return ContainerLog.open({ records, now, onFailure }, id);
  }

  #emit(action: ContainerAction, record: ContainerRecord, details: EventDetails = {}): void {
    this.#ports.events.emit(containerEvent(action, record, details));
  }
}

function restarting(id: string): Error {
  return new ContainerStateError(`Container ${id} is restarting, wait until the container is running`, {
    container: id,
  });
}
