/**
 * How the lines of a container's log are stored: one after the other,
 * `u8 stream | f64 milliseconds | u32 length | bytes`, little-endian.
 */

import { StorageFailedError } from '../errors.ts';

export interface LogEntry {
  readonly stream: 'out' | 'err';
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Whole lines with their line feeds that came at once; a very long line is cut. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const HEADER = 13;

/** Bytes that the entry takes when stored. */
export function storedSize(entry: LogEntry): number {
  return HEADER + entry.bytes.length;
}

export function encodeEntries(entries: readonly LogEntry[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(entries.reduce((size, entry) => size + storedSize(entry), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const entry of entries) {
    view.setUint8(at, entry.stream === 'out' ? 1 : 2);
    view.setFloat64(at + 1, entry.at, true);
    view.setUint32(at + 9, entry.bytes.length, true);
    bytes.set(entry.bytes, at + HEADER);
    at += storedSize(entry);
  }
  return bytes;
}

/** StorageFailedError when the bytes are not what `encodeEntries` made. */
export function decodeEntries(bytes: Uint8Array<ArrayBuffer>): LogEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: LogEntry[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = at + HEADER <= bytes.length ? view.getUint32(at + 9, true) : Number.POSITIVE_INFINITY;
    const stream = view.getUint8(at);
    if (at + HEADER + length > bytes.length || (stream !== 1 && stream !== 2)) {
      throw new StorageFailedError(`a stored log is damaged at byte ${at}`, { offset: at });
    }
    entries.push({
      stream: stream === 1 ? 'out' : 'err',
      at: view.getFloat64(at + 1, true),
      bytes: bytes.slice(at + HEADER, at + HEADER + length),
    });
    at += HEADER + length;
  }
  return entries;
}
