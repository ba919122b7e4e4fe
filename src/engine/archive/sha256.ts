/**
 * SHA-256 (FIPS 180-4) of bytes that come in pieces, by codecs.wasm: about half as fast
 * as WebCrypto, which takes everything at once, and a third faster than hash-wasm.
 */

import { wasmFunction, wasmMemory } from './wasm-exports.ts';

const blockLength = 64;
const digestLength = 32;

export class Sha256 {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #blocks: (address: number, count: number) => number;
  readonly #state: number;
  /** The buffer of the module, of whole blocks; #buffered bytes of it, less than a block between updates, wait. */
  readonly #input: number;
  readonly #inputLength: number;
  #buffered = 0;
  #size = 0;

  private constructor(instance: WebAssembly.Instance) {
    // this instance's memory never grows, so its views last
    const { buffer } = wasmMemory(instance);
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#blocks = wasmFunction(instance, 'sha256_blocks');
    this.#state = wasmFunction(instance, 'sha256_state')();
    this.#input = wasmFunction(instance, 'input')();
    this.#inputLength = wasmFunction(instance, 'input_size')();
    wasmFunction(instance, 'sha256_start')();
  }

  /** The hash of nothing yet. `module` is codecs/codecs.wasm, compiled. */
  static async create(module: WebAssembly.Module): Promise<Sha256> {
    return new Sha256(await WebAssembly.instantiate(module));
  }

  /** Takes the next bytes. */
  update(piece: Uint8Array): void {
    this.#size += piece.length;
    for (let at = 0; at < piece.length; ) {
      const step = Math.min(piece.length - at, this.#inputLength - this.#buffered);
      this.#bytes.set(piece.subarray(at, at + step), this.#input + this.#buffered);
      this.#buffered += step;
      at += step;
      this.#hashBlocks();
    }
  }

  /** The digest in hexadecimal. The hash can't be used after it. */
  digest(): string {
    // 5.1.1: a one bit, zeros, and the length in bits
    const end = this.#input + this.#buffered;
    const padded = Math.ceil((this.#buffered + 9) / blockLength) * blockLength;
    this.#bytes.fill(0, end, this.#input + padded);
    this.#bytes[end] = 0x80;
    this.#view.setBigUint64(this.#input + padded - 8, BigInt(this.#size) * 8n);
    this.#buffered = padded;
    this.#hashBlocks();
    let hex = '';
    for (let at = this.#state; at < this.#state + digestLength; at += 4) {
      hex += this.#view.getUint32(at, true).toString(16).padStart(8, '0');
    }
    return hex;
  }

  #hashBlocks(): void {
    const whole = this.#buffered - (this.#buffered % blockLength);
    this.#blocks(this.#input, whole / blockLength);
    this.#bytes.copyWithin(this.#input, this.#input + whole, this.#input + this.#buffered);
    this.#buffered -= whole;
  }
}
