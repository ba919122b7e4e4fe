/** The Machine port on v86: one emulated Linux host in this thread. */

import { HOST_HOME, HOST_TREE } from '../engine/container/host-home.ts';
import type {
  Client,
  Connection,
  Machine,
  MachineState,
  MachineStats,
  Process,
  SpawnSpec,
} from '../engine/container/machine.ts';
import { CannotStartError, MachineFailedError, MachineUnavailableError } from '../engine/errors.ts';
import type { FileSystem } from '../engine/unionfs/filesystem.ts';
import { gunzip, type MachineFiles, readMachineFile } from './assets.ts';
import { wrapKernel } from './boot-image.ts';
import { within } from './deadline.ts';
import { Emulator, type EmulatorStart } from './emulator.ts';
import { ExportedTrees } from './exported-trees.ts';
import { fittingSnapshot } from './fitting-snapshot.ts';
import { GuestClient } from './guest-client.ts';
import { dial, GuestNetwork } from './guest-network.ts';
import { spawnProcess } from './guest-process.ts';
import { Multiplexer } from './multiplexer.ts';
import { NinePServer } from './nine-p/server.ts';
import { PIECES, performPiece, pieceSpec, Rehearsal, rehearsalTree } from './rehearsal.ts';
import { COMMAND_LINE, DEFAULT_MEMORY_MB } from './snapshot.ts';
import { EXPORT, spawnWords } from './spawn-words.ts';

/**
 * 32 pages a message. Loose caching, because only the guest writes a tree
 * while it is exported; a user is told from another by who attaches.
 */
const MOUNT_OPTIONS = 'trans=virtio,version=9p2000.L,msize=135168,cache=loose,access=client';
/** A boot takes seconds; a page in the background may be given a hundredth of a processor. */
const BOOT_TIMEOUT_MS = 180_000;
const RESTORE_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 5_000;
const REHEARSAL_TREE = 'c/.rehearsal';

export interface MachineOptions {
  readonly files: MachineFiles;
  /** 64 to 512; default 128. A snapshot fits one size only. */
  readonly memoryMB?: number;
  /** The key of the snapshot that was built with this code; without it the kernel is read to find out. */
  readonly snapshotKey?: string;
  /** False: boot, whatever snapshot there is. */
  readonly useSnapshot?: boolean;
  /** True: what programs need of the kernel is compiled while nobody uses the machine (rehearsal.ts). */
  readonly rehearse?: boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Told of defects that the guest sees as an I/O error. */
  readonly report?: (error: unknown) => void;
}

/** A machine that is off. */
export function createMachine(options: MachineOptions): V86Machine {
  return new V86Machine(options);
}

export class V86Machine implements Machine {
  readonly #options: MachineOptions;
  readonly #memoryMB: number;
  readonly #server: NinePServer;
  readonly #trees: ExportedTrees;
  readonly #stateListeners: ((state: MachineState) => void)[] = [];
  #state: MachineState = { status: 'off' };
  #starting: Promise<void> | undefined;
  #isRestoring = false;
  #emulator: Emulator | undefined;
  #multiplexer: Multiplexer | undefined;
  #clientListener: ((client: Client) => void) | undefined;
  #rehearsal: Rehearsal | undefined;
  readonly network = new GuestNetwork({
    control: (op, ...words) => this.#running.control(op, ...words),
    spawn: (spec) => this.spawn(spec),
  });

  constructor(options: MachineOptions) {
    const memoryMB = options.memoryMB ?? DEFAULT_MEMORY_MB;
    if (!Number.isInteger(memoryMB) || memoryMB < 64 || memoryMB > 512) {
      throw new RangeError(`A machine has 64 to 512 MB of memory, not ${memoryMB}.`);
    }
    this.#options = options;
    this.#memoryMB = memoryMB;
    this.#server = new NinePServer({ report: options.report ?? ((error) => console.error(error)) });
    this.#trees = new ExportedTrees(this.#server, () => (this.#isUp ? this.#running : undefined));
  }

  get state(): MachineState {
    return this.#state;
  }

  onState(listener: (state: MachineState) => void): void {
    this.#stateListeners.push(listener);
  }

  onClient(listener: (client: Client) => void): void {
    this.#clientListener = listener;
  }

