/**
 * A checkpoint: the whole state of an upper as records, so that replay can
 * start there. checkpoint-writer.ts writes it, with operations going on; it is read into an
 * upper of its own that takes over only when its last record is there, and takes those operations then.
 */

import { StorageFailedError } from '../errors.ts';
import type { StackIndex } from '../layer/stack.ts';
import { apply, type Content } from './apply.ts';
import { type Extent, Extents } from './extents.ts';
import type { Inode } from './inode.ts';
import { lowerExtents } from './lower-extents.ts';
import type { ExtentRecord, HomeReference, Identity, UpperRecord } from './records.ts';
import { Segment } from './segment.ts';
import { Upper } from './upper.ts';

/** A record holds so many names or extents, so that no segment grows much beyond its length. */
const ITEMS = 2048;

export function identityOf(stack: StackIndex): Identity {
  return { count: stack.count, diffIDs: stack.diffIDs };
}

/** Throws StorageFailedError when the journal was written over other layers: its inode numbers mean nothing here. */
export function checkIdentity(stack: StackIndex, written: Identity): void {
  const { count, diffIDs } = stack;
  const same =
    written.count === count &&
    written.diffIDs.length === diffIDs.length &&
    written.diffIDs.every((diffID, layer) => diffID === diffIDs[layer]);
  if (same) return;
  throw new StorageFailedError(
    `the journal was written over ${written.diffIDs.length} layers with ${written.count} entries (${written.diffIDs.join(', ')}), ` +
      `not over these ${diffIDs.length} with ${count} (${diffIDs.join(', ')}); open it over the layers it belongs to`,
    { written: written.diffIDs, opened: diffIDs },
  );
}

/** As many at a time as one record holds. */
export function* batches<T>(items: Iterable<T>): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length === ITEMS) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function homeOf(segment: Segment | undefined): HomeReference {
  if (segment === undefined) return { kind: 'lower' };
  return segment.number === undefined
    ? { kind: 'id', value: segment.id }
    : { kind: 'number', value: segment.number };
}

function extentRecord({ start, end, home, at }: Extent): ExtentRecord {
  return { start, length: end - start, home: homeOf(home), at };
}

/** All that a checkpoint says of these inodes: attributes, extents, names in them, and of the lower's own what is left. */
export function* inodeRecords(upper: Upper, inos: readonly number[]): Generator<UpperRecord> {
  for (const ino of inos) {
    const inode = upper.inodes.get(ino);
    if (inode !== undefined) {
      yield { kind: 'inode', ...inode, link: inode.link ?? '', xattrs: [...(inode.xattrs ?? [])] };
      for (const extents of batches(inode.extents?.all ?? [])) {
        yield { kind: 'extents', ino, extents: extents.map(extentRecord) };
      }
    }
    const names = upper.dentries.get(ino);
    if (names === undefined) continue;
    for (const entries of batches(names)) yield { kind: 'dentries', directory: ino, entries };
  }
  const nlinks = presentIn(upper.nlinks, inos);
  if (nlinks.length > 0) yield { kind: 'nlinks', nlinks };
  const ctimes = presentIn(upper.ctimes, inos);
  if (ctimes.length > 0) yield { kind: 'ctimes', ctimes };
  const orphans = inos.filter((ino) => upper.orphans.has(ino));
  if (orphans.length > 0) yield { kind: 'orphans', inos: orphans };
}

function presentIn<T>(map: ReadonlyMap<number, T>, inos: readonly number[]): (readonly [number, T])[] {
  const present: (readonly [number, T])[] = [];
  for (const ino of inos) {
    const value = map.get(ino);
    if (value !== undefined) present.push([ino, value]);
  }
  return present;
}

export type FindSegment = (home: {
  readonly kind: 'number' | 'id';
  readonly value: number;
}) => Segment | undefined;

type CheckpointRecord = Extract<
  UpperRecord,
  { kind: 'inode' | 'extents' | 'dentries' | 'nlinks' | 'ctimes' | 'orphans' | 'checkpoint-end' }
