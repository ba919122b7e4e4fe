/**
 * Bytes that come one after another and lie together in memory: what digests
 * and stores them works where they lie, and nothing is copied in between.
 */

export interface GatheredBytes {
  /** Bytes so far, those that were let go included. */
  readonly end: number;
  /** The bytes from `start` to `end`, in place: good until more come or some are let go. RangeError for what is not there. */
  view(start: number, end: number): Uint8Array<ArrayBuffer>;
  /** Lets go of what lies before `to`; its memory is used again. */
  drop(to: number): void;
}

/** Gathered bytes that are copied in. */
export class CopiedBytes implements GatheredBytes {
  #buffer: Uint8Array<ArrayBuffer>;
  /** Offset of the first byte that is kept. */
  #start = 0;
  #end = 0;

  /** `capacity` in bytes: what fits is never moved. */
  constructor(capacity: number) {
    this.#buffer = new Uint8Array(capacity);
  }

  get end(): number {
    return this.#end;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(this.#end - this.#start + bytes.length);
    this.#buffer.set(bytes, this.#end - this.#start);
    this.#end += bytes.length;
  }

  view(start: number, end: number): Uint8Array<ArrayBuffer> {
    if (start < this.#start || end < start || end > this.#end) {
      throw new RangeError(`bytes ${start} to ${end} are not kept, only ${this.#start} to ${this.#end}`);
    }
    return this.#buffer.subarray(start - this.#start, end - this.#start);
  }

  drop(to: number): void {
    const kept = this.view(to, this.#end);
    this.#buffer.copyWithin(0, kept.byteOffset, kept.byteOffset + kept.length);
    this.#start = to;
  }

  #reserve(length: number): void {
    if (length <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#end - this.#start));
    this.#buffer = larger;
  }
}
