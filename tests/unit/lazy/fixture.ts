/** Layers for the tests of this folder, and a blob that counts what is read of it. */

import { LayerFromTar } from '../../../src/engine/layer/layer-from-tar.ts';
import type { LayerIndex } from '../../../src/engine/layer/layer-index.ts';
import type { BlobRanges } from '../../../src/engine/lazy/blob-ranges.ts';
import type { LazyLayer } from '../../../src/engine/lazy/lazy-layer.ts';
import { type LazySource, openLazyLayer } from '../../../src/engine/lazy/open-lazy-layer.ts';
import type { Descriptor } from '../../../src/engine/oci/descriptor.ts';
import { OCI_LAYER_GZIP } from '../../../src/engine/oci/media-type.ts';
import type { StargzLayer } from '../../support/estargz.ts';

export const never = new AbortController().signal;

/** `length` bytes that do not compress and are other ones for each `seed`. */
export function noise(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed * 2654435761 + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** A blob in memory. `requests` has `[start, end)` of each read. */
export class MemoryRanges implements BlobRanges {
  readonly requests: (readonly [number, number])[] = [];
  readonly #blob: Uint8Array;
  /** Awaited before each answer. */
  gate: () => Promise<void> = async () => undefined;
  /** Most requests that were under way at once. */
  most = 0;
  #running = 0;

  constructor(blob: Uint8Array) {
    this.#blob = blob;
  }

  async read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    this.requests.push([start, end]);
    this.#running += 1;
    this.most = Math.max(this.most, this.#running);
    await this.gate();
    this.#running -= 1;
    return Uint8Array.from(this.#blob.subarray(start, end));
  }
}

export const descriptorOf = (layer: Pick<StargzLayer, 'blob' | 'digest' | 'annotations'>): Descriptor => ({
  mediaType: OCI_LAYER_GZIP,
  digest: layer.digest,
  size: layer.blob.length,
  annotations: layer.annotations,
});

/** The layer opened by its table of contents. */
export async function openStargz(
  layer: StargzLayer,
  ranges: BlobRanges = new MemoryRanges(layer.blob),
  limits: Pick<LazySource, 'cacheLimit' | 'decodeGzip'> = {},
): Promise<LazyLayer> {
  const { diffID } = layer;
  const source = {
    blob: descriptorOf(layer),
    diffID,
    ranges,

    what: 'layer L',
    ...limits,
  };
  const opened = await openLazyLayer(source, never);
  if (opened === undefined) throw new Error('it has no table of contents');
  return opened;
}

export function indexOfTar(tar: Uint8Array, diffID: StargzLayer['diffID']): LayerIndex {
  const layer = new LayerFromTar();
  layer.push(tar);
  return layer.finish(diffID);
}

/** Everything that an index says, but for where content lies. */
export function described(index: LayerIndex): unknown[] {
  return Array.from({ length: index.count }, (_, number) => {
    const { offset: _offset, ...entry } = index.entry(number);
    return { ...entry, path: index.path(number) };
  });
}

/** The number of an entry that must be there. */
export function numberOf(index: LayerIndex, path: string): number {
  const number = index.find(path);
  if (number === undefined) throw new Error(`no ${path}`);
  return number;
}

/** The whole content of a file of a lazy layer. */
export async function contentOf(layer: LazyLayer, path: string): Promise<Uint8Array> {
  const { offset, size } = layer.index.entry(numberOf(layer.index, path));
  return layer.read(offset, size);
}
