/** The files of an image, read-only: a union whose upper is empty and stays so. */

import type { DiffID } from '../oci/digest.ts';
import type { ContentReader } from '../store/content-reader.ts';
import type { Journal } from '../store/journal.ts';
import { FsError } from '../unionfs/errno.ts';
import { openUnion, type Union } from '../unionfs/union.ts';
import type { ImageStacks } from './image-stacks.ts';

/** Nothing was ever changed, and nothing can be. */
export const emptyJournal: Journal = {
  segments: [],
  next: 1,
  read: () => Promise.reject(new FsError('EIO', 'an image has no journal')),
  append: () => Promise.reject(new FsError('EROFS', 'an image is read-only')),
  remove: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** The caller closes it. ContentMissingError when a layer is not there. */
export async function openImage(
  layers: readonly DiffID[],
  ports: { readonly stacks: ImageStacks; readonly content: ContentReader },
): Promise<Union> {
  const stack = await ports.stacks.stack(layers);
  const lowers = stack.layers.map((index) => ({
    index,
    read: (offset: number, length: number) => ports.content.read(index.diffID, offset, length),
  }));
  return openUnion({ lowers, stack, journal: emptyJournal, now: () => 0n });
}
