/** Programs on the machine's host side: the learner's shell, on pipes or on a terminal. */

import { HOST_HOME } from './host-home.ts';
import type { Machine, Process, TerminalSize } from './machine.ts';
import { OutputFan } from './output-fan.ts';
import { exitAndOutput } from './running.ts';
import { SIGKILL } from './signals.ts';

const SIGHUP = 1;
const ENVIRONMENT = [
  `HOME=${HOST_HOME}`,
  'USER=root',
  'SHELL=/bin/bash',
  'PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  'LANG=C.UTF-8',
];

export interface ShellIo {
  /** Undefined: standard input is at its end from the start. */
  readonly input: AsyncIterable<Uint8Array> | undefined;
  /** The next piece comes when this resolved. */
  write(stream: 'out' | 'err', bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Aborting kills the shell. */
  readonly signal: AbortSignal;
}

/** Runs one line and resolves with its exit code; by then what it wrote at home is durable. */
export async function runLine(machine: Machine, line: string, io: ShellIo): Promise<number> {
  io.signal.throwIfAborted();
  const process = await machine.spawn({
    argv: ['/bin/bash', '-c', line],
    env: ENVIRONMENT,
    cwd: HOST_HOME,
    uid: 0,
    gid: 0,
  });
  const kill = () => process.signal(SIGKILL);
  if (io.signal.aborted) kill();
  io.signal.addEventListener('abort', kill, { once: true });
  try {
    const fan = new OutputFan();
    fan.add({ write: (stream, bytes) => io.write(stream, bytes) });
    const fed = feed(process, io.input).catch(kill);
    const { code } = await exitAndOutput(
      process,
      fan.pump(process, () => undefined),
    );
    void fed;
    await machine.sync();
    return code;
  } finally {
    io.signal.removeEventListener('abort', kill);
  }
}

async function feed(process: Process, input: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  if (input !== undefined) {
    for await (const chunk of input) await process.write(chunk);
  }
  process.closeInput();
}

export interface HostTerminal {
  write(bytes: Uint8Array): Promise<void>;
  resize(size: TerminalSize): void;
  /** Hangs up. */
  close(): void;
  /** Exit code of the shell. */
  readonly exit: Promise<number>;
}

/** A login shell on a terminal of its own; the next output is asked for when `onData` has settled. */
export async function openTerminal(
  machine: Machine,
  size: TerminalSize,
  onData: (bytes: Uint8Array) => void | Promise<void>,
): Promise<HostTerminal> {
  const process = await machine.spawn({
    argv: ['/bin/bash', '-l'],
    env: [...ENVIRONMENT, 'TERM=xterm-256color'],
    cwd: HOST_HOME,
    uid: 0,
    gid: 0,
    tty: size,
  });
  const fan = new OutputFan();
  fan.add({ write: async (_, bytes) => onData(bytes) });
  const output = fan.pump(process, () => undefined);
  const exit = exitAndOutput(process, output).then(({ code }) => code);
  exit.catch(() => undefined); // not everyone who opens a terminal waits for its end
  return {
    write: (bytes) => process.write(bytes),
    resize: (next) => process.resize(next),
    close: () => process.signal(SIGHUP),
    exit,
  };
}
