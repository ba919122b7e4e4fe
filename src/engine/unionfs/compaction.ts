/**
 * Compaction: bounds the number of segments and gives back what is dead in
 * them. What still lives in small or mostly dead segments is written again at
 * the end of the log, then a checkpoint; once both are durable, what lies
 * before the checkpoint and holds nothing alive is removed. Killed at any
 * moment, the journal is one that replays to the same tree. It works in slices
 * of a few milliseconds, and operations go on between them.
 */

import { CheckpointWriter } from './checkpoint-writer.ts';
import type { Inode } from './inode.ts';
import type { Log } from './log.ts';
import type { UpperRecord } from './records.ts';
import type { Segment } from './segment.ts';
import type { SegmentCache } from './segment-cache.ts';
import type { Slices } from './slices.ts';
import type { Upper } from './upper.ts';

export interface CompactionOptions {
  readonly upper: Upper;
  readonly log: Log;
  readonly cache: SegmentCache;
  readonly segmentBytes: number;
  readonly slices: Slices;
  /** Whether what room there is is for what was written already: nothing is written again then. */
  readonly isShort: () => boolean;
}

/** A piece of a file whose content lay in a segment when it was looked for. */
interface Resident {
  readonly inode: Inode;
  readonly start: number;
  readonly end: number;
}

/** Small segments that may gather before they are merged, at the least. */
const SMALL_SEGMENTS = 32;
/** What a journal writes for each segment that it has, with each flush: lightning-fs stores its tree whole. */
const BYTES_PER_SEGMENT = 64;
/** Dead bytes that are not worth the work. */
const DEAD_BYTES = 4 * 1024 * 1024;

export class Compaction {
  readonly #options: CompactionOptions;
  #checkpoint: CheckpointWriter | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Dead bytes that the last run left. */
  #residue = 0;
  /** Of the last checkpoint. */
  #checkpointBytes = 0;
  /**
   * Many of them cost each flush, few of them a checkpoint often: in between both cost the same. So it grows with the root
   * of a checkpoint's size.
   */
  #smallSegments = SMALL_SEGMENTS;

  constructor(options: CompactionOptions) {
    this.#options = options;
  }

  /** To be called with the record of each operation before it goes to the log. */
  before(record: UpperRecord): void {
    this.#checkpoint?.before(record);
  }

  #isSmall = (segment: Segment) => segment.size < this.#options.segmentBytes / 4;

