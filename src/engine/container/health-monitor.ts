/** Probes one running container, again and again, until it is stopped. */

import type { ContainerHealth, ContainerRecord, Probe } from '../store/container-record.ts';
import { afterProbe, type Check, OUTPUT_LIMIT, STARTING, untilProbe } from './health.ts';
import { startTimer } from './long-timer.ts';
import type { Process } from './machine.ts';
import { exitAndOutput } from './running.ts';
import { SIGKILL } from './signals.ts';

export interface MonitorParts {
  readonly check: Check;
  /** As it is now. */
  readonly record: () => ContainerRecord;
  /** Starts the check in the container. */
  readonly spawn: (argv: readonly string[]) => Promise<Process>;
  /** Keeps what a probe has shown. */
  readonly store: (health: ContainerHealth) => Promise<void>;
  readonly now: () => number;
  readonly onFailure: (error: unknown) => void;
}

export class HealthMonitor {
  readonly #parts: MonitorParts;
  #stopTimer: () => void = () => undefined;
  #probe: Process | undefined;
  #isStopped = false;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
    this.#schedule();
  }

  /** No probe begins from now on; one that runs is killed and counts for nothing. */
  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
    this.#probe?.signal(SIGKILL);
  }

  #schedule(): void {
    const { check, record, now } = this.#parts;
    const { health = STARTING, startedAt } = record().state;
    this.#stopTimer = startTimer(
      () => {
        this.#run().catch((error: unknown) => {
          if (!this.#isStopped) this.#parts.onFailure(error);
        });
      },
      untilProbe(health, check, startedAt, now()),
    );
  }

  async #run(): Promise<void> {
    const { check, record, store } = this.#parts;
    const probe = await this.#result();
    if (this.#isStopped) return;
    const { health = STARTING, startedAt } = record().state;
    await store(afterProbe(health, probe, check, startedAt));
    if (!this.#isStopped) this.#schedule();
  }

  async #result(): Promise<Probe> {
    const { check, spawn, now } = this.#parts;
    const start = now();
    try {
      const process = await spawn(check.argv);
      this.#probe = process;
      process.closeInput();
      const { exitCode, output } = await this.#ending(process);
      return { start, end: now(), exitCode, output };
    } catch (error) {
      const output = error instanceof Error ? error.message : String(error);
      return { start, end: now(), exitCode: -1, output };
    } finally {
      this.#probe = undefined;
    }
  }

  async #ending(process: Process): Promise<{ exitCode: number; output: string }> {
    const output = new Output();
    const reading = output.read(process);
    let stopTimer: () => void = () => undefined;
    const late = new Promise<'late'>((resolve) => {
      stopTimer = startTimer(() => resolve('late'), this.#parts.check.timeout);
    });
    const first = await Promise.race([exitAndOutput(process, reading), late]);
    stopTimer();
    if (first === 'late') {
      process.signal(SIGKILL);
      const seconds = this.#parts.check.timeout / 1000;
      return {
        exitCode: -1,
        output: `Health check exceeded timeout (${seconds}s)${output.text === '' ? '' : `: ${output.text}`}`,
      };
    }
    return { exitCode: first.code, output: output.text };
  }
}

/** The beginning of what a program writes; the rest is read and dropped, and dots tell of it. */
class Output {
  readonly #decoder = new TextDecoder();
  #size = 0;
  #kept = '';

  get text(): string {
    return this.#size > OUTPUT_LIMIT ? `${this.#kept}...` : this.#kept;
  }

  async read(process: Process): Promise<void> {
    for await (const { bytes } of process.output) {
      const kept = bytes.subarray(0, Math.max(0, OUTPUT_LIMIT - this.#size));
      this.#size += bytes.length;
      if (kept.length > 0) this.#kept += this.#decoder.decode(kept, { stream: true });
    }
  }
}
