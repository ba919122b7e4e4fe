/** A process of the guest behind a channel. */

import type { ExitStatus, Output, Process, SpawnSpec, TerminalSize } from '../engine/container/machine.ts';
import { CannotStartError, MachineFailedError } from '../engine/errors.ts';
import { decodeName } from '../engine/names.ts';
import { ERRNO } from '../engine/unionfs/errno.ts';
import type { Channel } from './channel.ts';
import type { Multiplexer } from './multiplexer.ts';
import {
  encodeWords,
  FRAME,
  type Frame,
  MAX_PAYLOAD,
  readU32,
  STREAM,
  u16s,
  u32s,
  type Word,
} from './protocol.ts';

const FOREGROUND = 1;

export class GuestProcess implements Process {
  readonly pid: number;
  readonly exit: Promise<ExitStatus>;
  readonly output: AsyncIterable<Output>;
  readonly #channel: Channel;
  readonly #onInput: () => void;

  constructor(pid: number, channel: Channel, exit: Promise<ExitStatus>, onInput: () => void) {
    this.pid = pid;
    this.exit = exit;
    this.#channel = channel;
    this.#onInput = onInput;
    this.output = { [Symbol.asyncIterator]: () => channel.read() };
  }

  get channel(): number {
    return this.#channel.id;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#onInput();
    return this.#channel.write(STREAM.IN, bytes);
  }

  closeInput(): void {
    void this.#channel.after(FRAME.EOF, STREAM.IN);
  }

  resize({ rows, columns }: TerminalSize): void {
    this.#channel.now(FRAME.RESIZE, 0, u16s(rows, columns));
  }

  /** Overtakes input that waits, as Ctrl-C must. */
  signal(number: number, foreground = false): void {
    this.#channel.now(FRAME.SIGNAL, foreground ? FOREGROUND : 0, u32s(number));
  }
}

/** Starts a program; `onInput` is told of all that is written to it. CannotStartError with data.exitCode and data.errno; MachineFailedError. */
export function spawnProcess(
  multiplexer: Multiplexer,
  spec: SpawnSpec,
  words: readonly Word[],
  onInput: () => void = () => undefined,
): Promise<GuestProcess> {
  const payload = encodeWords(words);
  if (payload.length > MAX_PAYLOAD) {
    throw new CannotStartError(`exec: "${spec.argv[0]}": argument list too long`, {
      exitCode: 126,
      errno: ERRNO.E2BIG,
    });
  }
  return new Promise((resolve, reject) => {
    let settleExit: (status: ExitStatus) => void = () => undefined;
    let failExit: (error: Error) => void = () => undefined;
    const exit = new Promise<ExitStatus>((ok, no) => {
      settleExit = ok;
      failExit = no;
    });
    // not everyone who starts a process waits for its end
    exit.catch(() => undefined);

    const take = (frame: Frame): void => {
      switch (frame.type) {
        case FRAME.STARTED:
          resolve(new GuestProcess(readU32(frame.payload), channel, exit, onInput));
          return;
        case FRAME.ERROR:
          multiplexer.close(channel);
          reject(cannotStart(spec, frame.payload));
          return;
        case FRAME.EXIT:
          multiplexer.close(channel);
          // a program may be killed before its exec: it has exited without having started
          reject(exitedEarly(spec));
          settleExit({ code: readU32(frame.payload), signal: readU32(frame.payload, 4) });
          return;
        case FRAME.GONE: {
          const error = new MachineFailedError(
            'The machine stopped while the program ran. Reload the page to start it again.',
          );
          reject(error);
          failExit(error);
          return;
        }
        default: // EOF of one of the streams: the channel's end comes with EXIT
      }
    };
    const channel = multiplexer.open(take);
    channel.now(FRAME.SPAWN, 0, payload);
  });
}

function exitedEarly(spec: SpawnSpec): Error {
  return new CannotStartError(`exec: "${spec.argv[0]}": killed before it started`, { exitCode: 137 });
}

/** The agent's reason in the words that Docker has for the same. */
function cannotStart(spec: SpawnSpec, payload: Uint8Array): Error {
  const errno = readU32(payload);
  const exitCode = readU32(payload, 4);
  const text = decodeName(payload.subarray(8));
  const program = spec.argv[0] ?? '';
  const data = { exitCode, errno };
  if (exitCode === 127 && errno === ERRNO.ENOENT) {
    const what = program.includes('/')
      ? `stat ${program}: no such file or directory`
      : 'executable file not found in $PATH';
    return new CannotStartError(`exec: "${program}": ${what}`, data);
  }
  if (exitCode === 126 && errno === ERRNO.EACCES) {
    return new CannotStartError(`exec: "${program}": permission denied`, data);
  }
  return new CannotStartError(text, data);
}
