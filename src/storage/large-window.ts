/**
 * The one large window that the layers of a sandbox have among them: what three layers made with `zstd --long` would
 * take at once is more than a page has. A Web Lock holds it, since each layer worker knows its own layers only.
 */

import { Permits } from '../engine/image/permits.ts';

export class LargeWindow {
  readonly #sandbox: string;
  /** Among the layers of this worker. */
  readonly #permits = new Permits(1);
  #lock: Promise<void> | undefined;
  #isHeld = false;

  constructor(sandbox: string) {
    this.#sandbox = sandbox;
  }

  /** True from the first large window on: this worker has its memory until it ends, and others wait for that. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** As `takeLargeWindow` of IngestDependencies. */
  async take(signal: AbortSignal): Promise<() => void> {
    const giveBack = await this.#permits.take(signal);
    try {
      this.#lock ??= this.#hold(signal);
      await this.#lock;
    } catch (error) {
      this.#lock = undefined;
      giveBack();
      throw error;
    }
    return giveBack;
  }

  /** Held until the worker ends: WebAssembly gives back no memory before. */
  #hold(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const held = () => {
        this.#isHeld = true;
        resolve();
        return new Promise(() => undefined);
      };
      navigator.locks.request(largeWindowLock(this.#sandbox), { signal }, held).catch(reject);
    });
  }
}

/** Name of the Web Lock. */
export function largeWindowLock(sandbox: string): string {
  return `layerbox/${sandbox}/large-window`;
}
