/**
 * The integers and strings of 9P2000.L on the wire: little-endian, a string is
 * a u16 length and that many bytes (9P manual, intro(5)). Strings are names:
 * names.ts, not UTF-8.
 */

import { decodeName, encodeName } from '../../engine/names.ts';
import { FsError } from '../../engine/unionfs/errno.ts';

/** size[4] type[1] tag[2] */
export const HEADER_LENGTH = 7;
const NANOSECONDS = 1_000_000_000n;

/** What identifies a file on the server: `path` is below 2^53. */
export interface Qid {
  readonly type: number;
  readonly version: number;
  readonly path: number;
}

/** Reads a message behind its header; EINVAL where it ends too soon. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = HEADER_LENGTH;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new FsError('EINVAL', 'short message');
    this.#at = at + length;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Exact below 2^53; above, near enough to be refused as too large. */
  u64(): number {
    const at = this.#take(8);
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 0x1_0000_0000;
  }

  /** Seconds (signed) and nanoseconds as nanoseconds since 1970. EINVAL for what 64 bits do not hold. */
  time(): bigint {
    const at = this.#take(16);
    const seconds = this.#view.getBigInt64(at, true);
    const nanoseconds = this.#view.getBigUint64(at + 8, true);
    const time = seconds * NANOSECONDS + nanoseconds;
    if (nanoseconds >= NANOSECONDS || BigInt.asIntN(64, time) !== time) throw new FsError('EINVAL', 'time');
    return time;
  }

  string(): string {
    const length = this.u16();
    const at = this.#take(length);
    return decodeName(this.#bytes.subarray(at, at + length));
  }

  strings(limit: number): string[] {
    const count = this.u16();
    if (count > limit) throw new FsError('EINVAL', `${count} names`);
    return Array.from({ length: count }, () => this.string());
  }

  /** What is left of the message: a view. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#take(this.#bytes.length - this.#at));
  }

  /** A u32 length and that many bytes: a view. */
  data(): Uint8Array {
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }
}

/** Writes a message; room grows as needed. */
export class WireWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #at = HEADER_LENGTH;

  constructor(room = 64) {
    this.#bytes = new Uint8Array(Math.max(room, HEADER_LENGTH));
    this.#view = new DataView(this.#bytes.buffer);
  }

  #take(length: number): number {
    const at = this.#at;
    const end = at + length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, end));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#at = end;
    return at;
  }

  get length(): number {
    return this.#at;
  }

  u8(value: number): void {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#take(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
  }

  u64(value: number): void {
    const at = this.#take(8);
    this.#view.setUint32(at, value % 0x1_0000_0000, true);
    this.#view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
  }

  time(nanoseconds: bigint): void {
    const part = ((nanoseconds % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
    const at = this.#take(16);
    this.#view.setBigInt64(at, (nanoseconds - part) / NANOSECONDS, true);
    this.#view.setBigUint64(at + 8, part, true);
  }

  /** Three times: the seconds of each, then the nanoseconds of each in 32 bits. */
  times(...times: readonly [bigint, bigint, bigint]): void {
    const at = this.#take(36);
    let last = 0n;
    let seconds = 0n;
    let rest = 0;
    for (let i = 0; i < 3; i++) {
      const time = times[i] ?? 0n;
      // the times of a file of an image are all the same, and arithmetic on bigints is slow
      if (time !== last) {
        const part = ((time % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
        seconds = (time - part) / NANOSECONDS;
        rest = Number(part);
        last = time;
      }
      this.#view.setBigInt64(at + 8 * i, seconds, true);
      this.#view.setUint32(at + 24 + 4 * i, rest, true);
    }
  }

  /** The bytes of a name without their number; returns how many they are. */
  name(value: string): number {
    const { length } = value;
    const at = this.#take(length);
    // nearly all names are short and ASCII: copied here, each costs a tenth of what TextEncoder does
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) {
        this.#at = at;
        const bytes = encodeName(value);
        this.raw(bytes);
        return bytes.length;
      }
      this.#bytes[at + i] = code;
    }
    return length;
  }

  /** Writes over a number that was written before, at the length that the message had then. */
  u16At(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  string(value: string): void {
    const at = this.#take(2);
    const length = this.name(value);
    if (length > 0xffff) throw new FsError('ENAMETOOLONG');
    this.u16At(at, length);
  }

  data(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  qid(qid: Qid): void {
    this.u8(qid.type);
    this.u32(qid.version);
    this.u64(qid.path);
  }

  /** What was written since the header, as a view. */
  body(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(HEADER_LENGTH, this.#at);
  }

  /** The whole message with its header, as a view. */
  message(type: number, tag: number): Uint8Array<ArrayBuffer> {
    this.#view.setUint32(0, this.#at, true);
    this.#view.setUint8(4, type);
    this.#view.setUint16(5, tag, true);
    return this.#bytes.subarray(0, this.#at);
  }
}
