/** Answers to what a command asks: lines of its standard input. Each wait ends with CancelledError at Ctrl-C. */

import { CancelledError } from '../errors.ts';
import { decodeName, encodeName } from '../names.ts';
import type { Stdio } from './stdio.ts';

/** Bytes that an answer may have. */
const LIMIT = 64 * 1024;

const INTERRUPT = 0x03;
const END = 0x04;
const BACKSPACE = 0x08;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const KILL_LINE = 0x15;
const DELETE = 0x7f;

export class LineReader {
  readonly #stdio: Stdio;
  readonly #input: AsyncIterator<Uint8Array>;
  /** Read, and not yet taken. */
  readonly #bytes: number[] = [];
  readonly #interrupted: Promise<never>;

  constructor(stdio: Stdio) {
    this.#stdio = stdio;
    this.#input = stdio.input[Symbol.asyncIterator]();
    const { signal } = stdio;
    this.#interrupted = new Promise((_, reject) => {
      const interrupt = () => reject(new CancelledError('nothing was typed in'));
      if (signal.aborted) interrupt();
      else signal.addEventListener('abort', interrupt, { once: true });
    });
    this.#interrupted.catch(() => undefined); // only a wait for input wants to know
  }

  /** All that comes until the input's end. */
  async rest(): Promise<string> {
    this.#stdio.attach({ stdin: true, raw: false, signals: false });
    const bytes: number[] = [];
    for (let byte = await this.#next(); byte !== undefined; byte = await this.#next()) {
      if (bytes.length < LIMIT) bytes.push(byte);
    }
    return decodeName(Uint8Array.from(bytes));
  }

  /** A line that the terminal itself shows and edits; what there is at the input's end. */
  async line(prompt: string): Promise<string> {
    await this.#say(prompt);
    this.#stdio.attach({ stdin: true, raw: false, signals: false });
    const bytes: number[] = [];
    for (let byte = await this.#next(); byte !== undefined; byte = await this.#next()) {
      if (byte === LINE_FEED) break;
      if (bytes.length < LIMIT) bytes.push(byte);
    }
    return text(bytes);
  }

  /** A line of which nothing is shown. */
  async hiddenLine(prompt: string): Promise<string> {
    await this.#say(prompt);
    this.#stdio.attach({ stdin: true, raw: true, signals: false });
    const bytes: number[] = [];
    try {
      for (let byte = await this.#next(); byte !== undefined; byte = await this.#next()) {
        if (byte === INTERRUPT) throw new CancelledError('nothing was typed in');
        if (byte === RETURN || byte === LINE_FEED || byte === END) break;
        if (byte === BACKSPACE || byte === DELETE) eraseCharacter(bytes);
        else if (byte === KILL_LINE) bytes.length = 0;
        else if (bytes.length < LIMIT) bytes.push(byte);
      }
    } finally {
      this.#stdio.attach({ stdin: false, raw: false, signals: false });
      await this.#say('\r\n');
    }
    return text(bytes);
  }

  async #next(): Promise<number | undefined> {
    while (this.#bytes.length === 0) {
      const step = await Promise.race([this.#input.next(), this.#interrupted]);
      if (step.done === true) return undefined;
      for (const byte of step.value) this.#bytes.push(byte);
    }
    return this.#bytes.shift();
  }

  #say(words: string): Promise<void> {
    return this.#stdio.write('out', encodeName(words));
  }
}

function text(bytes: readonly number[]): string {
  return decodeName(Uint8Array.from(bytes)).replace(/\r$/, '');
}

/** As a terminal in UTF-8 mode: a character may have several bytes. */
function eraseCharacter(bytes: number[]): void {
  while (((bytes.pop() ?? 0) & 0xc0) === 0x80);
}
