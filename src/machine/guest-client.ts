/** A `docker` program of the guest behind a request channel. */

import type { Client, TerminalSize } from '../engine/container/machine.ts';
import type { Channel } from './channel.ts';
import type { FrameListener, Multiplexer } from './multiplexer.ts';
import { ATTACH, FRAME, readU16, readU32, STREAM, u32s, type Word } from './protocol.ts';

export class GuestClient implements Client {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly terminal: {
    readonly stdin: boolean;
    readonly stdout: boolean;
    readonly stderr: boolean;
    size: TerminalSize;
  };
  readonly input: AsyncIterable<Uint8Array<ArrayBuffer>>;
  readonly #multiplexer: Multiplexer;
  readonly #channel: Channel;
  readonly #gone = new AbortController();
  readonly #resizeListeners: ((size: TerminalSize) => void)[] = [];
  readonly #signalListeners: ((number: number) => void)[] = [];

  constructor(multiplexer: Multiplexer, channel: Channel, words: readonly Word[]) {
    const all = (key: string) => words.filter(([each]) => each === key).map(([, value]) => value);
    const one = (key: string) => all(key)[0] ?? '';
    const [mask = 0, rows = 0, columns = 0] = one('tty').split(',').map(Number);
    this.argv = all('argv');
    this.env = all('env');
    this.cwd = one('cwd') || '/';
    this.uid = Number(one('uid')) || 0;
    this.terminal = {
      stdin: (mask & 1) !== 0,
      stdout: (mask & 2) !== 0,
      stderr: (mask & 4) !== 0,
      size: { rows: rows || 24, columns: columns || 80 },
    };
    this.#multiplexer = multiplexer;
    this.#channel = channel;
    this.input = { [Symbol.asyncIterator]: () => inputOf(channel) };
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  write(stream: 'out' | 'err', bytes: Uint8Array): Promise<void> {
    return this.#channel.write(stream === 'err' ? STREAM.ERR : STREAM.OUT, bytes);
  }

  attach({ stdin, raw, signals }: { stdin: boolean; raw: boolean; signals: boolean }): void {
    const flag = (stdin ? ATTACH.STDIN : 0) | (raw ? ATTACH.RAW : 0) | (signals ? ATTACH.SIGNALS : 0);
    void this.#channel.after(FRAME.ATTACH, flag === 0 ? ATTACH.STOP : flag);
  }

  onResize(listener: (size: TerminalSize) => void): void {
    this.#resizeListeners.push(listener);
  }

  onSignal(listener: (number: number) => void): void {
    this.#signalListeners.push(listener);
  }

  exit(code: number): void {
    void this.#channel.after(FRAME.EXIT, 0, u32s(code, 0)).then(() => this.#end());
  }

  /** What the channel's other frames mean to this client. */
  readonly take: FrameListener = (frame) => {
    switch (frame.type) {
      case FRAME.RESIZE: {
        const size = { rows: readU16(frame.payload), columns: readU16(frame.payload, 2) };
        this.terminal.size = size;
        for (const listener of this.#resizeListeners) listener(size);
        return;
      }
      case FRAME.SIGNAL: {
        const number = readU32(frame.payload);
        for (const listener of this.#signalListeners) listener(number);
        return;
      }
      case FRAME.EOF:
        this.#channel.end();
        return;
      case FRAME.GONE:
        this.#end();
        return;
      default:
    }
  };

  #end(): void {
    this.#multiplexer.close(this.#channel);
    this.#gone.abort();
  }
}

async function* inputOf(channel: Channel): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  for await (const { bytes } of channel.read()) yield bytes;
}
