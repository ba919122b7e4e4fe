/**
 * Copying images into a folder. First all documents are asked for, so that what has to be copied is known as a whole:
 * a blob that several images have is fetched once. Then blobs come, a few at a time; and as soon as all blobs of an image
 * are there its documents are written and, last, its name.
 */

import { CancelledError } from '../engine/errors.ts';
import type { Reference } from '../engine/oci/reference.ts';
import { openBlob } from '../engine/registry/blob.ts';
import type { Fetch } from '../engine/registry/request.ts';
import type { Patience, RetryListener } from '../engine/registry/retry.ts';
import type { ImageSource } from '../engine/registry/source.ts';
import { eachAtOnce } from './at-once.ts';
import { type ImagePlan, type PlannedBlob, planImage, type WantedPlatforms } from './image-plan.ts';
import type { LayoutFolder } from './layout-folder.ts';

/** Told how the copying goes. */
export interface MirrorReport {
  /** Before the first blob: all images that can be copied, and the bytes of their distinct blobs. */
  planned(plans: readonly ImagePlan[], blobs: { readonly count: number; readonly bytes: number }): void;
  /** A blob was found in the folder, or is copied now. */
  blobDone(bytes: number, how: 'copied' | 'there'): void;
  /** Bytes that arrived; negative when they were those of a blob that failed. */
  bytes(count: number): void;
  imageDone(plan: ImagePlan, changed: boolean): void;
  imageFailed(reference: Reference, error: unknown): void;
}

export interface MirrorOptions {
  readonly wanted: WantedPlatforms;
  /** Requests at once. */
  readonly jobs: number;
  readonly sourceOf: (reference: Reference) => ImageSource;
  readonly fetch: Fetch;
  readonly onRetry: RetryListener;
  /** How long requests that fail are made again. */
  readonly patience?: Patience;
  readonly signal: AbortSignal;
  readonly report: MirrorReport;
}

/** An image on its way: what of it is still missing, and whether it can come at all. */
interface Copying {
  readonly plan: ImagePlan;
  readonly source: ImageSource;
  readonly missing: Set<string>;
  isFailed: boolean;
}

interface SharedBlob extends PlannedBlob {
  readonly key: string;
  readonly images: Copying[];
}

/**
 * Copies the images; resolves with how many failed, each reported. What is copied stays, whatever fails. Rejects with
 * CancelledError when the signal is aborted, with StorageFailedError when the folder can't be made.
 */
export async function mirrorImages(
  folder: LayoutFolder,
  references: readonly Reference[],
  options: MirrorOptions,
): Promise<{ readonly failed: number }> {
  const mirroring = new Mirroring(folder, options);
  const images = await mirroring.plan(references);
  if (images.length > 0) {
    try {
      await folder.prepare();
      await mirroring.copy(images);
    } finally {
      await folder.close();
    }
  }
  return { failed: mirroring.failed };
}

class Mirroring {
  failed = 0;
  readonly #folder: LayoutFolder;
  readonly #options: MirrorOptions;

  constructor(folder: LayoutFolder, options: MirrorOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** In the order of the references, whichever answers first. */
  async plan(references: readonly Reference[]): Promise<readonly Copying[]> {
    const { jobs, signal, sourceOf, wanted } = this.#options;
    const planned = new Map<Reference, Copying>();
    await eachAtOnce(references, jobs, async (reference) => {
      this.#throwIfCancelled();
      try {
        const source = sourceOf(reference);
        const plan = await planImage(reference, source, { wanted, signal, here: this.#folder });
        planned.set(reference, { plan, source, missing: new Set(), isFailed: false });
      } catch (error) {
        this.#throwIfCancelled(error);
        this.#fail(reference, error);
      }
    });
    return references.flatMap((reference) => planned.get(reference) ?? []);
  }

  async copy(images: readonly Copying[]): Promise<void> {
    const blobs = sharedBlobs(images);
    const bytes = blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    this.#options.report.planned(
      images.map(({ plan }) => plan),
      { count: blobs.length, bytes },
    );
    for (const image of images) if (image.missing.size === 0) await this.#finish(image);
    await eachAtOnce(blobs, this.#options.jobs, async (blob) => {
      this.#throwIfCancelled();
      await this.#bring(blob);
      for (const image of blob.images) {
        image.missing.delete(blob.key);
        if (image.missing.size === 0) await this.#finish(image);
      }
    });
  }

  /** From the registry of the first image that has it, then of the next. An image whose registry fails is given up. */
  async #bring(blob: SharedBlob): Promise<void> {
    const { report } = this.#options;
    for (const image of blob.images) {
      if (image.isFailed) continue;
      try {
        const isHere = await this.#folder.holds(blob.descriptor);
        if (!isHere) await this.#copyBlob(image.source, blob);
        report.blobDone(blob.descriptor.size, isHere ? 'there' : 'copied');
        return;
      } catch (error) {
        this.#throwIfCancelled(error);
        this.#giveUp(image, error);
      }
    }
  }

  async #copyBlob(source: ImageSource, blob: SharedBlob): Promise<void> {
    const { fetch, onRetry, patience, report, signal } = this.#options;
    const { descriptor, what } = blob;
    let arrived = 0;
    try {
      const { url, headers, renew } = await source.blobRequest(descriptor, { signal });
      const request = { url, headers, what, size: descriptor.size, embedded: descriptor.data };
      const body = await openBlob(request, { fetch, onRetry, patience, renew, signal });
      await this.#folder.write(descriptor, body, {
        what,
        signal,
        onBytes: (count) => {
          arrived += count;
          report.bytes(count);
        },
      });
    } catch (error) {
      report.bytes(-arrived);
      throw error;
    }
  }

  /** All blobs are there: the documents, what is pointed to first, and then the name. */
  async #finish(image: Copying): Promise<void> {
    const { plan } = image;
    if (image.isFailed) return;
    try {
      for (const { descriptor, bytes } of plan.documents) {
        this.#throwIfCancelled();
        if (await this.#folder.holds(descriptor)) continue;
        const what = `manifest ${descriptor.digest} of ${plan.name}`;
        await this.#folder.write(descriptor, streamOf(bytes), { what, signal: this.#options.signal });
      }
      this.#options.report.imageDone(plan, await this.#folder.name(plan.reference, plan.target));
    } catch (error) {
      this.#throwIfCancelled(error);
      this.#giveUp(image, error);
    }
  }

  #giveUp(image: Copying, error: unknown): void {
    image.isFailed = true;
    this.#fail(image.plan.reference, error);
  }

  #fail(reference: Reference, error: unknown): void {
    this.failed += 1;
    this.#options.report.imageFailed(reference, error);
  }

  #throwIfCancelled(cause: unknown = this.#options.signal.reason): void {
    if (this.#options.signal.aborted) throw new CancelledError('the copying was cancelled', {}, { cause });
  }
}

/** Each blob once, with the images that wait for it, in the order of the images. */
function sharedBlobs(images: readonly Copying[]): readonly SharedBlob[] {
  const shared = new Map<string, SharedBlob>();
  for (const image of images) {
    for (const blob of image.plan.blobs) {
      // one that is announced with two sizes is two: one of them will not verify
      const key = `${blob.descriptor.digest} ${blob.descriptor.size}`;
      const known = shared.get(key) ?? { ...blob, key, images: [] };
      known.images.push(image);
      image.missing.add(key);
      shared.set(key, known);
    }
  }
  return [...shared.values()];
}

function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
