/**
 * Reads a tar that arrives in chunks of any size. Content is stepped over,
 * never copied: an entry says where in the tar its content starts.
 *
 *     const reader = new TarReader((entry) => builder.add(entry));
 *     for await (const chunk of tar) reader.push(chunk);
 *     reader.end();
 *
 * Formats: v7, ustar, star, GNU (long names and links, base-256 numbers, sparse
 * files), pax with local and global headers and its three sparse forms. What
 * Linux files cannot come from is refused by name: dump directories, volumes. As
 * Go's archive/tar, which Docker and containerd read with, has it: links, devices,
 * directories and fifos carry no content whatever their size says, and an end of
 * archive may be missing. Where Go would stop because a hard link has content after
 * all (POSIX pax allows it), that is stepped over.
 */

import { CorruptLayerError } from '../errors.ts';
import { decodeName, printableName } from '../names.ts';
import { type PaxRecords, parsePaxRecords, type Refuse } from './pax.ts';
import { PaxAttributes, PaxGlobals } from './pax-attributes.ts';
import { entryTypeOf, type TarEntry, type TarEntryType } from './tar-entry.ts';
import { blockLength, TarHeader } from './tar-header.ts';
import { OldSparseMap, PaxSparseMap, type SparseMap } from './tar-sparse.ts';

export type { TarEntry, TarEntryType } from './tar-entry.ts';

/** Extended headers hold names and attributes; Go's archive/tar has the same limit. */
const maxExtendedLength = 1 << 20;

/** An extended header whose content is being gathered. */
interface Extended {
  readonly flag: string;
  readonly bytes: Uint8Array;
  readonly refuse: Refuse;
  filled: number;
}

/** A sparse file whose map is being read: all of its entry but where the content is. */
interface Mapped {
  readonly entry: TarEntry;
  readonly map: SparseMap;
  readonly refuse: Refuse;
  /** Bytes in the tar, with those of the map where they are counted. */
  length: number;
}

export interface TarReaderOptions {
  /** Bytes that the tar may have at most, what follows its end included. Default: no limit. */
  readonly maxSize?: number;
}

export class TarReader {
  readonly #onEntry: (entry: TarEntry) => void;
  readonly #maxSize: number;
  readonly #block = new Uint8Array(blockLength);
  #blockFilled = 0;
  /** Bytes of the tar before the current chunk. */
  #position = 0;
  /** Content and padding to step over; of these the last `#padding` are padding, which may be missing at the end. */
  #skip = 0;
  #padding = 0;
  #extended: Extended | undefined;
  #mapped: Mapped | undefined;
  #localRoom = new Uint8Array(0);
  #otherRoom = new Uint8Array(0);
  #longName: string | undefined;
  #longLink: string | undefined;
  #local: PaxRecords | undefined;
  readonly #globals = new PaxGlobals();
  /** What the size of the hard link just read says: content may follow, but need not. */
  #linkContent = 0;
  /** Blocks of zeros so far: two end the archive. */
  #zeroBlocks = 0;
  #lastPath = '';

  /** `onEntry` gets each entry when its header is there, before its content is. */
  constructor(onEntry: (entry: TarEntry) => void, options: TarReaderOptions = {}) {
    this.#onEntry = onEntry;
    this.#maxSize = options.maxSize ?? Number.POSITIVE_INFINITY;
  }

  /** Bytes pushed so far. */
  get size(): number {
    return this.#position;
  }

