/**
 * The layers of a pull that can be read before they are here: opened by their
 * tables of contents, and when they are whole held against what they had said.
 */

import type { Unpackers } from '../archive/unpackers.ts';
import { LayerboxError } from '../errors.ts';
import { openLayerIndex } from '../layer/packed-layer-index.ts';
import { RegistryRanges } from '../lazy/blob-ranges.ts';
import { CannotBeLazy } from '../lazy/cannot-be-lazy.ts';
import type { ComingLayer } from '../lazy/coming-layer.ts';
import { unpackStart } from '../lazy/decode-chunk.ts';
import { lazyFormat } from '../lazy/lazy-format.ts';
import type { LazyLayers } from '../lazy/lazy-layers.ts';
import { openLazyLayer } from '../lazy/open-lazy-layer.ts';
import type { DiffID } from '../oci/digest.ts';
import type { Fetch } from '../registry/request.ts';
import type { ImageSource } from '../registry/source.ts';
import type { ImageRecord } from '../store/records.ts';
import type { ImageParts } from './image-parts.ts';

type Layer = ImageRecord['layers'][number];

/** What is needed to read layers that are still coming. */
export interface EarlyReading {
  readonly layers: LazyLayers;
  readonly fetch: Fetch;
  /** Undefined: layers in zstd come whole, and gzip is decoded more slowly. */
  readonly unpackers?: Unpackers;
  /** A layer is coming: what was known of where its content lies, from when it was here before, holds no more. */
  readonly onComing?: (diffID: DiffID) => void;
}

/** Bytes of content that the layers of a pull keep in memory together, and each of them at least. */
const cacheLimit = 48 << 20;
const leastCache = 4 << 20;

/** Compressed bytes below which a layer is here as soon as its table would be. */
const smallest = 256 << 10;

/** Layers of one pull by diffID, from their tables of contents to the end of the pull. */
export class EarlyLayers {
  readonly #parts: Pick<ImageParts, 'records' | 'events'>;
  readonly #layers = new Map<DiffID, ComingLayer>();
  #cacheLimit = leastCache;

  constructor(parts: Pick<ImageParts, 'records' | 'events'>) {
    this.#parts = parts;
  }

  has(diffID: DiffID): boolean {
    return this.#layers.has(diffID);
  }

  /**
   * Opens those of the layers that have a table of contents which can be used. What is wrong with one is not told:
   * the layer will come whole, and is then held against its own digest. Rejects only when the signal is aborted.
   */
  async open(
    wanted: readonly Layer[],
    source: ImageSource,
    name: string,
    reading: EarlyReading,
    signal: AbortSignal,
  ): Promise<void> {
    this.#cacheLimit = Math.max(leastCache, Math.floor(cacheLimit / Math.max(1, wanted.length)));
    await Promise.all(
      wanted.map(async (layer) => {
        if (layer.blob.size < smallest) return;
        try {
          await this.#openOne(layer, source, name, reading, signal);
        } catch (error) {
          const isExpected = error instanceof CannotBeLazy || error instanceof LayerboxError;
          if (signal.aborted || !isExpected) throw error;
        }
      }),
    );
  }

  async #openOne(
    { blob, diffID }: Layer,
    source: ImageSource,
    name: string,
    reading: EarlyReading,
    signal: AbortSignal,
  ): Promise<void> {
    const { layers, fetch, unpackers } = reading;
    const coming = layers.coming(diffID);
    if (coming !== undefined) {
      coming.share();
      this.#layers.set(diffID, coming);
      return;
    }
    if (lazyFormat(blob) === undefined) return;
    const what = `layer ${blob.digest} of ${name}`;
    const { events } = this.#parts;
    const { renew, ...address } = await source.blobRequest(blob, { signal });
    const ranges = new RegistryRanges({
      address,
      size: blob.size,
      what,
      fetch,
      onRequest: (answered) => events.emit({ type: 'request', ...answered }),
      onRetry: (retry) => events.emit({ type: 'retry', ...retry }),
      ...(renew !== undefined && { renew }),
    });
    const { pace } = layers;
    const decoders = unpackers && {
      decodeGzip: unpackStart(unpackers, 'gzip'),
      decodeZstd: unpackStart(unpackers, 'zstd'),
    };
    const limits = { cacheLimit: this.#cacheLimit };
    const lazy = await openLazyLayer({ blob, diffID, ranges, what, pace, ...limits, ...decoders }, signal);
    if (lazy === undefined) return;
    const onUnreadable = (path: string, reason: unknown) => {
      const message = reason instanceof Error ? reason.message : String(reason);
      events.emit({ type: 'unreadable', digest: blob.digest, path, message });
    };
    this.#layers.set(diffID, layers.add(lazy, what, onUnreadable));
    reading.onComing?.(diffID);
  }

  /**
   * Fetches what the layers themselves want first; what fails is fetched again when it is read. Resolves at once when
   * the signal is aborted, and ends no fetch then: another pull may bring the layer, too.
   */
  async prefetch(signal: AbortSignal): Promise<void> {
    const fetched = Promise.allSettled([...this.#layers.values()].map((layer) => layer.prefetch()));
    let leave: () => void = () => undefined;
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    await Promise.race([fetched, left]);
    signal.removeEventListener('abort', leave);
  }

  /** The layer is here whole and verified. Throws CorruptLayerError when it is not what its table said. */
  async settle(diffID: DiffID): Promise<void> {
    const layer = this.#layers.get(diffID);
    if (layer === undefined || !layer.isComing) return;
    const record = await this.#parts.records.get('layers', diffID);
    if (record !== undefined) await layer.settle(openLayerIndex(record.index));
  }

  /** The pull failed: what is not whole will not come. */
  fail(reason: unknown): void {
    for (const layer of this.#layers.values()) {
      if (layer.isComing) layer.fail(reason);
    }
  }
}
