/** The port through which a pull gets one layer in: inline, or in a pool of workers (src/storage). */

import type { Yielding } from '../lazy/pace.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { DiffID } from '../oci/digest.ts';
import type { RenewHeaders } from '../registry/blob.ts';
import type { RequestListener } from '../registry/request.ts';
import type { Patience, RetryListener } from '../registry/retry.ts';
import type { LayerRecord } from '../store/records.ts';

export interface IngestRequest {
  /** Names the staged ingests, so that a second try replaces what the first left. */
  readonly id: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** In words, for errors: `layer sha256:0123... of busybox:latest`. */
  readonly what: string;
  readonly blob: Descriptor;
  readonly diffID: DiffID;
  /** Bytes to ask the registry for at a time; all at once when absent. */
  readonly piece?: number;
}

export interface IngestProgress {
  readonly status: 'downloading' | 'verifying' | 'extracting';
  /** Compressed bytes that have arrived. */
  readonly bytes: number;
}

/**
 * What an ingest asks and tells while it fetches, of who knows the registry: headers when those of the request are
 * no longer good, and each request and repetition. Plain calls with plain values, so that they reach out of a worker.
 */
export interface RegistryLine {
  readonly renew?: RenewHeaders;
  readonly onRequest?: RequestListener;
  readonly onRetry?: RetryListener;
  /** Default: PATIENT. It does not reach into a worker. */
  readonly patience?: Patience;
  /** Awaited before more is read. It does not reach into a worker; `pace` does. */
  readonly hold?: () => Promise<void> | undefined;
}

export interface LayerIngestor {
  /** Said when a pull begins: layers will come soon, and what is slow to start may start now. */
  prepare?(): void;
  /** Said when nobody waits for anything: what makes the first layers slow may be got over with. */
  rehearse?(): void;
  /**
   * Fetches, verifies both digests and the size, unpacks and indexes one layer.
   * When it resolves the compressed blob and the uncompressed tar are committed
   * to the content store; the record is not stored yet. Errors: RegistryUnreachable,
   * BlobUnknown, RegistryResponse, SizeMismatch, DigestMismatch, DiffIDMismatch,
   * CorruptLayer, UnsupportedMediaType, StorageFull, Cancelled. Nothing stays staged after one.
   */
  ingest(
    request: IngestRequest,
    options: {
      readonly signal: AbortSignal;
      readonly onProgress: (progress: IngestProgress) => void;
      readonly line?: RegistryLine;
      /** Who goes first: while it is held, no more is fetched than is on its way. */
      readonly pace?: Yielding;
    },
  ): Promise<LayerRecord>;
  close(): Promise<void>;
}
