/**
 * Reads a tar that arrives in chunks of any size. Content is stepped over,
 * never copied: an entry says where in the tar its content starts.
 *
 *     const reader = new TarReader((entry) => builder.add(entry));
 *     for await (const chunk of tar) reader.push(chunk);
 *     reader.end();
 *
 * Formats: v7, ustar, star, GNU (long names and links, base-256 numbers), pax
 * with local and global headers. What Linux files cannot come from is refused
 * by name: sparse files, dump directories, volumes. As Go's archive/tar, which
 * Docker and containerd read with, has it: links, devices, directories and fifos
 * carry no content whatever their size says, and an end of archive may be missing.
 */

import { CorruptLayerError } from '../errors.ts';
import { decodeName, printableName } from '../names.ts';
import {
  type PaxRecords,
  parsePaxInteger,
  parsePaxRecords,
  parsePaxTime,
  type Refuse,
  xattrsOf,
} from './pax.ts';
import { blockLength, TarHeader } from './tar-header.ts';

export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'dir' | 'fifo';

/** An entry as the tar has it: paths neither cleaned nor checked. */
export interface TarEntry {
  readonly path: string;
  readonly type: TarEntryType;
  /** All bits of the mode field. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Bytes of content; 0 for what is no file. */
  readonly size: number;
  /** Where the content starts, counted from the start of the tar. */
  readonly offset: number;
  /** Target of a symlink or hard link. */
  readonly link: string | undefined;
  readonly rdev: readonly [number, number] | undefined;
  readonly xattrs: Map<string, Uint8Array<ArrayBuffer>> | undefined;
}

const types: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
  // contiguous file: a hint to a file system that has such
  '7': 'file',
};
const refusedTypes: Readonly<Record<string, string>> = {
  S: 'a sparse file of GNU tar; make the layer without --sparse',
  D: 'a dump directory of GNU tar; make the layer without --incremental',
  M: 'the rest of a file of another volume',
  N: 'an old long name of GNU tar',
  V: 'the label of a volume',
};
/** Extended headers hold names and attributes: 64 KiB each at most, and an archive may have a few of them. */
const maxExtendedLength = 1 << 20;
const noRecords: PaxRecords = new Map();

/** An extended header whose content is being gathered. */
interface Extended {
  readonly flag: string;
  readonly bytes: Uint8Array;
  readonly refuse: Refuse;
  filled: number;
}

export class TarReader {
  readonly #onEntry: (entry: TarEntry) => void;
  readonly #block = new Uint8Array(blockLength);
  #blockFilled = 0;
  /** Bytes of the tar before the current chunk. */
  #position = 0;
  /** Content and padding to step over; of these the last `#padding` are padding, which may be missing at the end. */
  #skip = 0;
  #padding = 0;
  #extended: Extended | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  #local: PaxRecords | undefined;
  #global: PaxRecords = noRecords;
  /** Blocks of zeros so far: two end the archive. */
  #zeroBlocks = 0;
  #lastPath = '';

  /** `onEntry` gets each entry when its header is there, before its content is. */
  constructor(onEntry: (entry: TarEntry) => void) {
    this.#onEntry = onEntry;
  }

