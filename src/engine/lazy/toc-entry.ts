/**
 * One entry of a table of contents as its JSON has it: stargz-snapshotter,
 * docs/estargz.md, "TOC and TOCEntries", which zstd:chunked shares and adds
 * `endOffset` and `chunkType` to (containers/storage, pkg/chunked/internal/minimal).
 */

import { CorruptLayerError } from '../errors.ts';
import { printableName } from '../names.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { CannotBeLazy } from './cannot-be-lazy.ts';

export type TocType = 'dir' | 'reg' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo' | 'chunk';

/** Numbers that are not given are 0, as Go leaves them away. Offsets and sizes are in bytes. */
export interface TocEntry {
  /** As the tar has it, not cleaned. */
  readonly name: string;
  readonly type: TocType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly size: number;
  readonly link: string;
  readonly rdev: readonly [number, number];
  readonly xattrs: ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined;
  /** Where in the blob the compressed stream with the content starts. */
  readonly offset: number;
  /** Where the content of a file ends in the blob; 0 when it is not said. */
  readonly endOffset: number;
  /** Where in what that stream decodes to the content starts. */
  readonly innerOffset: number;
  readonly chunkOffset: number;
  /** 0: up to the end of the file. */
  readonly chunkSize: number;
  readonly digest: Digest | undefined;
  readonly chunkDigest: Digest | undefined;
  /** A run of zeros, which need not be fetched. */
  readonly isZeros: boolean;
}

const types: ReadonlySet<string> = new Set([
  'dir',
  'reg',
  'symlink',
  'hardlink',
  'char',
  'block',
  'fifo',
  'chunk',
]);
const isType = (text: string): text is TocType => types.has(text);

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The entry in `value`, the `at`th of the table. Throws CorruptLayerError naming it, and CannotBeLazy for a name that JSON has spoiled. */
export function tocEntry(value: unknown, at: number): TocEntry {
  if (!isFields(value)) throw tocRefused('', at, 'it is no object');
  const name = value.name;
  if (typeof name !== 'string' || name === '') throw tocRefused('', at, 'it has no name');
  const refuse = (reason: string) => tocRefused(name, at, reason);

  const text = (field: string): string => {
    const found = value[field];
    if (found === undefined || found === null) return '';
    if (typeof found === 'string') return found;
    throw refuse(`its ${field} is no text: ${shown(found)}`);
  };
  const count = (field: string): number => {
    const found = value[field];
    if (found === undefined || found === null) return 0;
    if (typeof found === 'number' && Number.isSafeInteger(found) && found >= 0) return found;
    throw refuse(`its ${field} must be a whole number, not negative and below 2^53: it is ${shown(found)}`);
  };
  const digest = (field: string): Digest | undefined => {
    const found = text(field);
    if (found === '') return undefined;
    if (isDigest(found)) return found;
    throw refuse(`its ${field} is no sha256 or sha512 digest: ${shown(found)}`);
  };

  const type = text('type');
  if (!isType(type)) throw refuse(`it is of the unknown type ${shown(type)}`);
  const link = text('linkName');
  // Go's JSON has this in place of each byte that is no UTF-8: the real name is in the tar alone
  if (name.includes('\ufffd') || link.includes('\ufffd')) {
    throw new CannotBeLazy(
      `its table of contents cannot tell the name ${JSON.stringify(printableName(name))}`,
    );
  }
  if (name.includes('\0') || link.includes('\0')) throw refuse('there is a NUL in its name or link');
  const chunkType = text('chunkType');
  if (chunkType !== '' && chunkType !== 'zeros') {
    throw refuse(`its chunkType ${shown(chunkType)} is unknown`);
  }
  return {
    name,
    type,
    mode: count('mode'),
    uid: count('uid'),
    gid: count('gid'),
    mtimeNs: timeOf(text('modtime'), refuse),
    size: count('size'),
    link,
    rdev: [count('devMajor'), count('devMinor')],
    xattrs: xattrsOf(value.xattrs, refuse),
    offset: count('offset'),
    endOffset: count('endOffset'),
    innerOffset: count('innerOffset'),
    chunkOffset: count('chunkOffset'),
    chunkSize: count('chunkSize'),
    digest: digest('digest'),
    chunkDigest: digest('chunkDigest'),
    isZeros: chunkType === 'zeros',
  };
}

/** The error for an entry of the table that cannot be. */
export function tocRefused(name: string, at: number, reason: string): Error {
  const short = name.length > 200 ? `${name.slice(0, 200)}...` : name;
  const named = short === '' ? '' : ` for ${JSON.stringify(printableName(short))}`;
  return new CorruptLayerError(`entry ${at} of its table of contents${named}: ${reason}`, {
    path: short,
    entry: at,
  });
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return printableName(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}

/** RFC 3339 in nanoseconds since 1970; absent is 0, and so is the year 1, Go's zero time. */
function timeOf(text: string, refuse: (reason: string) => Error): bigint {
  if (text === '') return 0n;
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const milliseconds = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`);
  if (match === null || Number.isNaN(milliseconds)) throw refuse(`its modtime ${shown(text)} is no time`);
  if (text.startsWith('0001-01-01T00:00:00')) return 0n;
  return BigInt(milliseconds) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/** Values in base64, as Go writes bytes. */
function xattrsOf(
  value: unknown,
  refuse: (reason: string) => Error,
): Map<string, Uint8Array<ArrayBuffer>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isFields(value)) throw refuse('its xattrs are no object');
  const xattrs = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [name, base64] of Object.entries(value)) {
    const bytes = base64 === null ? new Uint8Array(0) : decodeBase64(base64);
    if (bytes === undefined) throw refuse(`the value of its extended attribute ${shown(name)} is no base64`);
    xattrs.set(name, bytes);
  }
  return xattrs.size === 0 ? undefined : xattrs;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648, section 4, padding and all; undefined for anything else. */
function decodeBase64(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (typeof value !== 'string' || value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    return undefined;
  }
  const text = value.replace(/=+$/, '');
  const bytes = new Uint8Array((text.length * 3) >> 2);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of text) {
    bits = ((bits << 6) | alphabet.indexOf(character)) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at++] = (bits >> held) & 0xff;
  }
  return bytes;
}
