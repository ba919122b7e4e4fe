/**
 * The journal records of an upper and their binary form. A record says what
 * was done (`apply.ts` says what that means); those of a checkpoint say what
 * is. The content of a write follows its fields to the end of the frame.
 */

import { ByteReader, type ByteWriter } from './byte-codec.ts';
import type { FileType } from './filesystem.ts';

/** Where an extent of a checkpoint points to: the lower, a segment by the journal's number, or by its own ID while it has none. */
export type HomeReference =
  | { readonly kind: 'lower' }
  | { readonly kind: 'number' | 'id'; readonly value: number };

export interface ExtentRecord {
  readonly start: number;
  readonly length: number;
  readonly home: HomeReference;
  readonly at: number;
}

export interface Identity {
  /** Names in the stack: inode numbers depend on it. */
  readonly count: number;
  readonly diffIDs: readonly string[];
}

export type UpperRecord =
  | ({ readonly kind: 'identity' } & Identity)
  | {
      readonly kind: 'create';
      readonly time: bigint;
      readonly directory: number;
      readonly name: string;
      readonly ino: number;
      readonly type: FileType;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly rdev: readonly [number, number];
      readonly link: string;
    }
  | {
      readonly kind: 'link';
      readonly time: bigint;
      readonly ino: number;
      readonly directory: number;
      readonly name: string;
    }
  | { readonly kind: 'remove'; readonly time: bigint; readonly directory: number; readonly name: string }
  | {
      readonly kind: 'rename';
      readonly time: bigint;
      readonly from: number;
      readonly name: string;
      readonly to: number;
      readonly newName: string;
    }
  | { readonly kind: 'forget'; readonly ino: number }
  | { readonly kind: 'write'; readonly time: bigint; readonly ino: number; readonly offset: number }
  | { readonly kind: 'relocate'; readonly ino: number; readonly offset: number }
  | {
      readonly kind: 'setattr';
      readonly time: bigint;
      readonly ino: number;
      readonly mode: number | undefined;
      readonly uid: number | undefined;
      readonly gid: number | undefined;
      readonly size: number | undefined;
      readonly atimeNs: bigint | undefined;
      readonly mtimeNs: bigint | undefined;
    }
  | {
      readonly kind: 'setxattr';
      readonly time: bigint;
      readonly ino: number;
      readonly name: string;
      readonly value: Uint8Array<ArrayBuffer>;
    }
  | { readonly kind: 'removexattr'; readonly time: bigint; readonly ino: number; readonly name: string }
  | ({
      readonly kind: 'checkpoint';
      readonly nextIno: number;
      readonly version: number;
      readonly files: number;
    } & Identity)
  | {
      readonly kind: 'inode';
      readonly ino: number;
      readonly type: FileType;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly nlink: number;
      readonly size: number;
      readonly rdev: readonly [number, number];
      readonly atimeNs: bigint;
      readonly mtimeNs: bigint;
      readonly ctimeNs: bigint;
      readonly link: string;
      readonly parent: number;
      readonly name: string;
      readonly xattrs: readonly (readonly [string, Uint8Array<ArrayBuffer>])[];
    }
  | { readonly kind: 'extents'; readonly ino: number; readonly extents: readonly ExtentRecord[] }
  | {
      readonly kind: 'dentries';
      readonly directory: number;
      /** Inode number, or 0 for a whiteout. */
      readonly entries: readonly (readonly [string, number])[];
    }
  | { readonly kind: 'nlinks'; readonly nlinks: readonly (readonly [number, number])[] }
  | { readonly kind: 'orphans'; readonly inos: readonly number[] }
  | { readonly kind: 'checkpoint-end' }
  | { readonly kind: 'ctimes'; readonly ctimes: readonly (readonly [number, bigint])[] };

/** The order is the stored form: add at the end only. */
const KINDS: readonly UpperRecord['kind'][] = [
  'identity',
  'create',
  'link',
  'remove',
  'rename',
  'forget',
  'write',
  'relocate',
  'setattr',
  'setxattr',
  'removexattr',
  'checkpoint',
  'inode',
  'extents',
  'dentries',
  'nlinks',
  'orphans',
  'checkpoint-end',
  'ctimes',
];
const TYPES: readonly FileType[] = ['file', 'dir', 'symlink', 'char', 'block', 'fifo', 'socket'];
const HOMES: readonly HomeReference['kind'][] = ['lower', 'number', 'id'];

