/**
 * What a stage worker does for a layer worker: it hashes and stores the tar that the
 * other unpacks. Buffers come, and go back to be filled again: memory that is touched for the first time costs more than a hash.
 */

import { transfer } from 'comlink';
import type { ErrorJSON } from '../engine/errors.ts';
import type { HashingWriter, OpenHashingWriter } from '../engine/image/hashing-writer.ts';
import type { Digest } from '../engine/oci/digest.ts';
import { failureOf } from './layer-worker.ts';

/** A class of error does not cross to another worker: JSON does. */
export type Outcome<T> = { readonly value: T } | { readonly failure: ErrorJSON };

export interface StageWorkerSurface {
  /** The first call: codecs/codecs.wasm, compiled; who has the same module has what was compiled of it since. */
  provide(codecs: WebAssembly.Module): void;
  /** Opens the ingest `id`; the answer names it in the other calls. */
  begin(id: string, algorithm: 'sha256' | 'sha512'): Promise<Outcome<number>>;
  /** Takes the first `length` bytes of a buffer that is transferred; gives the buffer back. */
  write(stage: number, buffer: ArrayBuffer, length: number): Promise<Outcome<ArrayBuffer>>;
  /** Nothing more comes; the digest of what did. */
  finish(stage: number): Promise<Outcome<Digest>>;
  commit(stage: number, digest: Digest): Promise<Outcome<undefined>>;
  abort(stage: number): Promise<Outcome<undefined>>;
}

export class StageWorker implements StageWorkerSurface {
  readonly #openWriter: OpenHashingWriter;
  readonly #onCodecs: (codecs: WebAssembly.Module) => void;
  readonly #open = new Map<number, HashingWriter>();
  #stages = 0;

  constructor(openWriter: OpenHashingWriter, onCodecs: (codecs: WebAssembly.Module) => void) {
    this.#openWriter = openWriter;
    this.#onCodecs = onCodecs;
  }

  provide(codecs: WebAssembly.Module): void {
    this.#onCodecs(codecs);
  }

  begin(id: string, algorithm: 'sha256' | 'sha512'): Promise<Outcome<number>> {
    return outcome(async () => {
      const writer = await this.#openWriter(id, algorithm);
      this.#stages += 1;
      this.#open.set(this.#stages, writer);
      return this.#stages;
    });
  }

  async write(stage: number, buffer: ArrayBuffer, length: number): Promise<Outcome<ArrayBuffer>> {
    const written = await outcome(async () => {
      await this.#stage(stage).write(new Uint8Array(buffer, 0, length));
      return buffer;
    });
    return 'value' in written ? transfer(written, [buffer]) : written;
  }

  finish(stage: number): Promise<Outcome<Digest>> {
    return outcome(async () => {
      const writer = this.#stage(stage);
      writer.finish();
      return writer.digest();
    });
  }

  commit(stage: number, digest: Digest): Promise<Outcome<undefined>> {
    return outcome(async () => {
      await this.#stage(stage).commit(digest);
      this.#open.delete(stage);
      return undefined;
    });
  }

  abort(stage: number): Promise<Outcome<undefined>> {
    return outcome(async () => {
      await this.#open.get(stage)?.abort();
      this.#open.delete(stage);
      return undefined;
    });
  }

  #stage(stage: number): HashingWriter {
    const open = this.#open.get(stage);
    if (open === undefined) throw new TypeError(`stage ${stage} is over`);
    return open;
  }
}

async function outcome<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { failure: failureOf(error, 'a layer') };
  }
}
