/** The codecs of a sandbox, for what is unpacked and hashed outside of a pull. */

import type { Unpackers } from '../archive/unpackers.ts';
import { StorageFailedError } from '../errors.ts';
import type { ImageParts } from './image-parts.ts';

/** StorageFailedError for a sandbox that was opened without. */
export function unpackersOf(parts: Pick<ImageParts, 'unpackers'>): Unpackers {
  if (parts.unpackers !== undefined) return parts.unpackers;
  throw new StorageFailedError(
    'this sandbox was opened without codecs: layers can neither be made nor unpacked; open it with `unpackers`',
  );
}
