/**
 * Writes the headers of a tar as POSIX has them (IEEE Std 1003.1, pax, "ustar
 * Interchange Format" and "pax Extended Header"): ustar, and a pax header before
 * it for what ustar has no room for. The same entry gives the same bytes always.
 */

import { compareNames, encodeName } from '../names.ts';
import { joinBytes } from './join-bytes.ts';
import { blockLength } from './tar-header.ts';

export interface TarFields {
  /** Without a leading slash; "" is the root. */
  readonly path: string;
  readonly type: 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'dir' | 'fifo';
  /** 0..0o7777 */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Bytes of content; what is no file has none. */
  readonly size?: number;
  /** Target of a symlink verbatim; path of a hard link's target, without a leading slash. */
  readonly link?: string | undefined;
  readonly rdev?: readonly [number, number] | undefined;
  readonly xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
}

const flags = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
} as const satisfies Record<TarFields['type'], string>;
const nameLength = 100;
const billion = 1_000_000_000n;

/** Two blocks of zeros. */
export const endOfArchive: Uint8Array<ArrayBuffer> = new Uint8Array(2 * blockLength);

/** Bytes of zeros that follow a content of this size. */
export function paddingAfter(size: number): number {
  return (blockLength - (size % blockLength)) % blockLength;
}

/** The header blocks of an entry, its pax header included; the content and its padding follow. */
export function tarHeaderOf(entry: TarFields): Uint8Array<ArrayBuffer> {
  const path = encodeName(entry.type === 'dir' ? `${entry.path || '.'}/` : entry.path);
  const link = encodeName(entry.link ?? '');
  const size = entry.type === 'file' ? (entry.size ?? 0) : 0;
  const records = paxRecordsOf(entry, path, link, size);
  const header = ustarBlock(path, flags[entry.type], size, { ...entry, link });
  if (records.length === 0) return header;
  // the name is for readers that know no pax: they make a file of it
  const paxName = encodeName(`PaxHeaders.0/${entry.path.slice(entry.path.lastIndexOf('/') + 1)}`);
  const paxHeader = ustarBlock(paxName, 'x', records.length, {
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeNs: 0n,
  });
  return joinBytes([paxHeader, records, new Uint8Array(paddingAfter(records.length)), header]);
}

interface UstarFields {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly link?: Uint8Array;
  readonly rdev?: readonly [number, number] | undefined;
}

function ustarBlock(
  path: Uint8Array,
  flag: string,
  size: number,
  fields: UstarFields,
): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(blockLength);
  block.set(path.subarray(0, nameLength));
  putNumber(block, 100, 8, fields.mode);
  putNumber(block, 108, 8, fields.uid);
  putNumber(block, 116, 8, fields.gid);
  putNumber(block, 124, 12, size);
  putNumber(block, 136, 12, Number(secondsOf(fields.mtimeNs)));
  putText(block, 156, flag);
  block.set(fields.link?.subarray(0, nameLength) ?? [], 157);
  putText(block, 257, 'ustar\u000000');
  const [major, minor] = fields.rdev ?? [0, 0];
  putNumber(block, 329, 8, major);
  putNumber(block, 337, 8, minor);
  // the checksum is counted with blanks in its own place
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  putText(block, 148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

function putText(block: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) block[at + i] = text.charCodeAt(i);
}

/** The largest number of a field of octal digits and a NUL. */
function octalMax(length: number): number {
  return 8 ** (length - 1) - 1;
}

/** What the field has no room for is 0 there: a pax record has it. Device numbers have none and become base 256. */
function putNumber(block: Uint8Array, at: number, length: number, value: number): void {
  const fits = value >= 0 && value <= octalMax(length);
  const isDevice = at === 329 || at === 337;
  if (!fits && isDevice) {
    block[at] = 0x80;
    new DataView(block.buffer, block.byteOffset).setUint32(at + length - 4, value);
    return;
  }
  putText(block, at, (fits ? value : 0).toString(8).padStart(length - 1, '0'));
}

/** Whole seconds, rounded towards the past. */
function secondsOf(timeNs: bigint): bigint {
  const seconds = timeNs / billion;
  return timeNs < 0n && timeNs % billion !== 0n ? seconds - 1n : seconds;
}

function paxTime(timeNs: bigint): string {
  const magnitude = timeNs < 0n ? -timeNs : timeNs;
  const fraction = (magnitude % billion).toString().padStart(9, '0').replace(/0+$/, '');
  const seconds = `${timeNs < 0n ? '-' : ''}${magnitude / billion}`;
  return fraction === '' ? seconds : `${seconds}.${fraction}`;
}

/** The records of what ustar has no room for, sorted by keyword; empty when there are none. */
function paxRecordsOf(
  entry: TarFields,
  path: Uint8Array,
  link: Uint8Array,
  size: number,
): Uint8Array<ArrayBuffer> {
  const records: [string, Uint8Array][] = [];
  const number = (keyword: string, value: number, length: number) => {
    if (value > octalMax(length)) records.push([keyword, encodeName(String(value))]);
  };
  number('uid', entry.uid, 8);
  number('gid', entry.gid, 8);
  number('size', size, 12);
  const seconds = secondsOf(entry.mtimeNs);
  if (entry.mtimeNs % billion !== 0n || seconds < 0n || seconds > BigInt(octalMax(12))) {
    records.push(['mtime', encodeName(paxTime(entry.mtimeNs))]);
  }
  let isText = true;
  const text = (keyword: string, bytes: Uint8Array, name: string | undefined) => {
    if (bytes.length <= nameLength) return;
    records.push([keyword, bytes]);
    isText &&= name?.isWellFormed() !== false;
  };
  text('path', path, entry.path);
  text('linkpath', link, entry.link);
  // as libarchive and GNU tar mark values that are not UTF-8
  if (!isText) records.push(['hdrcharset', encodeName('BINARY')]);
  for (const [name, value] of entry.xattrs ?? []) records.push(xattrRecord(name, value));
  records.sort(([a], [b]) => compareNames(a, b));
  // what is said of the character set is for the records after it
  if (!isText) records.sort(([a], [b]) => Number(b === 'hdrcharset') - Number(a === 'hdrcharset'));
  return joinBytes(records.map(([keyword, value]) => paxRecord(keyword, value)));
}

/** star's record; libarchive's for a name that would end at its own "=". */
function xattrRecord(name: string, value: Uint8Array): [string, Uint8Array] {
  if (!name.includes('=')) return [`SCHILY.xattr.${name}`, value];
  const encoded = name.replace(/[%=]/g, (sign) => (sign === '=' ? '%3D' : '%25'));
  return [`LIBARCHIVE.xattr.${encoded}`, encodeName(base64Of(value))];
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const three = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const length = Math.min(bytes.length - at, 3) + 1;
    for (let i = 0; i < length; i++) text += alphabet[(three >> (18 - 6 * i)) & 63] ?? '';
  }
  return text;
}

/** `length keyword=value\n`, the length in decimal and its own digits counted. */
function paxRecord(keyword: string, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = encodeName(`${keyword}=`);
  const rest = 1 + name.length + value.length + 1;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return joinBytes([encodeName(`${length} `), name, value, Uint8Array.of(0x0a)]);
}
