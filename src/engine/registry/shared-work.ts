/** Work that several wait for: it goes on while anybody does, and whoever gives up leaves the others theirs. */

export class SharedWork<T> {
  readonly #controller = new AbortController();
  readonly #done: Promise<T>;
  #waiting = 0;
  #isSettled = false;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#done = work(this.#controller.signal);
    const settle = () => {
      this.#isSettled = true;
    };
    this.#done.then(settle, settle); // those who wait have its error
  }

  /** True when it has ended, or all who waited have gone: whoever comes now begins anew. */
  get isOver(): boolean {
    return this.#isSettled || this.#controller.signal.aborted;
  }

  /** The result, or the work's error; the signal's reason when it is aborted first. */
  async join(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.#waiting += 1;
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
    });
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([this.#done, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#controller.abort(signal.reason);
    }
  }
}
