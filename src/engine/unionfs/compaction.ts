/**
 * Compaction: bounds the number of segments and gives back what is dead in
 * them. What still lives in small or mostly dead segments is written again at
 * the end of the log, then a checkpoint; once both are durable, what lies
 * before the checkpoint and holds nothing alive is removed. Killed at any
 * moment, the journal is one that replays to the same tree.
 */

import { checkpointRecords } from './checkpoint.ts';
import type { Inode } from './inode.ts';
import type { Log } from './log.ts';
import type { Segment } from './segment.ts';
import type { SegmentCache } from './segment-cache.ts';
import type { Upper } from './upper.ts';

export interface CompactionOptions {
  readonly upper: Upper;
  readonly log: Log;
  readonly cache: SegmentCache;
  readonly segmentBytes: number;
}

/** Small segments that may gather before they are merged. */
const SMALL_SEGMENTS = 32;
/** Dead bytes that are not worth the work. */
const DEAD_BYTES = 4 * 1024 * 1024;

export class Compaction {
  readonly #options: CompactionOptions;
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Dead bytes that the last run left. */
  #residue = 0;
  /** Grows with the size of a checkpoint, so that checkpoints stay a small part of what is written. */
  #smallSegments = SMALL_SEGMENTS;

  constructor(options: CompactionOptions) {
    this.#options = options;
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
    const { log, cache } = this.#options;
    // so that what is pending lies before the checkpoint, and need not be replayed
    await log.flush();
    const candidates = new Set(log.segments);
    const residents = this.#residents(
      log.segments.filter((segment) => this.#isSmall(segment) || segment.live < segment.size / 2),
    );
    for (const [segment, inodes] of residents) {
      if (this.#stopped) return;
      this.#relocate(segment, await cache.load(segment), inodes);
      await log.ready();
    }
    if (this.#stopped) return;
    this.checkpoint();
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
      for (const inodes of this.#residents([torn]).values()) this.#relocate(torn, torn.bytes, inodes);
    }
    this.checkpoint();
    await log.flush();
    if (torn !== undefined) torn.bytes = undefined;
    await log.remove(new Set([...before].filter((segment) => segment.live === 0)));
  }

  /** The inodes with content in each of these segments: it can only become less. */
  #residents(segments: readonly Segment[]): Map<Segment, Inode[]> {
    const residents = new Map<Segment, Inode[]>();
    for (const segment of segments) if (segment.live > 0) residents.set(segment, []);
    for (const inode of this.#options.upper.inodes.values()) {
      for (const { home } of inode.extents?.all ?? []) {
        const inodes = home === undefined ? undefined : residents.get(home);
        if (inodes !== undefined && inodes.at(-1) !== inode) inodes.push(inode);
      }
    }
    return residents;
  }

  #relocate(segment: Segment, bytes: Uint8Array<ArrayBuffer>, inodes: readonly Inode[]): void {
    for (const { ino, extents } of inodes) {
      for (const { start, end, at } of extents?.all.filter((extent) => extent.home === segment) ?? []) {
        const content = bytes.subarray(at, at + end - start);
        const place = this.#options.log.append({ kind: 'relocate', ino, offset: start }, content);
        extents?.put(start, end, place.home, place.at);
      }
    }
  }

  /** Puts the whole state into the log, at this instant. */
  checkpoint(): void {
    const { log, upper } = this.#options;
    const start = log.oldestPending();
    const before = log.storedBytes + log.pendingBytes;
    let last = start;
    for (const record of checkpointRecords(upper)) last = log.append(record).home;
    log.checkpointed(start, last);
    const written = log.storedBytes + log.pendingBytes - before;
    this.#smallSegments = SMALL_SEGMENTS + Math.floor(written / (32 * 1024));
  }

  /** Resolves when the run under way has ended; none does anything after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    // whoever started it was told how it ended
    await Promise.allSettled([this.#running]);
  }
}
