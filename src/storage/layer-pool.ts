/**
 * Layers are ingested in workers of their own, so that unpacking one stops
 * neither the machine nor the page, and several are unpacked at once.
 */

import { proxy, type Remote, releaseProxy, wrap } from 'comlink';
import { CancelledError, errorFromJSON, StorageFailedError } from '../engine/errors.ts';
import type {
  IngestProgress,
  IngestRequest,
  LayerIngestor,
  RegistryLine,
} from '../engine/image/layer-ingestor.ts';
import type { Yielding } from '../engine/lazy/pace.ts';
import type { RefusedRequest } from '../engine/registry/blob.ts';
import type { LayerRecord } from '../engine/store/records.ts';
import { storageFull } from './failures.ts';
import {
  failureOf,
  type IngestOutcome,
  type IngestReport,
  type LayerWorkerSurface,
  type RenewOutcome,
} from './layer-worker.ts';

export interface LayerPoolOptions {
  /** The sandbox whose content store the workers write. */
  readonly sandbox: string;
  /**
   * Starts a worker that runs workers/layer.worker.ts. It is passed in because a
   * bundler must see `new Worker(new URL(...))` where the worker's file is.
   */
  readonly spawn: () => Worker;
  /** codecs/codecs.wasm, compiled: all workers have the one module, and with it what was compiled of it since. */
  readonly codecs: () => Promise<WebAssembly.Module>;
  /** While it is short no layer is ingested. */
  readonly room?: { readonly isShort: boolean };
  /** Default: `defaultPoolSize`. */
  readonly size?: number;
  /** Milliseconds after which a worker without work is ended, with the memory its unpacker has. */
  readonly idleLimit?: number;
}

/**
 * One for every two processors, at least one, at most four: each has a stage worker beside it, which has as much to do.
 * With twice as many, several layers were no sooner here than one of their size, and took more memory.
 */
export function defaultPoolSize(processors: number): number {
  return Math.min(4, Math.max(1, Math.ceil(processors / 2) || 1));
}

/** Long enough for the pulls of one line to find their workers warm. */
const defaultIdleLimit = 5000;

interface IngestListener {
  readonly onProgress: (progress: IngestProgress) => void;
  readonly line?: RegistryLine;
}

interface PendingIngest extends IngestListener {
  readonly what: string;
  readonly outcome: Promise<IngestOutcome>;
  readonly fail: (error: Error) => void;
  /** Cancelled because room is short. */
  isRefused: boolean;
}

class PooledWorker {
  readonly worker: Worker;
  readonly remote: Remote<LayerWorkerSurface>;
  readonly pending = new Map<number, PendingIngest>();
  /** It gets no more to do, and is ended when it has nothing. */
  isSpent = false;
  /** It has unpacked nothing yet, and has no memory to give back. */
  isFresh = true;
  /** Ends it, unless more comes. */
  idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(worker: Worker) {
    this.worker = worker;
    this.remote = wrap<LayerWorkerSurface>(worker);
  }

  ingest(ingest: number, request: IngestRequest, listener: IngestListener): PendingIngest {
    clearTimeout(this.idleTimer);
    this.isFresh = false;
    const { onProgress, line } = listener;
    let fail: (error: Error) => void = () => undefined;
    const outcome = new Promise<IngestOutcome>((resolve, reject) => {
      fail = reject;
      this.remote
        .ingest(ingest, request)
        .then(resolve, reject)
        .finally(() => this.pending.delete(ingest));
    });
    const pending = {
      what: request.what,
      onProgress,
      ...(line !== undefined && { line }),
      outcome,
      fail,
      isRefused: false,
    };
    this.pending.set(ingest, pending);
    return pending;
  }

  report(ingest: number, report: IngestReport): void {
    const pending = this.pending.get(ingest);
    if ('progress' in report) pending?.onProgress(report.progress);
    else if ('request' in report) pending?.line?.onRequest?.(report.request);
    else pending?.line?.onRetry?.(report.retry);
  }

  /** Never rejects: an error would lose its class on the way. */
  async renew(ingest: number, refused: RefusedRequest | undefined): Promise<RenewOutcome> {
    const pending = this.pending.get(ingest);
    try {
      return { headers: await pending?.line?.renew?.(refused) };
    } catch (error) {
      return { failure: failureOf(error, pending?.what ?? 'a layer') };
    }
  }

  hold(ingest: number, isHeld: boolean): void {
    // As with `cancel`: of a worker that died nothing has to be held.
    this.remote.hold(ingest, isHeld).catch(() => undefined);
  }

  cancel(ingest: number): void {
    // A worker that died cannot be told, and has failed its ingests already.
    this.remote.cancel(ingest).catch(() => undefined);
  }

  end(): void {
    clearTimeout(this.idleTimer);
    this.remote[releaseProxy]();
    this.worker.terminate();
  }
}

export class LayerPool implements LayerIngestor {
  readonly #options: LayerPoolOptions;
  readonly #size: number;
  readonly #workers = new Set<PooledWorker>();
  #ingests = 0;
  #isClosed = false;
  /** There is always a worker. */
  #keepsReady = false;
  #isRehearsed = false;

  constructor(options: LayerPoolOptions) {
    this.#options = options;
    this.#size = options.size ?? defaultPoolSize(navigator.hardwareConcurrency);
  }

