/** Containers that wait to be started again, each for its own time. */

import { nextWait } from './restart-policy.ts';

interface Waiting {
  readonly timer: ReturnType<typeof setTimeout>;
  readonly over: Promise<void>;
  readonly end: () => void;
}

export class Restarts {
  readonly #waiting = new Map<string, Waiting>();
  /** Milliseconds of each one's last wait. */
  readonly #waits = new Map<string, number>();
  /** Not to be started again when their program ends. */
  readonly #cancelled = new Set<string>();
  #isClosed = false;

  /** Nothing is started again from now on. */
  close(): void {
    this.#isClosed = true;
    for (const id of [...this.#waiting.keys()]) this.cancel(id);
  }

  /** Somebody starts it: what was is forgotten. */
  reset(id: string): void {
    this.cancel(id);
    this.#cancelled.delete(id);
    this.#waits.delete(id);
  }

  /** True when the end of its program is not to be answered with a start. */
  isCancelled(id: string): boolean {
    return this.#isClosed || this.#cancelled.has(id);
  }

  /** Calls `start` once the time of its wait is over. `ranFor`: milliseconds of its last run. */
  schedule(id: string, ranFor: number, start: () => Promise<unknown>): void {
    const wait = nextWait(this.#waits.get(id) ?? 0, ranFor);
    this.#waits.set(id, wait);
    let end: () => void = () => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const timer = setTimeout(() => {
      void start().finally(() => this.#end(id));
    }, wait);
    this.#waiting.set(id, { timer, over, end });
  }

  /** Its program is not started again. True when it was waiting for that. */
  cancel(id: string): boolean {
    this.#cancelled.add(id);
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) clearTimeout(waiting.timer);
    return this.#end(id);
  }

  /** Resolves when it waits no longer: it has been started, or will not be. */
  async over(id: string): Promise<void> {
    await this.#waiting.get(id)?.over;
  }

  #end(id: string): boolean {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.end();
    return waiting !== undefined;
  }
}
