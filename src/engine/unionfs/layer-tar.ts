/** An upper as the tar of a layer: what a commit stores. */

import { layerToTar } from '../layer/layer-to-tar.ts';
import type { DiffID } from '../oci/digest.ts';
import type { Union } from './union.ts';

/** The snapshot's own name for a layer whose digest is not known before its tar is written. */
const unknownDiffID: DiffID = `sha256:${'0'.repeat(64)}`;

/**
 * The pieces of the tar, in order; what changed as it was when the first was asked for. The same changes over the
 * same lowers give the same bytes. Files that are removed meanwhile stay until the last piece or `return`.
 * Throws CorruptLayerError when a file is written to or cut meanwhile so that its size no longer fits, or has a name
 * that a layer cannot have; FsError EIO when content cannot be read. `isLeftOut` as `layerToTar` has it.
 */
export async function* layerTarOf(
  union: Union,
  isLeftOut?: (path: string) => boolean,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const index = union.snapshot(unknownDiffID);
  const held: number[] = [];
  for (let number = 0; number < index.count; number++) {
    const entry = index.entry(number);
    if (entry.type !== 'file') continue;
    union.hold(entry.offset);
    held.push(entry.offset);
  }
  try {
    yield* layerToTar(index, (entry, offset, length) => union.read(entry.offset, offset, length), isLeftOut);
  } finally {
    for (const ino of held) union.release(ino);
  }
}
