/** A client's terminal or pipes joined to a process: input, size, signals, and the keys that detach. */

import { DetachKeys } from './detach-keys.ts';
import type { Process, TerminalSize } from './machine.ts';
import type { OutputSink } from './output-fan.ts';
import { isForwarded } from './signals.ts';

/** What an attached client must offer: the part of a command's Stdio that the process meets. */
export interface Terminal {
  write(stream: 'out' | 'err', bytes: Uint8Array): Promise<void>;
  readonly input: AsyncIterable<Uint8Array<ArrayBuffer>>;
  readonly terminal: { readonly stdin: boolean; readonly stdout: boolean };
  size(): TerminalSize;
  onResize(listener: (size: TerminalSize) => void): void;
  onSignal(listener: (number: number) => void): void;
  attach(options: { stdin: boolean; raw: boolean; signals: boolean }): void;
  readonly signal: AbortSignal;
}

export interface AttachOptions {
  /** The process has a terminal of its own. */
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly proxySignals: boolean;
  /** Undefined: there is no way to detach. */
  readonly detachKeys?: Uint8Array;
  /** What the client is shown. Default: both streams. */
  readonly streams?: readonly ('out' | 'err')[];
  /** The end of a client's pipe is the end of the program's input. Default true. */
  readonly closesInput?: boolean;
  /** The program is told of a change of size even when there is none, so that it draws its screen for this client. */
  readonly redraws?: boolean;
}

/** Told of what a client did to the program. */
export interface ClientListener {
  resized(size: TerminalSize): void;
  signalled(number: number): void;
}

export class Attachment {
  readonly #terminal: Terminal;
  readonly #options: AttachOptions;
  /** Where the process's output goes. */
  readonly sink: OutputSink;
  /** Resolves when the client let go: by its keys, or as it is gone. */
  readonly left: Promise<'detached' | 'gone'>;
  readonly #leave: (how: 'detached' | 'gone') => void;
  #ended = false;

  constructor(terminal: Terminal, options: AttachOptions) {
    this.#terminal = terminal;
    this.#options = options;
    let leave: (how: 'detached' | 'gone') => void = () => undefined;
    this.left = new Promise((resolve) => {
      leave = resolve;
    });
    this.#leave = leave;
    if (terminal.signal.aborted) leave('gone');
    terminal.signal.addEventListener('abort', () => leave('gone'), { once: true });
    // a reader that is gone may never take what was written: waiting for it would stop the program
    const gone = this.left.then(() => {
      throw new Error('the client has left');
    });
    gone.catch(() => undefined);
    const { streams = ['out', 'err'] } = options;
    this.sink = {
      write: async (stream, bytes) => {
        if (streams.includes(stream)) await Promise.race([terminal.write(stream, bytes), gone]);
      },
    };
  }

  /** The size that the process's terminal should start with. */
  get size(): TerminalSize | undefined {
    return this.#options.tty ? this.#terminal.size() : undefined;
  }

  /** The size of the client's own terminal, if it has one: Docker's client sets it once the program runs. */
  get shownSize(): TerminalSize | undefined {
    return this.#terminal.terminal.stdout ? this.size : undefined;
  }

  /** Passes on input, size and signals from now on. */
  connect(process: Process, listener?: ClientListener): void {
    const { tty, stdin, proxySignals } = this.#options;
    const terminal = this.#terminal;
    // in a raw terminal Ctrl-C is a key like any other, and the program's own terminal makes a signal of it
    const raw = tty && stdin && terminal.terminal.stdin;
    terminal.attach({ stdin, raw, signals: proxySignals && !raw });
    const resize = (size: TerminalSize) => {
      if (this.#ended) return;
      process.resize(size);
      listener?.resized(size);
    };
    if (tty) terminal.onResize(resize);
    if (tty && this.#options.redraws === true) {
      const { rows, columns } = terminal.size();
      resize({ rows: rows + 1, columns: columns + 1 });
      resize({ rows, columns });
    }
    if (proxySignals && !raw) {
      terminal.onSignal((number) => {
        if (this.#ended || !isForwarded(number)) return;
        process.signal(number);
        listener?.signalled(number);
      });
    }
    if (!stdin) return;
    const closes = !tty && this.#options.closesInput !== false;
    this.#passInput(process).catch(() => this.#leave('gone'));
    // as with a shell's pipe: when the writer dies, its reader comes to the end
    void this.left.then((how) => {
      if (how === 'gone' && closes && !this.#ended) process.closeInput();
    });
  }

  /** The process has ended, or the client is let go: what is typed now is not for it. */
  end(): void {
    this.#ended = true;
    this.#leave('detached');
  }

  async #passInput(process: Process): Promise<void> {
    const { tty, detachKeys } = this.#options;
    const keys = tty && detachKeys !== undefined ? new DetachKeys(detachKeys) : undefined;
    for await (const chunk of this.#terminal.input) {
      if (this.#ended) return;
      const { bytes, detached } = keys?.pass(chunk) ?? { bytes: chunk, detached: false };
      if (bytes.length > 0) await process.write(bytes);
      if (detached) {
        this.#leave('detached');
        return;
      }
    }
    // On a terminal the end of input is a key; a pipe that ends is the program's end of input.
    if (!tty && this.#options.closesInput !== false && !this.#ended) process.closeInput();
  }
}
