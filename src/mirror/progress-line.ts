/** One line at the end of a terminal that is drawn again and again, and lines that stay above it. */

import { printableText } from '../engine/cli/error-text.ts';
import { formatSize } from '../engine/cli/format.ts';

/** What of a terminal, or of a pipe in its place, is used. */
export interface LineStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Milliseconds between two drawings. */
const INTERVAL_MS = 100;

export interface Progress {
  readonly doneBlobs: number;
  readonly blobs: number;
  readonly doneBytes: number;
  readonly bytes: number;
}

export class ProgressLine {
  readonly #stream: LineStream;
  readonly #now: () => number;
  #text = '';
  #lastDrawn = Number.NEGATIVE_INFINITY;

  constructor(stream: LineStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  /** Draws it, if the last time is long enough ago; into a pipe never. */
  show(progress: Progress): void {
    if (this.#stream.isTTY !== true) return;
    const now = this.#now();
    if (now - this.#lastDrawn < INTERVAL_MS) return;
    this.#lastDrawn = now;
    const { doneBlobs, blobs, doneBytes, bytes } = progress;
    const text = `Copied ${doneBlobs} of ${blobs} blobs, ${formatSize(doneBytes)} of ${formatSize(bytes)}`;
    this.#text = text.slice(0, Math.max(1, (this.#stream.columns ?? 80) - 1));
    this.#stream.write(`\r\x1b[2K${this.#text}`);
  }

  /** A line that stays, or several. What of it comes from a registry has no power over the terminal. */
  line(text: string): void {
    this.clear();
    this.#stream.write(`${printableText(text)}\n`);
  }

  clear(): void {
    if (this.#text !== '') this.#stream.write('\r\x1b[2K');
    this.#text = '';
    this.#lastDrawn = Number.NEGATIVE_INFINITY;
  }
}
