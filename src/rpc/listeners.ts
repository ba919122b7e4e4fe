/** Those who want to be told of something, in the order they came. */

export interface ReadonlyListeners<T> {
  /** Returns what ends the subscription. */
  subscribe(listener: (value: T) => void): () => void;
}

export class Listeners<T> implements ReadonlyListeners<T> {
  readonly #all = new Set<(value: T) => void>();

  subscribe(listener: (value: T) => void): () => void {
    // its own function, so that one listener that subscribes twice is told twice
    const own = (value: T) => listener(value);
    this.#all.add(own);
    return () => {
      this.#all.delete(own);
    };
  }

  tell(value: T): void {
    for (const listener of [...this.#all]) listener(value);
  }
}
