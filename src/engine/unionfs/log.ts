/**
 * The log: records go into the segment that is being filled; full or flushed
 * segments are appended to the journal one after the other, in order. What the
 * journal does not take stays here and is offered again.
 *
 * Flushes come by themselves: `flushDelay` after the first record that is not
 * durable, at once when a segment is full.
 */

import { StorageFailedError, StorageFullError } from '../errors.ts';
import type { Journal } from '../store/journal.ts';
import type { Content } from './apply.ts';
import { FsError } from './errno.ts';
import type { UpperRecord } from './records.ts';
import { Segment } from './segment.ts';
import { SegmentBuffer } from './segment-buffer.ts';
import type { SegmentCache } from './segment-cache.ts';
import { HEADER_LENGTH } from './segment-format.ts';

/** Calls back after so many milliseconds; the function that comes back prevents it. */
export type Schedule = (callback: () => void, milliseconds: number) => () => void;

export interface LogOptions {
  readonly journal: Journal;
  readonly cache: SegmentCache;
  readonly schedule: Schedule;
  /** Bytes after which a segment is closed; one record more may be in it. */
  readonly segmentBytes: number;
  /** Pending bytes above which `ready` makes writers wait. */
  readonly pendingBytes: number;
  readonly flushDelay: number;
  /** What comes from replay: the segments there are, the next free ID, where replay starts. */
  readonly segments: readonly Segment[];
  readonly nextId: number;
  readonly start: number;
  /** After segments became durable. */
  readonly onDurable: () => void;
}

interface Pending {
  readonly buffer: SegmentBuffer;
  readonly position: number;
}

interface Waiter {
  readonly position: number;
  readonly resolve: () => void;
  readonly reject: (error: FsError) => void;
}

/** How much later a failed append is tried again by itself, as a multiple of the flush delay. */
const RETRY_AFTER = 10;