  /** Takes the next bytes. Throws CorruptLayerError naming the entry and the field. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#zeroBlocks < 2) {
      if (this.#extended !== undefined) {
        at += this.#gather(this.#extended, chunk, at);
      } else if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
      } else if (this.#blockFilled === 0 && chunk.length - at >= blockLength) {
        this.#readHeader(new TarHeader(chunk, at, this.#position + at), this.#position + at + blockLength);
        at += blockLength;
      } else {
        const step = Math.min(blockLength - this.#blockFilled, chunk.length - at);
        this.#block.set(chunk.subarray(at, at + step), this.#blockFilled);
        this.#blockFilled += step;
        at += step;
        if (this.#blockFilled < blockLength) continue;
        this.#blockFilled = 0;
        const end = this.#position + at;
        this.#readHeader(new TarHeader(this.#block, 0, end - blockLength), end);
      }
    }
    this.#position += chunk.length;
  }

  /** The tar is over. Throws CorruptLayerError when that is in the middle of something. */
  end(): void {
    if (this.#zeroBlocks >= 2) return;
    const missing = this.#skip - this.#padding;
    const last = JSON.stringify(printableName(this.#lastPath));
    if (this.#extended !== undefined) throw this.#cut('in an extended header', last);
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
      path: this.#lastPath,
      position: this.#position,
    });
  }

  #readHeader(header: TarHeader, contentStart: number): void {
    if (header.isZero) {
      if (this.#hasPendingNames)
        throw header.refused('it is empty, but an extended header before it is for an entry');
      this.#zeroBlocks += 1;
      return;
    }
    if (this.#zeroBlocks > 0)
      throw header.refused('a block of zeros stands before it, and one alone is no end of archive');
    header.verify();
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
    this.#extended = { flag, bytes: new Uint8Array(size), refuse, filled: 0 };
    this.#setSkip(size);
    if (size === 0) this.#closeExtended(this.#extended);
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
    else this.#global = merged(this.#global, parsePaxRecords(bytes, refuse));
  }

  #readEntry(header: TarHeader, offset: number): void {
    const records = this.#local === undefined ? this.#global : merged(this.#global, this.#local);
    const path = this.#longName ?? paxText(records, 'path', header) ?? header.path;
    const link = this.#longLink ?? paxText(records, 'linkpath', header) ?? header.link;
    this.#local = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#lastPath = path;

    const flag = header.typeFlag;
    let type = types[flag];
    if (type === undefined) {
      const what = refusedTypes[flag] ?? `of the unknown type ${JSON.stringify(printableName(flag))}`;
      throw header.refused(`it is ${what}`, path);
    }
    // how v7, which has no type for directories, writes one
    if (flag === '\0' && path.endsWith('/')) type = 'dir';
    for (const keyword of records.keys()) {
      if (!keyword.startsWith('GNU.sparse.')) continue;
      throw header.refused(
        `it is a sparse file (${printableName(keyword)}); make the layer without --sparse`,
        path,
      );
    }
    const integer = (field: 'uid' | 'gid' | 'size') => {
      const value = records.get(field);
      if (value === undefined || value.length === 0) return header.number(field);
      const number = parsePaxInteger(value);
      if (number !== undefined) return number;
      throw header.refused(`its pax record ${field}=${printableName(decodeName(value))} is no number`, path);
    };
    const size = type === 'file' ? integer('size') : 0;
    if (size < 0) throw header.refused(`its size is ${size}`, path);
    const isDevice = type === 'char' || type === 'block';
    this.#setSkip(size);
    this.#onEntry({
      path,
      type,
      mode: header.number('mode'),
      uid: integer('uid'),
      gid: integer('gid'),
      mtimeNs: paxTime(records, header, path) ?? BigInt(header.number('mtime')) * 1_000_000_000n,
      size,
      offset,
      link: type === 'symlink' || type === 'hardlink' ? link : undefined,
      rdev: isDevice ? [header.number('device major'), header.number('device minor')] : undefined,
      xattrs: records.size === 0 ? undefined : xattrsOf(records, (reason) => header.refused(reason, path)),
    });
  }

  #setSkip(size: number): void {
    this.#padding = (blockLength - (size % blockLength)) % blockLength;
    this.#skip = size + this.#padding;
  }
}

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeName(end < 0 ? bytes : bytes.subarray(0, end));
}

/** An empty value takes back what a global header said (IEEE Std 1003.1, pax, "pax Extended Header"). */
function merged(global: PaxRecords, local: PaxRecords): PaxRecords {
  if (global.size === 0) return local;
  const records = new Map([...global, ...local]);
  for (const [keyword, value] of local) {
    if (value.length === 0 && !keyword.includes('.xattr.')) records.delete(keyword);
  }
  return records;
}

function paxText(records: PaxRecords, keyword: 'path' | 'linkpath', header: TarHeader): string | undefined {
  const value = records.get(keyword);
  if (value === undefined || value.length === 0) return undefined;
  if (value.includes(0)) throw header.refused(`its pax record ${keyword} has a NUL in it`);
  return decodeName(value);
}

function paxTime(records: PaxRecords, header: TarHeader, path: string): bigint | undefined {
  const value = records.get('mtime');
  if (value === undefined || value.length === 0) return undefined;
  const time = parsePaxTime(value);
  if (time !== undefined) return time;
  throw header.refused(`its pax record mtime=${printableName(decodeName(value))} is no time`, path);
}
