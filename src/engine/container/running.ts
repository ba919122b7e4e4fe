/** A container that runs: from the start of its program to the moment its files are safe. */

import { ContainerStateError, LayerboxError } from '../errors.ts';
import type { ContainerAction, EventAttributes } from '../events.ts';
import type { Union } from '../unionfs/union.ts';
import type { Attachment } from './attach.ts';
import { wasOOMKilled } from './limits.ts';
import type { ContainerLog } from './log.ts';
import type { ExitStatus, Machine, Process, TerminalSize } from './machine.ts';
import { OutputFan } from './output-fan.ts';

/** What Docker records of a container whose end nobody saw. */
export const LOST_EXIT_CODE = 255;

export interface RunningParts {
  readonly id: string;
  readonly machine: Machine;
  readonly process: Process;
  readonly union: Union;
  readonly log: ContainerLog;
  readonly attachments: readonly Attachment[];
  /** Tells of what clients do. */
  readonly tell: (action: ContainerAction, attributes?: EventAttributes) => void;
}

export interface Ending {
  readonly code: number;
  /** The kernel killed one of its programs for want of memory. */
  readonly oomKilled: boolean;
  /** Why the last changes may not be safe, or why the end was not seen; '' when all is well. */
  readonly error: string;
}

export class RunningContainer {
  readonly id: string;
  readonly process: Process;
  readonly log: ContainerLog;
  readonly union: Union;
  /** The program has ended, its output is delivered and its files are safe. Never rejects. */
  readonly ended: Promise<Ending>;
  readonly #fan = new OutputFan();
  #hasExited = false;
  readonly #parts: RunningParts;

  constructor(parts: RunningParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.process = parts.process;
    this.log = parts.log;
    this.union = parts.union;
    for (const attachment of parts.attachments) this.attach(attachment);
    this.ended = this.#run();
  }

  /** True from the program's exit on, while its files are being made safe. */
  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Joins a client to the program; output from now on reaches it. */
  attach(attachment: Attachment): void {
    const remove = this.#fan.add(attachment.sink);
    const { tell } = this.#parts;
    void attachment.left.then((how) => {
      remove();
      if (how === 'detached' && !this.#hasExited) tell('detach');
    });
    attachment.connect(this.process, {
      resized: (size) => tell('resize', sizeAttributes(size)),
      signalled: (number) => tell('kill', { signal: String(number) }),
    });
  }

  async #run(): Promise<Ending> {
    const { id, machine, process, union, log } = this.#parts;
    const failures: string[] = [];
    const attempt = async (step: () => Promise<unknown>) => {
      try {
        await step();
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    };
    let status: ExitStatus = { code: LOST_EXIT_CODE, signal: 0 };
    const output = attempt(() => this.#fan.pump(process, ({ stream, bytes }) => log.write(stream, bytes)));
    await attempt(async () => {
      try {
        status = await process.exit;
      } finally {
        this.#hasExited = true;
      }
      await output; // of a machine that has failed the output may never end
    });
    await attempt(() => log.end());
    await attempt(() => machine.sync());
    await attempt(() => machine.withdrawTree(treePath(id)));
    await attempt(() => union.flush());
    let oomKilled = false;
    // a program that ended before it was in its group leaves none
    if (machine.state.status === 'running') {
      oomKilled = await wasOOMKilled(machine, id).catch(() => false);
    }
    await attempt(() => machine.removeCgroup(id));
    return { code: status.code, oomKilled, error: [...new Set(failures)].join('; ') };
  }
}

/** What the event of a new size of a terminal says. */
export function sizeAttributes({ rows, columns }: TerminalSize): EventAttributes {
  return { height: String(rows), width: String(columns) };
}

/** Where the machine finds the container's root. */
export function treePath(id: string): string {
  return `c/${id}`;
}

/** Resolves after the process's exit and its output, the latter for at most as long as Docker waits for it. */
export async function exitAndOutput(process: Process, output: Promise<void>): Promise<ExitStatus> {
  // of a machine that has failed both reject, and the exit's error is the one to tell
  output.catch(() => undefined);
  const status = await process.exit;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, OUTPUT_PATIENCE_MS);
  });
  await Promise.race([output, patience]);
  clearTimeout(timer);
  return status;
}

/** A background child may hold the output open for ever; Docker waits two seconds for the end of an exec's. */
const OUTPUT_PATIENCE_MS = 2000;

/** The error of a container that does not run, in Docker's words. */
export function notRunning(id: string): LayerboxError {
  return new LayerboxError(`container ${id} is not running`, { container: id });
}

/** The error of a container that waits to be started again, in Docker's words. */
export function restarting(id: string): Error {
  return new ContainerStateError(`Container ${id} is restarting, wait until the container is running`, {
    container: id,
  });
}