  /** Workers that have been started and still live. */
  get workers(): number {
    return this.#workers.size;
  }

  /** Starts the first worker, so that it is there when the manifest is. */
  prepare(): void {
    if (this.#isClosed || this.#workers.size > 0) return;
    this.#restLater(this.#start());
  }

  /** Said when nobody needs the processor: from then on a worker is ready for the first layer, its decoders compiled for good. */
  rehearse(): void {
    this.#keepsReady = true;
    this.#keepReady();
  }

  async ingest(
    request: IngestRequest,
    options: IngestListener & { readonly signal: AbortSignal; readonly pace?: Yielding },
  ): Promise<LayerRecord> {
    if (this.#isClosed || options.signal.aborted) throw cancelled(request);
    if (this.#options.room?.isShort === true) throw storageFull(`fetching ${request.what}`);
    const pooled = this.#leastBusy();
    this.#ingests += 1;
    const ingest = this.#ingests;
    const pending = pooled.ingest(ingest, request, options);
    const cancel = () => pooled.cancel(ingest);
    options.signal.addEventListener('abort', cancel, { once: true });
    const { pace } = options;
    if (pace?.isHeld === true) pooled.hold(ingest, true);
    const unpaced = pace?.onChange((isHeld) => pooled.hold(ingest, isHeld));
    try {
      // A cancelled one, too, is awaited: then nothing of it is staged behind the caller's back.
      const outcome = await pending.outcome;
      if (outcome.isSpent === true) pooled.isSpent = true;
      if (pending.isRefused && 'failure' in outcome) throw storageFull(`fetching ${request.what}`);
      if ('failure' in outcome) throw errorFromJSON(outcome.failure);
      return outcome.record;
    } finally {
      options.signal.removeEventListener('abort', cancel);
      unpaced?.();
      this.#restLater(pooled);
    }
  }

  /** Ends what is under way, each with StorageFullError, since room is short; resolves when nothing of it is staged. */
  async refuse(): Promise<void> {
    const all = [...this.#workers].flatMap((pooled) =>
      [...pooled.pending].map(([ingest, pending]) => {
        pending.isRefused = true;
        pooled.cancel(ingest);
        return pending.outcome;
      }),
    );
    await Promise.allSettled(all);
  }

  /** Cancels what is under way, waits until nothing of it is staged any more, and ends the workers. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(
      [...this.#workers].map(async (pooled) => {
        for (const ingest of pooled.pending.keys()) pooled.cancel(ingest);
        await Promise.allSettled([...pooled.pending.values()].map((pending) => pending.outcome));
        pooled.end();
      }),
    );
    this.#workers.clear();
  }

  #leastBusy(): PooledWorker {
    let best: PooledWorker | undefined;
    let fresh = 0;
    for (const pooled of this.#workers) {
      if (pooled.isSpent) continue;
      fresh += 1;
      if (best === undefined || pooled.pending.size < best.pending.size) best = pooled;
    }
    if (best === undefined || (best.pending.size > 0 && fresh < this.#size)) return this.#start();
    return best;
  }

  #keepReady(): void {
    if (!this.#keepsReady || this.#isClosed || this.#workers.size > 0) return;
    // what it cannot do it says when there is something to do
    this.#start()
      .remote.getReady(!this.#isRehearsed)
      .catch(() => undefined);
    this.#isRehearsed = true;
  }

  /** Memory that WebAssembly has once it does not give back: only the end of the worker does. */
  #restLater(pooled: PooledWorker): void {
    clearTimeout(pooled.idleTimer);
    if (pooled.isFresh && this.#keepsReady) return;
    const limit = pooled.isSpent ? 0 : (this.#options.idleLimit ?? defaultIdleLimit);
    pooled.idleTimer = setTimeout(() => {
      if (pooled.pending.size > 0 || !this.#workers.delete(pooled)) return;
      pooled.end();
      this.#keepReady();
    }, limit);
  }

  #start(): PooledWorker {
    const pooled = new PooledWorker(this.#options.spawn());
    this.#workers.add(pooled);
    const died = (event: Event) => {
      event.preventDefault();
      this.#bury(pooled, event instanceof ErrorEvent ? event.message : 'it could not be loaded');
    };
    pooled.worker.addEventListener('error', died);
    pooled.worker.addEventListener('messageerror', died);
    const report = proxy(pooled.report.bind(pooled));
    const renew = proxy(pooled.renew.bind(pooled));
    const bury = (cause: unknown) =>
      this.#bury(pooled, cause instanceof Error ? cause.message : String(cause));
    pooled.remote.open(this.#options.sandbox, report, renew).catch(bury);
    this.#options
      .codecs()
      .then((module) => pooled.remote.provide(module))
      .catch(bury);
    return pooled;
  }

  /** Without it, whoever waits for a worker that is no more would wait for ever. */
  #bury(pooled: PooledWorker, reason: string): void {
    if (!this.#workers.delete(pooled)) return;
    pooled.end();
    const error = new StorageFailedError(
      `a layer worker of this page ended: ${reason}; pull the image again`,
      {
        reason,
      },
    );
    for (const pending of pooled.pending.values()) pending.fail(error);
  }
}

function cancelled(request: IngestRequest): Error {
  return new CancelledError(`cancelled while fetching ${request.what}`, { what: request.what });
}
