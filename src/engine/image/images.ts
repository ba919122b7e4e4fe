/**
 * The images of a sandbox: pulled, named, looked at, removed.
 *
 *     const { record } = await images.pull(parseReference('busybox'), { signal, onProgress });
 *     const layers = await images.layerIndexes(record); // bottom first, what a union is made of
 *     const { config } = await images.config(record);
 */

import { ContentMissingError, NoSuchImageError } from '../errors.ts';
import type { LayerIndex } from '../layer/layer-index.ts';
import { type ImageConfig, parseConfig } from '../oci/config.ts';
import type { Platform } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/records.ts';
import { type CommitOptions, commitImage, type ImportOptions, importImage } from './commit.ts';
import { type EarlyImage, EarlyPulls } from './early-pulls.ts';
import { type HistoryLine, historyLines } from './history.ts';
import { ImageNames } from './image-names.ts';
import type { ImageParts } from './image-parts.ts';
import { type ImageInspection, inspectImage } from './inspect.ts';
import { LayerFetches } from './layer-fetches.ts';
import { type LoadedImage, type LoadOptions, loadArchive } from './load.ts';
import { type PrunedImages, type PruneOptions, pruneImages } from './prune.ts';
import { pullImage } from './pull.ts';
import type { PullProgress } from './pull-progress.ts';
import { type PushedImage, type PushOptions, pushImage, taggedImages } from './push.ts';
import { type RemovedImages, removeImage } from './remove.ts';
import { type SaveOptions, saveArchive } from './save.ts';

export interface PullOptions {
  /** Must be matched; default: linux/386, else what can at least be walked. */
  readonly platform?: Platform;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
  /**
   * Called once when the image can be run, though layers are still coming: what is in each is known, and its
   * content is fetched when it is touched. Not called when all of it is here first.
   */
  readonly onRunnable?: (record: ImageRecord) => void;
}

/** An image that can be run; `isComing`: not all of it is here, and perhaps never will be. */
export type RunnableImage = ImageRecord & { readonly isComing?: true };

export interface PulledImage {
  readonly record: ImageRecord;
  /** Of what the reference named: an index or a manifest. */
  readonly digest: Digest;
  /** False when the name pointed to this image already. */
  readonly changed: boolean;
}

export class Images {
  readonly #parts: ImageParts;
  readonly #names: ImageNames;
  readonly #fetches: LayerFetches;
  readonly #early: EarlyPulls;

