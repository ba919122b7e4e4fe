/** What images are made from: the ports and neighbours that `Images` works with. */

import type { Unpackers } from '../archive/unpackers.ts';
import type { EventStream } from '../events.ts';
import type { Digest } from '../oci/digest.ts';
import type { Registries } from '../registry/registries.ts';
import type { ContentStore } from '../store/content.ts';
import type { Leases } from '../store/leases.ts';
import type { ImageRecord, RecordStore } from '../store/records.ts';
import type { EarlyReading } from './early-layers.ts';
import type { LayerCache } from './layer-cache.ts';
import type { LayerIngestor } from './layer-ingestor.ts';

/** A container that was made from an image. */
export interface ImageUse {
  /** Full container ID. */
  readonly container: string;
  readonly running: boolean;
}

/** How images are used before they are here; who is told how that ended is who used them (early-pulls.ts). */
export interface EarlyStart extends EarlyReading {
  readonly onWhole: (record: ImageRecord) => Promise<void>;
  readonly onFailed: (record: ImageRecord, reason: unknown) => Promise<void>;
}

export interface ImageParts {
  readonly content: ContentStore;
  readonly records: RecordStore;
  /** Shared with whoever else opens layers: each is in memory once. */
  readonly layers: LayerCache;
  readonly leases: Pick<Leases, 'take'>;
  readonly registries: Pick<Registries, 'resolve' | 'pushTarget'>;
  readonly ingestor: Pick<LayerIngestor, 'ingest' | 'prepare'>;
  readonly events: Pick<EventStream, 'emit'>;
  /** For what is made, loaded and hashed here; without them images only come by a pull (unpackers-of.ts). */
  readonly unpackers?: Unpackers;
  /** Undefined: an image is used when all of it is here, not before. */
  readonly early?: EarlyStart;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The containers of an image; empty when there are none. */
  readonly usedBy: (imageID: Digest) => Promise<readonly ImageUse[]>;
  /** Gives back what nothing refers to; resolves to the bytes (store/garbage.ts). */
  readonly collectGarbage: () => Promise<number>;
}