export class Log {
  readonly #options: LogOptions;
  /** Durable ones, in order. */
  readonly #segments: Segment[];
  #stored: number;
  #open: SegmentBuffer | undefined;
  readonly #queue: Pending[] = [];
  #queuedBytes = 0;
  #nextId: number;
  #enqueued = 0;
  #durable = 0;
  #waiters: Waiter[] = [];
  #readyWaiters: (() => void)[] = [];
  #draining = false;
  #cancelTimer: (() => void) | undefined;
  #failure: FsError | undefined;
  #start: number;
  #checkpoint: { readonly start: Segment; readonly end: Segment } | undefined;
  #closed = false;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#segments = [...options.segments];
    this.#stored = this.#segments.reduce((sum, segment) => sum + segment.size, 0);
    this.#nextId = options.nextId;
    this.#start = options.start;
  }

  /** Durable segments, oldest first. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Journal number of the segment where replay starts now. */
  get start(): number {
    return this.#start;
  }

  get storedBytes(): number {
    return this.#stored;
  }

  get pendingBytes(): number {
    return this.#queuedBytes + (this.#open?.length ?? 0);
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0 && this.#queue.length === 0 && this.#open === undefined;
  }

  /** Why the last append failed; undefined once one succeeded. */
  get failure(): FsError | undefined {
    return this.#failure;
  }

  /** The oldest segment that the journal has not acknowledged, or the one that the next record opens. */
  oldestPending(): Segment {
    return this.#queue[0]?.buffer.segment ?? this.#opened().segment;
  }

  append(record: UpperRecord, content?: Uint8Array): Content {
    if (this.#closed) throw new FsError('EIO', 'the filesystem is closed');
    const buffer = this.#opened();
    const at = buffer.append(record, content);
    if (buffer.length >= this.#options.segmentBytes) {
      this.#enqueue();
      this.#drain();
    } else this.#schedule(this.#options.flushDelay);
    return { home: buffer.segment, at, length: content?.length ?? 0 };
  }

  /** Appends the last record of a checkpoint: once it is durable, replay starts at `start`. */
  endCheckpoint(start: Segment): void {
    // before it is appended: what fills the segment is under way to the journal when `append` returns
    this.#checkpoint = { start, end: this.#opened().segment };
    this.append({ kind: 'checkpoint-end' });
  }

  #opened(): SegmentBuffer {
    if (this.#open === undefined) {
      this.#open = new SegmentBuffer(new Segment(this.#nextId, undefined, HEADER_LENGTH));
      this.#nextId += 1;
    }
    return this.#open;
  }

  #enqueue(): void {
    const buffer = this.#open;
    if (buffer === undefined || buffer.length === HEADER_LENGTH) return;
    this.#enqueued += 1;
    this.#queue.push({ buffer, position: this.#enqueued });
    this.#queuedBytes += buffer.length;
    this.#open = undefined;
  }

  #schedule(delay: number): void {
    if (this.#cancelTimer !== undefined || this.#closed) return;
    this.#cancelTimer = this.#options.schedule(() => {
      this.#cancelTimer = undefined;
      this.#enqueue();
      this.#drain();
    }, delay);
  }

  #unschedule(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** Resolves when all records so far are durable. Rejects with FsError ENOSPC or EIO; they stay pending. */
  flush(): Promise<void> {
    this.#enqueue();
    this.#unschedule();
    const position = this.#enqueued;
    if (position <= this.#durable) return Promise.resolve();
    const flushed = new Promise<void>((resolve, reject) => {
      this.#waiters.push({ position, resolve, reject });
    });
    this.#drain();
    return flushed;
  }

  /** Resolves when there is room for more, or when waiting would not help; undefined: go on. */
  ready(): Promise<void> | undefined {
    if (this.pendingBytes < this.#options.pendingBytes || this.#failure !== undefined) return undefined;
    const ready = new Promise<void>((resolve) => {
      this.#readyWaiters.push(resolve);
    });
    this.#enqueue();
    this.#drain();
    return ready;
  }

  #drain(): void {
    if (!this.#draining) void this.#appendAll();
  }

  /** Never rejects: those who wait for a flush are told. Not draining any more the moment they are. */
  async #appendAll(): Promise<void> {
    this.#draining = true;
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      try {
        await this.#store(first.buffer);
      } catch (cause) {
        this.#draining = false;
        this.#fail(cause);
        return;
      }
      this.#queue.shift();
      this.#queuedBytes -= first.buffer.length;
      this.#durable = first.position;
      this.#failure = undefined;
      this.#settle();
      this.#options.onDurable();
    }
    this.#draining = false;
  }

  async #store(buffer: SegmentBuffer): Promise<void> {
    const { journal, cache } = this.#options;
    const { segment } = buffer;
    const number = journal.next;
    const ends = this.#checkpoint?.end === segment ? this.#checkpoint : undefined;
    const start = ends === undefined ? this.#start : (ends.start.number ?? number);
    const bytes = buffer.seal(start);
    const given = await journal.append(bytes);
    if (given !== number && ends?.start === segment) {
      throw new StorageFailedError(`the journal gave segment ${number} the number ${given}`);
    }
    segment.number = given;
    this.#segments.push(segment);
    this.#stored += segment.size;
    this.#start = start;
    if (ends !== undefined) this.#checkpoint = undefined;
    cache.keep(segment, bytes);
  }

  #settle(): void {
    const waiting = this.#waiters;
    this.#waiters = waiting.filter((waiter) => waiter.position > this.#durable);
    for (const waiter of waiting) if (waiter.position <= this.#durable) waiter.resolve();
    if (this.pendingBytes < this.#options.pendingBytes) this.#wakeReady();
  }

  #wakeReady(): void {
    const waiting = this.#readyWaiters;
    this.#readyWaiters = [];
    for (const resolve of waiting) resolve();
  }

  #fail(cause: unknown): void {
    const failure =
      cause instanceof StorageFullError
        ? new FsError('ENOSPC', 'the storage is full', { cause })
        : new FsError('EIO', 'the journal cannot be written', { cause });
    this.#failure = failure;
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) waiter.reject(failure);
    this.#wakeReady();
    this.#schedule(this.#options.flushDelay * RETRY_AFTER);
  }

  /** Takes out of the journal what nothing needs any more. */
  async remove(segments: ReadonlySet<Segment>): Promise<void> {
    const numbers: number[] = [];
    for (const segment of segments) if (segment.number !== undefined) numbers.push(segment.number);
    if (numbers.length === 0) return;
    await this.#options.journal.remove(numbers);
    const kept = this.#segments.filter((segment) => !segments.has(segment));
    this.#segments.splice(0, this.#segments.length, ...kept);
    for (const segment of segments) {
      this.#stored -= segment.size;
      this.#options.cache.drop(segment);
    }
  }

  /** Flushes and takes nothing more. Rejects as `flush` does. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      this.#closed = true;
      this.#unschedule();
    }
  }
}
