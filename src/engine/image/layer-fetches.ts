/**
 * Layers on their way in. Two pulls of one layer are one fetch, which goes on
 * while anybody waits for it; when it fails, those who only waited try for
 * themselves, since their registry may be a better one.
 */

import { CancelledError } from '../errors.ts';
import { turnOf } from '../lazy/pace.ts';
import type { DiffID } from '../oci/digest.ts';
import type { RenewHeaders } from '../registry/blob.ts';
import type { ImageParts } from './image-parts.ts';
import type { IngestProgress, IngestRequest } from './layer-ingestor.ts';
import { Permits } from './permits.ts';

interface Fetch {
  /** Settles when nothing of it is going on any more. */
  readonly done: Promise<void>;
  readonly controller: AbortController;
  readonly listeners: Set<(progress: LayerProgress) => void>;
  waiting: number;
}

/** Of all pulls together; as Docker's max-concurrent-downloads. */
export const LAYERS_AT_ONCE = 3;

/** What a fetch tells: of its ingest, that others go first, and that the registry is asked again in `wait` milliseconds. */
export type LayerProgress =
  | IngestProgress
  | { readonly status: 'waiting' }
  | { readonly status: 'retrying'; readonly wait: number };

export interface LayerWish {
  readonly diffID: DiffID;
  /** Asked for only when a fetch really starts: a token in it may be short-lived. */
  readonly request: (signal: AbortSignal) => Promise<IngestRequest & { readonly renew?: RenewHeaders }>;
}

export class LayerFetches {
  readonly #parts: Pick<ImageParts, 'records' | 'ingestor' | 'events' | 'early'>;
  readonly #running = new Map<DiffID, Fetch>();
  readonly #permits = new Permits(LAYERS_AT_ONCE);

  constructor(parts: Pick<ImageParts, 'records' | 'ingestor' | 'events' | 'early'>) {
    this.#parts = parts;
  }

  /** True when the layer is here, whole. */
  async has(diffID: DiffID): Promise<boolean> {
    return (await this.#parts.records.ids('layers', diffID)).includes(diffID);
  }

  /**
   * Resolves when the layer is here and its record is committed; the caller's
   * lease must name it. Errors: those of `LayerIngestor.ingest` and of `wish.request`.
   */
  async bring(
    wish: LayerWish,
    options: { readonly signal: AbortSignal; readonly onProgress: (progress: LayerProgress) => void },
  ): Promise<void> {
    for (;;) {
      if (options.signal.aborted) throw cancelled(wish.diffID);
      const running = this.#running.get(wish.diffID);
      if (running?.controller.signal.aborted) {
        await settled(running.done);
        continue;
      }
      const fetch = running ?? this.#start(wish);
      try {
        return await wait(fetch, wish.diffID, options);
      } catch (error) {
        if (running === undefined || options.signal.aborted) throw error;
      }
    }
  }

  #start(wish: LayerWish): Fetch {
    const controller = new AbortController();
    const listeners = new Set<(progress: LayerProgress) => void>();
    const report = (progress: LayerProgress) => {
      for (const listener of listeners) listener(progress);
    };
    const done = this.#ingest(wish, controller.signal, report).finally(() => {
      this.#running.delete(wish.diffID);
    });
    const fetch = { done, controller, listeners, waiting: 0 };
    this.#running.set(wish.diffID, fetch);
    return fetch;
  }

  async #ingest(
    wish: LayerWish,
    signal: AbortSignal,
    report: (progress: LayerProgress) => void,
  ): Promise<void> {
    if (await this.has(wish.diffID)) return; // another pull was quicker
    if (this.#permits.areTaken) report({ status: 'waiting' });
    const giveBack = await this.#permits.take(signal);
    try {
      await this.#ingestNow(wish, signal, report);
    } finally {
      giveBack();
    }
  }

  async #ingestNow(
    wish: LayerWish,
    signal: AbortSignal,
    report: (progress: LayerProgress) => void,
  ): Promise<void> {
    const { renew, ...request } = await wish.request(signal);
    const { ingestor, records, events, early } = this.#parts;
    const pace = early?.layers.pace;
    const record = await ingestor.ingest(request, {
      signal,
      ...(pace !== undefined && { pace }),
      onProgress: report,
      line: {
        ...(renew !== undefined && { renew }),
        ...(pace !== undefined && { hold: () => turnOf(pace, signal) }),
        onRequest: (answered) => events.emit({ type: 'request', ...answered }),
        onRetry: (retry) => {
          events.emit({ type: 'retry', ...retry });
          report({ status: 'retrying', wait: retry.wait });
        },
      },
    });
    await records.commit([{ kind: 'layers', put: record }]);
  }
}

/** Waits with the others; whoever gives up last ends the fetch, and waits for its end. */
async function wait(
  fetch: Fetch,
  diffID: DiffID,
  options: { readonly signal: AbortSignal; readonly onProgress: (progress: LayerProgress) => void },
): Promise<void> {
  const { signal, onProgress } = options;
  fetch.waiting += 1;
  fetch.listeners.add(onProgress);
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  signal.addEventListener('abort', leave, { once: true });
  try {
    await Promise.race([fetch.done, left]);
    if (!signal.aborted) return;
  } finally {
    signal.removeEventListener('abort', leave);
    fetch.listeners.delete(onProgress);
    fetch.waiting -= 1;
  }
  if (fetch.waiting === 0) {
    fetch.controller.abort(signal.reason);
    await settled(fetch.done);
  }
  throw cancelled(diffID);
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await promise.then(
    () => undefined,
    () => undefined, // its error went to those who wait for it
  );
}

function cancelled(diffID: DiffID): Error {
  return new CancelledError(`cancelled while fetching layer ${diffID}`, { diffID });
}
