/**
 * The machine port: a Linux host on which containers run. v86 is one
 * implementation (src/machine); nothing here knows of it.
 *
 * Vocabulary. A *tree* is a FileSystem that the machine exports to its guest
 * under a path: `c/<container id>`, `v/<volume>`, `host`. A *process* is what
 * `spawn` started; its output is pulled, so that who reads slowly slows down
 * the writer and nobody else. A *client* is a `docker` program in the guest
 * that waits to be served.
 */

import type { HostNetwork } from '../network/host-network.ts';
import type { FileSystem } from '../unionfs/filesystem.ts';

export interface Machine {
  readonly state: MachineState;
  /** Boots or restores; resolves when processes can be spawned. Idempotent. MachineFailedError. */
  start(): Promise<void>;
  /** Makes a tree reachable for the guest at `path`; replaces nothing: the path must be free. */
  exportTree(path: string, tree: FileSystem): void;
  /** Forgets a tree; the guest's caches of it are dropped. */
  withdrawTree(path: string): Promise<void>;
  /** CannotStartError with data.exitCode 126, 127 or 125 when the program could not be executed. */
  spawn(spec: SpawnSpec): Promise<Process>;
  /** Called for each `docker` program that the guest starts. One listener. */
  onClient(listener: (client: Client) => void): void;
  /** The guest's dirty data has reached the trees, and those that could flush are durable, when this resolves. */
  sync(): Promise<void>;
  /** One write of text to a file of the guest's host side (cgroups, /proc/sys). */
  writeControl(path: string, value: string): Promise<void>;
  readControl(path: string): Promise<string>;
  /** Removes the cgroup of a container that has exited. */
  removeCgroup(name: string): Promise<void>;
  freeze(cgroup: string, frozen: boolean): Promise<void>;
  /** The links and namespaces of the guest's host side. */
  readonly network: HostNetwork;
  /** Connects to a TCP port of the guest's host side. Its reader sees the end at once when nobody listens there. */
  dial(port: number): Promise<Connection>;
  stats(): MachineStats;
  onState(listener: (state: MachineState) => void): void;
  /** Somebody is at work beside the machine: what it does in idle time waits. */
  touch(): void;
  close(): Promise<void>;
}

export type MachineState =
  | { readonly status: 'off' | 'starting' | 'running' | 'closed'; readonly how?: 'boot' | 'restore' }
  | { readonly status: 'failed'; readonly reason: string };

export interface MachineStats {
  readonly memoryBytes: number;
  /** Requests that the 9P server has answered, by message name. */
  readonly requests: Readonly<Record<string, number>>;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface SpawnSpec {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups?: readonly number[];
  readonly tty?: TerminalSize;
  /**
   * A network namespace made by `network`, or `host`. Undefined: of a new container one of its own, with `lo` alone; else
   * that of the guest's host side.
   */
  readonly network?: string;
  /** Run in a new container on this exported tree (`c/<id>`). */
  readonly container?: ContainerSpec;
  /** Run inside the container that this process is the init of. */
  readonly inside?: Process;
  /** With `inside`: capability sets as a hexadecimal mask; undefined: all. */
  readonly capabilities?: string;
  /** setrlimit(2). */
  readonly rlimits?: readonly ResourceLimit[];
  /**
   * A static program of the guest's host side, by its path, to run in place of argv[0]: its files are those of the
   * container, and it is none of the container's programs: their limits and their being paused are not its own.
   */
  readonly program?: string;
}

export interface ContainerSpec {
  readonly tree: string;
  readonly hostname: string;
  readonly cgroup: string;
  /** Mounted in this order: a later one may lie in one before. */
  readonly binds?: readonly (Bind | TmpfsMount)[];
  readonly readOnly?: boolean;
  /** Capability sets as a hexadecimal mask. */
  readonly capabilities?: string;
  /** The kernel's settings and the cgroups can be written, the host's devices are there. */
  readonly privileged?: boolean;
}

export interface ResourceLimit {
  /** The number of RLIMIT_NOFILE and the like. */
  readonly resource: number;
  /** -1: none. */
  readonly soft: number;
  readonly hard: number;
}

export interface Bind {
  /** A path of the guest's host side; with `tree`, one within that exported tree, '' for all of it. */
  readonly source: string;
  readonly tree?: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** What is mounted below the source stays where it is. Default: it comes along. */
  readonly isRecursive?: boolean;
  /** With `readOnly`: so is what is mounted below the source. Default true. */
  readonly isReadOnlyRecursive?: boolean;
  /** A source that is not there is an error. Default: a folder is made. */
  readonly mustExist?: boolean;
}

export interface TmpfsMount {
  readonly tmpfs: true;
  readonly target: string;
  /** As mount(8) takes them. */
  readonly options: string;
}

export interface ExitStatus {
  /** 128+n when a signal ended it. */
  readonly code: number;
  readonly signal: number;
}

export interface Output {
  readonly stream: 'out' | 'err';
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Output is at an end when the program closed it; `exit` may come sooner or later than that. */
export interface Process {
  readonly pid: number;
  readonly exit: Promise<ExitStatus>;
  /** One reader. The next chunk is asked of the guest when the last one was used. */
  readonly output: AsyncIterable<Output>;
  /** Resolves when the guest has room for more. Writing after the exit is no error. */
  write(bytes: Uint8Array): Promise<void>;
  closeInput(): void;
  resize(size: TerminalSize): void;
  /** `foreground`: to the foreground process group of its terminal, as Ctrl-C does. */
  signal(number: number, foreground?: boolean): void;
}

/** A stream of bytes both ways. */
export interface Connection {
  /** One reader. At an end when the other side has closed its half, or could not be reached. */
  readonly input: AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends this side's half. */
  end(): void;
  /** Drops the connection. */
  close(): void;
}

/** A `docker` program in the guest, waiting to be told what to print. */
export interface Client {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly terminal: {
    readonly stdin: boolean;
    readonly stdout: boolean;
    readonly stderr: boolean;
    readonly size: TerminalSize;
  };
  write(stream: 'out' | 'err', bytes: Uint8Array): Promise<void>;
  /** What the client forwards from now on; nothing before the first call. */
  attach(options: { stdin: boolean; raw: boolean; signals: boolean }): void;
  /** Its standard input, once attached. */
  readonly input: AsyncIterable<Uint8Array<ArrayBuffer>>;
  onResize(listener: (size: TerminalSize) => void): void;
  onSignal(listener: (number: number) => void): void;
  /** Aborted when the program is gone, killed or done. */
  readonly gone: AbortSignal;
  /** Ends the program with this exit code, after all that was written. */
  exit(code: number): void;
}