  stats(): MachineStats {
    return { memoryBytes: this.#memoryMB * 1024 * 1024, requests: this.#server.requests };
  }

  /** Handles and channels that are open in the guest now: neither may grow with the number of programs run. */
  get open(): { readonly fids: number; readonly channels: number } {
    return { fids: this.#server.fids, channels: this.#multiplexer?.size ?? 0 };
  }

  /** Instructions that the guest has done, modulo 2^32. */
  get instructions(): number {
    return this.#emulator?.instructions ?? 0;
  }

  start(): Promise<void> {
    if (this.#state.status === 'closed') return Promise.reject(closed());
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    this.#become({ status: 'starting' });
    try {
      const how = await this.#powerOn();
      await this.#settleIn();
      this.#become({ status: 'running', how });
      if (this.#options.rehearse === true) this.#rehearse();
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      throw this.#failure();
    }
  }

  exportTree(path: string, tree: FileSystem): void {
    this.#trees.export(path, tree);
  }

  withdrawTree(path: string): Promise<void> {
    return this.#trees.withdraw(path);
  }

  async spawn(spec: SpawnSpec): Promise<Process> {
    const tree = spec.container?.tree;
    if (tree !== undefined && !this.#trees.has(tree)) {
      throw new CannotStartError(
        `No tree is exported at "${tree}"; export it before a container runs on it.`,
        {
          exitCode: 125,
        },
      );
    }
    await this.#trees.settled;
    this.touch();
    return spawnProcess(this.#running, spec, spawnWords(spec), () => this.touch());
  }

  touch(): void {
    this.#rehearsal?.touch();
  }

  async sync(): Promise<void> {
    await this.#running.control('sync');
  }

  async writeControl(path: string, value: string): Promise<void> {
    await this.#running.control('write', ['path', path], ['value', value]);
  }

  async readControl(path: string): Promise<string> {
    return this.#running.control('read', ['path', path]);
  }

  async removeCgroup(name: string): Promise<void> {
    await this.#running.control('removecgroup', ['name', name]);
  }

  async freeze(cgroup: string, frozen: boolean): Promise<void> {
    await this.#running.control('freeze', ['name', cgroup], ['state', frozen ? '1' : '0']);
  }

  dial(port: number): Promise<Connection> {
    return dial(port, (spec) => this.spawn(spec));
  }

  async close(): Promise<void> {
    if (this.#state.status === 'closed') return;
    this.#rehearsal?.stop();
    if (this.#isUp) await this.#syncBeforeEnd();
    this.#become({ status: 'closed' });
    this.#multiplexer?.fail(closed());
    await this.#emulator?.destroy();
    this.#emulator = undefined;
  }

  /** The state of the machine at rest, for a snapshot. It does not run afterwards. */
  async suspend(): Promise<ArrayBuffer> {
    const emulator = this.#emulator;
    if (emulator === undefined || !this.#isUp) throw this.#failure();
    await emulator.stop();
    if (this.#multiplexer?.isQuiet !== true || !emulator.port.isIdle || this.#server.inFlight > 0) {
      throw new Error('The machine is not at rest: a program, a control or a file request is under way.');
    }
    return emulator.saveState();
  }

  /** Boots to where programs can be started, with nothing mounted: what a snapshot is taken of. */
  async bootBare(): Promise<void> {
    this.#become({ status: 'starting' });
    await this.#boot(await this.#compile());
    this.#become({ status: 'running', how: 'boot' });
  }

  get #isUp(): boolean {
    return this.#state.status === 'running';
  }

  /** The multiplexer of a machine that runs or is being set up; MachineFailedError, MachineUnavailableError. */
  get #running(): Multiplexer {
    const { status } = this.#state;
    if (status === 'failed' || status === 'closed') throw this.#failure();
    if (this.#multiplexer === undefined || status === 'off') {
      throw new MachineUnavailableError('The machine is off; start it first.');
    }
    return this.#multiplexer;
  }

  /** From a snapshot if one fits, else by booting. */
  async #powerOn(): Promise<'boot' | 'restore'> {
    const wasmBytes = await this.#read('v86.wasm');
    const module = WebAssembly.compile(wasmBytes);
    // the compiler works while the snapshot is being read
    module.catch(() => undefined);
    const { files, useSnapshot, snapshotKey: key } = this.#options;
    const wanted = { wasm: wasmBytes, memoryMB: this.#memoryMB, key };
    const state = useSnapshot === false ? undefined : await fittingSnapshot(files, wanted);
    if (state !== undefined) {
      try {
        this.#isRestoring = true;
        await this.#restore(await module, state);
        return 'restore';
      } catch (error) {
        this.#options.report?.(error);
        await this.#powerOff();
      } finally {
        this.#isRestoring = false;
      }
    }
    await this.#boot(await module);
    return 'boot';
  }

  async #compile(): Promise<WebAssembly.Module> {
    return WebAssembly.compile(await this.#read('v86.wasm'));
  }

  async #restore(module: WebAssembly.Module, state: ArrayBuffer): Promise<void> {
    const multiplexer = await this.#assemble(module, { state });
    // it said that it was ready before it was saved: now it has to answer
    await within(RESTORE_TIMEOUT_MS, 'The restored machine does not answer.', this.#setClock(multiplexer));
  }

  async #boot(module: WebAssembly.Module): Promise<void> {
    const boot = wrapKernel(await gunzip(await this.#read('vmlinux.gz')), {
      commandLine: COMMAND_LINE,
      memoryBytes: this.#memoryMB * 1024 * 1024,
    });
    const multiplexer = await this.#assemble(module, { boot });
    await within(BOOT_TIMEOUT_MS, 'The machine did not boot in time.', multiplexer.ready);
    await this.#setClock(multiplexer);
  }

  async #assemble(wasm: WebAssembly.Module, start: EmulatorStart): Promise<Multiplexer> {
    let emulator: Emulator | undefined;
    const multiplexer: Multiplexer = new Multiplexer({
      send: (bytes) => emulator?.port.write(bytes),
      onRequest: (channel, words) => {
        const client = new GuestClient(multiplexer, channel, words);
        this.touch();
        if (this.#clientListener === undefined) client.exit(1);
        else this.#clientListener(client);
        return client.take;
      },
      onFailure: (error) => this.#fail(error.message),
    });
    emulator = await Emulator.load({
      wasm,
      memoryBytes: this.#memoryMB * 1024 * 1024,
      start,
      receive9p: (message, reply) => this.#server.receive(message, reply),
      onBytes: (bytes) => multiplexer.receive(bytes),
      onDeath: (reason) => this.#fail(reason),
    });
    this.#emulator = emulator;
    this.#multiplexer = multiplexer;
    await emulator.run();
    return multiplexer;
  }

  /** What a snapshot cannot hold: the trees. */
  async #settleIn(): Promise<void> {
    const multiplexer = this.#running;
    await multiplexer.control('mount', ['target', EXPORT], ['options', MOUNT_OPTIONS]);
    if (this.#trees.has(HOST_TREE)) {
      await multiplexer.control('bind', ['source', `${EXPORT}/${HOST_TREE}`], ['target', HOST_HOME]);
    }
  }

  #rehearse(): void {
    const report = (error: unknown) => this.#options.report?.(error);
    this.#rehearsal = new Rehearsal({
      pieces: PIECES,
      instructions: () => this.instructions,
      perform: async (piece, signal) => {
        if (!this.#trees.has(REHEARSAL_TREE)) this.exportTree(REHEARSAL_TREE, await rehearsalTree());
        const spec = pieceSpec(piece, `${EXPORT}/${REHEARSAL_TREE}`);
        await performPiece(() => spawnProcess(this.#running, spec, spawnWords(spec)), signal);
      },
      onEnd: (error) => {
        if (!this.#isUp) return;
        if (error !== undefined) report(error);
        this.withdrawTree(REHEARSAL_TREE).catch(report);
      },
    });
  }

  async #setClock(multiplexer: Multiplexer): Promise<void> {
    const now = this.#options.now ?? Date.now;
    await multiplexer.control('time', ['ms', String(Math.round(now()))]);
  }

  async #syncBeforeEnd(): Promise<void> {
    try {
      await within(CLOSE_TIMEOUT_MS, 'The machine did not write back its files in time.', this.sync());
    } catch (error) {
      this.#options.report?.(error);
    }
  }

  #read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return readMachineFile(this.#options.files, name);
  }

  async #powerOff(): Promise<void> {
    const emulator = this.#emulator;
    this.#emulator = undefined;
    this.#multiplexer?.fail(new MachineFailedError('The machine is being started anew.'));
    this.#multiplexer = undefined;
    await emulator?.destroy();
  }

  /** The machine is lost. Everything that waits for it is told. */
  #fail(reason: string): void {
    if (this.#state.status === 'failed' || this.#state.status === 'closed') return;
    if (this.#isRestoring) {
      // a snapshot that does not run is no reason to give up: the machine boots instead
      this.#multiplexer?.fail(new MachineFailedError(reason));
      return;
    }
    const lines = this.#emulator?.console ?? [];
    this.#become({ status: 'failed', reason: [reason, ...lines].join('\n') });
    this.#multiplexer?.fail(this.#failure());
    void this.#emulator?.destroy();
  }

  #failure(): Error {
    const state = this.#state;
    if (state.status === 'failed') {
      const [reason] = state.reason.split('\n');
      return new MachineFailedError(`The machine has failed. ${reason} Reload the page to start it again.`, {
        reason: state.reason,
      });
    }
    if (state.status === 'closed') return closed();
    return new MachineUnavailableError('The machine is off; start it first.');
  }

  #become(state: MachineState): void {
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }
}

function closed(): Error {
  return new MachineFailedError('The machine was closed.');
}
