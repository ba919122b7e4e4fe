/** A lower: one layer of the image, read-only. */

import type { LayerIndex } from '../layer/layer-index.ts';

export interface Lower {
  readonly index: LayerIndex;
  /** Exactly `length` bytes from `offset` of the uncompressed tar; at once where they are in memory. */
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array>;
}
