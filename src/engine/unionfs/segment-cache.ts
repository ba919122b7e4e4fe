/** Segments in memory: those read or written last, up to a number of bytes. What is pending stays whatever its size. */

import type { Journal } from '../store/journal.ts';
import { FsError } from './errno.ts';
import type { Segment } from './segment.ts';
import { readFrames, readHeader } from './segment-format.ts';

export class SegmentCache {
  readonly #journal: Journal;
  readonly #capacity: number;
  /** Oldest first. */
  readonly #kept = new Set<Segment>();
  readonly #loading = new Map<Segment, Promise<Uint8Array<ArrayBuffer>>>();
  #bytes = 0;

  constructor(journal: Journal, capacity: number) {
    this.#journal = journal;
    this.#capacity = capacity;
  }

  /** From now on the bytes may be let go, because the journal has them. */
  keep(segment: Segment, bytes: Uint8Array<ArrayBuffer>): void {
    segment.bytes = bytes;
    if (!this.#kept.has(segment)) this.#bytes += bytes.length;
    this.#kept.delete(segment);
    this.#kept.add(segment);
    for (const oldest of this.#kept) {
      if (this.#bytes <= this.#capacity || oldest === segment) break;
      this.drop(oldest);
    }
  }

  drop(segment: Segment): void {
    if (!this.#kept.delete(segment)) return;
    this.#bytes -= segment.bytes?.length ?? 0;
    segment.bytes = undefined;
  }

  /** The bytes of a segment, at once when they are in memory. Rejects with FsError EIO when they are lost or damaged. */
  load(segment: Segment): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    if (segment.bytes !== undefined) {
      if (this.#kept.delete(segment)) this.#kept.add(segment);
      return segment.bytes;
    }
    const running = this.#loading.get(segment);
    if (running !== undefined) return running;
    const loading = this.#read(segment).finally(() => this.#loading.delete(segment));
    this.#loading.set(segment, loading);
    return loading;
  }

  async #read(segment: Segment): Promise<Uint8Array<ArrayBuffer>> {
    const number = segment.number ?? -1;
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = await this.#journal.read(number);
    } catch (cause) {
      throw new FsError('EIO', `segment ${number} of the journal cannot be read`, { cause });
    }
    const header = readHeader(bytes);
    const damage = 'damage' in header ? header.damage : readFrames(bytes, header).damage;
    if (damage !== undefined)
      throw new FsError('EIO', `segment ${number} of the journal is damaged: ${damage}`);
    this.keep(segment, bytes);
    return bytes;
  }

  /** Resolves when nothing is being read: before segments are removed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#loading.values());
  }
}
