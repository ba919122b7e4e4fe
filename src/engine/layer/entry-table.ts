/**
 * The entries of a layer while its index is being built: growing columns in
 * the order in which entries came. An entry that is replaced stays, so that
 * hard links to it keep what they share; only what is reachable is packed.
 */

import { CorruptLayerError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { ByteTable } from './byte-table.ts';
import { GrowingColumns } from './growing-columns.ts';
import type { EntryType } from './layer-index.ts';
import { maxDeviceMajor, maxDeviceMinor, maxFileSize, maxStringLength } from './layer-limits.ts';
import type { NewEntry } from './new-entry.ts';
import { packExtents } from './packed-extents.ts';
import { type Columns, entryTypes, flagImplicit, flagOpaque, flagSparse } from './packed-layout.ts';
import { packXattrs } from './packed-xattrs.ts';

const noBytes = new Uint8Array(0);
/** 64 bits of nanoseconds, as Linux and Go keep a time; a tar may say more. */
const earliestNs = -(2n ** 63n);
const latestNs = 2n ** 63n - 1n;

export class EntryTable {
  readonly #limit: number;
  readonly #parent: number[] = [];
  readonly #name: string[] = [];
  /** By entry, of those that have any. */
  readonly #link = new Map<number, string>();
  readonly #xattrs = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #extents = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #target = new Map<number, number>();
  readonly #rows = new GrowingColumns();
  /** Of everything that was ever taken in: what is replaced later counts as well, it was work. */
  #stringLength = 0;

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
    this.#count(name.length);
    this.#rows.reserve(number);
    return number;
  }

  #count(length: number): void {
    this.#stringLength += length;
    if (this.#stringLength <= maxStringLength) return;
    throw new CorruptLayerError(
      `the names, links and attributes of its entries take more than ${maxStringLength >> 20} MiB`,
      { limit: maxStringLength },
    );
  }

  /** Gives an entry its attributes; what was there of flags stays, but it is no longer implicit. */
  describe(number: number, entry: NewEntry): void {
    const { columns } = this.#rows;
    const { link = '', xattrs, extents } = entry;
    const isFile = entry.type === 'file';
    const isSparse = isFile && extents !== undefined;
    const time =
      entry.mtimeNs < earliestNs ? earliestNs : entry.mtimeNs > latestNs ? latestNs : entry.mtimeNs;
    const seconds = time / 1_000_000_000n;
    const nanos = Number(time - seconds * 1_000_000_000n);
    columns.type[number] = entryTypes.indexOf(entry.type);
    columns.flags[number] =
      ((columns.flags[number] ?? 0) & ~(flagImplicit | flagSparse)) |
      (entry.opaque === true ? flagOpaque : 0) |
      (isSparse ? flagSparse : 0);
    columns.mode[number] = entry.mode & 0o7777;
    columns.uid[number] = checked(entry, 'uid', entry.uid, 0xffff_ffff);
    columns.gid[number] = checked(entry, 'gid', entry.gid, 0xffff_ffff);
    columns.mtimeSeconds[number] = Number(seconds) - (nanos < 0 ? 1 : 0);
    columns.mtimeNanos[number] = nanos < 0 ? nanos + 1_000_000_000 : nanos;
    columns.size[number] = isFile ? checked(entry, 'size', entry.size ?? 0, maxFileSize) : 0;
    columns.offset[number] = isFile
      ? checked(entry, 'offset', entry.offset ?? 0, Number.MAX_SAFE_INTEGER)
      : 0;
    columns.rdevMajor[number] = checked(entry, 'device major', entry.rdev?.[0] ?? 0, maxDeviceMajor);
    columns.rdevMinor[number] = checked(entry, 'device minor', entry.rdev?.[1] ?? 0, maxDeviceMinor);
    this.setLink(number, link);
    this.#keep(this.#xattrs, number, xattrs === undefined ? noBytes : packXattrs(xattrs));
    this.#keep(this.#extents, number, isSparse ? packExtents(extents) : noBytes);
  }

  #keep(kept: Map<number, Uint8Array<ArrayBuffer>>, number: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#count(bytes.length);
    if (bytes.length > 0) kept.set(number, bytes);
    else if (kept.size > 0) kept.delete(number);
  }

  type(number: number): EntryType {
    return entryTypes[this.#rows.columns.type[number] ?? 0] ?? 'file';
  }

  /** Of the root: the root. */
  parent(number: number): number {
    return this.#parent[number] ?? 0;
  }

  name(number: number): string {
    return this.#name[number] ?? '';
  }

  link(number: number): string {
    return this.#link.get(number) ?? '';
  }

  setLink(number: number, link: string): void {
    this.#count(link.length);
    if (link !== '') this.#link.set(number, link);
    else if (this.#link.size > 0) this.#link.delete(number);
  }

  setFlag(number: number, flag: number): void {
    const { flags } = this.#rows.columns;
    flags[number] = (flags[number] ?? 0) | flag;
  }

  /** A directory whose lower namesake is gone: it starts empty and with attributes of its own. */
  hideLower(number: number): void {
    const { flags } = this.#rows.columns;
    flags[number] = ((flags[number] ?? 0) & ~flagImplicit) | flagOpaque;
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
    this.#rows.copyRow(target, number);
    this.setLink(number, this.link(target));
    this.#keep(this.#xattrs, number, this.#xattrs.get(target) ?? noBytes);
    this.#keep(this.#extents, number, this.#extents.get(target) ?? noBytes);
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
      // a file has no target: where that would be is its sparse map
      const extents = this.#extents.get(number);
      spans.linkLength[at] =
        extents === undefined ? strings.appendName(this.link(number)) : strings.append(extents);
      spans.xattrOffset[at] = strings.length;
      spans.xattrLength[at] = strings.append(this.#xattrs.get(number) ?? noBytes);
    });
    return spans;
  }

  /** Writes the plain columns of the entries in the given order. */
  writeColumns(order: readonly number[], columns: Columns): void {
    this.#rows.write(order, columns);
  }
}

function checked(entry: NewEntry, field: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new CorruptLayerError(
    `${JSON.stringify(printableName(entry.path))} has the ${field} ${value}; it must be a whole number up to ${max}`,
    { path: entry.path },
  );
}

/** Where the strings of each packed entry are in the byte table. */
export type StringSpans = Pick<
  { [K in keyof Columns]: Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> },
  'nameOffset' | 'nameLength' | 'linkOffset' | 'linkLength' | 'xattrOffset' | 'xattrLength'
>;
