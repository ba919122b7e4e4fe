/**
 * The digest of bytes that come in pieces. WebCrypto is about four times faster
 * than a wasm hash but takes everything at once, so pieces are gathered up to a
 * size; above it they go through the streaming hash and memory stays bounded.
 */

import { createSHA256, createSHA512, type IHasher } from 'hash-wasm';
import { type Digest, digestOf } from '../oci/digest.ts';

/** Twice this is in memory for a moment: the pieces, and the whole they are put together to. */
const gatherLimit = 192 << 20;

export class Digester {
  readonly #algorithm: 'sha256' | 'sha512';
  readonly #limit: number;
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #hasher: IHasher | undefined;
  #size = 0;

  constructor(algorithm: 'sha256' | 'sha512' = 'sha256', options: { gatherLimit?: number } = {}) {
    this.#algorithm = algorithm;
    this.#limit = options.gatherLimit ?? gatherLimit;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Takes the next bytes. They are kept, not copied: whoever has them must not change them. */
  async update(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#size += piece.length;
    if (this.#hasher !== undefined) {
      this.#hasher.update(piece);
      return;
    }
    this.#pieces.push(piece);
    if (this.#size <= this.#limit) return;
    this.#hasher = await (this.#algorithm === 'sha256' ? createSHA256() : createSHA512());
    for (const gathered of this.#pieces) this.#hasher.update(gathered);
    this.#pieces = [];
  }

  /** The digest of everything; lets go of the bytes. The digester can't be used after it. */
  async digest(): Promise<Digest> {
    if (this.#hasher !== undefined) return `${this.#algorithm}:${this.#hasher.digest('hex')}`;
    const pieces = this.#pieces;
    this.#pieces = [];
    return digestOf(joined(pieces, this.#size), this.#algorithm);
  }
}

function joined(pieces: readonly Uint8Array<ArrayBuffer>[], size: number): Uint8Array<ArrayBuffer> {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
