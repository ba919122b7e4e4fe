/** Fuzzes parsers: inputs until the time or the number is up, or one shows a bug, never returns, or eats all memory. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type FuzzReport, type FuzzTask, SharedInput } from './shared-input.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Default: as many as the time allows. */
  readonly runs?: number;
  /** Seconds that one input of at most 32 KiB may take. Default 20. */
  readonly patience?: number;
}

/** Megabytes of objects that a parser may hold; a page has little more. */
const heapLimit = 400;

/** A thread that fuzzes one parser after the other. One that failed to return is of no more use. */
export class Fuzzer {
  readonly #worker: Worker;
  readonly #shared: SharedInput;

  private constructor(worker: Worker, shared: SharedInput) {
    this.#worker = worker;
    this.#shared = shared;
  }

  /** Resolves when the thread is ready. */
  static async start(): Promise<Fuzzer> {
    const memory = new SharedArrayBuffer(SharedInput.length);
    const worker = new Worker(new URL('./start-worker.mjs', import.meta.url), {
      workerData: memory,
      resourceLimits: { maxOldGenerationSizeMb: heapLimit },
    });
    await once(worker, 'message');
    return new Fuzzer(worker, new SharedInput(memory));
  }

  /** What came of it. */
  async run(name: string, options: FuzzOptions): Promise<FuzzReport> {
    const { seed, seconds, runs = Number.POSITIVE_INFINITY, patience = 20 } = options;
    const task: FuzzTask = { name, seed, seconds, runs };
    let watch: NodeJS.Timeout | undefined;
    try {
      return await new Promise<FuzzReport>((resolve) => {
        const failed = (reason: string) =>
          resolve({ parsed: 0, refused: 0, failure: { reason, input: this.#shared.input } });
        this.#worker.once('message', resolve);
        this.#worker.once('error', (error) => failed(error.message));
        let last = -1;
        watch = setInterval(() => {
          if (this.#shared.count === last) failed(`it did not return within ${patience} seconds`);
          last = this.#shared.count;
        }, patience * 1000);
        this.#worker.postMessage(task);
      });
    } finally {
      clearInterval(watch);
      this.#worker.removeAllListeners('message');
      this.#worker.removeAllListeners('error');
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
