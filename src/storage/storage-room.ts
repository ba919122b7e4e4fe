/**
 * How much more the browser lets this page store. Programs in the guest are told that the disk is full while what they
 * wrote before still fits: bytes that were taken and then find no room would be lost.
 *
 * Some browsers tell their real limit. Chromium tells every page 10 GiB more than it uses, so that pages cannot be
 * told apart by it: there the limit is known when something was refused, and until something was stored again.
 */

export interface Estimate {
  readonly usage?: number;
  readonly quota?: number;
}

/** Kept for what must fit when the disk is full: removals, checkpoints of journals, records. Bytes. */
const RESERVE = 8 * 1024 * 1024;
/** Milliseconds for which an estimate is trusted; where there is little room, layers that come beside count soon. */
const TRUSTED = 5000;
const TRUSTED_WHERE_SCARCE = 500;
const SCARCE = 64 * 1024 * 1024;

export class StorageRoom {
  readonly #estimate: () => Promise<Estimate>;
  readonly #now: () => number;
  /** Bytes that were free at the last estimate, and those taken since it was begun. */
  #free = Number.POSITIVE_INFINITY;
  #taken = 0;
  #isRefused = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  /** Called when the browser refuses to store something, once until it stores again. */
  onFull: () => void = () => undefined;

  /** `estimate` as StorageManager has it; a quota or usage that it does not tell is none. `now` in milliseconds. */
  constructor(estimate: () => Promise<Estimate>, now: () => number = Date.now) {
    this.#estimate = estimate;
    this.#now = now;
  }

  /** Bytes that may still be stored, as far as is known; Infinity before the first answer of the browser. */
  get bytes(): number {
    const left = Math.max(0, this.#free - this.#taken - RESERVE);
    const trusted = left < SCARCE ? TRUSTED_WHERE_SCARCE : TRUSTED;
    if (this.#now() - this.#askedAt > trusted) void this.ask();
    return this.#isRefused ? 0 : left;
  }

  /** So many bytes were stored. */
  take(bytes: number): void {
    this.#isRefused = false;
    this.#taken += bytes;
  }

  /** The browser did not store something: there is no room, whatever it says, until it takes something again. */
  refuse(): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.onFull();
  }

  /** Asks the browser. Never rejects: one that does not answer leaves what is known. */
  ask(): Promise<void> {
    this.#askedAt = this.#now();
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const taken = this.#taken;
    const { usage, quota } = await this.#estimate().catch((): Estimate => ({}));
    if (usage === undefined || quota === undefined) return;
    this.#free = quota - usage;
    // what was stored while it was asked may be in the answer or not
    this.#taken = Math.max(0, this.#taken - taken);
  }
}
