/**
 * One 512-byte header block of a tar: v7, POSIX ustar (IEEE Std 1003.1, pax,
 * "ustar Interchange Format"), star's and GNU's variants of it.
 */

import { CorruptLayerError } from '../errors.ts';
import { decodeName, printableName } from '../names.ts';
import { parseTarNumber } from './tar-numbers.ts';

export const blockLength = 512;

const fields = {
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  'device major': [329, 8],
  'device minor': [337, 8],
} as const;
export type NumberField = keyof typeof fields;

/** A header block within `bytes`, from `at`; the fields are read when asked for. */
export class TarHeader {
  readonly #bytes: Uint8Array;
  readonly #at: number;
  /** Where the block is in the tar, for messages. */
  readonly position: number;

  constructor(bytes: Uint8Array, at: number, position: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.position = position;
  }

  /** True for a block of zeros, which is half of an end of archive. */
  get isZero(): boolean {
    const bytes = this.#bytes;
    for (let at = this.#at, end = at + blockLength; at < end; at++) {
      if (bytes[at] !== 0) return false;
    }
    return true;
  }

  /** Throws CorruptLayerError when the block does not add up. */
  verify(): void {
    const problem = this.checksumProblem();
    if (problem !== undefined) throw this.refused(problem);
  }

  /** Why this block is no header, or undefined when it adds up; old tars added signed bytes. */
  checksumProblem(): string | undefined {
    const bytes = this.#bytes;
    const at = this.#at;
    // the checksum's own field counts as eight blanks
    let unsigned = 8 * 0x20;
    for (let i = at, end = at + 148; i < end; i++) unsigned += bytes[i] ?? 0;
    for (let i = at + 156, end = at + blockLength; i < end; i++) unsigned += bytes[i] ?? 0;
    const checksum = parseTarNumber(bytes, at + 148, 8);
    if (checksum === unsigned || checksum === unsigned - 256 * this.#highBytes()) return undefined;
    return checksum === undefined
      ? 'its checksum is no number'
      : `its checksum is ${checksum}, not ${unsigned}`;
  }

  /** How many bytes of those that are added are above 127. */
  #highBytes(): number {
    let high = 0;
    for (let i = 0; i < blockLength; i++) {
      if (i < 148 || i >= 156) high += (this.#bytes[this.#at + i] ?? 0) >> 7;
    }
    return high;
  }

  /** The type flag as a character; NUL is an old way to say "0". */
  get typeFlag(): string {
    return String.fromCharCode(this.#bytes[this.#at + 156] ?? 0);
  }

  /** The whole block; valid until the next one is read. */
  get block(): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#at + blockLength);
  }

  /** True when times and a sparse map stand where other formats have the prefix (GNU tar manual, "Extensions"). */
  get isGnu(): boolean {
    return this.#text(257, 8) === 'ustar  ';
  }

  /** The path as the tar has it, with the prefix where the format has one. */
  get path(): string {
    const name = this.#text(0, 100);
    const length = this.#prefixLength();
    const prefix = length === 0 ? '' : this.#text(345, length);
    return prefix === '' ? name : `${prefix}/${name}`;
  }

  get link(): string {
    return this.#text(157, 100);
  }

  /** The number in a field. Throws CorruptLayerError when it is none. */
  number(field: NumberField): number {
    const [at, length] = fields[field];
    const value = parseTarNumber(this.#bytes, this.#at + at, length);
    if (value !== undefined) return value;
    const text = decodeName(this.#bytes.subarray(this.#at + at, this.#at + at + length));
    throw this.refused(`its ${field} ${JSON.stringify(printableName(text))} is no number`);
  }

  /** The error for what is wrong with this header, with the entry's path and place. */
  refused(reason: string, path = this.path): CorruptLayerErrorInstance {
    // a path may be a mebibyte long, and a message is for reading
    const short = path.length > 300 ? `${path.slice(0, 300)}...` : path;
    return new CorruptLayerError(
      `the tar header of ${JSON.stringify(printableName(short))} at byte ${this.position}: ${reason}`,
      { path: short, position: this.position },
    );
  }

  #prefixLength(): number {
    // by far most have none
    if (this.#bytes[this.#at + 345] === 0) return 0;
    const magic = this.#text(257, 8);
    // GNU's magic has blanks and no version; it keeps times and a sparse map where the prefix would be
    if (!magic.startsWith('ustar') || magic.startsWith('ustar ')) return 0;
    // star's marker: two times share the prefix field
    return this.#text(508, 4) === 'tar' ? 131 : 155;
  }

  #text(at: number, length: number): string {
    const from = this.#at + at;
    let end = from;
    while (end < from + length && this.#bytes[end] !== 0) end++;
    if (end === from) return '';
    return decodeName(this.#bytes.subarray(from, end));
  }
}

export type CorruptLayerErrorInstance = InstanceType<typeof CorruptLayerError>;
