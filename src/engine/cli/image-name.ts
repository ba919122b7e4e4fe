/** What `docker images` calls an image. */

import { familiarName, fullName, parseReference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/records.ts';

export const NONE = '<none>';

export interface ImageName {
  /** As Docker shows it; `<none>` of an image without a name. */
  readonly repository: string;
  /** `<none>` when it was pulled by digest. */
  readonly tag: string;
  /** `docker.io/library/busybox`; '' of an image without a name. */
  readonly full: string;
}

/** What a record's ID says of the image's name. */
export function imageName(record: ImageRecord): ImageName {
  if (record.id.startsWith(NONE)) return { repository: NONE, tag: NONE, full: '' };
  const reference = parseReference(record.id);
  return {
    repository: familiarName(reference),
    tag: reference.digest === undefined ? (reference.tag ?? NONE) : NONE,
    full: fullName(reference),
  };
}
