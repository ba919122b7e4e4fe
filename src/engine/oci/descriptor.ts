/** The shapes of the OCI image specification 1.1 that the engine works with, as read-only views. */

import type { Digest } from './digest.ts';

/** image-spec, descriptor.md. `size` in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly artifactType?: string;
  /** The content itself in base64, as its descriptor carries it: neither decoded nor verified yet. */
  readonly data?: string;
}

/** image-spec, image-index.md, "platform". */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
}
