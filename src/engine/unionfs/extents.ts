/**
 * Extents: where the bytes of a file are, to the byte. What no extent covers
 * is a hole. A copy-up makes one extent into the lower layer's tar; a write
 * puts its own over it; nothing is copied.
 */

import type { Segment } from './segment.ts';

export interface Extent {
  /** `[start, end)` in the file. */
  readonly start: number;
  readonly end: number;
  /** Undefined: in the tar of the lower layer that the inode comes from. */
  readonly home: Segment | undefined;
  /** Where `start` is found in its home. */
  readonly at: number;
}

export class Extents {
  /** In order, not overlapping. */
  readonly #list: Extent[] = [];
  #mapped = 0;

  /** Bytes that are no hole. */
  get mapped(): number {
    return this.#mapped;
  }

  get all(): readonly Extent[] {
    return this.#list;
  }

  /** Index of the first extent that ends after `offset`. */
  #search(offset: number): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const extent = this.#list[middle];
      if (extent !== undefined && extent.end <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #account(extent: Extent, sign: 1 | -1): void {
    const length = (extent.end - extent.start) * sign;
    this.#mapped += length;
    if (extent.home !== undefined) extent.home.live += length;
  }

  /** Those that overlap `[start, end)`, in order. */
  overlapping(start: number, end: number): readonly Extent[] {
    const found: Extent[] = [];
    for (let i = this.#search(start); i < this.#list.length; i++) {
      const extent = this.#list[i];
      if (extent === undefined || extent.start >= end) break;
      found.push(extent);
    }
    return found;
  }

  /** Maps `[start, end)` to `home` from `at` on, in place of what was there. */
  put(start: number, end: number, home: Segment | undefined, at: number): void {
    if (end <= start) return;
    this.punch(start, end);
    const index = this.#search(start);
    const before = this.#list[index - 1];
    this.#account({ start, end, home, at }, 1);
    if (before?.end === start && before.home === home && before.at + (start - before.start) === at) {
      this.#list[index - 1] = { start: before.start, end, home, at: before.at };
    } else {
      this.#list.splice(index, 0, { start, end, home, at });
    }
  }

  /** Makes `[start, end)` a hole. */
  punch(start: number, end: number): void {
    const first = this.#search(start);
    let last = first;
    const kept: Extent[] = [];
    for (; last < this.#list.length; last++) {
      const extent = this.#list[last];
      if (extent === undefined || extent.start >= end) break;
      this.#account(extent, -1);
      if (extent.start < start) kept.push({ ...extent, end: start });
      if (extent.end > end) kept.push({ ...extent, start: end, at: extent.at + (end - extent.start) });
    }
    if (last === first) return;
    for (const extent of kept) this.#account(extent, 1);
    this.#list.splice(first, last - first, ...kept);
  }

  truncate(size: number): void {
    this.punch(size, Number.POSITIVE_INFINITY);
  }
}
