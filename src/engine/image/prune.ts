/** `docker image prune`: removes what nobody uses, with the rules of Docker's daemon. */

import { ImageInUseError, NoSuchImageError } from '../errors.ts';
import { type ImageConfig, parseConfig } from '../oci/config.ts';
import type { ImageRecord } from '../store/records.ts';
import { type ImageNames, isDangling } from './image-names.ts';
import type { ImageParts } from './image-parts.ts';
import { type RemovedImages, removeImage } from './remove.ts';

export interface PruneOptions {
  /** False: only images without a name. */
  readonly all: boolean;
  /** Which of them; default: each. */
  readonly fits?: (config: ImageConfig) => boolean;
  /** Ends it between two images. */
  readonly signal: AbortSignal;
}

export type PrunedImages = RemovedImages;

/** See `Images.prune`. An image that somebody begins to use meanwhile stays. */
export async function pruneImages(
  parts: ImageParts,
  names: ImageNames,
  { all, fits, signal }: PruneOptions,
): Promise<PrunedImages> {
  const byImage = new Map<string, ImageRecord[]>();
  for (const record of await parts.records.list('images')) {
    const others = byImage.get(record.imageID);
    if (others === undefined) byImage.set(record.imageID, [record]);
    else others.push(record);
  }
  const pruned: RemovedImages[] = [];
  for (const [imageID, records] of byImage) {
    signal.throwIfAborted();
    const [first] = records;
    if (first === undefined || (!all && !records.every(isDangling))) continue;
    if (fits !== undefined) {
      const config = parseConfig(await parts.content.read(first.imageID), `config of ${first.id}`);
      if (!fits(config)) continue;
    }
    if ((await parts.usedBy(first.imageID)).length > 0) continue;
    try {
      pruned.push(await removeImage(parts, names, imageID, true));
    } catch (error) {
      if (!(error instanceof ImageInUseError || error instanceof NoSuchImageError)) throw error;
    }
  }
  return {
    untagged: pruned.flatMap(({ untagged }) => untagged),
    deleted: pruned.flatMap(({ deleted }) => deleted),
    reclaimed: pruned.reduce((sum, { reclaimed }) => sum + reclaimed, 0),
  };
}
