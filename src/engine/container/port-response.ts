/** An HTTP answer as it comes off a connection: RFC 9112, of what a GET without keep-alive can get. */

import { joinBytes } from '../archive/join-bytes.ts';
import { LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';

/** What a published port answered to a GET. */
export interface PortResponse {
  readonly status: number;
  readonly reason: string;
  /** By name in small letters; of several of one name the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

const HEAD_LIMIT = 64 * 1024;
/** Bytes of a body: what a page may be. */
export const BODY_LIMIT = 16 * 1024 * 1024;

/** Reads the answer. LayerboxError when it is none, is cut off, or is too large. */
export async function readResponse(input: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<PortResponse> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let head: Head | undefined;
  for await (const bytes of input) {
    chunks.push(bytes);
    length += bytes.length;
    if (head === undefined) {
      const all = joinBytes(chunks);
      chunks.splice(0, chunks.length, all);
      head = parseHead(all);
      if (head === undefined && length > HEAD_LIMIT) throw wrong('its header is larger than 64 KB');
    }
    if (length > HEAD_LIMIT + BODY_LIMIT) throw wrong('its body is larger than 16 MB');
    // a server that keeps the connection open has said before how much there is
    if (head?.length !== undefined && length >= head.end + head.length) break;
  }
  if (length === 0)
    throw new LayerboxError('the port gave an empty answer: the program in the container may not be up yet');
  const all = joinBytes(chunks);
  if (head === undefined) throw wrong('it is no answer of HTTP');
  const rest = all.subarray(head.end);
  return { status: head.status, reason: head.reason, headers: head.headers, body: bodyOf(head, rest) };
}

interface Head {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Where the body begins. */
  readonly end: number;
  /** Bytes of the body, when they were announced. */
  readonly length?: number;
}

/** Undefined while it is not whole. */
function parseHead(bytes: Uint8Array): Head | undefined {
  const end = endOfHead(bytes);
  if (end === undefined) return undefined;
  const [first = '', ...lines] = latin1(bytes.subarray(0, end)).split(/\r?\n/);
  const match = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(first);
  if (match === null) throw wrong('it is no answer of HTTP');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (name !== '' && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  const announced = headers.get('content-length');
  const hasLength = announced !== undefined && !headers.has('transfer-encoding');
  if (hasLength && !/^\d{1,15}$/.test(announced)) throw wrong('its Content-Length is no number');
  return {
    status: Number(match[1]),
    reason: printableName(match[2] ?? ''),
    headers: Object.fromEntries(headers),
    end,
    ...(hasLength && { length: Number(announced) }),
  };
}

/** The position behind the empty line. */
function endOfHead(bytes: Uint8Array): number | undefined {
  for (let at = 0; at + 1 < bytes.length; at += 1) {
    if (bytes[at] !== 0x0a) continue;
    if (bytes[at + 1] === 0x0a) return at + 2;
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3;
  }
  return undefined;
}

function bodyOf({ headers, length, status }: Head, rest: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (status === 204 || status === 304) return new Uint8Array(0);
  if (/\bchunked\s*$/i.test(headers['transfer-encoding'] ?? '')) return unchunked(rest);
  if (length === undefined) return rest;
  if (rest.length < length) throw wrong(`${length} bytes were announced, and ${rest.length} came`);
  return rest.slice(0, length);
}

/** RFC 9112, section 7.1. */
function unchunked(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf(0x0a, at);
    const size = line < 0 ? null : /^([0-9a-f]{1,8})\s*(?:;.*)?\r?$/i.exec(latin1(bytes.subarray(at, line)));
    if (size === null) throw wrong('its body in chunks is cut off, or none');
    const length = Number.parseInt(size[1] ?? '', 16);
    if (length === 0) return joinBytes(parts);
    const part = bytes.subarray(line + 1, line + 1 + length);
    if (part.length < length) throw wrong('its body in chunks is cut off');
    parts.push(part);
    at = line + 1 + length;
    at = bytes[at] === 0x0d ? at + 2 : at + 1;
  }
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function wrong(reason: string): LayerboxError {
  return new LayerboxError(`the answer of the port cannot be shown: ${reason}`);
}
