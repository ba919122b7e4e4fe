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
import type { EventAttributes } from '../events.ts';
import type { Digest } from '../oci/digest.ts';
import { networkOf } from '../store/container-network.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { FileChange } from '../unionfs/union.ts';
import type { Attachment } from './attach.ts';
import { checkName } from './container-name.ts';
import type { ContainerNetworks } from './container-networks.ts';
import { ContainerRegistry } from './container-registry.ts';
import { ContainerCopying } from './copying.ts';
import { type CreateOptions, createContainer } from './creation.ts';
import { type ExecOptions, execProgram } from './exec.ts';
import { waitForEnd } from './finishing.ts';
import type { ContainerSizes } from './inspection.ts';
import { cgroupFile, writeLimits } from './limits.ts';
import { type ContainerPorts, LiveContainers, type Started } from './live-containers.ts';
import type { ContainerLog } from './log.ts';
import type { Process } from './machine.ts';
import { pauseContainer, unpauseContainer } from './pausing.ts';
import { type GuestProcessEntry, processesOf } from './processes.ts';
import { deleteContainer, removeContainer } from './removing.ts';
import type { Rootfs } from './rootfs.ts';
import { notRunning, type RunningContainer, restarting } from './running.ts';
import { SIGKILL } from './signals.ts';
import { startedMachine } from './started-machine.ts';
import { startContainer, startWithHost } from './starting.ts';
import { type Sample, sampleOf } from './stats.ts';
import { killContainer, restartContainer, type StopOptions, stopContainer } from './stopping.ts';
import { type HostConfigChange, updatedHostConfig } from './update.ts';

export type { Started } from './live-containers.ts';

type FilesAction = 'archive-path' | 'commit' | 'export' | 'extract-to-dir';

/** All that can be done to containers; how each is started, ended, stopped, paused and removed is in files of their own. */
export class Containers {
  readonly #live: LiveContainers;
  readonly networks: ContainerNetworks;
  readonly copying: ContainerCopying;

  private constructor(ports: ContainerPorts, registry: ContainerRegistry) {
    const live = new LiveContainers(ports, registry);
    this.#live = live;
    this.networks = live.networks;
    this.copying = new ContainerCopying({
      ...ports,
      get: (id) => this.get(id),
      openRootfs: (id) => this.openRootfs(id),
      running: (id) => this.running(id),
      inTurn: (id, work) => live.turns.take(id, work),
      tell: (action, id) => this.tell(action, id),
    });
  }

