/**
 * The Sandbox over a host that may still be opening: each method waits for what
 * it needs, and when the opening failed, rejects with why.
 */

import { encodeName } from '../engine/names.ts';
import { CommandText } from './command-text.ts';
import type { EventHub } from './event-hub.ts';
import type { CommandWords, SandboxHost } from './host.ts';
import { Listeners, type ReadonlyListeners } from './listeners.ts';
import type { About, CommandIo, CommandResult, FilesView, Sandbox } from './sandbox.ts';

/** `opening` rejects with the reason when there will be no host; `events` must be fed by whoever opens it. */
export function sandboxOver(
  opening: Promise<SandboxHost>,
  events: EventHub,
  late: ReadonlyListeners<About> = new Listeners(),
): Sandbox {
  // the reason reaches whoever calls a method; without a caller it is no unhandled rejection
  opening.catch(() => undefined);
  let closing: Promise<void> | undefined;

  const stream: ReturnType<Sandbox['events']> = {
    [Symbol.asyncIterator]: () => events.iterate(),
    subscribe: (listener) => events.subscribe(listener),
  };

  return {
    docker: (argv, io) => runCommand(opening, { docker: [...argv] }, io),
    sh: (line, io) => runCommand(opening, { sh: line }, io),
    files: (reference, options) => filesView(opening, reference, options?.platform),
    events: () => stream,
    terminal: async (options) => (await opening).terminal(options),
    images: async () => (await opening).images(),
    containers: async () => (await opening).containers(),
    changes: async (container) => (await opening).changes(container),
    getThroughPort: async (port, path) => (await opening).getThroughPort(port, path),
    onLate: (listener) => late.subscribe(listener),
    close: () => {
      closing ??= opening.then(
        async (host) => {
          await host.close();
          events.close();
        },
        () => events.close(),
      );
      return closing;
    },
  };
}

async function runCommand(
  opening: Promise<SandboxHost>,
  words: CommandWords,
  io: CommandIo = {},
): Promise<CommandResult> {
  io.signal?.throwIfAborted();
  const out = new CommandText();
  const err = new CommandText();
  const host = await opening;
  io.signal?.throwIfAborted();
  const exitCode = await host
    .command(words, {
      input: inputOf(io.stdin),
      signal: io.signal ?? new AbortController().signal,
      write: async (stream, bytes) => {
        (stream === 'out' ? out : err).add(bytes);
        await (stream === 'out' ? io.onStdout : io.onStderr)?.(bytes);
      },
    })
    .catch((error: unknown) => {
      // an abort is told in the caller's own words, whatever the command made of it
      io.signal?.throwIfAborted();
      throw error;
    });
  io.signal?.throwIfAborted();
  return { exitCode, stdout: out.end(), stderr: err.end() };
}

/** Standard input as chunks of at most 64 KB. */
function inputOf(stdin: CommandIo['stdin']): AsyncIterable<Uint8Array> | undefined {
  if (stdin === undefined) return undefined;
  if (typeof stdin === 'string') return chunks(encodeName(stdin));
  if (stdin instanceof Uint8Array) return chunks(stdin);
  return stdin;
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

function filesView(
  opening: Promise<SandboxHost>,
  reference: string,
  platform: string | undefined,
): FilesView {
  return {
    async *walk() {
      yield* (await opening).walk(reference, platform);
    },
    list: async (path, range = {}) => (await opening).list(reference, path, range, platform),
    read: async (path) => (await opening).read(reference, path, platform),
  };
}
