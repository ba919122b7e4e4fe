/**
 * Content of layers, of those that are here and of those that are still coming.
 * Addresses of the latter are beyond what any tar can have, so that one digest
 * and one number say what is meant, before a layer is whole and after.
 */

import type { LayerIndex } from '../layer/layer-index.ts';
import type { DiffID, Digest } from '../oci/digest.ts';
import type { ContentReader } from '../store/content-reader.ts';
import { addressBase } from './chunk-table.ts';
import { ComingLayer, type OnUnreadable } from './coming-layer.ts';
import type { LazyLayer } from './lazy-layer.ts';
import { Pace } from './pace.ts';

export class LazyLayers implements ContentReader {
  /** Held while a program waits for a layer that is coming. */
  readonly pace = new Pace();
  readonly #whole: ContentReader;
  /** Kept when they are whole, as long as somebody has the table's index and with it their addresses. */
  readonly #layers = new Map<Digest, ComingLayer>();
  readonly #unused = new FinalizationRegistry((layer: ComingLayer) => {
    const { diffID } = layer;
    // one that failed is kept: it has nothing but the reason
    if (this.#layers.get(diffID) === layer && layer.isWhole) this.#layers.delete(diffID);
  });

  /** `whole` reads what is in the store. */
  constructor(whole: ContentReader) {
    this.#whole = whole;
  }

  /** From now on the layer can be read at the addresses of its index. `what` names it for errors. */
  add(lazy: LazyLayer, what: string, onUnreadable?: OnUnreadable): ComingLayer {
    const layer = new ComingLayer(lazy, this.#whole, what, onUnreadable);
    this.#layers.set(layer.diffID, layer);
    this.#unused.register(lazy.index, layer);
    return layer;
  }

  /** Layers that can be read at their addresses, or are known not to come. */
  get size(): number {
    return this.#layers.size;
  }

  /** A layer that is still coming. */
  coming(diffID: DiffID): ComingLayer | undefined {
    const layer = this.#layers.get(diffID);
    return layer?.isComing === true ? layer : undefined;
  }

  /** The index of a layer that is still coming. */
  index(diffID: DiffID): LayerIndex | undefined {
    return this.coming(diffID)?.index;
  }

  /** As ContentReader has it; at an address of a layer that is coming, all of the bytes must be one file's. */
  read(
    digest: Digest,
    offset: number,
    length: number,
  ): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    if (offset < addressBase) return this.#whole.read(digest, offset, length);
    const layer = this.#layers.get(digest);
    if (layer === undefined) throw new RangeError(`nothing is at ${offset} of ${digest}`);
    return layer.read(offset, length);
  }
}
