/** The layer worker's side of a stage worker: a hashing writer whose pieces are hashed and stored over there. */

import { type Remote, transfer, wrap } from 'comlink';
import { errorFromJSON, StorageFailedError } from '../engine/errors.ts';
import type { HashingWriter, OpenHashingWriter } from '../engine/image/hashing-writer.ts';
import type { Digest } from '../engine/oci/digest.ts';
import { ingestOver } from '../engine/store/memory-content.ts';
import type { Outcome, StageWorkerSurface } from './stage-worker.ts';

/** Buffers on their way at once: one is hashed, one is filled, the others keep both workers from waiting. */
const buffersInUse = 6;

export interface StageWritersOptions {
  /** Starts a worker that runs workers/stage.worker.ts. */
  readonly spawn: () => Worker;
  /** codecs/codecs.wasm, compiled. */
  readonly codecs: () => Promise<WebAssembly.Module>;
  /** Bytes of each buffer that goes over to it. */
  readonly bufferLength: number;
}

/**
 * Hashing writers in a stage worker. It is started when the first of them is opened, and
 * anew when the last one ended: what was open in that fails with StorageFailedError.
 */
export class StageWriters {
  readonly #options: StageWritersOptions;
  #running: StageLine | undefined;

  constructor(options: StageWritersOptions) {
    this.#options = options;
  }

  /** Starts the worker, so that it is there when a writer is opened. */
  prepare(): void {
    this.#line();
  }

  readonly open: OpenHashingWriter = async (id, algorithm) => {
    const { remote, ask } = this.#line();
    const stage = await ask(remote.begin(id, algorithm));
    return new StageWriter(remote, stage, { id, bufferLength: this.#options.bufferLength, ask });
  };

  #line(): StageLine {
    const { spawn, codecs } = this.#options;
    this.#running ??= new StageLine(spawn(), codecs(), (ended) => {
      if (this.#running === ended) this.#running = undefined;
    });
    return this.#running;
  }
}

/** A stage worker as long as it lives. */
class StageLine {
  readonly remote: Remote<StageWorkerSurface>;
  /** Of each call that is not answered yet: how it fails. */
  readonly #unanswered = new Set<(reason: Error) => void>();
  #death: Error | undefined;

  constructor(worker: Worker, codecs: Promise<WebAssembly.Module>, onEnd: (ended: StageLine) => void) {
    this.remote = wrap<StageWorkerSurface>(worker);
    const bury = (reason: string) => {
      const death = new StorageFailedError(
        `a stage worker of this page ended: ${reason}; pull the image again`,
        { reason },
      );
      this.#death ??= death;
      onEnd(this);
      // one that only threw would go on holding its files
      worker.terminate();
      for (const fail of this.#unanswered) fail(death);
    };
    const died = (event: Event) => {
      event.preventDefault();
      bury(event instanceof ErrorEvent ? event.message : 'it could not be loaded');
    };
    worker.addEventListener('error', died);
    worker.addEventListener('messageerror', died);
    codecs
      .then((module) => this.remote.provide(module))
      .catch((cause: unknown) => bury(cause instanceof Error ? cause.message : String(cause)));
  }

  /** The value of an answer. Throws the failure that came, or why none comes any more. */
  readonly ask = async <T>(call: Promise<Outcome<T>>): Promise<T> => {
    if (this.#death !== undefined) throw this.#death;
    const { promise, resolve, reject } = Promise.withResolvers<Outcome<T>>();
    this.#unanswered.add(reject);
    call.then(resolve, reject);
    try {
      const answer = await promise;
      if ('failure' in answer) throw errorFromJSON(answer.failure);
      return answer.value;
    } finally {
      this.#unanswered.delete(reject);
    }
  };
}

interface Line {
  readonly id: string;
  readonly bufferLength: number;
  readonly ask: <T>(call: Promise<Outcome<T>>) => Promise<T>;
}

class StageWriter implements HashingWriter {
  readonly #remote: Remote<StageWorkerSurface>;
  readonly #stage: number;
  readonly #line: Line;
  readonly #free: ArrayBuffer[] = [];
  /** Writes whose buffers are not back yet, oldest first. */
  readonly #writing = new Set<Promise<void>>();
  #buffers = 0;
  #size = 0;
  #failure: { readonly cause: unknown } | undefined;
  #digest: Promise<Digest> | undefined;

  constructor(remote: Remote<StageWorkerSurface>, stage: number, line: Line) {
    this.#remote = remote;
    this.#stage = stage;
    this.#line = line;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#digest !== undefined) throw ingestOver(this.#line.id);
    const { bufferLength } = this.#line;
    for (let at = 0; at < chunk.length; at += bufferLength) {
      const piece = chunk.subarray(at, at + bufferLength);
      const buffer = await this.#takeBuffer();
      new Uint8Array(buffer).set(piece);
      this.#size += piece.length;
      this.#send(buffer, piece.length);
    }
  }

  finish(): void {
    if (this.#digest !== undefined) return;
    this.#digest = this.#line.ask(this.#remote.finish(this.#stage));
    this.#digest.catch(() => undefined); // for `digest`
  }

  async digest(): Promise<Digest> {
    this.finish();
    await Promise.all(this.#writing);
    this.#throwFailure();
    return this.#digest ?? Promise.reject(ingestOver(this.#line.id));
  }

  async commit(digest: Digest): Promise<void> {
    await Promise.all(this.#writing);
    this.#throwFailure();
    await this.#line.ask(this.#remote.commit(this.#stage, digest));
  }

  async abort(): Promise<void> {
    await Promise.all(this.#writing);
    await this.#line.ask(this.#remote.abort(this.#stage));
  }

  /** A buffer that nobody has; waits for one to come back. Throws what an earlier write failed with. */
  async #takeBuffer(): Promise<ArrayBuffer> {
    for (;;) {
      this.#throwFailure();
      const free = this.#free.pop();
      if (free !== undefined) return free;
      if (this.#buffers < buffersInUse) {
        this.#buffers += 1;
        return new ArrayBuffer(this.#line.bufferLength);
      }
      const [oldest] = this.#writing;
      await oldest;
    }
  }

  #send(buffer: ArrayBuffer, length: number): void {
    const write = this.#remote.write(this.#stage, transfer(buffer, [buffer]), length);
    const writing = this.#line
      .ask(write)
      .then(
        (back) => {
          this.#free.push(back);
        },
        (cause: unknown) => {
          // for the next write or the digest: nobody awaits this promise at once
          this.#failure ??= { cause };
        },
      )
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }
}
