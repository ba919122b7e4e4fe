/** How far each layer of a pull is, in the words of Docker's progress lines. */

import type { DiffID, Digest } from '../oci/digest.ts';

export type PullStatus =
  | 'Pulling fs layer'
  | 'Waiting'
  | `Retrying in ${string}`
  /** What is in the layer is known, and content is fetched when it is touched; the rest comes behind. */
  | 'Ready to read'
  | 'Downloading'
  | 'Verifying Checksum'
  | 'Download complete'
  | 'Extracting'
  | 'Pull complete'
  | 'Already exists';

export type PullProgress =
  | {
      /** Once, before any layer: where the image comes from and what it is. */
      readonly type: 'resolved';
      /** `registry localhost:5000`, `layout https://example.org/registry/`. */
      readonly source: string;
      readonly digest: Digest;
      /** `linux/386`. */
      readonly platform: string;
    }
  | {
      readonly type: 'layer';
      /** The first 12 digits of the blob's digest, as Docker names a layer. */
      readonly id: string;
      readonly digest: Digest;
      readonly diffID: DiffID;
      readonly status: PullStatus;
      /** Compressed bytes so far, and in all. */
      readonly current: number;
      readonly total: number;
    };

/** `sha256:0123456789ab...` as `0123456789ab`: how Docker shortens IDs. */
export function shortID(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}