  /** Takes the next bytes. Throws CorruptLayerError naming the entry and the field. */
  push(chunk: Uint8Array): void {
    if (this.#position + chunk.length > this.#maxSize) {
      throw new CorruptLayerError(`the tar has more than the ${this.#maxSize} bytes that are allowed`, {
        limit: this.#maxSize,
      });
    }
    let at = 0;
    while (at < chunk.length && this.#zeroBlocks < 2) {
      if (this.#extended !== undefined) {
        at += this.#gather(this.#extended, chunk, at);
      } else if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
      } else if (this.#blockFilled === 0 && chunk.length - at >= blockLength) {
        this.#readBlock(chunk, at, this.#position + at);
        at += blockLength;
      } else {
        const step = Math.min(blockLength - this.#blockFilled, chunk.length - at);
        this.#block.set(chunk.subarray(at, at + step), this.#blockFilled);
        this.#blockFilled += step;
        at += step;
        if (this.#blockFilled < blockLength) continue;
        this.#blockFilled = 0;
        this.#readBlock(this.#block, 0, this.#position + at - blockLength);
      }
    }
    this.#position += chunk.length;
  }

  /** The tar is over. Throws CorruptLayerError when that is in the middle of something. */
  end(): void {
    if (this.#zeroBlocks >= 2) return;
    const missing = this.#skip - this.#padding;
    const last = JSON.stringify(printableName(this.#lastPath.slice(0, 300)));
    if (this.#extended !== undefined) throw this.#cut('in an extended header', last);
    if (this.#mapped !== undefined) throw this.#cut(`in the sparse map of ${last}`);
    if (missing > 0) throw this.#cut(`${missing} bytes before the end of the content of ${last}`);
    if (this.#block.subarray(0, this.#blockFilled).some((byte) => byte !== 0)) {
      throw this.#cut(`in a header, ${this.#blockFilled} of ${blockLength} bytes of it`, last);
    }
    if (this.#hasPendingNames) throw this.#cut('after an extended header, before the entry it is for', last);
  }

  get #hasPendingNames(): boolean {
    return this.#local !== undefined || this.#longName !== undefined || this.#longLink !== undefined;
  }

  #cut(where: string, last?: string): Error {
    const after = last === undefined || last === '""' ? '' : `; the last entry before it is ${last}`;
    return new CorruptLayerError(`the tar ends at byte ${this.#position} ${where}${after}`, {
      path: this.#lastPath.slice(0, 300),
      position: this.#position,
    });
  }

  /** Reads the block in `bytes` from `at`, which is at `position` in the tar. */
  #readBlock(bytes: Uint8Array, at: number, position: number): void {
    if (this.#mapped !== undefined) {
      this.#readMap(this.#mapped, bytes.subarray(at, at + blockLength), position + blockLength);
      return;
    }
    const header = new TarHeader(bytes, at, position);
    if (header.isZero) this.#readZeros(header);
    else this.#readHeader(header, position + blockLength);
  }

  #readZeros(header: TarHeader): void {
    if (this.#hasPendingNames)
      throw header.refused('it is empty, but an extended header before it is for an entry');
    this.#zeroBlocks += 1;
  }

  #readHeader(header: TarHeader, contentStart: number): void {
    if (this.#zeroBlocks > 0)
      throw header.refused('a block of zeros stands before it, and one alone is no end of archive');
    const problem = header.checksumProblem();
    const linkContent = this.#linkContent;
    this.#linkContent = 0;
    if (problem !== undefined) {
      if (linkContent === 0) throw header.refused(problem);
      this.#setSkip(linkContent);
      this.#skip -= blockLength;
      return;
    }
    const flag = header.typeFlag;
    if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') this.#openExtended(flag, header);
    else this.#readEntry(header, contentStart);
  }

  #openExtended(flag: string, header: TarHeader): void {
    const size = header.number('size');
    if (size < 0 || size > maxExtendedLength) {
      throw header.refused(`an extended header of ${size} bytes; at most ${maxExtendedLength} are read`);
    }
    const path = header.path;
    const refuse = (reason: string) => header.refused(reason, path);
    this.#extended = { flag, bytes: this.#roomFor(flag, size), refuse, filled: 0 };
    this.#setSkip(size);
    if (size === 0) this.#closeExtended(this.#extended);
  }

  /** The records of an "x" header are views of it until its entry comes; the others are done with at their end. */
  #roomFor(flag: string, size: number): Uint8Array {
    let room = flag === 'x' ? this.#localRoom : this.#otherRoom;
    if (room.length < size) room = new Uint8Array(Math.max(size, 4096));
    if (flag === 'x') this.#localRoom = room;
    else this.#otherRoom = room;
    return room.subarray(0, size);
  }

  #gather(extended: Extended, chunk: Uint8Array, at: number): number {
    const step = Math.min(extended.bytes.length - extended.filled, chunk.length - at);
    extended.bytes.set(chunk.subarray(at, at + step), extended.filled);
    extended.filled += step;
    this.#skip -= step;
    if (extended.filled === extended.bytes.length) this.#closeExtended(extended);
    return step;
  }

  #closeExtended({ flag, bytes, refuse }: Extended): void {
    this.#extended = undefined;
    if (flag === 'L') this.#longName = untilNul(bytes);
    else if (flag === 'K') this.#longLink = untilNul(bytes);
    else if (flag === 'x') this.#local = parsePaxRecords(bytes, refuse);
    else this.#globals.add(parsePaxRecords(bytes, refuse), refuse);
  }

