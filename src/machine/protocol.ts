/**
 * The frames between the engine and the agent (PID 1 of the guest). The other
 * half is guest/agent/protocol.h, which says what each frame carries; a test
 * compares the two.
 *
 *   frame = u32 length | u16 channel | u8 type | u8 flag | payload[length]
 *
 * All integers are little-endian.
 */

import { joinBytes } from '../engine/archive/join-bytes.ts';
import { decodeName, encodeName } from '../engine/names.ts';

export const PROTOCOL_VERSION = 1;
export const MAX_PAYLOAD = 16384;
/** Bytes of DATA that may be under way unacknowledged, per channel and direction. */
export const WINDOW = 65536;
export const HEADER_LENGTH = 8;

export const STREAM = { IN: 0, OUT: 1, ERR: 2 } as const;

export const FRAME = {
  SPAWN: 1,
  DATA: 2,
  EOF: 3,
  CREDIT: 4,
  RESIZE: 5,
  SIGNAL: 6,
  EXIT: 7,
  ATTACH: 8,
  CONTROL: 9,
  READY: 64,
  STARTED: 65,
  ERROR: 66,
  REQUEST: 67,
  GONE: 68,
} as const;

/** Bits in the flag of ATTACH. */
export const ATTACH = { STDIN: 1, RAW: 2, SIGNALS: 4, STOP: 8 } as const;

/** Channels from here on are opened by the agent, those below by the engine; 0 is the machine's own. */
export const FIRST_REQUEST_CHANNEL = 0x8000;

export interface Frame {
  readonly channel: number;
  readonly type: number;
  readonly flag: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

const NOTHING = new Uint8Array(0);

/** The bytes of one frame. RangeError when the payload is above MAX_PAYLOAD. */
export function encodeFrame(
  channel: number,
  type: number,
  flag = 0,
  payload: Uint8Array = NOTHING,
): Uint8Array<ArrayBuffer> {
  if (payload.length > MAX_PAYLOAD) {
    throw new RangeError(
      `A frame's payload is at most ${MAX_PAYLOAD} bytes, this one has ${payload.length}; split it.`,
    );
  }
  const bytes = new Uint8Array(HEADER_LENGTH + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint16(4, channel, true);
  view.setUint8(6, type);
  view.setUint8(7, flag);
  bytes.set(payload, HEADER_LENGTH);
  return bytes;
}

/** The peer sent what is no frame; nothing after it can be understood. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/** Cuts a byte stream, in whatever pieces it comes, into frames. */
export class FrameReader {
  #rest: Uint8Array<ArrayBuffer> = NOTHING;

  /** The frames that are whole now. Their payloads are views of `bytes`. ProtocolError for an impossible length. */
  *push(bytes: Uint8Array<ArrayBuffer>): Generator<Frame, void, void> {
    let input = bytes;
    if (this.#rest.length > 0) {
      input = joinBytes([this.#rest, bytes]);
      this.#rest = NOTHING;
    }
    const view = new DataView(input.buffer, input.byteOffset, input.length);
    let at = 0;
    while (input.length - at >= HEADER_LENGTH) {
      const length = view.getUint32(at, true);
      if (length > MAX_PAYLOAD) {
        throw new ProtocolError(
          `The guest's agent announced a frame of ${length} bytes; at most ${MAX_PAYLOAD} are allowed.`,
        );
      }
      const end = at + HEADER_LENGTH + length;
      if (end > input.length) break;
      const frame: Frame = {
        channel: view.getUint16(at + 4, true),
        type: view.getUint8(at + 6),
        flag: view.getUint8(at + 7),
        payload: input.subarray(at + HEADER_LENGTH, end),
      };
      at = end;
      yield frame;
    }
    if (at < input.length) this.#rest = input.slice(at);
  }

  /** True when the stream ended, or may be cut, at a frame's boundary. */
  get isEmpty(): boolean {
    return this.#rest.length === 0;
  }
}

/** 32-bit integers one after the other. */
export function u32s(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return bytes;
}

/** 16-bit integers one after the other. */
export function u16s(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint16(2 * i, value, true);
  return bytes;
}

/** The unsigned integer at a byte offset; ProtocolError when the payload is too short. */
export function readU32(payload: Uint8Array, offset = 0): number {
  if (payload.length < offset + 4) throw shortPayload(payload, offset + 4);
  return new DataView(payload.buffer, payload.byteOffset, payload.length).getUint32(offset, true);
}

export function readU16(payload: Uint8Array, offset = 0): number {
  if (payload.length < offset + 2) throw shortPayload(payload, offset + 2);
  return new DataView(payload.buffer, payload.byteOffset, payload.length).getUint16(offset, true);
}

function shortPayload(payload: Uint8Array, wanted: number): ProtocolError {
  return new ProtocolError(
    `The guest's agent sent a payload of ${payload.length} bytes where ${wanted} were due.`,
  );
}

export type Word = readonly [key: string, value: string];

/**
 * A word list: `key=value`, each ended by NUL. Values are names.ts strings, so
 * that bytes that are no UTF-8 pass unchanged. RangeError for a value with NUL.
 */
export function encodeWords(words: readonly Word[]): Uint8Array<ArrayBuffer> {
  let text = '';
  for (const [key, value] of words) {
    if (value.includes('\0')) {
      throw new RangeError(`The value of "${key}" contains a NUL character, which no program can be given.`);
    }
    text += `${key}=${value}\0`;
  }
  return encodeName(text);
}

/** The words of a list in order; what has no "=" has an empty value. */
export function decodeWords(payload: Uint8Array): Word[] {
  const words: Word[] = [];
  let start = 0;
  while (start < payload.length) {
    const nul = payload.indexOf(0, start);
    const end = nul === -1 ? payload.length : nul;
    // decoded word by word: one name that is no UTF-8 must not change how its neighbours are read
    const text = decodeName(payload.subarray(start, end));
    const equals = text.indexOf('=');
    words.push(equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]);
    start = end + 1;
  }
  return words;
}
