/**
 * A push: what the registry has already is not sent, blobs before the manifests that name them, the tag last. Every
 * document goes as it came, so that its digest stays.
 */

import { LayerboxError, NoSuchImageError } from '../errors.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import type { DiffID, Digest } from '../oci/digest.ts';
import {
  familiarReference,
  formatReference,
  fullName,
  parseReference,
  type Reference,
} from '../oci/reference.ts';
import type { PushTarget } from '../registry/push.ts';
import { type ImageNames, isDangling } from './image-names.ts';
import type { ImageParts } from './image-parts.ts';
import { shortID } from './pull-progress.ts';
import { contentOf, type ImageContent, type PlannedBlob } from './push-plan.ts';

/** As Docker's max-concurrent-uploads would be; a browser has six connections to a host. */
const BLOBS_AT_ONCE = 3;
/** Repositories that are asked for one blob. */
const MOUNT_TRIES = 3;

export type PushStatus =
  | 'Preparing'
  | 'Waiting'
  | 'Pushing'
  | 'Pushed'
  | 'Layer already exists'
  | `Mounted from ${string}`;

/** How far one layer is. */
export interface PushProgress {
  readonly type: 'layer';
  /** The first 12 digits of its diffID, as Docker names it in a push. */
  readonly id: string;
  readonly diffID: DiffID;
  readonly status: PushStatus;
  readonly current: number;
  readonly total: number;
}

export interface PushOptions {
  /** The manifest for it alone. */
  readonly platform?: Platform;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: PushProgress) => void;
}

export interface PushedImage {
  /** What the tag stands for there. */
  readonly descriptor: Descriptor;
  /** The index in whose place one manifest was pushed, as not all that it names is here. */
  readonly insteadOf?: Descriptor;
}

/** The names of a repository's images with a tag, by tag. NoSuchImageError in Docker's words when there are none. */
export async function taggedImages(
  parts: Pick<ImageParts, 'records'>,
  repository: Reference,
): Promise<readonly Reference[]> {
  const name = fullName(repository);
  const records = await parts.records.list('images', `${name}:`);
  const references = records.map(({ id }) => parseReference(id));
  const tagged = references.filter(({ digest }) => digest === undefined);
  if (tagged.length === 0) {
    throw new NoSuchImageError(
      `An image does not exist locally with the tag: ${familiarReference(repository).replace(/:[^:/]*$/, '')}`,
      { image: name },
    );
  }
  return tagged;
}

/**
 * Pushes the image of this name to the repository of the name. Errors: NoSuchImage in Docker's words, those of
 * PushTarget and of `contentOf`.
 */
export async function pushImage(
  parts: ImageParts,
  names: ImageNames,
  reference: Reference,
  options: PushOptions,
): Promise<PushedImage> {
  if (reference.digest !== undefined) {
    throw new LayerboxError('cannot push a digest reference', { image: formatReference(reference) });
  }
  const { tag = 'latest' } = reference;
  const lease = await parts.leases.take({ owner: `push ${familiarReference(reference)}`, ephemeral: true });
  try {
    const record = await parts.records.get('images', formatReference(reference));
    if (record === undefined) {
      // the words differ when there is no image of the repository at all
      await taggedImages(parts, reference);
      throw new NoSuchImageError(`tag does not exist: ${familiarReference(reference)}`, {
        image: formatReference(reference),
      });
    }
    const image = await contentOf(parts.content, record, options.platform);
    const { top, below, blobs, insteadOf } = image;
    await lease.extend({
      content: [top, ...below, ...blobs].map(({ descriptor }) => descriptor.digest),
    });
    const sources = await mountSources(parts, reference);
    const mountFrom = [...new Set([...sources.values()].flat())];
    const target = parts.registries.pushTarget(reference, mountFrom);
    const push = new Push(parts, target, image, sources, options);
    await push.run(tag);
    if (top.descriptor.digest === record.target.digest) await names.markPushed(record);
    const { imageID } = record;
    parts.events.emit({ type: 'image', action: 'push', reference: record.id, imageID });
    return { descriptor: top.descriptor, ...(insteadOf !== undefined && { insteadOf }) };
  } finally {
    await lease.release();
  }
}

