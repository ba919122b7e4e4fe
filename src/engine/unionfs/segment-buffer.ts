/** The segment that is being filled: records and content go in one after the other, then it is sealed. */

import { ByteWriter } from './byte-codec.ts';
import { encodeRecord, type UpperRecord, WRITE_TIME_AT } from './records.ts';
import type { Segment } from './segment.ts';
import { FRAME_HEADER_LENGTH, HEADER_LENGTH, sealFrames, writeHeader } from './segment-format.ts';

interface LastWrite {
  readonly ino: number;
  readonly frameAt: number;
  /** Where the next write must begin to go on with this one. */
  nextOffset: number;
}

/** Writes that go on where the last one ended become one record up to this length. */
const LONGEST_WRITE = 256 * 1024;

export class SegmentBuffer {
  readonly segment: Segment;
  readonly #writer: ByteWriter;
  #lastWrite: LastWrite | undefined;
  #sealed: { readonly bytes: Uint8Array<ArrayBuffer>; readonly frames: number } | undefined;

  constructor(segment: Segment) {
    this.segment = segment;
    this.#writer = new ByteWriter(16 * 1024);
    this.#writer.raw(new Uint8Array(HEADER_LENGTH));
    this.#publish();
  }

  get length(): number {
    return this.#writer.length;
  }

  #publish(): void {
    this.segment.bytes = this.#writer.bytes;
    this.segment.size = this.#writer.length;
  }

  /** Where the content begins. */
  append(record: UpperRecord, content: Uint8Array | undefined): number {
    const grown = this.#grow(record, content);
    if (grown !== undefined) return grown;
    const writer = this.#writer;
    const frameAt = writer.length;
    writer.uint32(0);
    writer.uint32(0);
    encodeRecord(writer, record);
    const contentAt = writer.length;
    if (content !== undefined) writer.raw(content);
    writer.setUint32(frameAt, writer.length - frameAt - FRAME_HEADER_LENGTH);
    this.#lastWrite =
      record.kind === 'write' && content !== undefined
        ? { ino: record.ino, frameAt, nextOffset: record.offset + content.length }
        : undefined;
    this.#publish();
    return contentAt;
  }

  #grow(record: UpperRecord, content: Uint8Array | undefined): number | undefined {
    const last = this.#lastWrite;
    if (last === undefined || record.kind !== 'write' || content === undefined) return undefined;
    const writer = this.#writer;
    const length = writer.length - last.frameAt - FRAME_HEADER_LENGTH + content.length;
    if (record.ino !== last.ino || record.offset !== last.nextOffset || length > LONGEST_WRITE)
      return undefined;
    const contentAt = writer.length;
    writer.raw(content);
    writer.setUint32(last.frameAt, length);
    writer.setTime(last.frameAt + FRAME_HEADER_LENGTH + WRITE_TIME_AT, record.time);
    last.nextOffset += content.length;
    this.#publish();
    return contentAt;
  }

  /** The bytes to store; nothing can be appended after it. Again with another `start` when storing failed. */
  seal(start: number): Uint8Array<ArrayBuffer> {
    if (this.#sealed === undefined) {
      // exactly as long as it is: IndexedDB stores the whole buffer of a view
      const bytes = this.#writer.bytes.slice(0, this.#writer.length);
      this.#sealed = { bytes, frames: sealFrames(bytes, bytes.length) };
      this.segment.bytes = bytes;
    }
    const { bytes, frames } = this.#sealed;
    writeHeader(bytes, { id: this.segment.id, length: bytes.length, start, frames });
    return bytes;
  }
}
