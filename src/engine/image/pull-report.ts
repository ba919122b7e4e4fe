/** A pull told twice: to whoever asked for it, line by line, and to the event stream. */

import { CancelledError } from '../errors.ts';
import type { EventStream, LayerStatus } from '../events.ts';
import type { Platform } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { formatPlatform } from '../oci/platform.ts';
import { familiarReference, type Reference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/records.ts';
import { type PullProgress, type PullStatus, shortID } from './pull-progress.ts';

type Layer = ImageRecord['layers'][number];

const eventStatus: Readonly<Record<Exclude<PullStatus, `Retrying ${string}`>, LayerStatus>> = {
  'Pulling fs layer': 'waiting',
  Waiting: 'waiting',
  'Ready to read': 'readable',
  Downloading: 'downloading',
  'Verifying Checksum': 'verifying',
  'Download complete': 'extracting',
  Extracting: 'extracting',
  'Pull complete': 'complete',
  'Already exists': 'exists',
};

export class PullReport {
  readonly #events: Pick<EventStream, 'emit'>;
  readonly #reference: string;
  readonly #onProgress: ((progress: PullProgress) => void) | undefined;

  constructor(
    events: Pick<EventStream, 'emit'>,
    reference: Reference,
    onProgress: ((progress: PullProgress) => void) | undefined,
  ) {
    this.#events = events;
    this.#reference = familiarReference(reference);
    this.#onProgress = onProgress;
  }

  resolved(source: string, digest: Digest, platform: Platform, layers: readonly Layer[]): void {
    this.#onProgress?.({ type: 'resolved', source, digest, platform: formatPlatform(platform) });
    this.#events.emit({
      type: 'pull',
      reference: this.#reference,
      status: 'started',
      layers: layers.map(({ blob, diffID }) => ({ digest: blob.digest, diffID, size: blob.size })),
    });
  }

  layer(layer: Layer, status: keyof typeof eventStatus, current: number): void {
    this.#tell(layer, status, current);
    this.#emitLayer(layer, eventStatus[status], current);
  }

  /** The registry is asked again in so many milliseconds; events have this as `retry`. */
  retrying(layer: Layer, wait: number): void {
    const seconds = Math.max(1, Math.round(wait / 1000));
    this.#tell(layer, `Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`, 0);
  }

  layerFailed(layer: Layer): void {
    this.#emitLayer(layer, 'failed', 0);
  }

  /** All that is still to come can be read already. */
  runnable(): void {
    this.#events.emit({ type: 'pull', reference: this.#reference, status: 'runnable' });
  }

  complete(record: ImageRecord): void {
    const reference = this.#reference;
    const layers = record.layers.map(({ blob, diffID }) => ({
      digest: blob.digest,
      diffID,
      size: blob.size,
    }));
    this.#events.emit({ type: 'pull', reference, status: 'complete', layers });
    this.#events.emit({ type: 'image', action: 'pull', reference: record.id, imageID: record.imageID });
  }

  failed(error: unknown): void {
    this.#events.emit({
      type: 'pull',
      reference: this.#reference,
      status: error instanceof CancelledError ? 'cancelled' : 'failed',
      message: error instanceof Error ? error.message : String(error),
    });
  }

  #tell({ blob, diffID }: Layer, status: PullStatus, current: number): void {
    const { digest, size: total } = blob;
    this.#onProgress?.({ type: 'layer', id: shortID(digest), digest, diffID, status, current, total });
  }

  #emitLayer({ blob, diffID }: Layer, status: LayerStatus, bytes: number): void {
    this.#events.emit({
      type: 'layer',
      reference: this.#reference,
      digest: blob.digest,
      diffID,
      status,
      bytes,
      total: blob.size,
    });
  }
}
