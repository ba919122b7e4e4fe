/** When an image was made. */

import type { ImageConfig } from '../oci/config.ts';

/** Milliseconds since 1970; 0 when the config does not say. */
export function creationTime(config: ImageConfig): number {
  return config.created === undefined ? 0 : Date.parse(config.created);
}
