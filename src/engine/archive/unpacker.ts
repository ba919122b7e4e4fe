/**
 * gzip (RFC 1952) and zstd (RFC 8878) decoded by codecs.wasm, exactly: any number of
 * members or frames, each with its checksum and length verified, and nothing behind
 * them but, after gzip, zero padding.
 *
 * Output lies in one piece in the instance's memory, so that it can be indexed, hashed
 * and stored where it is. What is no longer wanted is dropped, and its memory is used again:
 * so that stays bounded however long the stream is.
 *
 *     const unpacker = await Unpacker.create(module);
 *     unpacker.start({ format: 'gzip', capacity: 2 << 20 });
 *     for await (const chunk of body) {
 *       for (const bytes of unpacker.push(chunk)) {
 *         index(bytes);
 *         for (; unpacker.end - stored >= 1 << 20; stored += 1 << 20) {
 *           await store(unpacker.view(stored, stored + (1 << 20)));
 *           unpacker.drop(stored + (1 << 20));
 *         }
 *       }
 *     }
 *     unpacker.finish();
 *     await store(unpacker.view(stored, unpacker.end));
 *
 * A view is good until the next step of `push`: memory that grows leaves the
 * views of before empty, and output that is dropped makes room for other. So a view is asked for where it is used,
 * and never kept.
 */

import { CorruptLayerError } from '../errors.ts';
import { type WasmFunction, wasmFunction, wasmMemory } from './wasm-exports.ts';

export interface UnpackerOptions {
  readonly format: 'gzip' | 'zstd';
  /** How many bytes of output may be held that were not dropped; more is a RangeError. */
  readonly capacity: number;
  /** The largest window that a zstd frame may ask for, in bytes: what the decoder keeps besides. */
  readonly windowLimit?: number;
}

/** zstd(1) decodes windows up to this without being told otherwise, as `zstd --long` makes them. */
export const defaultWindowLimit = 128 << 20;

const pageLength = 64 << 10;
/** Memory grows by as much at a time; pages that are never written cost nothing. */
const growth = 16 << 20;
/** Output of one step of `push`, at most. */
const stepLength = 1 << 20;
/** More than one zstd block (RFC 8878, 3.1.1.2.4) with what its decoder writes behind it. */
const leastRoom = 256 << 10;
/** Addresses have 32 bits, and the decoders reckon a little beyond their output's end. */
const memoryLimit = 0xfff0_0000;

/** `enum status` in codecs/src/codecs.h. */
const needInput = 0;
const needOutput = 1;
const noMember = 'neither another gzip member nor zero padding follows';
const reasons: readonly string[] = [
  'incorrect header check',
  noMember,
  'unknown compression method',
  'unknown header flags set',
  'header crc mismatch',
  'invalid deflate data',
  'incorrect data check',
  'incorrect length check',
  'no zstd frame starts here',
];
const firstReason = 2;
const windowTooLarge = firstReason + reasons.length;
const needsDictionary = windowTooLarge + 1;

export class Unpacker {
  readonly #memory: WebAssembly.Memory;
  readonly #run: WasmFunction;
  readonly #consumed: WasmFunction;
  readonly #outputEnd: WasmFunction;
  readonly #move: WasmFunction;
  readonly #isComplete: WasmFunction;
  readonly #window: WasmFunction;
  readonly #reason: WasmFunction;
  readonly #startGzip: WasmFunction;
  readonly #startZstd: WasmFunction;
  /** Addresses of the input buffer and of the first byte of output. */
  readonly #input: number;
  readonly #inputLength: number;
  readonly #base: number;

  #options: UnpackerOptions | undefined;
  #bytes: Uint8Array<ArrayBuffer>;
  /** Bytes in the input buffer, and how many of the stream were before them. */
  #buffered = 0;
  #before = 0;
  /** Position in the output of the byte at #base, of the first that is not dropped, and behind the last. */
  #origin = 0;
  #dropped = 0;
  #end = 0;
  #isStepping = false;

  private constructor(instance: WebAssembly.Instance) {
    this.#memory = wasmMemory(instance);
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#run = wasmFunction(instance, 'run');
    this.#consumed = wasmFunction(instance, 'consumed');
    this.#outputEnd = wasmFunction(instance, 'output_end');
    this.#move = wasmFunction(instance, 'move');
    this.#isComplete = wasmFunction(instance, 'is_complete');
    this.#window = wasmFunction(instance, 'window');
    this.#reason = wasmFunction(instance, 'reason');
    this.#startGzip = wasmFunction(instance, 'start_gzip');
    this.#startZstd = wasmFunction(instance, 'start_zstd');
    this.#input = wasmFunction(instance, 'input')();
    this.#inputLength = wasmFunction(instance, 'input_size')();
    this.#base = wasmFunction(instance, 'output')();
  }

  /** An unpacker with a memory of its own, for one stream at a time. `module` is codecs/codecs.wasm, compiled. */
  static async create(module: WebAssembly.Module): Promise<Unpacker> {
    return new Unpacker(await WebAssembly.instantiate(module));
  }

  /** Begins another stream; whatever there was of the last is gone, and its memory is used again. */
  start(options: UnpackerOptions): void {
    this.#options = options;
    this.#buffered = 0;
    this.#before = 0;
    this.#origin = 0;
    this.#dropped = 0;
    this.#end = 0;
    this.#isStepping = false;
    if (options.format === 'gzip') this.#startGzip();
    else this.#startZstd(options.windowLimit ?? defaultWindowLimit);
  }

