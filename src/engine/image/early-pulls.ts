/**
 * Pulls whose images are used before they are whole. Such an image has no
 * record yet: nothing lists it, and it is gone with the page. What was started from it is told when the
 * pull is over: that it is whole now, or that it never will be.
 */

import { CancelledError } from '../errors.ts';
import { familiarReference, formatReference, parseReference, type Reference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/records.ts';
import type { PulledImage, PullOptions } from './images.ts';

/** An image that can be run. */
export interface EarlyImage {
  readonly record: ImageRecord;
  /** The whole pull, when it was over as soon as the image could be run. */
  readonly pulled: PulledImage | undefined;
  /** Why the rest of it did not come, once that is known. */
  readonly failure: () => unknown;
  /** Resolves when the pull is over and, if it failed, what was started from the image is gone. */
  readonly over: () => Promise<unknown>;
}

export interface EarlyPullsOptions {
  /** `Images.pull`, which says by `onRunnable` when the image can be run. */
  readonly pull: (reference: Reference, options: PullOptions) => Promise<PulledImage>;
  /** All of it is here, and it has its name. */
  readonly onWhole: (record: ImageRecord) => Promise<void>;
  /** The pull failed after the image could be run: what was started from it cannot go on. */
  readonly onFailed: (record: ImageRecord, reason: unknown) => Promise<void>;
}

interface Running {
  readonly controller: AbortController;
  readonly runnable: Promise<EarlyImage>;
  /** Set once it can be run: from then on nobody's giving up ends the pull. */
  image: EarlyImage | undefined;
  waiting: number;
}

export class EarlyPulls {
  readonly #options: EarlyPullsOptions;
  readonly #running = new Map<string, Running>();
  readonly #ending = new Set<Promise<unknown>>();

  constructor(options: EarlyPullsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the image can be run. Errors as `Images.pull`, until then; Cancelled when the signal is
   * aborted, which ends the pull unless somebody else waits for the same image or it can be run already.
   */
  async start(reference: Reference, options: PullOptions): Promise<EarlyImage> {
    const id = formatReference(reference);
    const running = this.#running.get(id) ?? this.#start(id, reference, options);
    running.waiting += 1;
    let leave: () => void = () => undefined;
    const left = new Promise<undefined>((resolve) => {
      leave = () => resolve(undefined);
    });
    options.signal.addEventListener('abort', leave, { once: true });
    try {
      if (options.signal.aborted) leave();
      const first = await Promise.race([running.runnable, left]);
      if (first !== undefined) return first;
      const image = familiarReference(reference);
      throw new CancelledError(
        `the pull of ${image} was cancelled`,
        { image },
        { cause: options.signal.reason },
      );
    } finally {
      options.signal.removeEventListener('abort', leave);
      running.waiting -= 1;
      if (options.signal.aborted && running.waiting === 0 && running.image === undefined) {
        running.controller.abort(options.signal.reason);
        await running.runnable.catch(() => undefined); // nothing of it goes on
      }
    }
  }

  /** The image that can be run though it is not here, by its reference or the beginning of its ID. */
  find(text: string): ImageRecord | undefined {
    const hex = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1];
    for (const [id, { image }] of this.#running) {
      if (image === undefined) continue;
      if (hex !== undefined && image.record.imageID.startsWith(`sha256:${hex}`)) return image.record;
      if (!/^(?:sha256:)?[0-9a-f]{64}$/.test(text) && formatReference(parseReference(text)) === id) {
        return image.record;
      }
    }
    return undefined;
  }

  /** Ends all that is under way and waits for its end. */
  async close(): Promise<void> {
    for (const { controller } of this.#running.values()) controller.abort(new Error('the sandbox is closed'));
    await Promise.allSettled([...this.#ending]);
  }

  #start(id: string, reference: Reference, options: PullOptions): Running {
    const controller = new AbortController();
    let resolve: (image: EarlyImage) => void = () => undefined;
    let reject: (reason: unknown) => void = () => undefined;
    const runnable = new Promise<EarlyImage>((...settle) => {
      [resolve, reject] = settle;
    });
    const running: Running = { controller, runnable, image: undefined, waiting: 0 };
    let failure: unknown;
    let ending: Promise<void> | undefined;
    const over = async () => ending;
    const whole = this.#options.pull(reference, {
      ...options,
      signal: controller.signal,
      // whoever asked watches until it can go on
      onProgress: (progress) => {
        if (running.image === undefined) options.onProgress?.(progress);
      },
      onRunnable: (record) => {
        running.image = { record, pulled: undefined, failure: () => failure, over };
        resolve(running.image);
      },
    });
    this.#running.set(id, running);
    whole.catch((error: unknown) => {
      failure = error;
    });
    ending = this.#end(running, whole).then(
      (pulled) => {
        this.#running.delete(id);
        resolve({ record: pulled.record, pulled, failure: () => undefined, over });
      },
      (error: unknown) => {
        this.#running.delete(id);
        reject(error);
      },
    );
    runnable.catch(() => undefined); // whoever waits has it
    const end = ending;
    this.#ending.add(end);
    end.finally(() => this.#ending.delete(end));
    return running;
  }

  async #end(running: Running, whole: Promise<PulledImage>): Promise<PulledImage> {
    try {
      const pulled = await whole;
      if (running.image !== undefined) await this.#options.onWhole(running.image.record);
      return pulled;
    } catch (error) {
      if (running.image !== undefined) await this.#options.onFailed(running.image.record, error);
      throw error;
    }
  }
}