/** Other repositories of the same registry whose images here have a blob: most likely they have it there, too. */
async function mountSources(
  parts: Pick<ImageParts, 'records'>,
  { registry, repository }: Reference,
): Promise<ReadonlyMap<Digest, readonly string[]>> {
  const sources = new Map<Digest, string[]>();
  for (const image of await parts.records.list('images', `${registry}/`)) {
    if (isDangling(image)) continue;
    const other = parseReference(image.id).repository;
    if (other === repository) continue;
    for (const { digest } of [...image.layers.map(({ blob }) => blob), { digest: image.imageID }]) {
      const known = sources.get(digest) ?? [];
      if (!known.includes(other) && known.length < MOUNT_TRIES) known.push(other);
      sources.set(digest, known);
    }
  }
  return sources;
}

class Push {
  readonly #parts: ImageParts;
  readonly #target: PushTarget;
  readonly #image: ImageContent;
  readonly #sources: ReadonlyMap<Digest, readonly string[]>;
  readonly #options: PushOptions;

  constructor(
    parts: ImageParts,
    target: PushTarget,
    image: ImageContent,
    sources: ReadonlyMap<Digest, readonly string[]>,
    options: PushOptions,
  ) {
    this.#parts = parts;
    this.#target = target;
    this.#image = image;
    this.#sources = sources;
    this.#options = options;
  }

  async run(tag: string): Promise<void> {
    const { top, below, blobs } = this.#image;
    const { signal } = this.#options;
    for (const blob of blobs) this.#tell(blob, 'Preparing', 0);
    if ((await this.#target.digestOf(tag, { signal })) === top.descriptor.digest) {
      for (const blob of blobs) this.#tell(blob, 'Layer already exists', blob.descriptor.size);
      return;
    }
    await this.#blobs(blobs);
    for (const { descriptor, bytes } of below) {
      await this.#target.putManifest(descriptor.digest, descriptor, bytes, { signal });
    }
    await this.#target.putManifest(tag, top.descriptor, top.bytes, { signal });
  }

  /** A few at a time. The first failure ends the others; nothing goes on once this settled. */
  async #blobs(blobs: readonly PlannedBlob[]): Promise<void> {
    const failure = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, failure.signal]);
    const errors: unknown[] = [];
    const queue = blobs.values();
    for (const blob of blobs.slice(BLOBS_AT_ONCE)) this.#tell(blob, 'Waiting', 0);
    const worker = async () => {
      for (const blob of queue) {
        if (signal.aborted) return;
        try {
          await this.#blob(blob, signal);
        } catch (error) {
          errors.push(error);
          failure.abort(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(BLOBS_AT_ONCE, blobs.length) }, worker));
    this.#options.signal.throwIfAborted();
    if (errors.length > 0) throw errors[0];
  }

  async #blob(blob: PlannedBlob, signal: AbortSignal): Promise<void> {
    const { digest, size } = blob.descriptor;
    const what = `${blob.diffID === undefined ? 'blob' : 'layer'} ${digest}`;
    const { content } = this.#parts;
    const result = await this.#target.upload(
      { digest, size, read: (offset, length) => content.read(digest, offset, length) },
      what,
      {
        signal,
        mountFrom: this.#sources.get(digest) ?? [],
        onProgress: (bytes) => this.#tell(blob, 'Pushing', bytes),
      },
    );
    const status =
      result.how === 'exists'
        ? ('Layer already exists' as const)
        : result.how === 'mounted'
          ? (`Mounted from ${result.from}` as const)
          : ('Pushed' as const);
    this.#tell(blob, status, size);
  }

  /** Of layers alone, as Docker does. */
  #tell({ descriptor, diffID }: PlannedBlob, status: PushStatus, current: number): void {
    if (diffID === undefined) return;
    this.#options.onProgress?.({
      type: 'layer',
      id: shortID(diffID),
      diffID,
      status,
      current,
      total: descriptor.size,
    });
  }
}
