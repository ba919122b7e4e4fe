/** The page's side of the worker boundary: a SandboxHost whose engine is at the other end of a message port. */

import { type Endpoint, proxy, type Remote, releaseProxy, transfer, wrap } from 'comlink';
import { LayerboxError, SandboxInUseError } from '../engine/errors.ts';
import type { StampedEvent } from '../engine/events.ts';
import { installErrorTransfer } from './errors.ts';
import type { EventHub } from './event-hub.ts';
import type { SandboxHost } from './host.ts';
import type { SandboxOptions, TerminalSession, WalkEntry } from './sandbox.ts';
import type { EngineSurface } from './surface.ts';

export interface Connection {
  /** Opens the engine at the other end; rejects with why it could not. */
  open(options: SandboxOptions): Promise<SandboxHost>;
  /** The other end is gone: every call that waits for it, and every later one, rejects with this. */
  fail(reason: Error): void;
  /**
   * The answer of another worker that has no word without this engine: rejects when the other end is gone, and is not
   * asked for when it was gone before.
   */
  until<T>(ask: () => Promise<T>): Promise<T>;
  /** Once it is open: lets the engine answer at this port what the worker for queries asks. */
  serveViews(port: MessagePort): Promise<void>;
}

/** Nothing is sent before `open`; events of the engine go to `events`. */
export function connectEngine(endpoint: Endpoint, events: EventHub): Connection {
  installErrorTransfer();
  const remote = wrap<EngineSurface>(endpoint);
  const calls = new PendingCalls();
  return {
    async open(options) {
      const sink = proxy((batch: readonly StampedEvent[]) => {
        for (const event of batch) {
          events.emit(event);
          if (event.type === 'ownership') calls.fail(takenOver(options.name ?? 'default'));
        }
      });
      await calls.until(() => remote.open(options, sink));
      return remoteHost(remote, calls);
    },
    fail: (reason) => calls.fail(reason),
    until: (ask) => calls.until(ask),
    serveViews: (port) => calls.until(() => remote.serveViews(transfer(port, [port]))),
  };
}

const takenOver = (sandbox: string) =>
  new SandboxInUseError(`sandbox ${JSON.stringify(sandbox)} was taken over by another tab of this browser`, {
    sandbox,
  });

/** Comlink's promises never settle when the worker dies; these do. */
class PendingCalls {
  readonly #rejects = new Set<(reason: Error) => void>();
  #failure: Error | undefined;

  fail(reason: Error): void {
    this.#failure ??= reason;
    for (const reject of this.#rejects) reject(this.#failure);
    this.#rejects.clear();
  }

  /** Asks nothing once that is known to be in vain: the answer would fail, too, and nobody would take it. */
  until<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise<T>((resolve, reject) => {
      this.#rejects.add(reject);
      ask()
        .then(resolve, reject)
        .finally(() => this.#rejects.delete(reject));
    });
  }
}

function remoteHost(remote: Remote<EngineSurface>, calls: PendingCalls): SandboxHost {
  let lastCall = 0;
  return {
    async command(words, io) {
      lastCall += 1;
      const call = lastCall;
      const input = io.input?.[Symbol.asyncIterator]();
      const cancel = () => void remote.cancel(call);
      const source = async () => {
        const next = await input?.next();
        return next === undefined || next.done === true ? undefined : new Uint8Array(next.value);
      };
      const running = calls.until(() =>
        remote.command(
          call,
          words,
          input === undefined ? undefined : proxy(source),
          proxy((stream: 'out' | 'err', bytes: Uint8Array) => io.write(stream, bytes)),
        ),
      );
      io.signal.addEventListener('abort', cancel, { once: true });
      if (io.signal.aborted) cancel();
      try {
        return await running;
      } finally {
        io.signal.removeEventListener('abort', cancel);
        // not awaited: a source that waits for its own next chunk may never come back from `return`
        input?.return?.().catch(() => undefined);
      }
    },
    async terminal({ rows, columns, onData }) {
      const sink = proxy(async (bytes: Uint8Array) => {
        await onData(bytes);
      });
      const handle = await calls.until(() => remote.terminal({ rows, columns }, sink));
      const exit = calls.until(() => handle.waitExit());
      exit.catch(() => undefined).finally(() => handle[releaseProxy]());
      let over = false;
      exit.then(
        () => {
          over = true;
        },
        () => {
          over = true;
        },
      );
      const session: TerminalSession = {
        exit,
        // what is typed after the end goes nowhere, as in any terminal
        write: async (bytes) => {
          if (!over) await calls.until(() => handle.write(new Uint8Array(bytes)));
        },
        resize: (size) => {
          if (!over) void handle.resize(size);
        },
        close: () => {
          if (!over) void handle.close();
        },
      };
      return session;
    },
    images: () => calls.until(() => remote.images()),
    containers: () => calls.until(() => remote.containers()),
    list: (reference, path, range, platform) =>
      calls.until(() => remote.list(reference, path, range, platform)),
    changes: (container) => calls.until(() => remote.changes(container)),
    walk: (reference, platform) => walkRemote(remote, calls, reference, platform),
    read: (reference, path, platform) => calls.until(() => remote.read(reference, path, platform)),
    getThroughPort: (port, path) => calls.until(() => remote.getThroughPort(port, path)),
    async close() {
      await calls.until(() => remote.close());
      calls.fail(new LayerboxError('The sandbox was closed.'));
    },
  };
}

async function* walkRemote(
  remote: Remote<EngineSurface>,
  calls: PendingCalls,
  reference: string,
  platform: string | undefined,
): AsyncGenerator<WalkEntry> {
  const cursor = await calls.until(() => remote.openWalk(reference, platform));
  let ended = false;
  try {
    while (true) {
      const batch = await calls.until(() => remote.nextEntries(cursor));
      if (batch.length === 0) {
        ended = true;
        return;
      }
      yield* batch;
    }
  } finally {
    if (!ended) remote.closeWalk(cursor).catch(() => undefined);
  }
}
