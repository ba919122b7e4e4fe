/** The page's end of the event stream: one source, many listeners, and async iteration over it. */

import type { StampedEvent } from '../engine/events.ts';

export class EventHub {
  readonly #listeners = new Set<(event: StampedEvent) => void>();
  readonly #ends = new Set<() => void>();
  #closed = false;

  emit(event: StampedEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        // one listener's fault must not keep the event from the others, nor be lost
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  subscribe(listener: (event: StampedEvent) => void): () => void {
    // its own function, so that one listener that subscribes twice is told twice
    const own = (event: StampedEvent) => listener(event);
    if (!this.#closed) this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Ends every iteration; nothing is emitted to anybody after it. */
  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    for (const end of [...this.#ends]) end();
  }

  /** Events from this call on, none lost however slow the reader; `return` or `close` ends it. */
  iterate(): AsyncIterator<StampedEvent, undefined> {
    const queue: StampedEvent[] = [];
    let waiting: ((result: IteratorResult<StampedEvent, undefined>) => void)[] = [];
    let ended = this.#closed;
    const unsubscribe = this.subscribe((event) => {
      const next = waiting.shift();
      if (next === undefined) queue.push(event);
      else next({ done: false, value: event });
    });
    const end = () => {
      ended = true;
      unsubscribe();
      this.#ends.delete(end);
      for (const next of waiting) next({ done: true, value: undefined });
      waiting = [];
    };
    if (!ended) this.#ends.add(end);
    return {
      next: () => {
        const event = queue.shift();
        if (event !== undefined) return Promise.resolve({ done: false, value: event });
        if (ended) return Promise.resolve({ done: true, value: undefined });
        return new Promise((resolve) => {
          waiting.push(resolve);
        });
      },
      return: () => {
        queue.length = 0;
        end();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}