  /** Bytes of output so far. */
  get end(): number {
    return this.#end;
  }

  /** Bytes of output that the decoder keeps besides, as the stream has asked for them so far: memory grows to twice as much. */
  get window(): number {
    return this.#window();
  }

  /** Bytes of memory that the instance has, which it keeps. */
  get memoryLength(): number {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Decodes the next bytes of the stream in steps, and gives what each adds to the
   * output. Has to be run to its end. Throws CorruptLayerError for bad data, RangeError when more is
   * held than `capacity` allows.
   */
  *push(chunk: Uint8Array): Generator<Uint8Array<ArrayBuffer>, void> {
    this.#claim();
    for (let at = 0; at < chunk.length; ) {
      const step = Math.min(chunk.length - at, this.#inputLength - this.#buffered);
      this.#bytes.set(chunk.subarray(at, at + step), this.#input + this.#buffered);
      this.#buffered += step;
      at += step;
      while (true) {
        const start = this.#end;
        const isDone = this.#step();
        if (this.#end > start) yield this.view(start, this.#end);
        if (isDone) break;
      }
    }
    this.#isStepping = false;
  }

  /** The output from `from` to `to`, where it lies: good until the next step of `push`. Throws RangeError for what is not held. */
  view(from: number, to: number): Uint8Array<ArrayBuffer> {
    if (from < this.#dropped || to < from || to > this.#end) {
      throw new RangeError(`bytes ${from} to ${to} are not held, only ${this.#dropped} to ${this.#end}`);
    }
    return this.#bytes.subarray(this.#address(from), this.#address(to));
  }

  /** Gives up the output before `to`. */
  drop(to: number): void {
    if (to > this.#end) throw new RangeError(`there are no ${to} bytes to drop, only ${this.#end}`);
    this.#dropped = Math.max(this.#dropped, to);
  }

  /** The stream is over. Throws CorruptLayerError in the middle of a member or frame, or before the first. */
  finish(): void {
    this.#claim();
    if (this.#isComplete() === 0 || this.#buffered > 0) {
      const position = this.#before + this.#buffered;
      throw new CorruptLayerError(`its ${this.#format} data ends too early, after ${position} bytes`, {
        position,
      });
    }
    this.#isStepping = false;
  }

  get #format(): string {
    return this.#options?.format ?? '';
  }

  #claim(): void {
    if (this.#options === undefined) throw new TypeError('the unpacker was not started');
    if (this.#isStepping) throw new TypeError('the last push failed or was not run to its end');
    this.#isStepping = true;
  }

  #address(position: number): number {
    return this.#base + (position - this.#origin);
  }

  /** Decodes once; true when all input that could be used is. */
  #step(): boolean {
    this.#makeRoom();
    const out = this.#address(this.#end);
    const status = this.#run(this.#buffered, out, Math.min(this.#memory.buffer.byteLength, out + stepLength));
    this.#end += (this.#outputEnd() >>> 0) - out;
    const consumed = this.#consumed();
    if (status > needOutput) throw this.#refused(status, this.#before + consumed);
    this.#bytes.copyWithin(this.#input, this.#input + consumed, this.#input + this.#buffered);
    this.#buffered -= consumed;
    this.#before += consumed;
    return status === needInput;
  }

  /** Room for one step behind the output: by growing as far as is allowed, then by moving what is needed to the front. */
  #makeRoom(): void {
    const needed = this.#address(this.#end) + leastRoom;
    if (needed <= this.#memory.buffer.byteLength) return;
    const window = this.#window();
    // room for the window twice, so that it is not moved at every step
    const allowed = Math.min(
      memoryLimit,
      this.#base + (this.#options?.capacity ?? 0) + 2 * (window + stepLength),
    );
    const wanted = Math.min(allowed, this.#memory.buffer.byteLength + growth);
    if (needed <= wanted) {
      const pages = Math.ceil((wanted - this.#memory.buffer.byteLength) / pageLength);
      this.#memory.grow(pages);
      this.#bytes = new Uint8Array(this.#memory.buffer);
      return;
    }
    const keepFrom = Math.max(this.#origin, Math.min(this.#dropped, this.#end - window));
    const moved = keepFrom - this.#origin;
    if (needed - moved > this.#memory.buffer.byteLength) {
      throw new RangeError(
        `${this.#end - this.#dropped} bytes of output are held, and no more than ${this.#options?.capacity} may be; drop some before the next chunk`,
      );
    }
    this.#move(this.#address(keepFrom), this.#end - keepFrom);
    this.#origin = keepFrom;
  }

  #refused(status: number, position: number): Error {
    if (status === windowTooLarge) {
      const window = this.#window();
      const limit = this.#options?.windowLimit ?? defaultWindowLimit;
      return new CorruptLayerError(
        `the zstd frame at byte ${position} needs a window of ${window} bytes, and no more than ${limit} are given; compress it without --ultra or with a smaller --long`,
        { position, window, limit },
      );
    }
    const reason =
      reasons[status - firstReason] ??
      (status === needsDictionary ? 'it needs a dictionary' : this.#text(this.#reason()));
    return new CorruptLayerError(`its ${this.#format} data is damaged at byte ${position}: ${reason}`, {
      position,
    });
  }

  /** The C string at an address. */
  #text(address: number): string {
    return new TextDecoder().decode(this.#bytes.slice(address, this.#bytes.indexOf(0, address)));
  }
}
