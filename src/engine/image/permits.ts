/** So many at once: who comes later waits, in the order of coming. */

import { CancelledError } from '../errors.ts';

export class Permits {
  #free: number;
  /** Of those who wait, oldest first: what gives them one. */
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** True when the next one has to wait. */
  get areTaken(): boolean {
    return this.#free === 0;
  }

  /** Resolves when there is one, with what gives it back. Throws CancelledError when the signal is aborted before that. */
  async take(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw cancelled(signal);
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    let isBack = false;
    return () => {
      if (isBack) return;
      isBack = true;
      const [next] = this.#waiting;
      if (next === undefined) this.#free += 1;
      else next();
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = () => {
        this.#waiting.delete(give);
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.delete(give);
        reject(cancelled(signal));
      };
      this.#waiting.add(give);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}

function cancelled(signal: AbortSignal): Error {
  return new CancelledError('cancelled while waiting for others', {}, { cause: signal.reason });
}
