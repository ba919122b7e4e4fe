/** A growing run of bytes: the names, links and attributes of an index while it is being built. */

import { CorruptLayerError } from '../errors.ts';
import { encodeName } from '../names.ts';
import { maxStringLength } from './layer-limits.ts';

/** A character of a name is at most three bytes. */
const limit = maxStringLength * 3;

export class ByteTable {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes appended so far; valid until the next append. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Appends the bytes of a name; returns how many those were. */
  appendName(name: string): number {
    this.#reserve(name.length);
    const start = this.#length;
    for (let at = 0; at < name.length; at++) {
      const code = name.charCodeAt(at);
      if (code >= 0x80) return this.append(encodeName(name));
      this.#bytes[start + at] = code;
    }
    this.#length += name.length;
    return name.length;
  }

  /** Appends the bytes; returns how many those were. */
  append(bytes: Uint8Array): number {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return bytes.length;
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    if (needed > limit) {
      throw new CorruptLayerError(`the names and attributes of its entries take more than ${limit} bytes`);
    }
    const larger = new Uint8Array(Math.min(Math.max(needed, this.#bytes.length * 2), limit));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}