/** Where a write's time is, counted from the start of its fields: it is set anew when the write grows. */
export const WRITE_TIME_AT = 1;

/** Writes the fields; the content of `write` and `relocate` comes after them. */
export function encodeRecord(writer: ByteWriter, record: UpperRecord): void {
  writer.byte(KINDS.indexOf(record.kind));
  if ('time' in record) writer.time(record.time);
  switch (record.kind) {
    case 'identity':
      encodeIdentity(writer, record);
      break;
    case 'create':
      writer.number(record.directory);
      writer.text(record.name);
      writer.number(record.ino);
      writer.byte(TYPES.indexOf(record.type));
      for (const field of [record.mode, record.uid, record.gid, ...record.rdev]) writer.number(field);
      writer.text(record.link);
      break;
    case 'link':
      writer.number(record.ino);
      writer.number(record.directory);
      writer.text(record.name);
      break;
    case 'remove':
      writer.number(record.directory);
      writer.text(record.name);
      break;
    case 'rename':
      writer.number(record.from);
      writer.text(record.name);
      writer.number(record.to);
      writer.text(record.newName);
      break;
    case 'forget':
      writer.number(record.ino);
      break;
    case 'write':
    case 'relocate':
      writer.number(record.ino);
      writer.number(record.offset);
      break;
    case 'setattr': {
      writer.number(record.ino);
      const numbers = [record.mode, record.uid, record.gid, record.size];
      const times = [record.atimeNs, record.mtimeNs];
      const isGiven = (field: unknown, bit: number): number => (field === undefined ? 0 : 1 << bit);
      writer.byte([...numbers, ...times].map(isGiven).reduce((mask, bit) => mask | bit, 0));
      for (const field of numbers) if (field !== undefined) writer.number(field);
      for (const field of times) if (field !== undefined) writer.time(field);
      break;
    }
    case 'setxattr':
      writer.number(record.ino);
      writer.text(record.name);
      writer.blob(record.value);
      break;
    case 'removexattr':
      writer.number(record.ino);
      writer.text(record.name);
      break;
    case 'checkpoint':
      encodeIdentity(writer, record);
      for (const field of [record.nextIno, record.version, record.files]) writer.number(field);
      break;
    case 'inode':
      writer.number(record.ino);
      writer.byte(TYPES.indexOf(record.type));
      for (const field of [record.mode, record.uid, record.gid, record.nlink, record.size, ...record.rdev]) {
        writer.number(field);
      }
      for (const time of [record.atimeNs, record.mtimeNs, record.ctimeNs]) writer.time(time);
      writer.text(record.link);
      writer.number(record.parent);
      writer.text(record.name);
      writer.number(record.xattrs.length);
      for (const [name, value] of record.xattrs) {
        writer.text(name);
        writer.blob(value);
      }
      break;
    case 'extents':
      writer.number(record.ino);
      writer.number(record.extents.length);
      for (const extent of record.extents) {
        writer.number(extent.start);
        writer.number(extent.length);
        writer.byte(HOMES.indexOf(extent.home.kind));
        if (extent.home.kind !== 'lower') writer.number(extent.home.value);
        writer.number(extent.at);
      }
      break;
    case 'dentries':
      writer.number(record.directory);
      writer.number(record.entries.length);
      for (const [name, ino] of record.entries) {
        writer.text(name);
        writer.number(ino);
      }
      break;
    case 'nlinks':
      writer.number(record.nlinks.length);
      for (const pair of record.nlinks) for (const field of pair) writer.number(field);
      break;
    case 'orphans':
      writer.number(record.inos.length);
      for (const ino of record.inos) writer.number(ino);
      break;
    case 'ctimes':
      writer.number(record.ctimes.length);
      for (const [ino, time] of record.ctimes) {
        writer.number(ino);
        writer.time(time);
      }
      break;
    case 'checkpoint-end':
      break;
  }
}

function encodeIdentity(writer: ByteWriter, identity: Identity): void {
  writer.number(identity.count);
  writer.number(identity.diffIDs.length);
  for (const diffID of identity.diffIDs) writer.text(diffID);
}

function decodeIdentity(reader: ByteReader): Identity {
  const count = reader.number();
  return { count, diffIDs: list(reader, () => reader.text()) };
}