  #deadBytes(): number {
    return this.#options.log.segments.reduce((sum, segment) => sum + segment.size - segment.live, 0);
  }

  #isDue(): boolean {
    const { segments, storedBytes } = this.#options.log;
    if (
      segments.length > this.#smallSegments &&
      segments.filter(this.#isSmall).length > this.#smallSegments
    ) {
      return true;
    }
    const dead = this.#deadBytes() - this.#residue;
    return dead > DEAD_BYTES && dead > storedBytes / 4;
  }

  /** Whether a run that writes nothing again gives back more than its checkpoint takes. */
  #isWorthItsCheckpoint(): boolean {
    const { segments } = this.#options.log;
    const gone = segments.reduce((sum, segment) => sum + (segment.live === 0 ? segment.size : 0), 0);
    // the last one is gone with the next
    return gone > 2 * this.#checkpointBytes;
  }

  /** Starts a run when there is enough to gain. */
  consider(): void {
    if (this.#running !== undefined || this.#stopped || !this.#isDue()) return;
    this.run().catch(() => {
      // nothing is lost: what the journal did not take stays pending, and the next flush gives the reason
      this.#residue = this.#deadBytes();
    });
  }

  /** One whole run, after the one under way. Rejects with FsError when the journal does not take it or a segment cannot be read. */
  run(): Promise<void> {
    const before = this.#running ?? Promise.resolve();
    const running = before.catch(() => undefined).then(() => this.#runOnce());
    this.#running = running;
    const ended = () => {
      if (this.#running === running) this.#running = undefined;
    };
    running.then(ended, ended);
    return running;
  }

  async #runOnce(): Promise<void> {
    const { log, cache, isShort } = this.#options;
    // so that what is pending lies before the checkpoint, and need not be replayed
    await log.flush();
    const candidates = new Set(log.segments);
    if (isShort() && !this.#isWorthItsCheckpoint()) return;
    const residents = await this.#residents(
      log.segments.filter((segment) => this.#isSmall(segment) || segment.live < segment.size / 2),
    );
    for (const [segment, pieces] of residents) {
      if (this.#stopped) return;
      if (isShort()) break;
      await this.#relocate(segment, await cache.load(segment), pieces);
      await log.ready();
    }
    if (this.#stopped || !(await this.#writeCheckpoint())) return;
    const dead = new Set<Segment>();
    for (const segment of candidates) if (segment.live === 0) dead.add(segment);
    await log.flush();
    // a read that began before the relocation may still be waiting for one of them
    await cache.settled();
    await log.remove(dead);
    this.#residue = this.#deadBytes();
  }

  /**
   * Leaves the damage of a journal behind: what a torn segment still holds moves to the end, and replay starts
   * there from now on. Rejects as `run` does.
   */
  async recover(torn: Segment | undefined): Promise<void> {
    const { log } = this.#options;
    const before = new Set(log.segments);
    if (torn?.bytes !== undefined) {
      for (const pieces of (await this.#residents([torn])).values()) {
        await this.#relocate(torn, torn.bytes, pieces);
      }
    }
    await this.#writeCheckpoint();
    await log.flush();
    if (torn !== undefined) torn.bytes = undefined;
    await log.remove(new Set([...before].filter((segment) => segment.live === 0)));
  }

  /** The pieces of files in each of these segments: they can only become less. */
  async #residents(segments: readonly Segment[]): Promise<Map<Segment, Resident[]>> {
    const residents = new Map<Segment, Resident[]>();
    for (const segment of segments) if (segment.live > 0) residents.set(segment, []);
    for (const inode of this.#options.upper.inodes.values()) {
      const { all } = inode.extents ?? { all: [] };
      for (const { home, start, end } of all) {
        if (home !== undefined) residents.get(home)?.push({ inode, start, end });
      }
      // to look at an extent is a small part of the work of a record
      const pause = this.#options.slices.spend((1 + all.length) / 16);
      if (pause !== undefined) await pause;
    }
    return residents;
  }

  async #relocate(
    segment: Segment,
    bytes: Uint8Array<ArrayBuffer>,
    pieces: readonly Resident[],
  ): Promise<void> {
    for (const { inode, start: first, end: last } of pieces) {
      const { ino, extents } = inode;
      // what was there may have been written over, cut or given up since it was looked for
      for (const extent of extents?.overlapping(first, last) ?? []) {
        if (extent.home !== segment) continue;
        const start = Math.max(first, extent.start);
        const end = Math.min(last, extent.end);
        const at = extent.at + (start - extent.start);
        const content = bytes.subarray(at, at + end - start);
        const place = this.#options.log.append({ kind: 'relocate', ino, offset: start }, content);
        extents?.put(start, end, place.home, place.at);
      }
      const pause = this.#options.slices.spend(1 + (last - first) / 1024);
      if (pause === undefined) continue;
      await pause;
      if (this.#stopped) return;
    }
  }

  /** Puts the whole state into the log, as it is now. False when it was stopped before the end. */
  async #writeCheckpoint(): Promise<boolean> {
    const { log, upper } = this.#options;
    const writer = new CheckpointWriter(upper, log);
    this.#checkpoint = writer;
    try {
      for (const _ of writer.rest()) {
        const pause = this.#options.slices.spend(1);
        if (pause === undefined) continue;
        await pause;
        await log.ready();
        if (this.#stopped) return false;
      }
      writer.end();
    } finally {
      this.#checkpoint = undefined;
    }
    this.#checkpointBytes = writer.bytes;
    this.#smallSegments = SMALL_SEGMENTS + Math.floor(Math.sqrt(writer.bytes / BYTES_PER_SEGMENT));
    return true;
  }

  /** Resolves when the run under way has ended; none does anything after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    // whoever started it was told how it ended
    await Promise.allSettled([this.#running]);
  }
}
