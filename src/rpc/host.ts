/**
 * One opened engine as the façade needs it. There are two: the engine in this
 * process (engine-host.ts) and one behind a worker boundary (connect.ts). The
 * façade (facade.ts) makes a Sandbox of either, so that both behave alike.
 */

import type { StampedEvent } from '../engine/events.ts';
import type { EngineViews } from './queries.ts';
import type {
  ContainerSummary,
  DirectoryListing,
  FileChange,
  ImageSummary,
  NameRange,
  PortResponse,
  TerminalOptions,
  TerminalSession,
  WalkEntry,
} from './sandbox.ts';

/** What to run: a docker command, `argv` without `docker` itself, or a line of the host's shell. */
export type CommandWords = { readonly docker: readonly string[] } | { readonly sh: string };

/** The streams of one command, without a terminal. */
export interface HostIo {
  /** Undefined: standard input is at its end from the start. */
  readonly input: AsyncIterable<Uint8Array> | undefined;
  /** The next chunk comes when this resolved. */
  write(stream: 'out' | 'err', bytes: Uint8Array): Promise<void>;
  /** Aborting kills the command; the call then settles as the command ends. */
  readonly signal: AbortSignal;
}

export interface SandboxHost {
  /** The exit code. */
  command(words: CommandWords, io: HostIo): Promise<number>;
  terminal(options: TerminalOptions): Promise<TerminalSession>;
  images(): Promise<readonly ImageSummary[]>;
  containers(): Promise<readonly ContainerSummary[]>;
  walk(reference: string, platform: string | undefined): AsyncIterable<WalkEntry>;
  list(
    reference: string,
    path: string,
    range: NameRange,
    platform: string | undefined,
  ): Promise<DirectoryListing>;
  changes(container: string): Promise<readonly FileChange[]>;
  /** For another thread, which answers the page from what it is told; only an engine of this process has them. */
  readonly views?: EngineViews;
  read(reference: string, path: string, platform: string | undefined): Promise<Uint8Array>;
  getThroughPort(port: number, path: string): Promise<PortResponse>;
  close(): Promise<void>;
}

/** Opens a host; `emit` gets each event from the first on, those of the opening included. */
export type OpenHost<Options> = (
  options: Options,
  emit: (event: StampedEvent) => void,
) => Promise<SandboxHost>;
