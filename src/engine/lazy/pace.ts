/**
 * Who goes first on the line: while a program waits for a file, what is only
 * downloaded for later holds back, and for a moment after that, since programs
 * seldom want one thing only.
 */

/** Milliseconds. */
const linger = 250;

/** What who holds back needs to know. */
export interface Yielding {
  /** True while somebody else goes first. */
  readonly isHeld: boolean;
  /** Told of each change; returns what ends that. */
  onChange(listener: (isHeld: boolean) => void): () => void;
}

export class Pace implements Yielding {
  readonly #listeners = new Set<(isHeld: boolean) => void>();
  readonly #linger: number;
  #urgent = 0;
  #isHeld = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: { readonly linger?: number } = {}) {
    this.#linger = options.linger ?? linger;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Somebody waits for something; each of them says `end` once. */
  begin(): void {
    this.#urgent += 1;
    clearTimeout(this.#timer);
    this.#become(true);
  }

  end(): void {
    this.#urgent -= 1;
    if (this.#urgent > 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#become(false), this.#linger);
  }

  onChange(listener: (isHeld: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #become(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    for (const listener of this.#listeners) listener(isHeld);
  }
}

/** Resolves when nobody goes first any more, or the signal is aborted; undefined when that is so already. */
export function turnOf(pace: Yielding, signal: AbortSignal): Promise<void> | undefined {
  if (!pace.isHeld || signal.aborted) return undefined;
  return new Promise((resolve) => {
    const go = () => {
      if (pace.isHeld && !signal.aborted) return;
      stop();
      signal.removeEventListener('abort', go);
      resolve();
    };
    const stop = pace.onChange(go);
    signal.addEventListener('abort', go, { once: true });
  });
}
