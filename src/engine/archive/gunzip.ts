/**
 * gzip decoded while it arrives. The platform's DecompressionStream is fastest,
 * but it may stop at the end of the first member, throw there with output
 * lost, or pass over what follows; and it cannot say where it was. So the
 * compressed bytes are kept, its result is believed only when the length that ends the
 * data is the length it gave, and otherwise the exact decoder starts over,
 * skips what was delivered already, and goes on with the same source.
 * Nothing is fetched twice.
 */

import { GzipDecoder } from './gzip-decoder.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

/** Above this many compressed bytes keeping them costs more than the slower decoder does. */
const keepLimit = 256 << 20;

/**
 * What `source` decodes to. `size` is how long the source says it is, in bytes.
 * Throws CorruptLayerError for bad data, and whatever the source throws.
 */
export async function* gunzip(
  source: AsyncIterator<Bytes>,
  size: number,
  options: { keepLimit?: number } = {},
): AsyncGenerator<Bytes> {
  const kept: Bytes[] = [];
  let delivered = 0;
  if (size <= (options.keepLimit ?? keepLimit)) {
    const native = new NativeGunzip(source, kept);
    try {
      for (let bytes = await native.read(); bytes !== undefined; bytes = await native.read()) {
        delivered += bytes.length;
        yield bytes;
      }
    } finally {
      await native.close();
    }
    if (native.isComplete && endsWithLength(kept, delivered)) return;
  }
  yield* gunzipExactly(chain(kept, source), delivered);
}

async function* gunzipExactly(source: AsyncIterable<Bytes>, skip: number): AsyncGenerator<Bytes> {
  const decoder = new GzipDecoder();
  let ahead = skip;
  for await (const chunk of source) {
    for (const bytes of decoder.push(chunk)) {
      const skipped = Math.min(ahead, bytes.length);
      ahead -= skipped;
      if (skipped === 0) yield bytes;
      else if (skipped < bytes.length) yield bytes.slice(skipped);
    }
  }
  decoder.end();
}

/** Chunks that were kept, each let go as it is used, then what is still to come. */
async function* chain(kept: Bytes[], source: AsyncIterator<Bytes>): AsyncGenerator<Bytes> {
  for (let chunk = kept.shift(); chunk !== undefined; chunk = kept.shift()) yield chunk;
  for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
}

/** RFC 1952, 2.3.1: a member ends with the length of what it holds, modulo 2^32. */
function endsWithLength(kept: readonly Bytes[], length: number): boolean {
  const tail: number[] = [];
  for (let i = kept.length - 1; i >= 0 && tail.length < 4; i--) {
    const chunk = kept[i];
    if (chunk !== undefined) tail.unshift(...chunk.subarray(Math.max(0, chunk.length - (4 - tail.length))));
  }
  const [a = 0, b = 0, c = 0, d = 0] = tail;
  return tail.length === 4 && a + b * 0x100 + c * 0x10000 + d * 0x1000000 === length % 0x1_0000_0000;
}

/** A stream's two ends, as far as they are used here. */
interface Writer {
  write(chunk: Bytes): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
}
interface Reader {
  read(): Promise<{ done: false; value: Bytes } | { done: true }>;
  cancel(): Promise<void>;
}

/** DecompressionStream fed from a source, so that its failures and the source's are told apart. */
class NativeGunzip {
  readonly #source: AsyncIterator<Bytes>;
  readonly #kept: Bytes[];
  readonly #writer: Writer;
  readonly #reader: Reader;
  readonly #feeding: Promise<void>;
  #sourceFailure: { readonly reason: unknown } | undefined;
  #isOver = false;
  #isClosing = false;
  #isFedWhole = false;

  constructor(source: AsyncIterator<Bytes>, kept: Bytes[]) {
    const stream = new DecompressionStream('gzip');
    this.#source = source;
    this.#kept = kept;
    this.#writer = stream.writable.getWriter();
    this.#reader = stream.readable.getReader();
    this.#feeding = this.#feed();
  }

  /** True when all of the source went in and came out without an error. */
  get isComplete(): boolean {
    return this.#isFedWhole;
  }

  /** The next bytes, or undefined when there are no more or the decoder has failed; throws what the source threw. */
  async read(): Promise<Bytes | undefined> {
    // whatever the decoder does not like, the exact one shall say what it is
    const next = await this.#reader.read().catch(() => ({ done: true }) as const);
    if (!next.done) return next.value;
    // the end may be seen before `close` of the writer has resolved; an abort would spoil that
    if (!this.#isClosing) await this.close();
    await this.#feeding;
    if (this.#sourceFailure !== undefined) throw this.#sourceFailure.reason;
    return undefined;
  }

  /** Resolves when nothing of the source is on its way any more. */
  async close(): Promise<void> {
    if (!this.#isOver) {
      this.#isOver = true;
      await Promise.allSettled([this.#reader.cancel(), this.#writer.abort()]);
    }
    await this.#feeding;
  }

  async #feed(): Promise<void> {
    while (!this.#isOver) {
      let next: IteratorResult<Bytes>;
      try {
        next = await this.#source.next();
      } catch (reason) {
        this.#sourceFailure = { reason };
        await Promise.allSettled([this.#writer.abort(reason)]);
        return;
      }
      if (next.done === true) break;
      this.#kept.push(next.value);
      try {
        await this.#writer.write(next.value);
      } catch {
        return;
      }
    }
    if (this.#isOver) return;
    this.#isClosing = true;
    this.#isFedWhole = await this.#writer.close().then(
      () => true,
      () => false,
    );
  }
}