  /** Containers as they were left; those to be removed at their end are removed if the page ended them. */
  static async open(ports: ContainerPorts): Promise<Containers> {
    const containers = new Containers(ports, await ContainerRegistry.open(ports.records, ports.now));
    for (const { id, state, config } of containers.list()) {
      const ended = state.status === 'exited' && config.autoRemove;
      if (state.status === 'removing' || ended) {
        await deleteContainer(containers.#live, id, { volumes: config.autoRemove });
      }
    }
    return containers;
  }

  /** All of them, newest first. */
  list(): readonly ContainerRecord[] {
    return this.#live.list();
  }

  /** By ID, name, or beginning of an ID. NoSuchContainerError. */
  resolve(text: string): ContainerRecord {
    return this.#live.registry.resolve(text);
  }

  /** By its whole ID. NoSuchContainerError. */
  get(id: string): ContainerRecord {
    return this.#live.get(id);
  }

  /** What runs of it, until all that follows its end is done. */
  running(id: string): RunningContainer | undefined {
    return this.#live.running(id);
  }

  /**
   * A new container of an image that is here. NoSuchImageError, ContainerNameInUseError, LayerboxError for options
   * that cannot be.
   */
  async create(options: CreateOptions): Promise<ContainerRecord> {
    if (options.network !== undefined) this.networks.check(options.network);
    const { ports, registry, volumes } = this.#live;
    const record = await createContainer({ ...ports, mounts: volumes }, registry, options);
    this.#live.emit('create', record);
    return record;
  }

  /**
   * Runs the container's program; one that runs already is left alone. `attachments` see its output from the first
   * byte. CannotStartError (data.exitCode 125, 126 or 127) in Docker's words, MachineUnavailableError.
   */
  start(id: string, attachments: readonly Attachment[] = []): Promise<Started> {
    return startContainer(this.#live, id, attachments);
  }

  /**
   * Starts what was running when the page went away and is to run again, as Docker's daemon does when it comes back.
   * What cannot be started has the reason in its record.
   */
  startWithHost(): Promise<void> {
    return startWithHost(this.#live);
  }

  /**
   * Resolves with the exit code once the container's files are safe, its state is stored and --rm is done. Of one that
   * is about to be started again, with that of its next run.
   */
  wait(id: string): Promise<number> {
    return waitForEnd(this.#live, id);
  }

  /** Joins a client to a container that runs. ContainerStateError in Docker's words. */
  attach(id: string, attachment: Attachment): Started {
    const started = this.#live.started.get(id);
    const { status } = this.get(id).state;
    const refuse = (message: string) => new ContainerStateError(message, { container: id });
    if (status === 'restarting') {
      throw refuse('You cannot attach to a restarting container, wait until it is running');
    }
    if (status === 'paused') throw refuse('You cannot attach to a paused container, unpause it first');
    if (started === undefined || started.running.hasExited) {
      throw refuse('You cannot attach to a stopped container, start it first');
    }
    this.#live.emit('attach', this.get(id));
    started.running.attach(attachment);
    return started;
  }

  /** The stop signal, then SIGKILL after `timeout` seconds (a negative one waits for ever). What does not run is left alone. */
  stop(id: string, options: StopOptions = {}): Promise<void> {
    return stopContainer(this.#live, id, options);
  }

  /** Sends a signal. LayerboxError in Docker's words when it does not run. SIGKILL waits for the end. */
  kill(id: string, signal = 'KILL'): Promise<void> {
    return killContainer(this.#live, id, signal);
  }

  /** Stops and starts; what did not run is only started. As `stop` and `start`. */
  restart(id: string, options: StopOptions = {}): Promise<void> {
    return restartContainer(this.#live, id, options);
  }

  /** Freezes all its programs. LayerboxError in Docker's words when it does not run, or is paused. */
  pause(id: string): Promise<void> {
    return pauseContainer(this.#live, id);
  }

  /** Lets them go on. LayerboxError in Docker's words when it is not paused. */
  unpause(id: string): Promise<void> {
    return unpauseContainer(this.#live, id);
  }

  /** LayerboxError in Docker's words for a name that cannot be, its own, or another's. */
  async rename(id: string, text: string): Promise<void> {
    const oldName = this.get(id).name;
    const record = await this.#live.registry.rename(id, checkName(text));
    this.#live.emit('rename', record, { attributes: { oldName: `/${oldName}` } });
  }

  /** Other limits, which hold at once, or another restart policy. LayerboxError in Docker's words. */
  update(id: string, change: HostConfigChange): Promise<void> {
    return this.#live.turns.take(id, async () => {
      const record = this.get(id);
      const hostConfig = updatedHostConfig(record, change);
      const running = this.running(id);
      if (running !== undefined && !running.hasExited) {
        const machine = await startedMachine(this.#live.ports.machine);
        await writeLimits(machine, id, hostConfig.limits, { all: true });
      }
      this.#live.emit('update', await this.#live.registry.change(id, { hostConfig }));
    });
  }

  /** What runs in it, by pid of the host's side. LayerboxError in Docker's words when it does not run. */
  async top(id: string): Promise<readonly GuestProcessEntry[]> {
    const { status } = this.get(id).state;
    if (status === 'restarting') throw restarting(id);
    if (this.running(id) === undefined) throw notRunning(id);
    const machine = await startedMachine(this.#live.ports.machine);
    const entries = await processesOf(machine, cgroupFile(id, ''));
    this.#live.emit('top', this.get(id));
    return entries;
  }

  /** Tells of what was done to a container's files; of one that is gone by now, nothing. */
  tell(action: FilesAction, id: string, attributes: EventAttributes = {}): void {
    if (this.#live.registry.has(id)) this.#live.emit(action, this.get(id), { attributes });
  }

  /** What it uses now; undefined when it does not run. */
  async sample(id: string): Promise<Sample | undefined> {
    const running = this.running(id);
    const { machine } = this.#live.ports;
    if (running === undefined || running.hasExited || machine === undefined) return undefined;
    try {
      const isOnHost = networkOf(this.get(id)).mode === 'host';
      return await sampleOf(machine, id, { pid: running.process.pid, isOnHost });
    } catch (error) {
      if (running.hasExited || this.running(id) !== running) return undefined;
      throw error;
    }
  }

  /**
   * Gives the container's space back, with `volumes` that of its anonymous volumes too. ContainerStateError when it runs,
   * unless `force` kills it first.
   */
  remove(id: string, options: { force?: boolean; volumes?: boolean } = {}): Promise<void> {
    return removeContainer(this.#live, id, options);
  }

  /** The image, from which containers were started while it was still coming, is here whole. */
  async settle(imageID: Digest): Promise<void> {
    for (const { id } of this.#coming(imageID)) await this.#live.registry.settle(id);
  }

  /** The image will not come: what was started from it ends, and goes. */
  async abandon(imageID: Digest): Promise<void> {
    await Promise.all(this.#coming(imageID).map(({ id }) => this.remove(id, { force: true, volumes: true })));
  }

  #coming(imageID: Digest): readonly ContainerRecord[] {
    return this.list().filter((record) => record.isComing === true && record.imageID === imageID);
  }

  /** Starts another program in a running container. CannotStartError, LayerboxError when it does not run. */
  exec(id: string, options: ExecOptions): Promise<Process> {
    return execProgram(this.#live, id, options);
  }

  /** The container's log: the live one while it runs. Of one that does not, who follows it comes to its end. */
  async log(id: string): Promise<ContainerLog> {
    const running = this.running(id);
    if (running !== undefined) return running.log;
    const log = await this.#live.openLog(this.get(id).id);
    await log.end();
    return log;
  }

  /** As `ContainerFiles.diff`. */
  async diff(id: string): Promise<readonly FileChange[]> {
    return this.#live.files.diff(this.get(id));
  }

  /** As `ContainerFiles.sizes`. */
  async sizes(id: string): Promise<ContainerSizes> {
    return this.#live.files.sizes(this.get(id));
  }

  /** The container's files, with what its programs wrote so far. The caller releases them. */
  async openRootfs(id: string): Promise<Rootfs> {
    return this.#live.files.open(this.get(id));
  }

  /** Ends all that runs, waits until files and records are safe. */
  async close(): Promise<void> {
    this.#live.restarts.close();
    const started = [...this.#live.started.values()];
    for (const { running } of started) running.process.signal(SIGKILL);
    await Promise.all(started.map(({ finished }) => finished));
  }
}
