/** The layer worker's side of a stage worker: a hashing writer whose pieces are hashed and stored over there. */

import { type Remote, transfer, wrap } from 'comlink';
import { errorFromJSON, StorageFailedError } from '../engine/errors.ts';
import type { HashingWriter, OpenHashingWriter } from '../engine/image/hashing-writer.ts';
import type { Digest } from '../engine/oci/digest.ts';
import { ingestOver } from '../engine/store/memory-content.ts';
import type { Outcome, StageWorkerSurface } from './stage-worker.ts';

/** Buffers on their way at once: one is hashed, one is filled, the others keep both workers from waiting. */
const buffersInUse = 6;

/** Hashing writers in a worker that runs workers/stage.worker.ts, for its lifetime. */
export function stageWriters(worker: Worker, bufferLength: number): OpenHashingWriter {
  const remote = wrap<StageWorkerSurface>(worker);
  const died = new Promise<never>((_, reject) => {
    const bury = (event: Event) => {
      event.preventDefault();
      const reason = event instanceof ErrorEvent ? event.message : 'it could not be loaded';
      reject(
        new StorageFailedError(`a stage worker of this page ended: ${reason}; pull the image again`, {
          reason,
        }),
      );
    };
    worker.addEventListener('error', bury);
    worker.addEventListener('messageerror', bury);
  });
  died.catch(() => undefined); // whoever calls it next is told
  const ask = async <T>(call: Promise<Outcome<T>>): Promise<T> => {
    const answer = await Promise.race([call, died]);
    if ('failure' in answer) throw errorFromJSON(answer.failure);
    return answer.value;
  };
  return async (id, algorithm) => {
    const stage = await ask(remote.begin(id, algorithm));
    return new StageWriter(remote, stage, { id, bufferLength, ask });
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
  readonly #writing: Promise<void>[] = [];
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
      await this.#writing.shift();
    }
  }

  #send(buffer: ArrayBuffer, length: number): void {
    const write = this.#remote.write(this.#stage, transfer(buffer, [buffer]), length);
    this.#writing.push(
      this.#line.ask(write).then(
        (back) => {
          this.#free.push(back);
        },
        (cause: unknown) => {
          // for the next write or the digest: nobody awaits this promise at once
          this.#failure ??= { cause };
        },
      ),
    );
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }
}
