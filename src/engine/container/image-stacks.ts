/** The merged layers of images, made once for all that open them at the same time or soon after. */

import { ContentMissingError } from '../errors.ts';
import type { LayerCache } from '../image/layer-cache.ts';
import type { LayerIndex } from '../layer/layer-index.ts';
import { type StackIndex, stackLayers } from '../layer/stack.ts';
import type { DiffID } from '../oci/digest.ts';
import { RecentlyUsed } from './recently-used.ts';

/** Stacks of as many images are kept; an index of 13,000 entries takes about 2 MB. */
const KEPT = 6;

export class ImageStacks {
  readonly #layers: LayerCache;
  readonly #stacks = new RecentlyUsed<StackIndex>(KEPT);

  constructor(layers: LayerCache) {
    this.#layers = layers;
  }

  /** The view of these layers, bottom first. ContentMissingError when one is not there. */
  stack(layers: readonly DiffID[]): Promise<StackIndex> {
    return this.#stacks.get(layers.join(' '), () => this.#merge(layers));
  }

  /** Lets go of every view with this layer: it is not what it was. */
  forget(diffID: DiffID): void {
    this.#stacks.deleteWhere((layers) => layers.includes(diffID));
  }

  /** Bytes of file content in all of these layers: what Docker calls the size of an image. */
  async contentSize(layers: readonly DiffID[]): Promise<number> {
    const indexes = await Promise.all(layers.map((diffID) => this.#index(diffID)));
    return indexes.reduce((sum, index) => sum + this.#layers.contentSize(index), 0);
  }

  async #merge(layers: readonly DiffID[]): Promise<StackIndex> {
    return stackLayers(await Promise.all(layers.map((diffID) => this.#index(diffID))));
  }

  async #index(diffID: DiffID): Promise<LayerIndex> {
    const index = await this.#layers.open(diffID);
    if (index !== undefined) return index;
    throw new ContentMissingError(`the layer ${diffID} is not in the store: pull its image again`, {
      digest: diffID,
    });
  }
}