  constructor(parts: ImageParts) {
    this.#parts = parts;
    this.#names = new ImageNames(parts);
    this.#fetches = new LayerFetches(parts);
    this.#early = new EarlyPulls({
      pull: (reference, options) => this.pull(reference, options),
      onWhole: async (record) => parts.early?.onWhole(record),
      onFailed: async (record, reason) => parts.early?.onFailed(record, reason),
    });
  }

  /**
   * Brings an image here and names it. Layers that are here are not fetched
   * again; nothing is visible before all is. Errors: those of `Registries.resolve`
   * and `LayerIngestor.ingest`, InvalidDocument, UnsupportedMediaType,
   * NoMatchingPlatform, StorageFull, Cancelled.
   */
  pull(reference: Reference, options: PullOptions): Promise<PulledImage> {
    return pullImage(this.#parts, this.#names, this.#fetches, reference, options);
  }

  /**
   * As `pull`, but resolves as soon as the image can be run. From then on the pull goes on by itself, and the image
   * gets its name when it is whole; until then only `resolveRunnable` knows it.
   */
  pullToRun(reference: Reference, options: PullOptions): Promise<EarlyImage> {
    return this.#early.start(reference, options);
  }

  /** As `resolve`, and images that can be run though they are not here. */
  async resolveRunnable(text: string): Promise<RunnableImage> {
    try {
      return await this.resolve(text);
    } catch (error) {
      const early = error instanceof NoSuchImageError ? this.#early.find(text) : undefined;
      if (early === undefined) throw error;
      return { ...early, isComing: true };
    }
  }

  /** Ends the pulls that go on by themselves. */
  close(): Promise<void> {
    return this.#early.close();
  }

  /**
   * The image that a reference, a digest reference, an image ID or the unique
   * beginning of one means. NoSuchImage, InvalidReference.
   */
  resolve(text: string): Promise<ImageRecord> {
    return this.#names.resolve(text);
  }

  /** Every name, and `<none>@...` for images that have none; by ID of the record. */
  list(): Promise<readonly ImageRecord[]> {
    return this.#parts.records.list('images');
  }

  /** All records of one image: its names. */
  namesOf(imageID: Digest): Promise<readonly ImageRecord[]> {
    return this.#names.of(imageID);
  }

  /** A further name for an image; what had the name before keeps its content as `<none>`. */
  async tag(record: ImageRecord, reference: Reference): Promise<ImageRecord> {
    const { hasRepoDigest: _, ...image } = record;
    const named = { ...image, id: formatReference(reference), taggedAt: this.#parts.now() };
    await this.#names.give(named, []);
    this.#parts.events.emit({
      type: 'image',
      action: 'tag',
      reference: named.id,
      imageID: named.imageID,
    });
    return named;
  }

  /** As `commitImage` (commit.ts). */
  commit(options: CommitOptions): Promise<ImageRecord> {
    return commitImage(this.#parts, this.#names, options);
  }

  /** As `importImage` (commit.ts). */
  async import(options: ImportOptions): Promise<ImageRecord> {
    const record = await importImage(this.#parts, this.#names, options);
    const { id, imageID } = record;
    this.#parts.events.emit({ type: 'image', action: 'import', reference: id, imageID });
    return record;
  }

  /** As `pushImage` (push.ts). */
  push(reference: Reference, options: PushOptions): Promise<PushedImage> {
    return pushImage(this.#parts, this.#names, reference, options);
  }

  /** The tagged names of a repository (push.ts). */
  tagged(repository: Reference): Promise<readonly Reference[]> {
    return taggedImages(this.#parts, repository);
  }

  /** As `saveArchive` (save.ts). */
  save(words: readonly string[], options: SaveOptions): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    return saveArchive(this.#parts, this.#names, words, options);
  }

  /** As `loadArchive` (load.ts). */
  load(
    archive: AsyncIterable<Uint8Array<ArrayBuffer>>,
    options: LoadOptions,
  ): Promise<readonly LoadedImage[]> {
    return loadArchive(this.#parts, this.#names, archive, options);
  }

  /** The parsed config. ContentMissing when the store was damaged. */
  async config(record: ImageRecord): Promise<ImageConfig> {
    return parseConfig(await this.configBytes(record), `config of ${record.id}`);
  }

  /** The config verbatim. */
  configBytes(record: ImageRecord): Promise<Uint8Array<ArrayBuffer>> {
    return this.#parts.content.read(record.imageID);
  }

  /** What the name pointed to when it was pulled, verbatim: an index or a manifest. */
  targetBytes(record: ImageRecord): Promise<Uint8Array<ArrayBuffer>> {
    return this.#parts.content.read(record.target.digest);
  }

  /** The unpacked layers, bottom first; kept in memory while they are in use. ContentMissing. */
  async layerIndexes(record: ImageRecord): Promise<LayerIndex[]> {
    return Promise.all(
      record.layers.map(async ({ diffID }) => {
        const index = await this.#parts.layers.open(diffID);
        if (index !== undefined) return index;
        throw new ContentMissingError(
          `layer ${diffID} of ${record.id} is not in the store: pull the image again`,
          {
            digest: diffID,
            image: record.id,
          },
        );
      }),
    );
  }

  /** Bytes of file content of each layer, bottom first. */
  async layerSizes(record: ImageRecord): Promise<readonly number[]> {
    const indexes = await this.layerIndexes(record);
    return indexes.map((index) => this.#parts.layers.contentSize(index));
  }

  /** Bytes of file content of all layers: what Docker calls the size of an image. */
  async size(record: ImageRecord): Promise<number> {
    return (await this.layerSizes(record)).reduce((sum, size) => sum + size, 0);
  }

  /** The lines of `docker history`, newest first. */
  async history(record: ImageRecord): Promise<readonly HistoryLine[]> {
    return historyLines(record, await this.config(record), await this.layerSizes(record));
  }

  /** What `docker image inspect` shows. */
  async inspect(record: ImageRecord): Promise<ImageInspection> {
    return inspectImage(record, {
      config: await this.config(record),
      names: await this.namesOf(record.imageID),
      size: await this.size(record),
    });
  }

  /** Removes images that no container is of; see prune.ts. */
  prune(options: PruneOptions): Promise<PrunedImages> {
    return pruneImages(this.#parts, this.#names, options);
  }

  /**
   * Removes a name and, when it was the last one, the image; then gives back
   * what nothing else needs. ImageInUse in Docker's words, NoSuchImage.
   */
  remove(text: string, options: { readonly force?: boolean } = {}): Promise<RemovedImages> {
    return removeImage(this.#parts, this.#names, text, options.force ?? false);
  }
}
