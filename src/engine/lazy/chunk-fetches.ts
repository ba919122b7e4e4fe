/**
 * Chunks on their way. Neighbours in the blob are one request, which goes on a
 * little beyond what is wanted, since asking costs more than some more bytes do;
 * few requests are under way at once; each chunk is fetched by one of them however many
 * readers want it, and handed on only when its digest is right.
 */

import { CorruptLayerError, DigestMismatchError } from '../errors.ts';
import { digestOf } from '../oci/digest.ts';
import { cancelled } from '../registry/request.ts';
import type { BlobRanges } from './blob-ranges.ts';
import type { ChunkTable } from './chunk-table.ts';
import { type DecodedStart, type DecodeStart, partOf } from './decode-chunk.ts';
import { DecodedLength } from './decoded-length.ts';
import type { Pace } from './pace.ts';

export interface ChunkFetchesOptions {
  readonly chunks: ChunkTable;
  readonly ranges: BlobRanges;
  readonly decode: DecodeStart;
  /** Names the file with this address, for errors. */
  readonly describe: (address: number) => string;
  /** Gets each chunk once it is verified. */
  readonly onChunk: (chunk: number, content: Uint8Array<ArrayBuffer>) => void;
  /** True for what is here already and not to be fetched along. */
  readonly isHere: (chunk: number) => boolean;
  readonly signal: AbortSignal;
  /** Told when somebody begins to wait for a chunk, and when nobody does any more. */
  readonly pace?: Pick<Pace, 'begin' | 'end'>;
  /** Requests at once. */
  readonly parallel?: number;
  /** Compressed bytes that a request may have when nobody wants more. */
  readonly readAhead?: number;
}

/** Compressed bytes between two wanted chunks that are fetched along rather than asked around. */
const gapLimit = 32 << 10;
/** Compressed bytes that a request may come to have when one goes on where the last one ended. */
const sequentialLimit = 1 << 20;
/** Compressed bytes of one request; a chunk that is larger is one by itself. */
const requestLimit = 4 << 20;

/** Bytes that are decoded for, and number of, the chunks that are fetched along: a few compressed bytes may be a great deal. */
const alongLimit = 16 << 20;
const alongCount = 1000;

/** One request: chunks in the order of the blob. */
interface Batch {
  readonly chunks: readonly number[];
  readonly start: number;
  readonly end: number;
}

export class ChunkFetches {
  readonly #options: ChunkFetchesOptions;
  readonly #parallel: number;
  readonly #readAhead: number;
  readonly #coming = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  /** First the ones that somebody waits for. */
  readonly #waiting: (() => void)[] = [];
  /** Where the last request ended and how long it was: one that goes on from there is the next of a long read. */
  #last = { end: -1, length: 0 };
  #running = 0;
  #received = 0;

  constructor(options: ChunkFetchesOptions) {
    this.#options = options;
    this.#parallel = options.parallel ?? 4;
    this.#readAhead = options.readAhead ?? 128 << 10;
  }

  /** Compressed bytes that came so far. */
  get received(): number {
    return this.#received;
  }

  /** True while somebody waits for a chunk. */
  get isBusy(): boolean {
    return this.#coming.size > 0;
  }