  /** The path of the next entry and what the extended headers before it say; they are used up by it. */
  #takeExtended(header: TarHeader): { attributes: PaxAttributes | undefined; path: string; link: string } {
    const refuse = (reason: string) => header.refused(reason);
    const attributes =
      this.#local === undefined && this.#globals.isEmpty
        ? undefined
        : new PaxAttributes(this.#local, this.#globals, refuse);
    const path = this.#longName ?? attributes?.text('path') ?? header.path;
    const link = this.#longLink ?? attributes?.text('linkpath') ?? header.link;
    this.#local = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#lastPath = path;
    return { attributes, path, link };
  }

  #readEntry(header: TarHeader, contentStart: number): void {
    const { attributes, path, link } = this.#takeExtended(header);
    // also used when the header's block is gone: the path is not read from it
    const refuse = (reason: string) => header.refused(reason, this.#lastPath);
    const flag = header.typeFlag;
    const known = entryTypeOf(flag);
    if ('refused' in known) throw refuse(`it is ${printableName(known.refused)}`);
    // how v7, which has no type for directories, writes one
    const type: TarEntryType = flag === '\0' && path.endsWith('/') ? 'dir' : known.type;
    const hasSize = type === 'file' || type === 'hardlink';
    const length = hasSize ? (attributes?.integer('size') ?? header.number('size')) : 0;
    if (length < 0) throw refuse(`its size is ${length}`);
    if (type === 'hardlink') this.#linkContent = length;
    const map = sparseMapOf(header, type, attributes, refuse);
    if (map?.path !== undefined) this.#lastPath = map.path;
    const isDevice = type === 'char' || type === 'block';
    const entry: TarEntry = {
      path: this.#lastPath,
      type,
      mode: header.number('mode'),
      uid: attributes?.integer('uid') ?? header.number('uid'),
      gid: attributes?.integer('gid') ?? header.number('gid'),
      mtimeNs: attributes?.mtimeNs ?? BigInt(header.number('mtime')) * 1_000_000_000n,
      size: type === 'file' ? length : 0,
      offset: contentStart,
      extents: undefined,
      link: type === 'symlink' || type === 'hardlink' ? link : undefined,
      rdev: isDevice ? [header.number('device major'), header.number('device minor')] : undefined,
      xattrs: attributes?.xattrs,
    };
    if (type === 'file' && contentStart + length > this.#maxSize) {
      throw refuse(`its size is ${length}, and the whole tar may have ${this.#maxSize} bytes`);
    }
    if (map === undefined) {
      this.#setSkip(entry.size);
      this.#onEntry(entry);
      return;
    }
    this.#mapped = { entry, map, length, refuse };
    if (!map.isOpen) this.#closeMap(this.#mapped, contentStart);
  }

  #readMap(mapped: Mapped, block: Uint8Array, end: number): void {
    const { map } = mapped;
    if (map.isCounted) {
      mapped.length -= blockLength;
      if (mapped.length < 0) throw mapped.refuse('its sparse map goes on behind its size');
    }
    map.push(block);
    if (!map.isOpen) this.#closeMap(mapped, end);
  }

  #closeMap({ entry, map, length }: Mapped, offset: number): void {
    this.#mapped = undefined;
    const extents = map.extents(length);
    this.#setSkip(length);
    this.#onEntry({ ...entry, size: map.size, offset, extents });
  }

  #setSkip(size: number): void {
    this.#padding = (blockLength - (size % blockLength)) % blockLength;
    this.#skip = size + this.#padding;
  }
}

function sparseMapOf(
  header: TarHeader,
  type: TarEntryType,
  attributes: PaxAttributes | undefined,
  refuse: Refuse,
): SparseMap | undefined {
  const isOld = header.typeFlag === 'S';
  const records = attributes?.sparseRecords;
  if (!isOld && records === undefined) return undefined;
  if (type !== 'file') throw refuse(`it is a ${type} with a sparse map`);
  if (records === undefined) {
    // star has the same flag for another map
    if (header.isGnu) return new OldSparseMap(header.block, refuse);
    throw refuse('it is a sparse file, but not as GNU tar writes one; make the layer with --format=posix');
  }
  if (isOld) throw refuse('it has two sparse maps, that of its header and that of its pax records');
  return new PaxSparseMap(records, refuse);
}

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeName(end < 0 ? bytes : bytes.subarray(0, end));
}
