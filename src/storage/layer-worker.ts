/** What a layer worker does for the pool: plain data in, plain data and transferred buffers out. */

import { transfer } from 'comlink';
import { type ErrorJSON, errorFromJSON, LayerboxError } from '../engine/errors.ts';
import type { IngestProgress, IngestRequest, RegistryLine } from '../engine/image/layer-ingestor.ts';
import type { RefusedRequest } from '../engine/registry/blob.ts';
import type { AnsweredRequest } from '../engine/registry/request.ts';
import type { Retry } from '../engine/registry/retry.ts';
import type { LayerRecord } from '../engine/store/records.ts';

/** An AbortSignal and a class of error do not cross to another worker: a number and JSON do. */
export type IngestOutcome = ({ readonly record: LayerRecord } | { readonly failure: ErrorJSON }) & {
  /** It has taken so much memory that it is to be ended when it has no more to do. */
  readonly isSpent?: true;
};

/** What a worker tells of an ingest. */
export type IngestReport =
  | { readonly progress: IngestProgress }
  | { readonly request: AnsweredRequest }
  | { readonly retry: Retry };

/** Headers for the next connection, or what kept them away. */
export type RenewOutcome =
  | { readonly headers: Readonly<Record<string, string>> | undefined }
  | { readonly failure: ErrorJSON };

/** The pool's side of a worker's ingests: where progress is told, and where headers come from. */
export interface LayerWorkerHost {
  report(ingest: number, report: IngestReport): void | Promise<void>;
  renew(ingest: number, refused: RefusedRequest | undefined): Promise<RenewOutcome>;
}

/** The side of the pool's workers that the pool calls. */
export interface LayerWorkerSurface {
  /** The first call: which sandbox the worker is for, and who is told and asked. */
  open(
    sandbox: string,
    report: LayerWorkerHost['report'],
    renew: (...call: Parameters<LayerWorkerHost['renew']>) => RenewOutcome | Promise<RenewOutcome>,
  ): void;
  /** As `provide` of StageWorkerSurface: ingests wait for it. */
  provide(codecs: WebAssembly.Module): void;
  /** Opens what an ingest needs and, with `rehearses`, runs the decoders; the first ingest puts an end to it. */
  getReady(rehearses: boolean): Promise<void>;
  /** `ingest` names it for `cancel` and to the host. */
  ingest(ingest: number, request: IngestRequest): Promise<IngestOutcome>;
  cancel(ingest: number): void;
  /** Holds an ingest back from reading more of its blob, or lets it go on. */
  hold(ingest: number, isHeld: boolean): void;
}

/** Ingests one layer into the content store of a sandbox. */
export type IngestInto = (
  sandbox: string,
  request: IngestRequest,
  options: {
    readonly signal: AbortSignal;
    readonly onProgress: (progress: IngestProgress) => void;
    readonly line: RegistryLine;
  },
) => Promise<LayerRecord>;

/** What the worker's own side does for a LayerWorker. */
export interface LayerWorkerParts {
  readonly ingestInto: IngestInto;
  readonly onCodecs: (codecs: WebAssembly.Module) => void;
  readonly getReady: (sandbox: string, rehearses: boolean, signal: AbortSignal) => Promise<void>;
  /** Whether an ingest has taken more memory than a worker may keep. */
  readonly isSpent: () => boolean;
}

/** Milliseconds between two reports of the same status: each makes the page draw, which takes from the unpacking. */
const reportInterval = 200;

interface Running {
  readonly controller: AbortController;
  /** Settled when it may read on; undefined when nothing holds it. */
  hold: PromiseWithResolvers<void> | undefined;
}

export class LayerWorker implements LayerWorkerSurface {
  readonly #parts: LayerWorkerParts;
  readonly #ready = new AbortController();
  readonly #running = new Map<number, Running>();
  #sandbox = '';
  #report: LayerWorkerHost['report'] | undefined;
  #renew: Parameters<LayerWorkerSurface['open']>[2] | undefined;

  constructor(parts: LayerWorkerParts) {
    this.#parts = parts;
  }

  open(...[sandbox, report, renew]: Parameters<LayerWorkerSurface['open']>): void {
    this.#sandbox = sandbox;
    this.#report = report;
    this.#renew = renew;
  }

  provide(codecs: WebAssembly.Module): void {
    this.#parts.onCodecs(codecs);
  }

  getReady(rehearses: boolean): Promise<void> {
    return this.#parts.getReady(this.#sandbox, rehearses, this.#ready.signal);
  }

  async ingest(ingest: number, request: IngestRequest): Promise<IngestOutcome> {
    this.#ready.abort();
    const controller = new AbortController();
    const running: Running = { controller, hold: undefined };
    this.#running.set(ingest, running);
    // reports have a port of their own: one that is on its way may be overtaken by the outcome
    const told: unknown[] = [];
    const tell = (report: IngestReport) => told.push(this.#report?.(ingest, report));
    try {
      const record = await this.#parts.ingestInto(this.#sandbox, request, {
        signal: controller.signal,
        onProgress: throttled((progress) => this.#report?.(ingest, { progress }), request.blob.size),
        line: {
          renew: async (refused) => {
            const outcome = await this.#renew?.(ingest, refused);
            if (outcome !== undefined && 'failure' in outcome) throw errorFromJSON(outcome.failure);
            return outcome?.headers;
          },
          onRequest: (answered) => tell({ request: answered }),
          onRetry: (retry) => tell({ retry }),
          hold: () => running.hold?.promise,
        },
      });
      return transfer({ record, ...this.#spent() }, [record.index]);
    } catch (error) {
      return { failure: failureOf(error, request.what), ...this.#spent() };
    } finally {
      this.#running.delete(ingest);
      await Promise.allSettled(told);
    }
  }

  #spent(): { readonly isSpent?: true } {
    return this.#parts.isSpent() ? { isSpent: true } : {};
  }

  cancel(ingest: number): void {
    const running = this.#running.get(ingest);
    running?.controller.abort();
    running?.hold?.resolve();
  }

  hold(ingest: number, isHeld: boolean): void {
    const running = this.#running.get(ingest);
    if (running === undefined || running.controller.signal.aborted) return;
    if (isHeld) running.hold ??= Promise.withResolvers<void>();
    else {
      running.hold?.resolve();
      running.hold = undefined;
    }
  }
}

/** Passes on what is new: another status, the last byte, or the first word after a while. */
export function throttled(
  report: (progress: IngestProgress) => void,
  total: number,
  now: () => number = () => performance.now(),
): (progress: IngestProgress) => void {
  let status: IngestProgress['status'] | undefined;
  let at = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const time = now();
    if (progress.status === status && progress.bytes < total && time - at < reportInterval) return;
    status = progress.status;
    at = time;
    report(progress);
  };
}

/** An error as it crosses to another worker. */
export function failureOf(error: unknown, what: string): ErrorJSON {
  if (error instanceof LayerboxError) return error.toJSON();
  const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new LayerboxError(`${what} could not be ingested: ${cause}`, { what }).toJSON();
}
