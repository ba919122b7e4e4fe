/** The sparse map of one file as bytes: for each piece of content an f64 start and an f64 length. */

import type { SparseExtent } from '../archive/tar-sparse.ts';
import { CorruptLayerError } from '../errors.ts';

const pieceLength = 16;

/** What `unpackExtents` reads. */
export function packExtents(extents: readonly SparseExtent[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(extents.length * pieceLength);
  const view = new DataView(packed.buffer);
  extents.forEach(({ start, length }, i) => {
    view.setFloat64(i * pieceLength, start, true);
    view.setFloat64(i * pieceLength + 8, length, true);
  });
  return packed;
}

/** The pieces. Throws CorruptLayerError unless they are in order, apart and within `size` bytes. */
export function unpackExtents(packed: Uint8Array, size: number): SparseExtent[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const extents: SparseExtent[] = [];
  let end = 0;
  for (let at = 0; at < packed.length; at += pieceLength) {
    const isWhole = at + pieceLength <= packed.length;
    const start = isWhole ? view.getFloat64(at, true) : Number.NaN;
    const length = isWhole ? view.getFloat64(at + 8, true) : Number.NaN;
    // in this form a NaN is refused as well
    if (!(Number.isSafeInteger(start) && start >= end && Number.isSafeInteger(length) && length > 0)) {
      throw damaged();
    }
    end = start + length;
    if (end > size) throw damaged();
    extents.push({ start, length });
  }
  return extents;
}

function damaged(): Error {
  return new CorruptLayerError('the stored layer index is damaged: a sparse file has no order in its pieces');
}
