/**
 * What pax records say of one entry: the local header's over the global
 * one's, keyword by keyword (IEEE Std 1003.1, pax, "pax Extended Header"). An empty
 * value takes back what the other said, and the entry's own header counts again.
 *
 * `hdrcharset` is not looked at: names are bytes, and stay what they are in
 * every charset. Names of users and groups are not, either: image-spec,
 * layer.md, has the numbers count.
 */

import { decodeName, printableName } from '../names.ts';
import { isPaxTime, type PaxRecords, parsePaxInteger, parsePaxTime, type Refuse } from './pax.ts';
import { type Xattrs, xattrsOf } from './pax-xattrs.ts';

/** The keywords that count, but for attributes and sparse maps. */
const keywords = ['path', 'linkpath', 'size', 'uid', 'gid', 'mtime', 'atime', 'ctime'] as const;
type Keyword = (typeof keywords)[number];
/** What an entry has of its own: Go's archive/tar lets no global header change it, and two readers should not see two files. */
const ownKeywords: ReadonlySet<Keyword> = new Set(['path', 'linkpath', 'size']);
const sparsePrefix = 'GNU.sparse.';
/** Each costs every entry behind it something, and no tool writes even one. */
const maxGlobalXattrs = 64;

/** What the global headers so far say of every entry behind them. */
export class PaxGlobals {
  readonly #values = new Map<Keyword, Uint8Array>();
  #xattrs: Xattrs = new Map();

  get isEmpty(): boolean {
    return this.#values.size === 0 && this.#xattrs.size === 0;
  }

  value(keyword: Keyword): Uint8Array | undefined {
    return this.#values.get(keyword);
  }

  get xattrs(): Xattrs | undefined {
    return this.#xattrs.size === 0 ? undefined : this.#xattrs;
  }

  /** Takes over the records of one more global header. Throws what `refuse` makes. */
  add(records: PaxRecords, refuse: Refuse): void {
    if (sparseKeyword(records) !== undefined) {
      throw refuse('a global header describes a sparse file, and no two files have the same holes');
    }
    for (const keyword of keywords) {
      const value = records.values.get(keyword);
      if (value === undefined) continue;
      if (ownKeywords.has(keyword) && value.length > 0) {
        throw refuse(
          `a global header has the record ${keyword}=${shown(value)}, and no two entries share that`,
        );
      }
      if (value.length > 0) this.#values.set(keyword, value.slice());
      else this.#values.delete(keyword);
    }
    const added = xattrsOf(records, refuse);
    // entries hold the map that was there when they came
    if (added !== undefined) this.#xattrs = new Map([...this.#xattrs, ...added]);
    if (this.#xattrs.size > maxGlobalXattrs) {
      throw refuse(`global headers give every file more than ${maxGlobalXattrs} extended attributes`);
    }
  }
}

const noRecords: PaxRecords = { values: new Map(), repeated: [] };

/** The records that count for one entry; its fields are read when asked for. */
export class PaxAttributes {
  readonly #local: PaxRecords;
  readonly #globals: PaxGlobals;
  readonly #refuse: Refuse;

  constructor(local: PaxRecords | undefined, globals: PaxGlobals, refuse: Refuse) {
    this.#local = local ?? noRecords;
    this.#globals = globals;
    this.#refuse = refuse;
  }

  #value(keyword: Keyword): Uint8Array | undefined {
    const value = this.#local.values.get(keyword) ?? this.#globals.value(keyword);
    return value === undefined || value.length === 0 ? undefined : value;
  }

  /** A path, or undefined where the entry's header says it. */
  text(keyword: 'path' | 'linkpath'): string | undefined {
    const value = this.#value(keyword);
    if (value === undefined) return undefined;
    if (value.includes(0)) throw this.#refuse(`its pax record ${keyword} has a NUL in it`);
    return decodeName(value);
  }

  integer(keyword: 'size' | 'uid' | 'gid'): number | undefined {
    const value = this.#value(keyword);
    if (value === undefined) return undefined;
    const number = parsePaxInteger(value);
    if (number !== undefined) return number;
    throw this.#refuse(`its pax record ${keyword}=${shown(value)} is no number`);
  }

  /** Nanoseconds since 1970. Refuses access and change times that are none as well: nothing keeps them. */
  get mtimeNs(): bigint | undefined {
    this.#time('atime');
    this.#time('ctime');
    const value = this.#time('mtime');
    return value === undefined ? undefined : parsePaxTime(value);
  }

  #time(keyword: 'mtime' | 'atime' | 'ctime'): Uint8Array | undefined {
    const value = this.#value(keyword);
    if (value === undefined || isPaxTime(value)) return value;
    throw this.#refuse(`its pax record ${keyword}=${shown(value)} is no time`);
  }

  /** Undefined for none. An attribute may have an empty value, so that none takes one back. */
  get xattrs(): Xattrs | undefined {
    const global = this.#globals.xattrs;
    const local = this.#local === noRecords ? undefined : xattrsOf(this.#local, this.#refuse);
    if (global === undefined || local === undefined) return local ?? global;
    return new Map([...global, ...local]);
  }

  /** The local records when they describe a sparse file. */
  get sparseRecords(): PaxRecords | undefined {
    return sparseKeyword(this.#local) === undefined ? undefined : this.#local;
  }
}

/** A keyword that describes a sparse file, if there is one. */
function sparseKeyword(records: PaxRecords): string | undefined {
  for (const keyword of records.values.keys()) if (keyword.startsWith(sparsePrefix)) return keyword;
  return records.repeated[0]?.[0];
}

const shown = (value: Uint8Array) => printableName(decodeName(value.subarray(0, 100)));
