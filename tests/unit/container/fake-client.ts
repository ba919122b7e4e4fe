/** A `docker` program in the guest, typed by a test. */

import type { Client, TerminalSize } from '../../../src/engine/container/machine.ts';

export class FakeClient implements Client {
  readonly argv: readonly string[];
  readonly env = ['HOME=/root', 'FROM_HOST=yes'];
  readonly cwd = '/root';
  readonly uid = 0;
  readonly terminal: Client['terminal'];
  readonly exited: Promise<number>;
  out = '';
  err = '';
  attached: { stdin: boolean; raw: boolean; signals: boolean } | undefined;
  readonly #gone = new AbortController();
  readonly #typed: string[] = [];
  readonly #resize: ((size: TerminalSize) => void)[] = [];
  readonly #signal: ((number: number) => void)[] = [];
  #wake: () => void = () => undefined;
  #exit: (code: number) => void = () => undefined;

  /** `isTerminal`: all three streams are one. */
  constructor(
    line: string | readonly string[],
    isTerminal: boolean,
    size: TerminalSize = { rows: 30, columns: 120 },
  ) {
    this.argv = ['docker', ...(typeof line === 'string' ? line.split(' ') : line)];
    this.terminal = { stdin: isTerminal, stdout: isTerminal, stderr: isTerminal, size };
    this.exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  async write(stream: 'out' | 'err', bytes: Uint8Array): Promise<void> {
    this[stream] += new TextDecoder().decode(bytes);
  }

  attach(options: { stdin: boolean; raw: boolean; signals: boolean }): void {
    this.attached = options;
  }

  readonly input = this.#input();

  async *#input(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (;;) {
      const text = this.#typed.shift();
      if (text !== undefined) yield new TextEncoder().encode(text);
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  type(text: string): void {
    this.#typed.push(text);
    this.#wake();
  }

  resize(size: TerminalSize): void {
    for (const listener of this.#resize) listener(size);
  }

  signal(number: number): void {
    for (const listener of this.#signal) listener(number);
  }

  /** The program is killed. */
  leave(): void {
    this.#gone.abort();
  }

  onResize(listener: (size: TerminalSize) => void): void {
    this.#resize.push(listener);
  }

  onSignal(listener: (number: number) => void): void {
    this.#signal.push(listener);
  }

  exit(code: number): void {
    this.#exit(code);
  }
}
