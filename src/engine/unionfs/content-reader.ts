/** Reads content where it lies: in the lowers, in segments, in memory, or nowhere (holes). */

import type { StackIndex } from '../layer/stack.ts';
import { FsError } from './errno.ts';
import type { Extent, Extents } from './extents.ts';
import type { Inode } from './inode.ts';
import type { Lower } from './lower.ts';
import { lowerExtents } from './lower-extents.ts';
import type { SegmentCache } from './segment-cache.ts';

const NOTHING = new Uint8Array(0);

export class ContentReader {
  readonly #stack: StackIndex;
  readonly #lowers: readonly Lower[];
  readonly #cache: SegmentCache;
  /** The sparse file of the lowers that was read last: a program reads on where it was. */
  #sparse: { readonly number: number; readonly extents: Extents } | undefined;

  constructor(stack: StackIndex, lowers: readonly Lower[], cache: SegmentCache) {
    this.#stack = stack;
    this.#lowers = lowers;
    this.#cache = cache;
  }

  /** Of a file that is not copied up: at most `length` bytes. */
  readLower(number: number, offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    const wanted = Math.min(length, this.#stack.size(number) - offset);
    if (wanted <= 0) return NOTHING;
    if (this.#sparse?.number !== number) {
      if (this.#stack.extents(number) === undefined) {
        return this.#fromLower(number, this.#stack.offset(number) + offset, wanted);
      }
      this.#sparse = { number, extents: lowerExtents(this.#stack, number) };
    }
    return this.#readMapped(this.#sparse.extents, number, offset, wanted);
  }

  #fromLower(number: number, at: number, length: number): Uint8Array | Promise<Uint8Array> {
    const layer = this.#stack.layer(number);
    const lower = this.#lowers[layer];
    if (lower === undefined) throw new FsError('EIO', `layer ${layer} is not open`);
    const whole = (bytes: Uint8Array) => {
      if (bytes.length === length) return bytes;
      throw new FsError(
        'EIO',
        `layer ${lower.index.diffID} gave ${bytes.length} of ${length} bytes at ${at}`,
      );
    };
    const unreadable = (cause: unknown) =>
      cause instanceof FsError
        ? cause
        : new FsError('EIO', `layer ${lower.index.diffID} cannot be read`, { cause });
    try {
      const bytes = lower.read(at, length);
      if (bytes instanceof Uint8Array) return whole(bytes);
      return bytes.then(whole).catch((cause: unknown) => {
        throw unreadable(cause);
      });
    } catch (cause) {
      throw unreadable(cause);
    }
  }

  /** Of an inode of the upper: at most `length` bytes. */
  readUpper(inode: Inode, offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    const wanted = Math.min(length, inode.size - offset);
    if (wanted <= 0 || inode.extents === undefined) return NOTHING;
    return this.#readMapped(inode.extents, inode.ino - 1, offset, wanted);
  }

  /** `number`: of the file in the stack whose tar the extents without a home point into. */
  #readMapped(
    extents: Extents,
    number: number,
    offset: number,
    wanted: number,
  ): Uint8Array | Promise<Uint8Array> {
    const pieces = extents.overlapping(offset, offset + wanted);
    const [first] = pieces;
    if (first !== undefined && first.start <= offset && first.end >= offset + wanted) {
      return this.#piece(number, first, offset, offset + wanted);
    }
    const result = new Uint8Array(wanted);
    const waiting: Promise<void>[] = [];
    for (const piece of pieces) {
      const start = Math.max(piece.start, offset);
      const bytes = this.#piece(number, piece, start, Math.min(piece.end, offset + wanted));
      if (bytes instanceof Uint8Array) result.set(bytes, start - offset);
      else waiting.push(bytes.then((late) => result.set(late, start - offset)));
    }
    return waiting.length === 0 ? result : Promise.all(waiting).then(() => result);
  }

  #piece(number: number, extent: Extent, start: number, end: number): Uint8Array | Promise<Uint8Array> {
    const at = extent.at + (start - extent.start);
    const length = end - start;
    if (extent.home === undefined) return this.#fromLower(number, at, length);
    const bytes = this.#cache.load(extent.home);
    if (bytes instanceof Uint8Array) return bytes.subarray(at, at + length);
    return bytes.then((loaded) => loaded.subarray(at, at + length));
  }
}
