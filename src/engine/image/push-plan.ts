/** What a push of an image takes to the registry: all that its index names when that is here, else the manifest alone. */

import { ContentMissingError, NoMatchingPlatformError } from '../errors.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import type { DiffID, Digest } from '../oci/digest.ts';
import { parseIndex } from '../oci/index.ts';
import { parseManifest } from '../oci/manifest.ts';
import { documentKind } from '../oci/media-type.ts';
import { formatPlatform, normalizePlatform, satisfies } from '../oci/platform.ts';
import type { ContentStore } from '../store/content.ts';
import type { ImageRecord } from '../store/records.ts';

/** An index may point to an index; how deep it may go. */
const INDEX_DEPTH = 4;

export interface StoredDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface PlannedBlob {
  readonly descriptor: Descriptor;
  /** Of a layer of the image's own manifest: how Docker names it. */
  readonly diffID?: DiffID;
}

export interface ImageContent {
  /** What the tag is to stand for. */
  readonly top: StoredDocument;
  /** Manifests and indexes below it, those that others name first. */
  readonly below: readonly StoredDocument[];
  /** Configs and layers, each once; layers of the image top first, as Docker shows them. */
  readonly blobs: readonly PlannedBlob[];
  /** The index that the image was pulled by, when not all that it names is here. */
  readonly insteadOf?: Descriptor;
}

/**
 * All that is here of the image; with `platform` the manifest for it alone. Blobs that are not given on (layers with
 * `urls` that are not here) are left out. NoMatchingPlatformError in Docker's words; ContentMissingError for an image
 * that is damaged.
 */
export async function contentOf(
  content: Pick<ContentStore, 'read' | 'stat'>,
  record: ImageRecord,
  platform?: Platform,
): Promise<ImageContent> {
  const gathering = new Gathering(content, record);
  const { target, manifest } = record;
  if (platform !== undefined) return gathering.forPlatform(platform);
  if (target.digest !== manifest.digest) {
    const whole = await gathering.from(target).catch(ifMissing);
    if (whole !== undefined) return whole;
    return { ...(await gathering.from(manifest)), insteadOf: target };
  }
  return gathering.from(manifest);
}

class Gathering {
  readonly #content: Pick<ContentStore, 'read' | 'stat'>;
  readonly #record: ImageRecord;

  constructor(content: Pick<ContentStore, 'read' | 'stat'>, record: ImageRecord) {
    this.#content = content;
    this.#record = record;
  }

  async from(descriptor: Descriptor): Promise<ImageContent> {
    const documents = new Map<Digest, StoredDocument>();
    const blobs = new Map<Digest, PlannedBlob>();
    await this.#add(descriptor, documents, blobs, 0);
    const ordered = [...documents.values()];
    const top = ordered.pop();
    if (top === undefined) throw new ContentMissingError(`${descriptor.digest} is not in the store`);
    return { top, below: ordered, blobs: [...blobs.values()] };
  }

  async forPlatform(platform: Platform): Promise<ImageContent> {
    const { target, manifest, platform: own } = this.#record;
    if (satisfies(own, platform) && satisfies(platform, own)) return this.from(manifest);
    const found = await this.#find(target, platform, 0);
    const chosen = found === undefined ? undefined : await this.from(found).catch(ifMissing);
    if (chosen !== undefined) return chosen;
    throw new NoMatchingPlatformError(
      `image with reference ${this.#record.id} was found but does not provide the specified platform (${formatPlatform(normalizePlatform(platform))})`,
      { wanted: formatPlatform(platform), offered: [formatPlatform(own)] },
    );
  }

  async #find(descriptor: Descriptor, platform: Platform, depth: number): Promise<Descriptor | undefined> {
    if (documentKind(descriptor.mediaType) !== 'index' || depth === INDEX_DEPTH) return undefined;
    const bytes = await this.#read(descriptor);
    for (const entry of parseIndex(bytes, `index ${descriptor.digest}`).manifests) {
      if (documentKind(entry.mediaType) === 'index') {
        const nested = await this.#find(entry, platform, depth + 1).catch(ifMissing);
        if (nested !== undefined) return nested;
      } else if (entry.platform !== undefined && satisfies(entry.platform, platform)) return entry;
    }
    return undefined;
  }

  async #add(
    descriptor: Descriptor,
    documents: Map<Digest, StoredDocument>,
    blobs: Map<Digest, PlannedBlob>,
    depth: number,
  ): Promise<void> {
    if (documents.has(descriptor.digest)) return;
    const bytes = await this.#read(descriptor);
    const what = `manifest ${descriptor.digest}`;
    if (documentKind(descriptor.mediaType) === 'index') {
      if (depth === INDEX_DEPTH) {
        throw new NoMatchingPlatformError(`${what} has indexes more than ${INDEX_DEPTH} deep`);
      }
      for (const entry of parseIndex(bytes, what).manifests) {
        await this.#add(entry, documents, blobs, depth + 1);
      }
    } else {
      const { config, layers } = parseManifest(bytes, what);
      const own = descriptor.digest === this.#record.manifest.digest ? this.#record.layers : [];
      for (const [i, layer] of [...layers.entries()].reverse()) {
        const diffID = own[i]?.diffID;
        await this.#addBlob(layer, blobs, diffID === undefined ? {} : { diffID });
      }
      await this.#addBlob(config, blobs, {});
    }
    documents.set(descriptor.digest, { descriptor, bytes });
  }

  async #addBlob(
    descriptor: Descriptor,
    blobs: Map<Digest, PlannedBlob>,
    about: Pick<PlannedBlob, 'diffID'>,
  ): Promise<void> {
    if (blobs.has(descriptor.digest)) return;
    if ((await this.#content.stat(descriptor.digest)) === undefined) {
      if (descriptor.urls !== undefined && descriptor.urls.length > 0) return;
      throw new ContentMissingError(
        `${descriptor.digest} of ${this.#record.id} is not in the store: pull the image again`,
        { digest: descriptor.digest },
      );
    }
    blobs.set(descriptor.digest, { descriptor, ...about });
  }

  #read({ digest }: Descriptor): Promise<Uint8Array<ArrayBuffer>> {
    return this.#content.read(digest);
  }
}

function ifMissing(error: unknown): undefined {
  if (error instanceof ContentMissingError) return undefined;
  throw error;
}
