/**
 * All channels over the one byte stream to the agent. A flood in one channel
 * fills that channel's window and stops there; the others go on.
 */

import { decodeName } from '../engine/names.ts';
import { FsError } from '../engine/unionfs/errno.ts';
import { Channel } from './channel.ts';
import { errnoName } from './errno-name.ts';
import {
  decodeWords,
  encodeFrame,
  encodeWords,
  FIRST_REQUEST_CHANNEL,
  FRAME,
  type Frame,
  FrameReader,
  PROTOCOL_VERSION,
  ProtocolError,
  readU32,
  u32s,
  type Word,
} from './protocol.ts';

/** Told of a channel's frames that are neither its bytes nor its credits. */
export type FrameListener = (frame: Frame) => void;

export interface MultiplexerOptions {
  readonly send: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** A `docker` program wants to be served; returns who listens to its further frames. */
  readonly onRequest: (channel: Channel, words: readonly Word[]) => FrameListener;
  /** The stream cannot be understood any more. */
  readonly onFailure: (error: Error) => void;
}

interface Entry {
  readonly channel: Channel;
  listener: FrameListener;
}

interface Control {
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
  readonly what: string;
}

export class Multiplexer {
  readonly #options: MultiplexerOptions;
  readonly #reader = new FrameReader();
  readonly #channels = new Map<number, Entry>();
  readonly #controls = new Map<number, Control>();
  readonly #send = (channel: number, type: number, flag: number, payload: Uint8Array): void => {
    this.#options.send(encodeFrame(channel, type, flag, payload));
  };
  #nextChannel = 1;
  #nextCookie = 0;
  #failure: Error | undefined;
  #becomeReady: () => void = () => undefined;
  #becomeUnready: (error: Error) => void = () => undefined;
  /** Resolves when the agent said that it is there, in the version that this speaks. */
  readonly ready: Promise<void>;

  constructor(options: MultiplexerOptions) {
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#becomeReady = resolve;
      this.#becomeUnready = reject;
    });
    // a restored machine never says it, and then nobody waits for it
    this.ready.catch(() => undefined);
  }

  /** Channels open now. */
  get size(): number {
    return this.#channels.size;
  }

  /** True when no channel is open, no control waits, and the stream stands between two frames. */
  get isQuiet(): boolean {
    return this.#channels.size === 0 && this.#controls.size === 0 && this.#reader.isEmpty;
  }

  /** Bytes from the agent, in whatever pieces. */
  receive(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#failure !== undefined) return;
    try {
      for (const frame of this.#reader.push(bytes)) this.#take(frame);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      this.#options.onFailure(failure);
    }
  }

  /** A free channel of the engine's. */
  open(listener: FrameListener): Channel {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#channels.size >= FIRST_REQUEST_CHANNEL - 1) throw new FsError('EAGAIN', 'no channel is free');
    // going round, so that a number is not used again while frames of its last user may be under way
    while (this.#channels.has(this.#nextChannel)) this.#advance();
    const channel = new Channel(this.#nextChannel, this.#send);
    this.#advance();
    this.#channels.set(channel.id, { channel, listener });
    return channel;
  }

  #advance(): void {
    this.#nextChannel = (this.#nextChannel % (FIRST_REQUEST_CHANNEL - 1)) + 1;
  }

  /** Frees a channel; see Channel.close. */
  close(channel: Channel, error?: Error): void {
    if (this.#channels.get(channel.id)?.channel === channel) this.#channels.delete(channel.id);
    channel.close(error);
  }

  /** Asks the agent itself for something: the text of its answer. FsError with the errno it gave. */
  control(op: string, ...words: readonly Word[]): Promise<string> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const payload = encodeWords([['op', op], ...words]);
      do this.#nextCookie = (this.#nextCookie + 1) & 0xffff;
      while (this.#controls.has(this.#nextCookie));
      const subject = words.find(([key]) => key !== 'value')?.[1] ?? '';
      this.#controls.set(this.#nextCookie, { resolve, reject, what: `${op} ${subject}`.trim() });
      this.#send(this.#nextCookie, FRAME.CONTROL, 0, payload);
    });
  }

  /** The machine is gone: everything that waits fails with this error. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#becomeUnready(error);
    for (const control of this.#controls.values()) control.reject(error);
    this.#controls.clear();
    for (const { channel, listener } of [...this.#channels.values()]) {
      this.close(channel, error);
      listener(lost(channel.id));
    }
  }

  #take(frame: Frame): void {
    if (frame.type === FRAME.READY) this.#greet(frame);
    else if (frame.type === FRAME.CONTROL) this.#settle(frame);
    else if (frame.type === FRAME.REQUEST) this.#admit(frame);
    else this.#route(frame);
  }

  #greet(frame: Frame): void {
    const version = readU32(frame.payload);
    if (version === PROTOCOL_VERSION) {
      this.#becomeReady();
      return;
    }
    throw new ProtocolError(
      `The guest's agent speaks version ${version} of the protocol, this engine ${PROTOCOL_VERSION}. Build the guest again with guest/build.`,
    );
  }

  #settle(frame: Frame): void {
    const control = this.#controls.get(frame.channel);
    if (control === undefined) return;
    this.#controls.delete(frame.channel);
    const errno = readU32(frame.payload);
    const text = decodeName(frame.payload.subarray(4));
    if (errno === 0) control.resolve(text);
    else control.reject(new FsError(errnoName(errno), `${control.what}: ${text}`));
  }

  #admit(frame: Frame): void {
    if (frame.channel < FIRST_REQUEST_CHANNEL || this.#channels.has(frame.channel)) {
      this.#drop(frame.channel);
      return;
    }
    const channel = new Channel(frame.channel, this.#send);
    const entry: Entry = { channel, listener: () => undefined };
    this.#channels.set(channel.id, entry);
    entry.listener = this.#options.onRequest(channel, decodeWords(frame.payload));
  }

  #route(frame: Frame): void {
    const entry = this.#channels.get(frame.channel);
    if (entry === undefined) return;
    try {
      switch (frame.type) {
        case FRAME.DATA:
          entry.channel.receive(frame.flag, frame.payload);
          return;
        case FRAME.CREDIT:
          entry.channel.credit(readU32(frame.payload));
          return;
        default:
          entry.listener(frame);
      }
    } catch (error) {
      // what stands behind a request channel is any program of the guest's: its fault is its own
      if (!(error instanceof ProtocolError) || frame.channel < FIRST_REQUEST_CHANNEL) throw error;
      this.#drop(frame.channel);
    }
  }

  /** Ends a request whose program does not keep to the protocol. */
  #drop(id: number): void {
    this.#send(id, FRAME.EXIT, 0, u32s(125, 0));
    const entry = this.#channels.get(id);
    if (entry === undefined) return;
    this.close(entry.channel);
    entry.listener(lost(id));
  }
}

/** What a listener is told when a channel ends without a last frame of its own. */
function lost(channel: number): Frame {
  return { channel, type: FRAME.GONE, flag: 0, payload: new Uint8Array(0) };
}
