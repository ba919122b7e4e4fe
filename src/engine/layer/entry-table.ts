/**
 * The entries of a layer while its index is being built: growing columns in
 * the order in which entries came. An entry that is replaced stays, so that
 * hard links to it keep what they share; only what is reachable is packed.
 */

import { CorruptLayerError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { ByteTable } from './byte-table.ts';
import type { EntryType } from './layer-index.ts';
import type { NewEntry } from './new-entry.ts';
import { type Columns, entryTypes, flagImplicit, flagOpaque } from './packed-layout.ts';
import { packXattrs } from './packed-xattrs.ts';

const noXattrs = new Uint8Array(0);
/** Columns of plain numbers, in the order of a row. */
const columnNames = [
  'type',
  'flags',
  'mode',
  'uid',
  'gid',
  'mtimeSeconds',
  'mtimeNanos',
  'size',
  'offset',
  'rdevMajor',
  'rdevMinor',
] as const;
type ColumnName = (typeof columnNames)[number];

export class EntryTable {
  readonly #limit: number;
  readonly #parent: number[] = [];
  readonly #name: string[] = [];
  readonly #link: string[] = [];
  readonly #xattrs: Uint8Array<ArrayBuffer>[] = [];
  readonly #target = new Map<number, number>();
  readonly #columns: Readonly<Record<ColumnName, number[]>> = {
    type: [],
    flags: [],
    mode: [],
    uid: [],
    gid: [],
    mtimeSeconds: [],
    mtimeNanos: [],
    size: [],
    offset: [],
    rdevMajor: [],
    rdevMinor: [],
  };

  /** Refuses more than `limit` entries. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A new entry, still blank; returns its number here. Throws CorruptLayerError above the limit. */
  append(parent: number, name: string): number {
    const number = this.#name.length;
    if (number >= this.#limit) throw new CorruptLayerError(`it has more than ${this.#limit} entries`);
    this.#parent.push(parent);
    this.#name.push(name);
    this.#link.push('');
    this.#xattrs.push(noXattrs);
    for (const name of columnNames) this.#columns[name].push(0);
    return number;
  }

  /** Gives an entry its attributes; what was there of flags stays, but it is no longer implicit. */
  describe(number: number, entry: NewEntry): void {
    const field = (name: string, value: number, max: number) => {
      if (Number.isInteger(value) && value >= 0 && value <= max) return value;
      throw new CorruptLayerError(
        `${JSON.stringify(printableName(entry.path))} has the ${name} ${value}; it must be a whole number up to ${max}`,
        { path: entry.path },
      );
    };
    const columns = this.#columns;
    const seconds = entry.mtimeNs / 1_000_000_000n;
    const nanos = Number(entry.mtimeNs % 1_000_000_000n);
    const isFile = entry.type === 'file';
    columns.type[number] = entryTypes.indexOf(entry.type);
    columns.flags[number] =
      ((columns.flags[number] ?? 0) & ~flagImplicit) | (entry.opaque === true ? flagOpaque : 0);
    columns.mode[number] = entry.mode & 0o7777;
    columns.uid[number] = field('uid', entry.uid, 0xffff_ffff);
    columns.gid[number] = field('gid', entry.gid, 0xffff_ffff);
    columns.mtimeSeconds[number] = Number(seconds) - (nanos < 0 ? 1 : 0);
    columns.mtimeNanos[number] = nanos < 0 ? nanos + 1_000_000_000 : nanos;
    columns.size[number] = isFile ? field('size', entry.size ?? 0, Number.MAX_SAFE_INTEGER) : 0;
    columns.offset[number] = isFile ? field('offset', entry.offset ?? 0, Number.MAX_SAFE_INTEGER) : 0;
    columns.rdevMajor[number] = field('device major', entry.rdev?.[0] ?? 0, 0xffff_ffff);
    columns.rdevMinor[number] = field('device minor', entry.rdev?.[1] ?? 0, 0xffff_ffff);
    this.#link[number] = entry.link ?? '';
    this.#xattrs[number] =
      entry.xattrs === undefined || entry.xattrs.size === 0 ? noXattrs : packXattrs(entry.xattrs);
  }

  type(number: number): EntryType {
    return entryTypes[this.#columns.type[number] ?? 0] ?? 'file';
  }

  /** Of the root: the root. */
  parent(number: number): number {
    return this.#parent[number] ?? 0;
  }

  name(number: number): string {
    return this.#name[number] ?? '';
  }

  link(number: number): string {
    return this.#link[number] ?? '';
  }

  setLink(number: number, link: string): void {
    this.#link[number] = link;
  }

  setFlag(number: number, flag: number): void {
    this.#columns.flags[number] = (this.#columns.flags[number] ?? 0) | flag;
  }

  /** A directory whose lower namesake is gone: it starts empty and with attributes of its own. */
  hideLower(number: number): void {
    this.#columns.flags[number] = ((this.#columns.flags[number] ?? 0) & ~flagImplicit) | flagOpaque;
  }

  /** The entry whose content a hard link shares, or undefined when that is in a lower layer. */
  target(number: number): number | undefined {
    return this.#target.get(number);
  }

  linkTo(number: number, target: number): void {
    this.#target.set(number, target);
  }

  /** Makes a hard link what its target, itself replaced, was. */
  takeOver(number: number, target: number): void {
    for (const name of columnNames) this.#columns[name][number] = this.#columns[name][target] ?? 0;
    this.#link[number] = this.#link[target] ?? '';
    this.#xattrs[number] = this.#xattrs[target] ?? noXattrs;
  }

  /** Writes the entries in the given order, with their names, links and attributes in `strings`. */
  writeStrings(order: readonly number[], strings: ByteTable): StringSpans {
    const spans = {
      nameOffset: new Uint32Array(order.length),
      nameLength: new Uint16Array(order.length),
      linkOffset: new Uint32Array(order.length),
      linkLength: new Uint32Array(order.length),
      xattrOffset: new Uint32Array(order.length),
      xattrLength: new Uint32Array(order.length),
    };
    order.forEach((number, at) => {
      spans.nameOffset[at] = strings.length;
      const nameLength = strings.appendName(this.name(number));
      if (nameLength > 0xffff) {
        throw new CorruptLayerError(`an entry has a name of ${nameLength} bytes; 255 are allowed`);
      }
      spans.nameLength[at] = nameLength;
      spans.linkOffset[at] = strings.length;
      spans.linkLength[at] = strings.appendName(this.link(number));
      spans.xattrOffset[at] = strings.length;
      spans.xattrLength[at] = strings.append(this.#xattrs[number] ?? noXattrs);
    });
    return spans;
  }

  /** Writes the plain columns of the entries in the given order. */
  writeColumns(order: readonly number[], columns: Columns): void {
    for (const name of columnNames) {
      const from = this.#columns[name];
      const to = columns[name];
      order.forEach((number, at) => {
        to[at] = from[number] ?? 0;
      });
    }
  }
}

/** Where the strings of each packed entry are in the byte table. */
export type StringSpans = Pick<
  { [K in keyof Columns]: Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> },
  'nameOffset' | 'nameLength' | 'linkOffset' | 'linkLength' | 'xattrOffset' | 'xattrLength'
>;
