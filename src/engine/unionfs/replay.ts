/**
 * Opening: from the segments of a journal to the upper they describe. The last
 * segment says where replay starts. Where records are torn or damaged the
 * upper is as it was after the last whole one, and `damage` says so.
 */

import { StorageFailedError } from '../errors.ts';
import type { StackIndex } from '../layer/stack.ts';
import type { Journal } from '../store/journal.ts';
import { apply } from './apply.ts';
import { CheckpointReader, checkIdentity, isOfCheckpoint } from './checkpoint.ts';
import { decodeRecord, type UpperRecord } from './records.ts';
import { Segment } from './segment.ts';
import type { SegmentCache } from './segment-cache.ts';
import { readFrames, readHeader, START_AT_FIRST } from './segment-format.ts';
import { Upper } from './upper.ts';

export interface Replayed {
  readonly upper: Upper;
  readonly segments: readonly Segment[];
  readonly nextId: number;
  readonly start: number;
  /** What was lost, in words; undefined when all was whole. */
  readonly damage: string | undefined;
  /** The segment that is damaged but holds whole records, with its bytes: it cannot be loaded again. */
  readonly torn: Segment | undefined;
}

/**
 * The upper of a journal over these lowers. Throws StorageFailedError when the journal belongs to other lowers,
 * is none of an upper, or is damaged so that no state can be had from it.
 */
export async function replay(journal: Journal, stack: StackIndex, cache: SegmentCache): Promise<Replayed> {
  const segments = journal.segments.map(({ number, size }) => new Segment(-1, number, size));
  let damage: string | undefined;
  let lastId = 0;
  const tried = new Set<number>();
  for (const segment of segments.toReversed()) {
    const header = readHeader(await journal.read(segment.number ?? -1));
    if ('damage' in header) {
      damage ??= `segment ${segment.number}: ${header.damage}`;
      continue;
    }
    lastId = Math.max(lastId, header.id);
    if (tried.has(header.start)) continue;
    tried.add(header.start);
    const run = await replayFrom(header.start, journal, stack, segments, cache);
    if (run.upper === undefined) {
      damage ??= run.damage;
      continue;
    }
    forgetOrphans(run.upper);
    countLive(run.upper, segments);
    // an ID that a damaged segment may have had is not used again
    const nextId = Math.max(lastId, run.lastId) + segments.length + 1;
    return {
      upper: run.upper,
      segments,
      nextId,
      start: header.start,
      damage: damage ?? run.damage,
      torn: run.torn,
    };
  }
  const only = segments[0];
  if (only === undefined) return empty(stack, segments, undefined);
  if (segments.length === 1 && damage !== undefined && (await isTornStart(journal, only))) {
    return empty(stack, segments, damage);
  }
  throw new StorageFailedError(`the journal cannot be read: ${damage ?? 'it has no checkpoint'}`);
}

function empty(stack: StackIndex, segments: readonly Segment[], damage: string | undefined): Replayed {
  return { upper: new Upper(stack), segments, nextId: 1, start: START_AT_FIRST, damage, torn: undefined };
}

/** True for the very first segment cut within its header: nothing had been written before it. */
async function isTornStart(journal: Journal, segment: Segment): Promise<boolean> {
  const header = readHeader(await journal.read(segment.number ?? -1));
  return 'damage' in header && header.damage.startsWith('only ');
}

interface Run {
  /** Undefined when the checkpoint that replay starts from is not whole. */
  readonly upper: Upper | undefined;
  readonly lastId: number;
  readonly damage: string | undefined;
  readonly torn?: Segment;
}

async function replayFrom(
  start: number,
  journal: Journal,
  stack: StackIndex,
  segments: readonly Segment[],
  cache: SegmentCache,
): Promise<Run> {
  let upper = start === START_AT_FIRST ? new Upper(stack) : undefined;
  let reader: CheckpointReader | undefined;
  let lastId = 0;
  const byId = new Map<number, Segment>();
  const byNumber = new Map(segments.map((segment) => [segment.number, segment]));
  const step = (record: UpperRecord, home: Segment, at: number, length: number) => {
    if (record.kind === 'identity') checkIdentity(stack, record);
    else if (record.kind === 'checkpoint') {
      checkIdentity(stack, record);
      // one that was begun and given up is forgotten; where the state is known, none is needed
      if (upper === undefined) {
        reader = new CheckpointReader(stack, record, ({ kind, value }) =>
          kind === 'id' ? byId.get(value) : byNumber.get(value),
        );
      }
    } else if (isOfCheckpoint(record)) {
      if (reader?.add(record) !== true) return;
      upper = reader.upper;
      reader = undefined;
    } else if (reader !== undefined) reader.addOperation(record, { home, at, length });
    else if (upper !== undefined) apply(upper, record, { home, at, length });
  };
  for (const segment of segments) {
    const number = segment.number ?? -1;
    if (start !== START_AT_FIRST && number < start) continue;
    const bytes = await journal.read(number);
    const header = readHeader(bytes);
    if ('damage' in header) return { upper, lastId, damage: `segment ${number}: ${header.damage}` };
    lastId = Math.max(lastId, header.id);
    byId.set(header.id, segment);
    const frames = readFrames(bytes, header);
    for (const [from, end] of frames.payloads) {
      const { record, contentAt } = decode(bytes, from, end, number);
      step(record, segment, contentAt, end - contentAt);
    }
    if (frames.damage !== undefined) {
      segment.bytes = bytes;
      return { torn: segment, upper, lastId, damage: `segment ${number}: ${frames.damage}` };
    }
    cache.keep(segment, bytes);
  }
  const damage = upper === undefined ? 'the checkpoint that it starts from is not there' : undefined;
  return { upper, lastId, damage };
}

function decode(bytes: Uint8Array<ArrayBuffer>, start: number, end: number, number: number) {
  try {
    return decodeRecord(bytes, start, end);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new StorageFailedError(
      `segment ${number} of the journal has a record that this Layerbox cannot read: ${cause.message}`,
      { segment: number },
      { cause },
    );
  }
}

/** Nobody holds anything open when a filesystem is opened. */
function forgetOrphans(upper: Upper): void {
  for (const ino of [...upper.orphans]) upper.forget(ino);
}

/** Runs that were given up counted too: count what the upper points to, from nothing. */
function countLive(upper: Upper, segments: readonly Segment[]): void {
  for (const segment of segments) segment.live = 0;
  for (const inode of upper.inodes.values()) {
    for (const { start, end, home } of inode.extents?.all ?? []) {
      if (home !== undefined) home.live += end - start;
    }
  }
}
