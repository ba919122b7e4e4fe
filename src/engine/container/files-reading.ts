/** Files of images and containers as they are shown: by a reference, which names an image or else a container. */

import { InvalidReferenceError, NoSuchContainerError, NoSuchImageError } from '../errors.ts';
import type { Images } from '../image/images.ts';
import { printableName } from '../names.ts';
import { formatPlatform, parsePlatform, satisfies } from '../oci/platform.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { ContentReader } from '../store/content-reader.ts';
import type { ImageRecord } from '../store/records.ts';
import type { Containers } from './containers.ts';
import {
  containerSource,
  type DirectoryListing,
  type FilesSource,
  imageSource,
  listFiles,
  type NameRange,
} from './files-source.ts';
import { type OpenFiles, readContent, type WalkEntry, walkFiles } from './files-view.ts';
import type { ImageStacks } from './image-stacks.ts';
import { openImage } from './image-view.ts';
import { type ContainerChanges, ownChanges } from './own-changes.ts';

export interface ReadingParts {
  readonly images: Images;
  readonly containers: Containers;
  readonly stacks: ImageStacks;
  readonly reader: ContentReader;
}

interface Opened<Files = OpenFiles> {
  readonly files: Files;
  readonly close: () => Promise<void>;
}

const diffIDsOf = (image: ImageRecord) => image.layers.map(({ diffID }) => diffID);

export class FilesReading {
  readonly #parts: ReadingParts;

  constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  /** As `Engine.walk`. */
  async *walk(reference: string, platform?: string): AsyncGenerator<WalkEntry> {
    const { files, close } = await this.#open(reference, platform);
    try {
      yield* walkFiles(files);
    } finally {
      await close();
    }
  }

  /** As `Engine.read`. */
  async read(reference: string, path: string, platform?: string): Promise<Uint8Array> {
    const { files, close } = await this.#open(reference, platform);
    try {
      return await readContent(files.union, path);
    } finally {
      await close();
    }
  }

  /** As `Engine.list`. */
  async list(
    reference: string,
    path: string,
    range: NameRange,
    platform?: string,
  ): Promise<DirectoryListing> {
    const { files, close } = await this.#look(reference, platform);
    try {
      return listFiles(files, path, range);
    } finally {
      await close();
    }
  }

  /** As `Engine.changes`. */
  async changes(container: string, known?: string): Promise<ContainerChanges | undefined> {
    const record = this.#parts.containers.resolve(container);
    const { files, close } = await this.#lookInto(record);
    try {
      const version = `${record.id} ${files.union.version}`;
      return version === known ? undefined : { version, changes: ownChanges(files.union) };
    } finally {
      await close();
    }
  }

  /** As `Engine.source`. */
  async source(
    reference: string,
    platform: string | undefined,
    known?: string,
  ): Promise<FilesSource | undefined> {
    const image = await this.#findImage(reference, platform);
    if (image !== undefined) return imageSource(diffIDsOf(image), known);
    const { files, close } = await this.#lookInto(this.#findContainer(reference));
    try {
      return containerSource(files, known);
    } finally {
      await close();
    }
  }

  async #open(reference: string, platform: string | undefined): Promise<Opened> {
    const { containers, stacks, reader } = this.#parts;
    const image = await this.#findImage(reference, platform);
    if (image !== undefined) {
      const layers = diffIDsOf(image);
      const union = await openImage(layers, { stacks, content: reader });
      return { files: { union, layers }, close: () => union.close() };
    }
    const record = this.#findContainer(reference);
    const rootfs = await containers.openRootfs(record.id);
    const files = { union: rootfs.union, layers: record.layers, container: record.id };
    return { files, close: () => rootfs.release() };
  }

  /** As `#open`, without waiting for what a running program has not written back yet. */
  async #look(reference: string, platform: string | undefined): Promise<Opened> {
    const image = await this.#findImage(reference, platform);
    return image === undefined
      ? this.#lookInto(this.#findContainer(reference))
      : this.#open(reference, platform);
  }

  async #lookInto(record: ContainerRecord): Promise<Opened<Required<OpenFiles>>> {
    const { containers } = this.#parts;
    const { id, layers } = record;
    const running = containers.running(id);
    if (running !== undefined) {
      return { files: { union: running.union, layers, container: id }, close: async () => undefined };
    }
    const rootfs = await containers.openRootfs(id);
    return { files: { union: rootfs.union, layers, container: id }, close: () => rootfs.release() };
  }

  async #findImage(reference: string, platform: string | undefined): Promise<ImageRecord | undefined> {
    let image: ImageRecord;
    try {
      image = await this.#parts.images.resolve(reference);
    } catch (error) {
      // a container's name need be no reference
      if (error instanceof NoSuchImageError || error instanceof InvalidReferenceError) return undefined;
      throw error;
    }
    if (platform === undefined || satisfies(image.platform, parsePlatform(platform))) return image;
    throw new NoSuchImageError(
      `${printableName(reference)} is here for ${formatPlatform(image.platform)}, not for ${platform}: pull it with --platform ${platform}`,
      { image: reference, platform },
    );
  }

  #findContainer(reference: string): ContainerRecord {
    try {
      return this.#parts.containers.resolve(reference);
    } catch (error) {
      if (!(error instanceof NoSuchContainerError)) throw error;
      throw new NoSuchImageError(`No such image or container: ${printableName(reference)}`, {
        image: reference,
      });
    }
  }
}
