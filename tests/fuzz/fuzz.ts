/** Fuzzes parsers: inputs until the time or the number is up, or one shows a bug, never returns, or eats all memory. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { megabytes } from './memory.ts';
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
/** Bytes that the process may come to need more than at the start: that heap, and buffers, which have no limit of their own. */
const mostMemory = (heapLimit + 200) * 1_000_000;
/** Milliseconds between two looks at that. */
const glance = 50;

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
    let look: NodeJS.Timeout | undefined;
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
        const before = process.memoryUsage.rss();
        look = setInterval(() => {
          const taken = process.memoryUsage.rss() - before;
          if (taken <= mostMemory) return;
          // at once: what has no limit would take the computer's memory next
          void this.close();
          failed(`it took ${megabytes(taken)} of memory before it returned`);
        }, glance);
        this.#worker.postMessage(task);
      });
    } finally {
      clearInterval(watch);
      clearInterval(look);
      this.#worker.removeAllListeners('message');
      this.#worker.removeAllListeners('error');
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
