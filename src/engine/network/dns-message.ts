/** Messages of the domain name system: RFC 1035, section 4, with the OPT record of RFC 6891. */

import { joinBytes } from '../archive/join-bytes.ts';
import { formatAddress } from './ipv4.ts';

export const DNS_TYPE = { A: 1, PTR: 12, OPT: 41, ANY: 255 } as const;
const CLASS_IN = 1;
/** Those above 15 have their upper bits in the OPT record (RFC 6891, section 6.1.3). */
export const RCODE = {
  OK: 0,
  FORMAT: 1,
  FAILURE: 2,
  NO_NAME: 3,
  NOT_IMPLEMENTED: 4,
  BAD_VERSION: 16,
} as const;

const HEADER = 12;
const LONGEST_LABEL = 63;
/** With points between: 255 bytes with a length before each label and an empty one at the end. */
const LONGEST_NAME = 253;
/** What fits a datagram when the asker does not say otherwise (RFC 1035, section 4.2.1). */
const DATAGRAM = 512;
/** What this server says that it takes: as is usual, no more than passes every network unfragmented. */
const OWN_DATAGRAM = 1232;
/** Of any message: what the host's `resolver` passes on. */
const LARGEST = 4096;
/** Seconds an answer may be kept, as Docker's server has it. */
const TTL = 600;
/** Where the question's name stands, for pointers to it. */
const NAME_POINTER = 0xc000 + HEADER;

export interface DnsQuery {
  readonly id: number;
  /** The flags to be repeated: opcode and RD. */
  readonly flags: number;
  /** Labels with points between, without a last one: `web.lan`. Bytes above 127 are U+0080 to U+00FF. */
  readonly name: string;
  readonly type: number;
  readonly isInternet: boolean;
  /** The question as it came. */
  readonly question: Uint8Array;
  /** What the OPT record says; undefined: there is none. */
  readonly extension?: DnsExtension;
}

/** RFC 6891, section 6.1. */
export interface DnsExtension {
  /** 0 is the only one that there is. */
  readonly version: number;
  /** Bytes that an answer by datagram may have. */
  readonly room: number;
}

/**
 * The query in these bytes; a number is the code to refuse it with (`refusal`), undefined: it is nothing that is
 * answered at all, such as an answer.
 */
export function parseQuery(bytes: Uint8Array): DnsQuery | number | undefined {
  if (bytes.length < HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint16(2);
  if ((flags & 0x8000) !== 0) return undefined;
  if ((flags & 0x7800) !== 0) return RCODE.NOT_IMPLEMENTED;
  if (view.getUint16(4) !== 1 || view.getUint16(6) !== 0) return RCODE.FORMAT;
  const named = readName(bytes, HEADER);
  if (named === undefined || named.end + 4 > bytes.length) return RCODE.FORMAT;
  const end = named.end + 4;
  const extension = view.getUint16(8) === 0 && view.getUint16(10) > 0 ? extensionAt(view, end) : undefined;
  return {
    id: view.getUint16(0),
    flags: flags & 0x7900,
    name: named.name,
    type: view.getUint16(named.end),
    isInternet: view.getUint16(named.end + 2) === CLASS_IN,
    question: bytes.subarray(HEADER, end),
    ...(extension !== undefined && { extension }),
  };
}

/** A question's name has no pointers: there is nothing before it to point to. */
function readName(bytes: Uint8Array, start: number): { name: string; end: number } | undefined {
  const labels: string[] = [];
  for (let at = start; at - start < 255; ) {
    const length = bytes[at];
    if (length === undefined || length > LONGEST_LABEL) return undefined;
    if (length === 0) return { name: labels.join('.'), end: at + 1 };
    const label = bytes.subarray(at + 1, at + 1 + length);
    if (label.length < length) return undefined;
    labels.push(String.fromCharCode(...label));
    at += 1 + length;
  }
  return undefined;
}

/** The OPT record, if that is what follows the question. */
function extensionAt(view: DataView, at: number): DnsExtension | undefined {
  if (at + 11 > view.byteLength || view.getUint8(at) !== 0 || view.getUint16(at + 1) !== DNS_TYPE.OPT) {
    return undefined;
  }
  return { room: Math.max(DATAGRAM, view.getUint16(at + 3)), version: view.getUint8(at + 6) };
}

export type DnsRecord =
  | { readonly type: typeof DNS_TYPE.A; readonly address: number }
  | { readonly type: typeof DNS_TYPE.PTR; readonly name: string };

export interface DnsAnswer {
  readonly code: number;
  readonly records: readonly DnsRecord[];
}

/** The answer's bytes. `isDatagram`: records that do not fit are left out, and it says so (TC). */
export function encodeAnswer(
  query: DnsQuery,
  { code, records }: DnsAnswer,
  isDatagram: boolean,
): Uint8Array<ArrayBuffer> {
  const { extension } = query;
  const opt = extension === undefined ? new Uint8Array(0) : optRecord(code);
  const limit =
    (isDatagram ? Math.min(extension?.room ?? DATAGRAM, LARGEST) : LARGEST) -
    HEADER -
    query.question.length -
    opt.length;
  const encoded: Uint8Array[] = [];
  let length = 0;
  for (const record of records.map(encodeRecord)) {
    if (length + record.length > limit) break;
    encoded.push(record);
    length += record.length;
  }
  const isCut = encoded.length < records.length;
  // QR and RA: this is an answer, and names may be asked for recursively
  const flags = 0x8080 | query.flags | (isCut ? 0x0200 : 0) | (code & 0xf);
  const counts = [query.id, flags, 1, encoded.length, 0, opt.length === 0 ? 0 : 1];
  return joinBytes([u16(...counts), query.question, ...encoded, opt]);
}

/** The answer to what cannot be read: its ID and the code. */
export function refusal(bytes: Uint8Array, code: number): Uint8Array<ArrayBuffer> {
  const id = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  const repeated = ((bytes[2] ?? 0) & 0x79) << 8;
  return u16(id, 0x8080 | repeated | code, 0, 0, 0, 0);
}

function encodeRecord(record: DnsRecord): Uint8Array {
  const value =
    record.type === DNS_TYPE.A
      ? Uint8Array.from(formatAddress(record.address).split('.'), Number)
      : encodeName(record.name);
  const head = u16(NAME_POINTER, record.type, CLASS_IN, 0, TTL, value.length);
  return joinBytes([head, value]);
}

/** False for what no message can have (RFC 1035, section 2.3.4), though a container may be called so: `a..b`. */
export function isDomainName(name: string): boolean {
  const hasRoom = name.length <= LONGEST_NAME;
  return hasRoom && name.split('.').every((label) => label.length > 0 && label.length <= LONGEST_LABEL);
}

/** `name`: for which `isDomainName` is true. */
function encodeName(name: string): Uint8Array {
  const labels = name.split('.').map((label) => Uint8Array.from(label, (c) => c.charCodeAt(0)));
  return joinBytes([...labels.flatMap((label) => [Uint8Array.of(label.length), label]), Uint8Array.of(0)]);
}

function optRecord(code: number): Uint8Array {
  return joinBytes([Uint8Array.of(0), u16(DNS_TYPE.OPT, OWN_DATAGRAM, (code >> 4) << 8, 0, 0)]);
}

function u16(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint16(2 * i, value);
  return bytes;
}
