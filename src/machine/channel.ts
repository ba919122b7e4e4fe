/**
 * One channel of the multiplexer: two directions of bytes with credits.
 *
 * To the guest: what is written waits in order until the guest has room for
 * it; at most WINDOW bytes are under way unacknowledged. From the guest: at
 * most WINDOW bytes wait to be read; credit is given when the reader comes
 * back for more, which says that it used what it had.
 */

import type { Output } from '../engine/container/machine.ts';
import { FRAME, MAX_PAYLOAD, ProtocolError, STREAM, u32s, WINDOW } from './protocol.ts';

/** Credit is given in lumps: at a quarter of the window the guest never has to wait for one. */
const LUMP = WINDOW / 4;

export type SendFrame = (channel: number, type: number, flag: number, payload: Uint8Array) => void;

type Outgoing =
  | { readonly kind: 'data'; readonly flag: number; bytes: Uint8Array; readonly done: () => void }
  | {
      readonly kind: 'frame';
      readonly type: number;
      readonly flag: number;
      readonly payload: Uint8Array;
      readonly done: () => void;
    };

export class Channel {
  readonly id: number;
  readonly #send: SendFrame;
  readonly #outgoing: Outgoing[] = [];
  #room = WINDOW;

  readonly #incoming: Output[] = [];
  #incomingBytes = 0;
  #unacknowledged = 0;
  #isEnded = false;
  #isClosed = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #hasReader = false;
  #isDiscarding = false;

  constructor(id: number, send: SendFrame) {
    this.id = id;
    this.#send = send;
  }

  /** Resolves when the last byte was sent, or at once when the channel is closed. */
  write(flag: number, bytes: Uint8Array): Promise<void> {
    if (this.#isClosed || bytes.length === 0) return Promise.resolve();
    return new Promise((done) => {
      this.#outgoing.push({ kind: 'data', flag, bytes, done });
      this.#pump();
    });
  }

  /** A frame that costs no credit but must not overtake what was written before it. Resolves as `write` does. */
  after(type: number, flag = 0, payload: Uint8Array = new Uint8Array(0)): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((done) => {
      this.#outgoing.push({ kind: 'frame', type, flag, payload, done });
      this.#pump();
    });
  }

  /** A frame that goes at once. */
  now(type: number, flag = 0, payload: Uint8Array = new Uint8Array(0)): void {
    if (!this.#isClosed) this.#send(this.id, type, flag, payload);
  }

  /** The guest has used this many bytes. ProtocolError when it was never sent that many. */
  credit(bytes: number): void {
    if (this.#room + bytes > WINDOW) {
      throw new ProtocolError(`The guest's agent acknowledged more than it was sent on channel ${this.id}.`);
    }
    this.#room += bytes;
    this.#pump();
  }

  /** DATA came. ProtocolError when the guest had no credit for it. */
  receive(flag: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isEnded) return;
    if (this.#incomingBytes + this.#unacknowledged + bytes.length > WINDOW) {
      throw new ProtocolError(`The guest's agent sent more than its window on channel ${this.id}.`);
    }
    if (bytes.length === 0) return;
    if (this.#isDiscarding) {
      this.#unacknowledged += bytes.length;
      this.#acknowledge();
      return;
    }
    this.#incomingBytes += bytes.length;
    this.#incoming.push({ stream: flag === STREAM.ERR ? 'err' : 'out', bytes });
    this.#notify();
  }

  /** Nothing more will come; what waits can still be read. */
  end(): void {
    this.#isEnded = true;
    this.#notify();
  }

  /** The channel is free again: writes in progress resolve, reading ends after what waits, or fails with `error`. */
  close(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#error = error;
    for (const each of this.#outgoing) each.done();
    this.#outgoing.length = 0;
    this.end();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes that came and were not read yet. */
  get waiting(): number {
    return this.#incomingBytes;
  }

  /** What comes, in order. One reader; leaving the loop early lets the rest pass unread. */
  async *read(): AsyncGenerator<Output, void, void> {
    if (this.#hasReader) throw new TypeError('The output of a process has one reader, this is the second.');
    this.#hasReader = true;
    try {
      for (;;) {
        const next = this.#incoming.shift();
        if (next !== undefined) {
          this.#incomingBytes -= next.bytes.length;
          this.#unacknowledged += next.bytes.length;
          yield next;
          this.#acknowledge();
          continue;
        }
        if (this.#isEnded) {
          if (this.#error !== undefined) throw this.#error;
          return;
        }
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      }
    } finally {
      this.#discard();
    }
  }

  #acknowledge(): void {
    if (this.#unacknowledged < LUMP) return;
    const bytes = this.#unacknowledged;
    this.#unacknowledged = 0;
    this.now(FRAME.CREDIT, 0, u32s(bytes));
  }

  /** Nobody will read on: give credit for all that comes, so that the program is not stopped by it. */
  #discard(): void {
    this.#incoming.length = 0;
    this.#unacknowledged += this.#incomingBytes;
    this.#incomingBytes = 0;
    this.#isDiscarding = true;
    this.#acknowledge();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #pump(): void {
    for (;;) {
      const next = this.#outgoing[0];
      if (next === undefined) return;
      if (next.kind === 'frame') {
        this.#outgoing.shift();
        this.#send(this.id, next.type, next.flag, next.payload);
        next.done();
        continue;
      }
      const length = Math.min(next.bytes.length, this.#room, MAX_PAYLOAD);
      if (length === 0) return;
      this.#room -= length;
      this.#send(this.id, FRAME.DATA, next.flag, next.bytes.subarray(0, length));
      if (length < next.bytes.length) {
        next.bytes = next.bytes.subarray(length);
        continue;
      }
      this.#outgoing.shift();
      next.done();
    }
  }
}
