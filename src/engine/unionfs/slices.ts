/** Work done a little at a time, so that whoever shares the thread gets in between. */

/** Resolves when the others had their turn. */
export type Pause = () => Promise<void>;

/** Units of a slice: a record, or a kilobyte of content, costs one; a thousand take a few milliseconds. */
const SLICE = 1024;

export class Slices {
  readonly #pause: Pause;
  readonly #size: number;
  #spent = 0;

  constructor(pause: Pause, size = SLICE) {
    this.#pause = pause;
    this.#size = size;
  }

  /** Counts work that was done; a promise to wait for when the slice is full, else undefined. */
  spend(units: number): Promise<void> | undefined {
    this.#spent += units;
    if (this.#spent < this.#size) return undefined;
    this.#spent = 0;
    return this.#pause();
  }
}
