/**
 * Sparse files: a map of what is content, the rest being zeros, and the
 * content alone in the tar. Four forms exist (GNU tar manual, "Storing Sparse Files"):
 *
 *     old GNU    type "S": four pieces in the header, 21 in each block that follows it
 *     pax 0.0    GNU.sparse.offset and GNU.sparse.numbytes records, in turns
 *     pax 0.1    one GNU.sparse.map record of offsets and lengths with commas
 *     pax 1.0    the map in decimal lines in front of the content, filled to a block
 *
 * In all of them the pieces of content lie one after another without gaps.
 */

import { decodeName, printableName } from '../names.ts';
import { type PaxRecords, parsePaxInteger, type Refuse } from './pax.ts';
import { parseTarNumber } from './tar-numbers.ts';

/** One piece of content, in bytes of the file; between pieces, and behind the last, are zeros. */
export interface SparseExtent {
  readonly start: number;
  readonly length: number;
}

/** A map that is read block by block, from those that follow the entry's header. */
export interface SparseMap {
  /** Size of the whole file. */
  readonly size: number;
  /** Another name for the file, which counts before all others. */
  readonly path: string | undefined;
  /** True while blocks of the map are to come. */
  readonly isOpen: boolean;
  /** True when the blocks of the map are counted in the entry's size. */
  readonly isCounted: boolean;
  /** Takes the next block of the map. Throws what the map's `refuse` makes. */
  push(block: Uint8Array): void;
  /** The pieces, in order and apart, when their content is `length` bytes. Throws what the map's `refuse` makes. */
  extents(length: number): SparseExtent[];
}

/** Bytes of a map: Go's archive/tar, which Docker and containerd read with, has the same limit. */
const maxMapLength = 1 << 20;
const blockLength = 512;

class PieceList {
  readonly #refuse: Refuse;
  readonly #numbers: number[] = [];

  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }

  get count(): number {
    return this.#numbers.length / 2;
  }

  push(number: number | undefined): void {
    if (number !== undefined && number >= 0) this.#numbers.push(number);
    else throw this.#refuse(`piece ${Math.floor(this.count) + 1} of its sparse map has no number`);
  }

  extents(size: number, length: number): SparseExtent[] {
    const extents: { start: number; length: number }[] = [];
    let end = 0;
    let total = 0;
    for (let i = 0; i < this.#numbers.length; i += 2) {
      const start = this.#numbers[i] ?? 0;
      const piece = this.#numbers[i + 1] ?? 0;
      const where = `piece ${i / 2 + 1} of its sparse map, ${piece} bytes at ${start},`;
      if (start < end) throw this.#refuse(`${where} begins before the piece ahead of it ends`);
      end = start + piece;
      if (end > size) throw this.#refuse(`${where} is beyond its ${size} bytes`);
      total += piece;
      const last = extents.at(-1);
      if (last !== undefined && last.start + last.length === start) last.length += piece;
      else if (piece > 0) extents.push({ start, length: piece });
    }
    if (total === length) return extents;
    throw this.#refuse(`its sparse map has ${total} bytes of content, and the tar has ${length}`);
  }
}

/** GNU tar manual, "GNU tar extensions to the Basic Tar Format": oldgnu_header and sparse_header. */
export class OldSparseMap implements SparseMap {
  readonly size: number;
  readonly path = undefined;
  readonly isCounted = false;
  readonly #refuse: Refuse;
  readonly #pieces: PieceList;
  #isOpen: boolean;
  #length = 0;

  /** The map in the header block at the start of `block`, a whole one. Throws what `refuse` makes. */
  constructor(block: Uint8Array, refuse: Refuse) {
    this.#refuse = refuse;
    this.#pieces = new PieceList(refuse);
    const size = parseTarNumber(block, 483, 12);
    if (size === undefined || size < 0) throw refuse('the size of the whole sparse file is no number');
    this.size = size;
    this.#take(block, 386, 4);
    this.#isOpen = block[482] !== 0;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  push(block: Uint8Array): void {
    this.#length += blockLength;
    if (this.#length > maxMapLength) throw mapTooLong(this.#refuse);
    this.#take(block, 0, 21);
    this.#isOpen = block[504] !== 0;
  }

  #take(block: Uint8Array, from: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const at = from + i * 24;
      // a field of NULs ends the list; no piece is all that is left of it
      if (block[at] === 0 || block[at + 12] === 0) break;
      this.#pieces.push(parseTarNumber(block, at, 12));
      this.#pieces.push(parseTarNumber(block, at + 12, 12));
    }
  }

  extents(length: number): SparseExtent[] {
    return this.#pieces.extents(this.size, length);
  }
}

