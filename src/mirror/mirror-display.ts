/** What the copying shows: names of the copied images on standard output, all else on standard error. */

import { formatSize } from '../engine/cli/format.ts';
import { familiarReference, formatReference, type Reference } from '../engine/oci/reference.ts';
import type { Retry } from '../engine/registry/retry.ts';
import { failureText } from './failure-text.ts';
import type { ImagePlan } from './image-plan.ts';
import type { MirrorReport } from './mirror.ts';
import { type LineStream, ProgressLine } from './progress-line.ts';

/** Milliseconds: who waits longer than this for a request is told why. */
const NOTED_WAIT = 1500;

export interface MirrorDisplayOptions {
  readonly stdout: LineStream;
  readonly stderr: LineStream;
  readonly now: () => number;
  /** Only names of copied images, notes and failures. */
  readonly quiet: boolean;
  /** How many images are to be copied. */
  readonly images: number;
  /** Absolute path of the folder. */
  readonly folder: string;
  /** Why the account that there is for the image's registry can't be used. */
  readonly unusable: (reference: Reference) => string | undefined;
}

export class MirrorDisplay implements MirrorReport {
  readonly #options: MirrorDisplayOptions;
  readonly #line: ProgressLine;
  #blobs = { count: 0, bytes: 0 };
  #doneBlobs = 0;
  #bytes = 0;
  #there = 0;
  #copied = 0;
  #images = 0;

  constructor(options: MirrorDisplayOptions) {
    this.#options = options;
    this.#line = new ProgressLine(options.stderr, options.now);
  }

  planned(plans: readonly ImagePlan[], blobs: { readonly count: number; readonly bytes: number }): void {
    this.#blobs = blobs;
    for (const plan of plans) {
      const { name, target, platforms, missing, notes } = plan;
      this.#say(`${name}: ${target.digest}${platforms.length === 0 ? '' : ` (${platforms.join(', ')})`}`);
      if (missing.length > 0) this.#warn(`${name} has no ${missing.join(' and no ')}`);
      for (const note of notes) this.#warn(note);
    }
    this.#show();
  }

  blobDone(bytes: number, how: 'copied' | 'there'): void {
    this.#doneBlobs += 1;
    if (how === 'copied') this.#copied += bytes;
    else {
      this.#there += bytes;
      this.#bytes += bytes;
    }
    this.#show();
  }

  bytes(count: number): void {
    this.#bytes += count;
    this.#show();
  }

  retry({ url, reason, wait }: Retry): void {
    if (wait >= NOTED_WAIT)
      this.#warn(`${new URL(url).host}: ${reason}; asking again in ${Math.round(wait / 1000)} s`);
  }

  imageDone(plan: ImagePlan, changed: boolean): void {
    this.#images += 1;
    this.#line.clear();
    const { quiet, stdout } = this.#options;
    if (quiet) stdout.write(`${formatReference(plan.reference)}\n`);
    else stdout.write(`${plan.name}: ${changed ? 'copied' : 'up to date'}\n`);
  }

  imageFailed(reference: Reference, error: unknown): void {
    const text = failureText(familiarReference(reference), error, this.#options.unusable(reference));
    this.#line.line(`layerbox: ${text}`);
  }

  finish(): void {
    this.#line.clear();
    const { images, folder } = this.#options;
    if (this.#images === 0) return;
    this.#say(
      `${this.#images} of ${images} image${images === 1 ? '' : 's'} in ${folder}: ${formatSize(this.#copied)} copied, ${formatSize(this.#there)} there before`,
    );
  }

  #show(): void {
    if (this.#options.quiet) return;
    const { count, bytes } = this.#blobs;
    this.#line.show({ doneBlobs: this.#doneBlobs, blobs: count, doneBytes: this.#bytes, bytes });
  }

  #say(text: string): void {
    if (!this.#options.quiet) this.#line.line(text);
  }

  #warn(text: string): void {
    this.#line.line(`Note: ${text}.`);
  }
}
