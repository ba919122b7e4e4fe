/** Unpackers of one compiled module: one that is done is kept for the next stream, with the memory it has, unless that is much. */

import { Unpacker } from './unpacker.ts';

/** Bytes of memory that an unpacker is kept with: more than it takes for all windows but those of `zstd --ultra` and `--long`. */
const keptLength = 96 << 20;

export class Unpackers {
  readonly #load: () => Promise<WebAssembly.Module>;
  #idle: Unpacker | undefined;

  /** `load` gives codecs/codecs.wasm, compiled once for all who ask. */
  constructor(load: () => Promise<WebAssembly.Module>) {
    this.#load = load;
  }

  /** An unpacker that nobody else uses. Throws what `load` throws. */
  async take(): Promise<Unpacker> {
    const idle = this.#idle;
    this.#idle = undefined;
    return idle ?? Unpacker.create(await this.module());
  }

  /** The module they are made of. Throws what `load` throws. */
  module(): Promise<WebAssembly.Module> {
    return this.#load();
  }

  /** Gives one back; its views are worth nothing from now on. */
  giveBack(unpacker: Unpacker): void {
    if (unpacker.memoryLength <= keptLength) this.#idle = unpacker;
  }
}
