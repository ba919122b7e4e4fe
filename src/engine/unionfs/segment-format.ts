/**
 * The stored form of a segment: a header, then frames.
 *
 *     header  magic "LBXUPPER", u32 version, u32 length of the segment, u32 its ID,
 *             u32 journal number where replay starts (START_UNKNOWN: at the first), u32 frames, u32 CRC-32 of the header before
 *     frame   u32 length of the payload, u32 CRC-32 of the payload, payload: a record and its content
 *
 * A frame holds the content of its write, so what is left of a segment cut
 * anywhere is whole records, in order, and nothing else.
 */

import { crc32 } from './checksum.ts';

export const HEADER_LENGTH = 32;
export const FRAME_HEADER_LENGTH = 8;
/** No checkpoint yet: replay starts at the first segment. */
export const START_AT_FIRST = 0xffffffff;
const MAGIC = Uint8Array.from('LBXUPPER', (letter) => letter.charCodeAt(0));
/** Version 1 is the same, but has no operations among the records of a checkpoint. */
const VERSION = 2;
const OLDEST_VERSION = 1;

export interface SegmentHeader {
  readonly id: number;
  readonly length: number;
  readonly start: number;
  readonly frames: number;
}

export function writeHeader(bytes: Uint8Array<ArrayBuffer>, header: SegmentHeader): void {
  bytes.set(MAGIC);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_LENGTH);
  [VERSION, header.length, header.id, header.start, header.frames].forEach((field, index) => {
    view.setUint32(8 + 4 * index, field, true);
  });
  view.setUint32(28, crc32(bytes, 0, 28), true);
}

/** The header, or in words why there is none. */
export function readHeader(bytes: Uint8Array<ArrayBuffer>): SegmentHeader | { readonly damage: string } {
  if (MAGIC.some((byte, at) => at < bytes.length && bytes[at] !== byte)) {
    return { damage: 'it is no segment of an upper' };
  }
  if (bytes.length < HEADER_LENGTH) return { damage: `only ${bytes.length} bytes of it are left` };
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_LENGTH);
  if (view.getUint32(28, true) !== crc32(bytes, 0, 28))
    return { damage: 'the checksum of its header is wrong' };
  const version = view.getUint32(8, true);
  if (version < OLDEST_VERSION || version > VERSION) {
    return {
      damage: `it is of version ${version}, this Layerbox reads versions ${OLDEST_VERSION} to ${VERSION}`,
    };
  }
  return {
    length: view.getUint32(12, true),
    id: view.getUint32(16, true),
    start: view.getUint32(20, true),
    frames: view.getUint32(24, true),
  };
}

/** Fills in the checksums of the frames between the header and `length`; returns how many there are. */
export function sealFrames(bytes: Uint8Array<ArrayBuffer>, length: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let frames = 0;
  for (let at = HEADER_LENGTH; at < length; frames++) {
    const start = at + FRAME_HEADER_LENGTH;
    const end = start + view.getUint32(at, true);
    view.setUint32(at + 4, crc32(bytes, start, end), true);
    at = end;
  }
  return frames;
}

export interface Frames {
  /** `[start, end)` of each whole payload, in order. */
  readonly payloads: readonly (readonly [number, number])[];
  /** Why frames are missing, or undefined when all are there. */
  readonly damage: string | undefined;
}

/** The whole frames before the first that is cut or damaged. */
export function readFrames(bytes: Uint8Array<ArrayBuffer>, header: SegmentHeader): Frames {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const payloads: (readonly [number, number])[] = [];
  let at = HEADER_LENGTH;
  while (payloads.length < header.frames) {
    const start = at + FRAME_HEADER_LENGTH;
    const end = start > bytes.length ? Number.POSITIVE_INFINITY : start + view.getUint32(at, true);
    if (end > bytes.length) {
      return { payloads, damage: `it is cut after ${bytes.length} of ${header.length} bytes` };
    }
    if (crc32(bytes, start, end) !== view.getUint32(at + 4, true)) {
      return { payloads, damage: `the checksum of record ${payloads.length} is wrong` };
    }
    payloads.push([start, end]);
    at = end;
  }
  return { payloads, damage: undefined };
}
