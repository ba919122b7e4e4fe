/** What a layer worker does for the pool: plain data in, plain data and transferred buffers out. */

import { transfer } from 'comlink';
import { type ErrorJSON, LayerboxError } from '../engine/errors.ts';
import type { IngestProgress, IngestRequest } from '../engine/image/layer-ingestor.ts';
import type { LayerRecord } from '../engine/store/records.ts';

/** An AbortSignal and a class of error do not cross to another worker: a number and JSON do. */
export type IngestOutcome = { readonly record: LayerRecord } | { readonly failure: ErrorJSON };

export type ReportProgress = (ingest: number, progress: IngestProgress) => void;

/** The side of the pool's workers that the pool calls. */
export interface LayerWorkerSurface {
  /** The first call: which sandbox the worker is for, and who is told of progress. */
  open(sandbox: string, report: ReportProgress): void;
  /** `ingest` names it for `cancel` and in progress reports. */
  ingest(ingest: number, request: IngestRequest): Promise<IngestOutcome>;
  cancel(ingest: number): void;
}

/** Ingests one layer into the content store of a sandbox. */
export type IngestInto = (
  sandbox: string,
  request: IngestRequest,
  options: { readonly signal: AbortSignal; readonly onProgress: (progress: IngestProgress) => void },
) => Promise<LayerRecord>;

/** Milliseconds between two reports of the same status. */
const reportInterval = 100;

export class LayerWorker implements LayerWorkerSurface {
  readonly #ingestInto: IngestInto;
  readonly #running = new Map<number, AbortController>();
  #sandbox = '';
  #report: ReportProgress | undefined;

  constructor(ingestInto: IngestInto) {
    this.#ingestInto = ingestInto;
  }

  open(sandbox: string, report: ReportProgress): void {
    this.#sandbox = sandbox;
    this.#report = report;
  }

  async ingest(ingest: number, request: IngestRequest): Promise<IngestOutcome> {
    const controller = new AbortController();
    this.#running.set(ingest, controller);
    try {
      const record = await this.#ingestInto(this.#sandbox, request, {
        signal: controller.signal,
        onProgress: throttled((progress) => this.#report?.(ingest, progress), request.blob.size),
      });
      return transfer({ record }, [record.index]);
    } catch (error) {
      return { failure: failureOf(error, request.what) };
    } finally {
      this.#running.delete(ingest);
    }
  }

  cancel(ingest: number): void {
    this.#running.get(ingest)?.abort();
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

function failureOf(error: unknown, what: string): ErrorJSON {
  if (error instanceof LayerboxError) return error.toJSON();
  const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new LayerboxError(`${what} could not be ingested: ${cause}`, { what }).toJSON();
}
