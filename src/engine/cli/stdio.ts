/** What a docker command talks to: a terminal in the guest, a pipe, or a call of `sandbox.docker`. */

import type { TerminalSize } from '../container/machine.ts';

export interface Stdio {
  /** Resolves when the reader has room; a reader that is gone aborts `signal`. */
  write(stream: 'out' | 'err', bytes: Uint8Array): Promise<void>;
  /** Standard input, from the first use on. */
  readonly input: AsyncIterable<Uint8Array<ArrayBuffer>>;
  readonly terminal: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  size(): TerminalSize;
  onResize(listener: (size: TerminalSize) => void): void;
  /** Signals that came to the command while it had asked to forward them. */
  onSignal(listener: (number: number) => void): void;
  /** Raw terminal and forwarded input, as an attached container wants it. */
  attach(options: { stdin: boolean; raw: boolean; signals: boolean }): void;
  /** Aborted by Ctrl-C or when the caller is gone. */
  readonly signal: AbortSignal;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}
