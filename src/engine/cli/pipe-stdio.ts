/** The Stdio of a command without a terminal: a call of `sandbox.docker`. */

import { HOST_HOME } from '../container/host-home.ts';
import type { TerminalSize } from '../container/machine.ts';
import type { Stdio } from './stdio.ts';

export interface PipeIo {
  /** Undefined: standard input is at its end from the start. */
  readonly input: AsyncIterable<Uint8Array> | undefined;
  /** The next chunk comes when this resolved. */
  write(stream: 'out' | 'err', bytes: Uint8Array): Promise<void>;
  /** Aborting ends the command. */
  readonly signal: AbortSignal;
}

const SIZE: TerminalSize = { rows: 24, columns: 80 };

/** Two pipes and an input. */
export function pipeStdio(io: PipeIo): Stdio {
  return {
    write: (stream, bytes) => io.write(stream, bytes),
    input: owned(io.input),
    terminal: { stdin: false, stdout: false, stderr: false },
    size: () => SIZE,
    onResize: () => undefined,
    onSignal: () => undefined,
    attach: () => undefined,
    signal: io.signal,
    cwd: HOST_HOME,
    env: {},
  };
}

/** The input's bytes, each chunk in a buffer of its own. */
async function* owned(input: AsyncIterable<Uint8Array> | undefined): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (input === undefined) return;
  for await (const chunk of input) yield new Uint8Array(chunk);
}
