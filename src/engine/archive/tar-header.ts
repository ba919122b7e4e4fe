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

  /** Throws CorruptLayerError when the block does not add up; old tars added signed bytes. */
  verify(): void {
    const bytes = this.#bytes;
    let unsigned = 0;
    let high = 0;
    for (let at = this.#at, end = at + blockLength; at < end; at++) {
      const byte = bytes[at] ?? 0;
      unsigned += byte;
      high += byte >> 7;
    }
    // the checksum's own field counts as blanks
    for (let at = this.#at + 148, end = at + 8; at < end; at++) {
      const byte = bytes[at] ?? 0;
      unsigned += 0x20 - byte;
      high -= byte >> 7;
    }
    const checksum = parseTarNumber(bytes, this.#at + 148, 8);
    if (checksum === unsigned || checksum === unsigned - 256 * high) return;
    throw this.refused(
      checksum === undefined ? 'its checksum is no number' : `its checksum is ${checksum}, not ${unsigned}`,
    );
  }

  /** The type flag as a character; NUL is an old way to say "0". */
  get typeFlag(): string {
    return String.fromCharCode(this.#bytes[this.#at + 156] ?? 0);
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
    return new CorruptLayerError(
      `the tar header of ${JSON.stringify(printableName(path))} at byte ${this.position}: ${reason}`,
      { path, position: this.position },
    );
  }

  #prefixLength(): number {
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
    return decodeName(this.#bytes.subarray(from, end));
  }
}

export type CorruptLayerErrorInstance = InstanceType<typeof CorruptLayerError>;