  /**
   * The contents of these stored chunks, in their order. Rejects with the errors
   * of `BlobRanges.read`, DigestMismatchError or CorruptLayerError, naming the file.
   */
  fetch(wanted: readonly number[]): Promise<Uint8Array<ArrayBuffer>[]> {
    for (const batch of this.#batches(wanted.filter((chunk) => !this.#coming.has(chunk)))) this.#start(batch);
    return Promise.all(
      wanted.map((chunk) => this.#coming.get(chunk) ?? Promise.reject(new RangeError(`chunk ${chunk}`))),
    );
  }

  #start(batch: Batch): void {
    if (this.#coming.size === 0) this.#options.pace?.begin();
    const bytes = this.#inTurn(() => this.#read(batch));
    const decoded = this.#decoded(batch, bytes);
    for (const chunk of batch.chunks) {
      const stream = decoded.get(this.#options.chunks.offset(chunk));
      if (stream === undefined) throw new RangeError(`chunk ${chunk}`);
      const content = stream
        .then((start) => this.#open(chunk, start))
        .finally(() => {
          this.#coming.delete(chunk);
          if (this.#coming.size === 0) this.#options.pace?.end();
        });
      // read ahead, perhaps for nobody: whoever wants it after all asks again
      content.catch(() => undefined);
      this.#coming.set(chunk, content);
    }
  }

  async #read({ start, end }: Batch): Promise<Uint8Array<ArrayBuffer>> {
    const { ranges, signal } = this.#options;
    if (signal.aborted) throw cancelled('a chunk', signal.reason);
    const bytes = await ranges.read(start, end, signal);
    this.#received += bytes.length;
    return bytes;
  }

  /**
   * Each stream of the batch, by its offset in the blob: decoded once, as far as the last of its chunks needs. One after the
   * other, since each that is being decoded takes memory.
   */
  #decoded(batch: Batch, bytes: Promise<Uint8Array<ArrayBuffer>>): Map<number, Promise<DecodedStart>> {
    const { chunks, decode } = this.#options;
    const needs = new Map<number, { end: number; length: number }>();
    for (const chunk of batch.chunks) {
      const offset = chunks.offset(chunk);
      const need = needs.get(offset);
      const length = chunks.inner(chunk) + chunks.start(chunk + 1) - chunks.start(chunk);
      needs.set(offset, {
        end: Math.max(chunks.end(chunk), need?.end ?? 0),
        length: Math.max(length, need?.length ?? 0),
      });
    }
    const decoded = new Map<number, Promise<DecodedStart>>();
    let turn: Promise<unknown> = bytes;
    for (const [offset, { end, length }] of needs) {
      const start = Promise.all([bytes, turn]).then(async ([whole]): Promise<DecodedStart> => {
        try {
          return await decode(whole.subarray(offset - batch.start, end - batch.start), length);
        } catch (failure) {
          return { bytes: new Uint8Array(0), failure };
        }
      });
      decoded.set(offset, start);
      turn = start;
    }
    return decoded;
  }

  async #open(chunk: number, decoded: DecodedStart): Promise<Uint8Array<ArrayBuffer>> {
    const { chunks, describe, onChunk } = this.#options;
    const address = chunks.start(chunk);
    const size = chunks.start(chunk + 1) - address;
    const inner = chunks.inner(chunk);
    let content: Uint8Array<ArrayBuffer>;
    try {
      content = partOf(decoded, inner, inner + size);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CorruptLayerError(`${describe(address)} cannot be unpacked: ${reason}`, {}, { cause });
    }
    const expected = chunks.digest(chunk);
    const actual = await digestOf(content);
    if (actual !== expected) {
      throw new DigestMismatchError(
        `${describe(address)}: the ${size} bytes that came have the digest ${actual}, not ${expected} as the table of contents has it; they were changed in the registry or on the way`,
        { expected, actual },
      );
    }
    onChunk(chunk, content);
    return content;
  }

  #batches(wanted: readonly number[]): Batch[] {
    const { chunks } = this.#options;
    const sorted = wanted.toSorted((a, b) => chunks.offset(a) - chunks.offset(b));
    const batches: Batch[] = [];
    let open: { chunks: number[]; start: number; end: number } | undefined;
    for (const chunk of sorted) {
      const [start, end] = [chunks.offset(chunk), chunks.end(chunk)];
      if (open !== undefined && start - open.end <= gapLimit && end - open.start <= requestLimit) {
        open.chunks.push(chunk);
        open.end = Math.max(open.end, end);
      } else {
        open = { chunks: [chunk], start, end };
        batches.push(open);
      }
    }
    const last = batches.at(-1);
    if (last !== undefined) {
      const whole = this.#ahead(last, new Set(wanted));
      this.#last = { end: whole.end, length: whole.end - whole.start };
      batches.splice(-1, 1, whole);
    }
    return batches;
  }

  /** The chunks that follow in the table, as long as they follow in the blob, too. */
  #ahead(batch: Batch, wanted: ReadonlySet<number>): Batch {
    const { chunks, isHere } = this.#options;
    const along = [...batch.chunks];
    let { end } = batch;
    const goesOn = batch.start >= this.#last.end && batch.start - this.#last.end <= gapLimit;
    const limit = goesOn ? Math.min(sequentialLimit, this.#last.length * 2) : 0;
    const last = batch.chunks.reduce((most, chunk) => Math.max(most, chunk), -1);
    const cost = new DecodedLength(chunks);
    for (let chunk = last + 1; chunk < chunks.count && along.length < alongCount; chunk++) {
      if (!chunks.isStored(chunk)) continue;
      const follows = chunks.offset(chunk) >= batch.start && chunks.offset(chunk) - end <= gapLimit;
      if (!follows || chunks.end(chunk) - batch.start > Math.max(this.#readAhead, limit)) break;
      if (isHere(chunk) || wanted.has(chunk) || this.#coming.has(chunk)) break;
      cost.add(chunk);
      if (cost.total > alongLimit) break;
      along.push(chunk);
      end = Math.max(end, chunks.end(chunk));
    }
    return { chunks: along, start: batch.start, end };
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#parallel) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
