/** Opened layer indexes, kept in memory up to a size: those used last stay. */

import type { LayerIndex } from '../layer/layer-index.ts';
import { openLayerIndex } from '../layer/packed-layer-index.ts';
import type { DiffID } from '../oci/digest.ts';
import type { RecordStore } from '../store/records.ts';

const MEMORY_LIMIT = 64 * 1024 * 1024;

export class LayerCache {
  readonly #records: RecordStore;
  readonly #limit: number;
  readonly #coming: (diffID: DiffID) => LayerIndex | undefined;
  /** In the order of their last use. */
  readonly #open = new Map<DiffID, LayerIndex>();
  readonly #opening = new Map<DiffID, Promise<LayerIndex | undefined>>();
  readonly #sizes = new Map<DiffID, number>();
  #bytes = 0;

  /**
   * `limit`: bytes of indexes to keep; one larger than it is kept while it is the last. `coming`: the index of a
   * layer that is not stored yet, but can be read.
   */
  constructor(
    records: RecordStore,
    limit = MEMORY_LIMIT,
    coming: (diffID: DiffID) => LayerIndex | undefined = () => undefined,
  ) {
    this.#records = records;
    this.#limit = limit;
    this.#coming = coming;
  }

  /** The index of a layer, or undefined when there is no such layer. */
  async open(diffID: DiffID): Promise<LayerIndex | undefined> {
    const coming = this.#coming(diffID);
    if (coming !== undefined) return coming;
    const known = this.#open.get(diffID);
    if (known !== undefined) {
      this.#open.delete(diffID);
      this.#open.set(diffID, known);
      return known;
    }
    const opening = this.#opening.get(diffID) ?? this.#read(diffID);
    this.#opening.set(diffID, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(diffID);
    }
  }

  /** Bytes of file content in the layer. */
  contentSize(index: LayerIndex): number {
    const known = this.#sizes.get(index.diffID);
    if (known !== undefined) return known;
    let size = 0;
    for (let number = 0; number < index.count; number++) {
      const entry = index.entry(number);
      if (entry.type === 'file') size += entry.size;
    }
    this.#sizes.set(index.diffID, size);
    return size;
  }

  async #read(diffID: DiffID): Promise<LayerIndex | undefined> {
    const record = await this.#records.get('layers', diffID);
    if (record === undefined) return undefined;
    const index = openLayerIndex(record.index);
    this.#open.set(diffID, index);
    this.#bytes += index.buffer.byteLength;
    for (const [oldest, { buffer }] of this.#open) {
      if (this.#bytes <= this.#limit || oldest === diffID) break;
      this.#open.delete(oldest);
      this.#bytes -= buffer.byteLength;
    }
    return index;
  }
}