/** GNU tar manual, "Storing Sparse Files"; the version is told as Go's archive/tar tells it. */
export class PaxSparseMap implements SparseMap {
  readonly size: number;
  readonly path: string | undefined;
  readonly isCounted = true;
  readonly #refuse: Refuse;
  readonly #pieces: PieceList;
  /** Numbers of the map that are to come, the count itself included; 0 when it is whole. */
  #missing: number;
  #isCountKnown: boolean;
  /** Digits of a number that the next block goes on with. */
  #digits = '';
  #length = 0;

  /** Throws what `refuse` makes for a version that is not known and for records that are none. */
  constructor(records: PaxRecords, refuse: Refuse) {
    this.#refuse = refuse;
    this.#pieces = new PieceList(refuse);
    const text = (keyword: string) => {
      const value = records.values.get(`GNU.sparse.${keyword}`);
      return value === undefined || value.length === 0 ? undefined : decodeName(value);
    };
    const number = (keyword: string) => {
      const value = records.values.get(`GNU.sparse.${keyword}`);
      const parsed = value === undefined ? undefined : parsePaxInteger(value);
      if (parsed !== undefined && parsed >= 0) return parsed;
      throw refuse(
        `its pax record GNU.sparse.${keyword} is ${value === undefined ? 'missing' : 'no number'}`,
      );
    };
    const version = `${text('major') ?? ''}.${text('minor') ?? ''}`;
    if (version !== '1.0' && version !== '0.0' && version !== '0.1' && version !== '.') {
      throw refuse(`it is a sparse file of the unknown version ${printableName(version.slice(0, 20))}`);
    }
    this.path = text('name');
    if (this.path?.includes('\0') === true) throw refuse('its pax record GNU.sparse.name has a NUL in it');
    this.size = number(records.values.has('GNU.sparse.size') ? 'size' : 'realsize');
    const isInContent = version === '1.0';
    this.#missing = isInContent ? 1 : 0;
    this.#isCountKnown = !isInContent;
    if (isInContent) return;
    const map = text('map');
    if (map !== undefined) this.#takeMap(map);
    else this.#takeRepeated(records.repeated);
    const count = number('numblocks');
    if (count !== this.#pieces.count) {
      throw refuse(
        `its pax record GNU.sparse.numblocks is ${count}, and its map has ${this.#pieces.count} pieces`,
      );
    }
  }

  get isOpen(): boolean {
    return this.#missing > 0;
  }

  #takeMap(map: string): void {
    for (const digits of map.split(',')) this.#pieces.push(integerOf(digits));
  }

  #takeRepeated(repeated: PaxRecords['repeated']): void {
    repeated.forEach(([keyword, value], i) => {
      if (keyword !== (i % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes')) {
        throw this.#refuse(`its pax records GNU.sparse.offset and GNU.sparse.numbytes do not take turns`);
      }
      this.#pieces.push(parsePaxInteger(value));
    });
  }

  push(block: Uint8Array): void {
    this.#length += blockLength;
    if (this.#length > maxMapLength) throw mapTooLong(this.#refuse);
    let at = 0;
    while (this.#missing > 0 && at < blockLength) {
      const byte = block[at++] ?? 0;
      if (byte !== 0x0a) {
        this.#digits += String.fromCharCode(byte);
        if (this.#digits.length > 16) throw this.#refuse('a number of its sparse map has no end');
        continue;
      }
      const number = integerOf(this.#digits);
      this.#digits = '';
      if (this.#isCountKnown) {
        this.#missing -= 1;
        this.#pieces.push(number);
      } else {
        this.#isCountKnown = true;
        if (number === undefined) throw this.#refuse('the number of pieces of its sparse map is no number');
        // each piece takes four bytes at least
        if (number > maxMapLength / 4) throw mapTooLong(this.#refuse);
        this.#missing = number * 2;
      }
    }
  }

  extents(length: number): SparseExtent[] {
    return this.#pieces.extents(this.size, length);
  }
}

function integerOf(digits: string): number | undefined {
  const number = /^[0-9]{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

function mapTooLong(refuse: Refuse): Error {
  return refuse(`its sparse map is longer than ${maxMapLength} bytes`);
}