function list<T>(reader: ByteReader, item: () => T): T[] {
  const length = reader.number();
  if (length > reader.remaining) throw new RangeError('a list of the record is longer than the record');
  return Array.from({ length }, item);
}

function among<T>(table: readonly T[], index: number, what: string): T {
  const found = table[index];
  if (found === undefined) throw new RangeError(`${what} ${index} of the record is not known`);
  return found;
}

/** The record and where its content starts. Throws RangeError for what no version of this wrote. */
export function decodeRecord(
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  end: number,
): { readonly record: UpperRecord; readonly contentAt: number } {
  const reader = new ByteReader(bytes, start, end);
  const record = decodeFields(reader);
  const hasContent = record.kind === 'write' || record.kind === 'relocate';
  if (!hasContent && reader.remaining > 0) throw new RangeError(`a ${record.kind} record is too long`);
  return { record, contentAt: reader.at };
}

function decodeFields(reader: ByteReader): UpperRecord {
  const kind = among(KINDS, reader.byte(), 'kind');
  const number = () => reader.number();
  const device = (): readonly [number, number] => [number(), number()];
  switch (kind) {
    case 'identity':
      return { kind, ...decodeIdentity(reader) };
    case 'create':
      return {
        kind,
        time: reader.time(),
        directory: number(),
        name: reader.text(),
        ino: number(),
        type: among(TYPES, reader.byte(), 'file type'),
        mode: number(),
        uid: number(),
        gid: number(),
        rdev: device(),
        link: reader.text(),
      };
    case 'link':
      return { kind, time: reader.time(), ino: number(), directory: number(), name: reader.text() };
    case 'remove':
      return { kind, time: reader.time(), directory: number(), name: reader.text() };
    case 'rename':
      return {
        kind,
        time: reader.time(),
        from: number(),
        name: reader.text(),
        to: number(),
        newName: reader.text(),
      };
    case 'forget':
      return { kind, ino: number() };
    case 'write':
      return { kind, time: reader.time(), ino: number(), offset: number() };
    case 'relocate':
      return { kind, ino: number(), offset: number() };
    case 'setattr': {
      const time = reader.time();
      const ino = number();
      const mask = reader.byte();
      const optional = <T>(bit: number, read: () => T) => ((mask & (1 << bit)) === 0 ? undefined : read());
      return {
        kind,
        time,
        ino,
        mode: optional(0, number),
        uid: optional(1, number),
        gid: optional(2, number),
        size: optional(3, number),
        atimeNs: optional(4, () => reader.time()),
        mtimeNs: optional(5, () => reader.time()),
      };
    }
    case 'setxattr':
      return { kind, time: reader.time(), ino: number(), name: reader.text(), value: reader.blob() };
    case 'removexattr':
      return { kind, time: reader.time(), ino: number(), name: reader.text() };
    case 'checkpoint':
      return { kind, ...decodeIdentity(reader), nextIno: number(), version: number(), files: number() };
    case 'inode':
      return {
        kind,
        ino: number(),
        type: among(TYPES, reader.byte(), 'file type'),
        mode: number(),
        uid: number(),
        gid: number(),
        nlink: number(),
        size: number(),
        rdev: device(),
        atimeNs: reader.time(),
        mtimeNs: reader.time(),
        ctimeNs: reader.time(),
        link: reader.text(),
        parent: number(),
        name: reader.text(),
        xattrs: list(reader, () => [reader.text(), reader.blob()] as const),
      };
    case 'extents':
      return { kind, ino: number(), extents: list(reader, () => decodeExtent(reader)) };
    case 'dentries':
      return { kind, directory: number(), entries: list(reader, () => [reader.text(), number()] as const) };
    case 'nlinks':
      return { kind, nlinks: list(reader, device) };
    case 'orphans':
      return { kind, inos: list(reader, number) };
    case 'ctimes':
      return { kind, ctimes: list(reader, () => [number(), reader.time()] as const) };
    case 'checkpoint-end':
      return { kind };
  }
}

function decodeExtent(reader: ByteReader): ExtentRecord {
  const start = reader.number();
  const length = reader.number();
  const kind = among(HOMES, reader.byte(), 'home');
  const home: HomeReference = kind === 'lower' ? { kind } : { kind, value: reader.number() };
  return { start, length, home, at: reader.number() };
}
