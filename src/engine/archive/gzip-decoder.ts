/**
 * Decodes gzip (RFC 1952) exactly: any number of members one after another,
 * each with its checksum and length verified, then at most zero padding. About
 * half as fast as the platform's DecompressionStream, which knows one member only.
 *
 * Bytes behind the last member that are neither a member nor zeros are refused,
 * as Go's compress/gzip does for containerd and Docker; zeros, which it refuses
 * as well, are taken as gzip(1) takes them: tools that write in blocks leave them.
 */

import {
  Z_BUF_ERROR,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibInflate,
  zlibInflateInit2,
  zlibInflateReset,
} from 'pako';
import { CorruptLayerError } from '../errors.ts';

/** zlib.h, inflateInit2: a window of 32 KiB, and 16 for the gzip wrapper. */
const gzipWindowBits = 15 + 16;
const outputLength = 256 << 10;

export class GzipDecoder {
  readonly #stream = new ZStream();
  #state: 'in a member' | 'between members' | 'in padding' = 'between members';
  #members = 0;
  /** Compressed bytes before the current chunk. */
  #position = 0;

  constructor() {
    const status = zlibInflateInit2(this.#stream, gzipWindowBits);
    if (status !== Z_OK) throw new TypeError(`zlib cannot start: ${status}`);
  }

  /** Takes the next bytes and gives what they decode to, each piece in a buffer of its own. Throws CorruptLayerError. */
  *push(chunk: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'in a member') {
        at = yield* this.#inflate(chunk, at);
        continue;
      }
      const byte = chunk[at] ?? 0;
      if (byte === 0 && this.#members > 0) {
        this.#state = 'in padding';
        at += 1;
      } else if (byte === 0x1f && this.#state === 'between members') {
        zlibInflateReset(this.#stream);
        this.#state = 'in a member';
      } else {
        throw this.#refused(at, 'neither another gzip member nor zero padding follows');
      }
    }
    this.#position += chunk.length;
  }

  /** The stream is over. Throws CorruptLayerError in the middle of a member or before the first. */
  end(): void {
    if (this.#state === 'in a member' || this.#members === 0) {
      throw new CorruptLayerError(`its gzip data ends too early, after ${this.#position} bytes`, {
        position: this.#position,
      });
    }
  }

  /** Inflates from `start`; returns where in the chunk it stopped: at its end, or at the end of the member. */
  *#inflate(chunk: Uint8Array, start: number): Generator<Uint8Array<ArrayBuffer>, number> {
    const stream = this.#stream;
    stream.input = chunk;
    stream.next_in = start;
    stream.avail_in = chunk.length - start;
    for (;;) {
      stream.output = new Uint8Array(outputLength);
      stream.next_out = 0;
      stream.avail_out = outputLength;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      if (status !== Z_OK && status !== Z_STREAM_END && status !== Z_BUF_ERROR) {
        if (this.#members > 0 && stream.total_out === 0 && stream.msg === 'incorrect header check') {
          throw this.#refused(start, 'neither another gzip member nor zero padding follows');
        }
        throw this.#refused(stream.next_in, stream.msg === '' ? `zlib says ${status}` : stream.msg);
      }
      if (stream.next_out > 0) {
        const isFull = stream.next_out === outputLength;
        yield isFull ? stream.output : stream.output.slice(0, stream.next_out);
      }
      if (status === Z_STREAM_END) {
        this.#members += 1;
        this.#state = 'between members';
        return stream.next_in;
      }
      // room left in the output means that all input is used up
      if (stream.avail_out > 0) return chunk.length;
    }
  }

  #refused(at: number, reason: string): Error {
    const position = this.#position + at;
    return new CorruptLayerError(`its gzip data is damaged at byte ${position}: ${reason}`, { position });
  }
}
