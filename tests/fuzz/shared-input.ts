/** The input that is being parsed, where another thread can read it when the parser never returns. */

export interface FuzzTask {
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  readonly runs: number;
}

export interface FuzzReport {
  readonly parsed: number;
  readonly refused: number;
  readonly failure: { readonly reason: string; readonly input: Uint8Array } | undefined;
}

const room = 64 << 10;
const headLength = 8;

export class SharedInput {
  /** Inputs so far, and the length of the last. */
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, 2);
    this.#bytes = new Uint8Array(memory, headLength);
  }

  static get length(): number {
    return headLength + room;
  }

  get count(): number {
    return Atomics.load(this.#head, 0);
  }

  get input(): Uint8Array {
    return this.#bytes.slice(0, Atomics.load(this.#head, 1));
  }

  write(input: Uint8Array): void {
    this.#bytes.set(input);
    Atomics.store(this.#head, 1, input.length);
    Atomics.add(this.#head, 0, 1);
  }
}
