/** The primitive fields of a journal record: little-endian, lengths and numbers as variable-length integers (LEB128). */

import { decodeName, encodeName } from '../names.ts';

/** Writes fields into a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** The whole buffer; what lies beyond `length` is not written yet. Replaced when it grows. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  #room(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** Whole numbers 0 .. 2^53 - 1. */
  number(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  uint32(value: number): void {
    this.#room(4);
    this.setUint32(this.#length, value);
    this.#length += 4;
  }

  setUint32(at: number, value: number): void {
    new DataView(this.#bytes.buffer).setUint32(at, value, true);
  }

  time(value: bigint): void {
    this.#room(8);
    this.setTime(this.#length, value);
    this.#length += 8;
  }

  setTime(at: number, value: bigint): void {
    new DataView(this.#bytes.buffer).setBigInt64(at, value, true);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  blob(bytes: Uint8Array): void {
    this.number(bytes.length);
    this.raw(bytes);
  }

  text(text: string): void {
    this.blob(encodeName(text));
  }
}

/** Reads what ByteWriter wrote. Throws RangeError where the bytes end too soon. */
export class ByteReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #end: number;
  at: number;

  constructor(bytes: Uint8Array<ArrayBuffer>, start: number, end: number) {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.at;
  }

  #take(length: number): number {
    const start = this.at;
    if (start + length > this.#end) throw new RangeError('the record ends too soon');
    this.at += length;
    return start;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  number(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw new RangeError('a number of the record is too large');
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  time(): bigint {
    const start = this.#take(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getBigInt64(start, true);
  }

  /** A copy. */
  blob(): Uint8Array<ArrayBuffer> {
    const length = this.number();
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }

  text(): string {
    const length = this.number();
    const start = this.#take(length);
    return decodeName(this.#bytes.subarray(start, start + length));
  }
}
