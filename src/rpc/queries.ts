/**
 * What the page reads, in a thread of its own beside the engine's: summaries and changes as the engine said them
 * last, directories from the layers' indexes and a snapshot of the container's own. So the page has an answer
 * while the engine's thread is taken by a program, a pull or a build.
 */

import type { FilesSource } from '../engine/container/files-source.ts';
import {
  type DirectoryListing,
  listFiles,
  type NameRange,
  openSource,
} from '../engine/container/files-source.ts';
import type { OpenFiles } from '../engine/container/files-view.ts';
import type { ContainerChanges } from '../engine/container/own-changes.ts';
import { RecentlyUsed } from '../engine/container/recently-used.ts';
import type { LayerIndex } from '../engine/layer/layer-index.ts';
import { openLayerIndex } from '../engine/layer/packed-layer-index.ts';
import type { DiffID } from '../engine/oci/digest.ts';
import { KeptAnswer, PATIENCE } from './kept-answer.ts';
import type { ContainerSummary, ImageSummary } from './sandbox.ts';

/** What the engine answers for others to show. */
export interface EngineViews {
  images(): Promise<readonly ImageSummary[]>;
  containers(): Promise<readonly ContainerSummary[]>;
  /** Undefined: as at `known`. */
  changes(container: string, known: string | undefined): Promise<ContainerChanges | undefined>;
  source(
    reference: string,
    platform: string | undefined,
    known: string | undefined,
  ): Promise<FilesSource | undefined>;
  layerIndex(diffID: DiffID): Promise<ArrayBuffer>;
}

/** What an old answer was about; a name or reference as it was asked for. */
export type About =
  | { readonly what: 'images' | 'containers' }
  | { readonly what: 'changes' | 'files'; readonly of: string };

/** Containers and directories whose last answers are kept. */
const KEPT = 32;
/** Merged layers that are kept; an image of 13,000 entries takes half a megabyte, and its indexes 2. */
const KEPT_STACKS = 6;
const KEPT_INDEXES = 256;

export class Queries {
  readonly #engine: EngineViews;
  readonly #stored: (diffID: DiffID) => Promise<ArrayBuffer | undefined>;
  readonly #onLate: (about: About) => void;
  readonly #images: KeptAnswer<readonly ImageSummary[]>;
  readonly #containers: KeptAnswer<readonly ContainerSummary[]>;
  readonly #changes = new Map<string, KeptAnswer<ContainerChanges>>();
  readonly #sources = new Map<string, KeptAnswer<FilesSource>>();
  readonly #indexes = new RecentlyUsed<LayerIndex>(KEPT_INDEXES);
  readonly #files = new RecentlyUsed<OpenFiles>(KEPT_STACKS);

  /** `stored`: the packed index of a layer where this thread can read it; else the engine is asked. */
  constructor(
    engine: EngineViews,
    stored: (diffID: DiffID) => Promise<ArrayBuffer | undefined>,
    onLate: (about: About) => void,
  ) {
    this.#engine = engine;
    this.#stored = stored;
    this.#onLate = onLate;
    this.#images = this.#answer({ what: 'images' }, () => engine.images());
    this.#containers = this.#answer({ what: 'containers' }, () => engine.containers());
  }

  #answer<T>(about: About, ask: (known: T | undefined) => Promise<T>): KeptAnswer<T> {
    return new KeptAnswer({
      ask,
      patience: () => new Promise((resolve) => void setTimeout(resolve, PATIENCE)),
      onLate: () => this.#onLate(about),
    });
  }

  images(turn: number): Promise<readonly ImageSummary[]> {
    return this.#images.get(turn);
  }

  containers(turn: number): Promise<readonly ContainerSummary[]> {
    return this.#containers.get(turn);
  }

  /** NoSuchContainerError. */
  async changes(turn: number, container: string): Promise<ContainerChanges['changes']> {
    const answer = kept(this.#changes, container, () =>
      this.#answer<ContainerChanges>({ what: 'changes', of: container }, async (known) =>
        confirmed(await this.#engine.changes(container, known?.version), known),
      ),
    );
    return (await answer.get(turn)).changes;
  }

  /** NoSuchImageError, NoSuchFileError. */
  async list(
    turn: number,
    reference: string,
    path: string,
    range: NameRange,
    platform: string | undefined,
  ): Promise<DirectoryListing> {
    const answer = kept(this.#sources, `${reference} ${platform ?? ''}`, () =>
      this.#answer<FilesSource>({ what: 'files', of: reference }, async (known) =>
        confirmed(await this.#engine.source(reference, platform, known?.version), known),
      ),
    );
    const source = await answer.get(turn);
    const files = await this.#files.get(source.version, () =>
      openSource(source, (diffID) => this.#index(diffID)),
    );
    return listFiles(files, path, range);
  }

  #index(diffID: DiffID): Promise<LayerIndex> {
    return this.#indexes.get(diffID, async () =>
      openLayerIndex((await this.#stored(diffID)) ?? (await this.#engine.layerIndex(diffID))),
    );
  }
}

/** The one under this key, last in the map from now on; the first of too many goes. */
function kept<T>(map: Map<string, T>, key: string, make: () => T): T {
  const value = map.get(key) ?? make();
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KEPT && oldest !== undefined) map.delete(oldest);
  return value;
}

function confirmed<T>(answer: T | undefined, known: T | undefined): T {
  const value = answer ?? known;
  if (value === undefined) throw new TypeError('the engine confirmed an answer that it never gave');
  return value;
}
