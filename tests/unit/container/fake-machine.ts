/** A machine whose programs are functions: the port kept to the letter, no kernel behind it. */

import type {
  Client,
  ExitStatus,
  Machine,
  MachineState,
  Output,
  Process,
  SpawnSpec,
  TerminalSize,
} from '../../../src/engine/container/machine.ts';
import { CannotStartError } from '../../../src/engine/errors.ts';
import type { FileSystem } from '../../../src/engine/unionfs/filesystem.ts';
import { FakeHostNetwork } from '../network/fake-host-network.ts';

export interface Program {
  readonly spec: SpawnSpec;
  /** The tree of its container, when it has one. */
  readonly root: FileSystem | undefined;
  /** Resolves when somebody took it. */
  out(text: string): Promise<void>;
  err(text: string): Promise<void>;
  /** The next piece of its input, or undefined at the end. */
  read(): Promise<string | undefined>;
  /** The first signal that comes; SIGKILL ends the program whatever it does. */
  readonly killed: Promise<number>;
  readonly sizes: TerminalSize[];
  readonly signals: number[];
}

/** Resolves with the exit code. */
export type ProgramCode = (program: Program) => Promise<number>;

export class FakeMachine implements Machine {
  state: MachineState = { status: 'off' };
  readonly trees = new Map<string, FileSystem>();
  readonly spawned: SpawnSpec[] = [];
  readonly programs: Readonly<Record<string, ProgramCode>>;
  readonly removedCgroups: string[] = [];
  syncs = 0;
  touches = 0;
  #listener: ((client: Client) => void) | undefined;
  #stateListeners: ((state: MachineState) => void)[] = [];
  #pid = 100;
  readonly #processes = new Set<FakeProcess>();

  constructor(programs: Readonly<Record<string, ProgramCode>>) {
    this.programs = programs;
  }

  async start(): Promise<void> {
    if (this.state.status !== 'off') return;
    this.#become({ status: 'running', how: 'boot' });
  }

  #become(state: MachineState): void {
    this.state = state;
    for (const listener of this.#stateListeners) listener(state);
  }

  touch(): void {
    this.touches += 1;
  }

  exportTree(path: string, tree: FileSystem): void {
    if (this.trees.has(path)) throw new Error(`${path} is exported already`);
    this.trees.set(path, tree);
  }

  async withdrawTree(path: string): Promise<void> {
    this.trees.delete(path);
  }

  async spawn(spec: SpawnSpec): Promise<Process> {
    this.spawned.push(spec);
    const { argv, container, inside } = spec;
    const name = argv[0] ?? '';
    const code = Object.hasOwn(this.programs, name) ? this.programs[name] : undefined;
    if (code === undefined) {
      const why = name.includes('/')
        ? `stat ${name}: no such file or directory`
        : 'executable file not found in $PATH';
      throw new CannotStartError(`exec: "${name}": ${why}`, { exitCode: 127, errno: 2 });
    }
    if (container !== undefined && !this.trees.has(container.tree))
      throw new Error(`no tree at ${container.tree}`);
    this.#pid += 1;
    const root = container === undefined ? undefined : this.trees.get(container.tree);
    const parent = inside instanceof FakeProcess ? inside : undefined;
    const process = new FakeProcess(this.#pid, spec, root ?? parent?.root, code);
    this.#processes.add(process);
    void process.exit.finally(() => this.#processes.delete(process)).catch(() => undefined);
    return process;
  }

  /** Programs that have not ended. */
  get running(): number {
    return this.#processes.size;
  }

  onClient(listener: (client: Client) => void): void {
    this.#listener = listener;
  }

  /** A `docker` program is started in the guest. */
  connect(client: Client): void {
    this.#listener?.(client);
  }

  async sync(): Promise<void> {
    this.syncs += 1;
  }

  /** What was written to files of the host's side. */
  readonly written = new Map<string, string>();
  /** What files of the host's side say. */
  readonly files = new Map<string, string>();

  async writeControl(path: string, value: string): Promise<void> {
    this.written.set(path, value);
  }

  async readControl(path: string): Promise<string> {
    return this.files.get(path) ?? '';
  }

  async removeCgroup(name: string): Promise<void> {
    this.removedCgroups.push(name);
  }

  /** What was frozen, and let go again, in order: `+web`, `-web`. */
  readonly frozen: string[] = [];

  async freeze(cgroup: string, frozen: boolean): Promise<void> {
    this.frozen.push(`${frozen ? '+' : '-'}${cgroup}`);
  }

  readonly network = new FakeHostNetwork();

  async dial(): Promise<never> {
    throw new Error('the fake has no host side');
  }

  stats() {
    return { memoryBytes: 64 * 1024 * 1024, requests: {} };
  }

  onState(listener: (state: MachineState) => void): void {
    this.#stateListeners.push(listener);
  }

  async close(): Promise<void> {
    this.#become({ status: 'closed' });
    this.#stateListeners = [];
  }
}

class FakeProcess implements Process {
  readonly pid: number;
  readonly exit: Promise<ExitStatus>;
  readonly root: FileSystem | undefined;
  readonly #output = new Queue<Output>();
  readonly #input = new Queue<Uint8Array>();
  readonly #sizes: TerminalSize[] = [];
  readonly #signals: number[] = [];
  #kill: (number: number) => void = () => undefined;
  #killForGood: () => void = () => undefined;

  constructor(pid: number, spec: SpawnSpec, root: FileSystem | undefined, code: ProgramCode) {
    this.pid = pid;
    this.root = root;
    if (spec.tty !== undefined) this.#sizes.push(spec.tty);
    const killed = new Promise<number>((resolve) => {
      this.#kill = resolve;
    });
    const put = (stream: 'out' | 'err', text: string) =>
      this.#output.put({ stream, bytes: new TextEncoder().encode(text) });
    const input = this.#input.take();
    const program: Program = {
      spec,
      root,
      out: (text) => put('out', text),
      err: (text) => put('err', text),
      read: async () => {
        const { done, value } = await input.next();
        return done === true ? undefined : new TextDecoder().decode(value);
      },
      killed,
      sizes: this.#sizes,
      signals: this.#signals,
    };
    const killedForGood = new Promise<number>((resolve) => {
      this.#killForGood = () => resolve(137);
    });
    this.exit = Promise.race([code(program), killedForGood]).then((exitCode) => {
      this.#output.end();
      return { code: exitCode, signal: exitCode > 128 ? exitCode - 128 : 0 };
    });
  }

  get output(): AsyncIterable<Output> {
    return this.#output.take();
  }

  async write(bytes: Uint8Array): Promise<void> {
    void this.#input.put(bytes);
  }

  closeInput(): void {
    this.#input.end();
  }

  resize(size: TerminalSize): void {
    this.#sizes.push(size);
  }

  signal(number: number): void {
    this.#signals.push(number);
    this.#kill(number);
    if (number === 9) this.#killForGood();
  }
}

/** One writer, one reader; `put` resolves when the piece was used. */
class Queue<T> {
  readonly #items: { readonly item: T; used(): void }[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  put(item: T): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.#items.push({ item, used: resolve });
      this.#wake();
    });
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *take(): AsyncGenerator<T> {
    for (;;) {
      const next = this.#items.shift();
      if (next !== undefined) {
        yield next.item;
        next.used();
        continue;
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
