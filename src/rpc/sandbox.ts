/** The sandbox as its user sees it: on the page, in an embed, in Node. */

import type { ContainerSummary, ImageSummary } from '../engine/cli/summaries.ts';
import type { DirectoryListing, NameRange } from '../engine/container/files-source.ts';
import type { WalkEntry } from '../engine/container/files-view.ts';
import type { PortResponse } from '../engine/container/port-response.ts';
import type { StampedEvent } from '../engine/events.ts';
import type { FileChange } from '../engine/unionfs/changes.ts';
import type { About } from './queries.ts';

export type { ContainerSummary, ImageSummary, LayerSummary } from '../engine/cli/summaries.ts';
export type { DirectoryListing, NameRange } from '../engine/container/files-source.ts';
export type { WalkEntry, WalkType } from '../engine/container/files-view.ts';
export type { PortResponse } from '../engine/container/port-response.ts';
export type { FileChange } from '../engine/unionfs/changes.ts';
export type { About } from './queries.ts';

export interface SandboxOptions {
  /** Sandboxes of different names share nothing. Default `default`. */
  readonly name?: string;
  /**
   * Node has `memory` only. Default in a browser: `indexeddb`, or `memory` where the browser gives no storage, which a
   * `storage` event tells.
   */
  readonly storage?: 'indexeddb' | 'memory';
  /** Take it over from another tab that has it open: that one ends in good order, or is cut off. Default false. */
  readonly takeOver?: boolean;
  /**
   * Where the images of a registry or of a namespace come from. Keys as `docker.io`, `docker.io/library` or
   * `ghcr.io/org`, the longest match wins; values are the URL of a registry (`https://mirror.example`, its /v2/ is
   * used) or of a static OCI layout (`layout:https://example.org/registry/`). Added to the bundled ones.
   */
  readonly mirrors?: Readonly<Record<string, string | readonly string[]>>;
  /** False: nothing can run, all else works. Default true. */
  readonly machine?: boolean;
  /** Guest memory in MB, 64 to 512. */
  readonly memory?: number;
  /** URL of the folder with the machine and the bundled registry. Default: beside the page or the package. */
  readonly assets?: string;
}

export interface CommandIo {
  /** Nothing: the command finds its standard input at the end. */
  readonly stdin?: Uint8Array | string | AsyncIterable<Uint8Array>;
  /** The next chunk of the stream comes when what it returns has settled. */
  readonly onStdout?: (bytes: Uint8Array) => void | Promise<void>;
  readonly onStderr?: (bytes: Uint8Array) => void | Promise<void>;
  /** Aborting kills the command; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The streams decoded as UTF-8; of more than 64 M characters the first, the bytes are complete. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A read-only view of an image's or a container's union. */
export interface FilesView {
  /** Bytewise by path, parents first. */
  walk(): AsyncIterable<WalkEntry>;
  /**
   * What is in a directory, or some of it: a range of its names. Of a container that runs, what its programs have
   * written back so far. NoSuchFileError.
   */
  list(path: string, range?: NameRange): Promise<DirectoryListing>;
  /** Content of a file; links are followed inside the root. NoSuchFileError. */
  read(path: string): Promise<Uint8Array>;
}

export interface TerminalOptions {
  readonly rows: number;
  readonly columns: number;
  /** Bytes from the program; the next are asked for when the promise is settled. */
  readonly onData: (bytes: Uint8Array) => void | Promise<void>;
}

export interface TerminalSession {
  write(bytes: Uint8Array): Promise<void>;
  resize(size: { rows: number; columns: number }): void;
  /** Hangs up. */
  close(): void;
  /** Exit code of the shell. */
  readonly exit: Promise<number>;
}

export interface Sandbox {
  /** A docker command without a terminal; `argv` without `docker` itself. */
  docker(argv: readonly string[], io?: CommandIo): Promise<CommandResult>;
  /** A line for the host's shell. MachineUnavailableError with `machine: false`. */
  sh(line: string, io?: CommandIo): Promise<CommandResult>;
  /** An image by reference or ID, or a container by name or ID. Throws NoSuchImageError when there is neither. */
  files(reference: string, options?: { platform?: string }): FilesView;
  events(): AsyncIterable<StampedEvent> & { subscribe(listener: (event: StampedEvent) => void): () => void };
  /** The host's shell on a terminal of its own. */
  terminal(options: TerminalOptions): Promise<TerminalSession>;
  images(): Promise<readonly ImageSummary[]>;
  containers(): Promise<readonly ContainerSummary[]>;
  /** What `docker diff` prints, of what the container's programs have written back so far. NoSuchContainerError. */
  changes(container: string): Promise<readonly FileChange[]>;
  /** What a TCP port that a container publishes answers to a GET for `path`, at most 16 MB. Rejects when nobody answers. */
  getThroughPort(port: number, path: string): Promise<PortResponse>;
  /**
   * While the engine is busy, `images`, `containers`, `changes` and `list` answer with what they knew last; of what was
   * changed before a command of this sandbox ended they always know. The listener is told when such an answer turned
   * out to be old: ask again. Returns what ends the subscription.
   */
  onLate(listener: (about: About) => void): () => void;
  close(): Promise<void>;
}