>;

/** True for what lies between the beginning of a checkpoint and its end, and is no operation. */
export function isOfCheckpoint(record: UpperRecord): record is CheckpointRecord {
  switch (record.kind) {
    case 'inode':
    case 'extents':
    case 'dentries':
    case 'nlinks':
    case 'ctimes':
    case 'orphans':
    case 'checkpoint-end':
      return true;
    default:
      return false;
  }
}

/** The upper that the records of one checkpoint describe. */
export class CheckpointReader {
  readonly upper: Upper;
  readonly #find: FindSegment;
  readonly #operations: { readonly record: UpperRecord; readonly content: Content }[] = [];

  /** Throws StorageFailedError for a checkpoint over other layers. */
  constructor(stack: StackIndex, record: Extract<UpperRecord, { kind: 'checkpoint' }>, find: FindSegment) {
    checkIdentity(stack, record);
    this.upper = new Upper(stack);
    this.upper.nextIno = record.nextIno;
    this.upper.version = record.version;
    this.upper.files = record.files;
    this.#find = find;
  }

  /** An operation that happened while the checkpoint was written. */
  addOperation(record: UpperRecord, content: Content): void {
    this.#operations.push({ record, content });
  }

  /** True when the checkpoint is complete. */
  add(record: CheckpointRecord): boolean {
    const { upper } = this;
    switch (record.kind) {
      case 'inode':
        upper.inodes.set(record.ino, inodeOf(record, upper.version));
        return false;
      case 'extents':
        for (const extent of record.extents) this.#map(record.ino, extent);
        return false;
      case 'dentries': {
        const names = upper.dentries.get(record.directory) ?? new Map<string, number>();
        for (const [name, ino] of record.entries) names.set(name, ino);
        upper.dentries.set(record.directory, names);
        return false;
      }
      case 'nlinks':
        for (const [ino, nlink] of record.nlinks) upper.nlinks.set(ino, nlink);
        return false;
      case 'ctimes':
        for (const [ino, ctime] of record.ctimes) upper.ctimes.set(ino, ctime);
        return false;
      case 'orphans':
        for (const ino of record.inos) upper.orphans.add(ino);
        return false;
      case 'checkpoint-end':
        for (const { record: operation, content } of this.#operations) apply(upper, operation, content);
        return true;
    }
  }

  #map(ino: number, { start, length, home, at }: ExtentRecord): void {
    const extents = this.upper.inodes.get(ino)?.extents;
    if (home.kind === 'lower') {
      this.#mapLower(ino, start, start + length);
      return;
    }
    // a segment may be gone because a later record took these bytes away; if none did, reading them is an error
    const segment = this.#find(home) ?? new Segment(home.value, home.value, 0);
    extents?.put(start, start + length, segment, at);
  }

  /**
   * A piece that is still the lower's is where the lower says, not where it was when this was written:
   * a layer that was read before it had come whole had its content elsewhere.
   */
  #mapLower(ino: number, start: number, end: number): void {
    const { upper } = this;
    const number = upper.lower(ino);
    if (number === undefined)
      throw new StorageFailedError(
        `the journal has content of no lower file for inode ${ino}; it is damaged`,
      );
    const extents = upper.inodes.get(ino)?.extents;
    for (const piece of lowerExtents(upper.stack, number).overlapping(start, end)) {
      const from = Math.max(piece.start, start);
      extents?.put(from, Math.min(piece.end, end), undefined, piece.at + (from - piece.start));
    }
  }
}

function inodeOf(record: Extract<UpperRecord, { kind: 'inode' }>, version: number): Inode {
  const { kind: _, xattrs, link, ...fields } = record;
  return {
    ...fields,
    link: record.type === 'symlink' ? link : undefined,
    xattrs: xattrs.length > 0 ? new Map(xattrs) : undefined,
    extents: record.type === 'file' ? new Extents() : undefined,
    version,
  };
}
