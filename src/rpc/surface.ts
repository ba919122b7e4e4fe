/**
 * What the engine's worker offers to the page through Comlink: only what can be
 * cloned or proxied. An AbortSignal does not clone, so a call is cancelled by
 * its number; an async iterable is not proxied, so a walk is a cursor read in
 * batches; a proxied callback answers with a promise, which is the back-pressure.
 */

import { expose, type ProxyMarked, proxy, type Remote, releaseProxy, transfer } from 'comlink';
import { LayerboxError } from '../engine/errors.ts';
import type { StampedEvent } from '../engine/events.ts';
import { installErrorTransfer } from './errors.ts';
import type { CommandWords, HostIo, OpenHost, SandboxHost } from './host.ts';
import { exposeViews } from './query-surface.ts';
import type {
  ContainerSummary,
  DirectoryListing,
  FileChange,
  ImageSummary,
  NameRange,
  PortResponse,
  SandboxOptions,
  WalkEntry,
} from './sandbox.ts';

export type EventSink = ((events: readonly StampedEvent[]) => void) & ProxyMarked;
/** The next chunk of standard input; undefined at its end. */
export type InputSource = (() => Promise<Uint8Array | undefined>) & ProxyMarked;
export type OutputSink = ((stream: 'out' | 'err', bytes: Uint8Array) => Promise<void>) & ProxyMarked;
export type TerminalSink = ((bytes: Uint8Array) => Promise<void>) & ProxyMarked;

export interface TerminalHandle {
  write(bytes: Uint8Array): Promise<void>;
  resize(size: { rows: number; columns: number }): void;
  close(): void;
  waitExit(): Promise<number>;
}

export interface EngineSurface {
  open(options: SandboxOptions, events: EventSink): Promise<void>;
  /** `call` is the caller's own number for this command, to cancel it by. */
  command(
    call: number,
    words: CommandWords,
    input: InputSource | undefined,
    output: OutputSink,
  ): Promise<number>;
  cancel(call: number): void;
  terminal(
    size: { rows: number; columns: number },
    output: TerminalSink,
  ): Promise<TerminalHandle & ProxyMarked>;
  images(): Promise<readonly ImageSummary[]>;
  containers(): Promise<readonly ContainerSummary[]>;
  openWalk(reference: string, platform: string | undefined): number;
  /** The next entries, at most `walkBatch`; none at the end. */
  nextEntries(cursor: number): Promise<readonly WalkEntry[]>;
  closeWalk(cursor: number): Promise<void>;
  list(
    reference: string,
    path: string,
    range: NameRange,
    platform: string | undefined,
  ): Promise<DirectoryListing>;
  changes(container: string): Promise<readonly FileChange[]>;
  /** Once it is open: answers at this port what the worker for queries asks. */
  serveViews(port: MessagePort): void;
  read(reference: string, path: string, platform: string | undefined): Promise<Uint8Array>;
  getThroughPort(port: number, path: string): Promise<PortResponse>;
  close(): Promise<void>;
}

/** Entries of a walk that travel in one message. */
export const walkBatch = 512;

type ExposeEndpoint = NonNullable<Parameters<typeof expose>[1]>;

/** Serves one engine to the other side of `endpoint`; `open` is called when the page asks, with its options. */
export function exposeEngine(endpoint: ExposeEndpoint, open: OpenHost<SandboxOptions>): void {
  installErrorTransfer();
  expose(engineSurface(open), endpoint);
}

function engineSurface(open: OpenHost<SandboxOptions>): Served {
  let opened: SandboxHost | undefined;
  let lastCursor = 0;
  const commands = new Map<number, AbortController>();
  const cursors = new Map<number, AsyncIterator<WalkEntry>>();

  const host = (): SandboxHost => {
    if (opened === undefined)
      throw new LayerboxError('The sandbox is not open: it was closed, or never opened.');
    return opened;
  };

  return {
    async open(options, events) {
      opened = await open(options, batched(events));
    },
    async command(call, words, input, output) {
      const control = new AbortController();
      commands.set(call, control);
      const io: HostIo = {
        input: input === undefined ? undefined : inputFrom(input),
        write: async (stream, bytes) => {
          await output(stream, owned(bytes));
        },
        signal: control.signal,
      };
      try {
        return await host().command(words, io);
      } finally {
        commands.delete(call);
        input?.[releaseProxy]();
        output[releaseProxy]();
      }
    },
    cancel(call) {
      commands.get(call)?.abort();
    },
    async terminal(size, output) {
      const session = await host().terminal({
        ...size,
        onData: async (bytes) => {
          await output(owned(bytes));
        },
      });
      void session.exit.catch(() => undefined).then(() => output[releaseProxy]());
      return proxy({
        write: (bytes: Uint8Array) => session.write(bytes),
        resize: (next: { rows: number; columns: number }) => session.resize(next),
        close: () => session.close(),
        waitExit: () => session.exit,
      });
    },
    images: () => host().images(),
    containers: () => host().containers(),
    openWalk(reference, platform) {
      lastCursor += 1;
      cursors.set(lastCursor, host().walk(reference, platform)[Symbol.asyncIterator]());
      return lastCursor;
    },
    async nextEntries(cursor) {
      const iterator = cursors.get(cursor);
      const batch: WalkEntry[] = [];
      while (iterator !== undefined && batch.length < walkBatch) {
        const { done, value } = await iterator.next();
        if (done === true) {
          cursors.delete(cursor);
          break;
        }
        batch.push(value);
      }
      return batch;
    },
    async closeWalk(cursor) {
      const iterator = cursors.get(cursor);
      cursors.delete(cursor);
      await iterator?.return?.();
    },
    list: (reference, path, range, platform) => host().list(reference, path, range, platform),
    changes: (container) => host().changes(container),
    serveViews(port) {
      const { views } = host();
      if (views !== undefined) exposeViews(port, views);
    },
    async read(reference, path, platform) {
      return owned(await host().read(reference, path, platform));
    },
    async getThroughPort(port, path) {
      const answer = await host().getThroughPort(port, path);
      const body = new Uint8Array(answer.body);
      return transfer({ ...answer, body }, [body.buffer]);
    },
    async close() {
      const closing = opened;
      opened = undefined;
      for (const control of commands.values()) control.abort();
      await closing?.close();
    },
  };
}

/** The surface as the worker implements it: its callbacks are the page's, behind a proxy. */
type Served = {
  [K in keyof EngineSurface]: EngineSurface[K] extends (...args: infer A) => infer R
    ? (...args: { [I in keyof A]: Received<A[I]> }) => R
    : never;
};
type Received<T> = T extends ProxyMarked ? Remote<T> : T;

/** A copy that may be transferred: cloning a view would clone all of the buffer behind it. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  return transfer(copy, [copy.buffer]);
}

async function* inputFrom(source: Remote<InputSource>): AsyncGenerator<Uint8Array> {
  for (let chunk = await source(); chunk !== undefined; chunk = await source()) yield chunk;
}

/** One message at a time: what happens while it is under way goes with the next. */
function batched(sink: Remote<EventSink>): (event: StampedEvent) => void {
  let queue: StampedEvent[] = [];
  let sending = false;
  const send = async () => {
    sending = true;
    while (queue.length > 0) {
      const events = queue;
      queue = [];
      await sink(events);
    }
    sending = false;
  };
  return (event) => {
    queue.push(event);
    if (!sending) void send();
  };
}
