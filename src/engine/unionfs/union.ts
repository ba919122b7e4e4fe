/**
 * The union filesystem: read-only lowers, one upper that takes every change
 * and is durable in a journal. Over no lowers it is a plain filesystem, as a
 * volume or the host's home is.
 *
 *     const union = await openUnion({ lowers, journal, now });
 *     const etc = union.lookup(union.root, 'etc');
 *     union.create(etc, 'motd', 0o644, { uid: 0, gid: 0 });
 *     await union.flush();
 */

import type { LayerIndex } from '../layer/layer-index.ts';
import { type StackIndex, stackLayers } from '../layer/stack.ts';
import type { DiffID } from '../oci/digest.ts';
import type { Journal } from '../store/journal.ts';
import { changesOf, type FileChange } from './changes.ts';
import { Compaction } from './compaction.ts';
import { ContentReader } from './content-reader.ts';
import type { FileSystem, FileType } from './filesystem.ts';
import { Log, type Schedule } from './log.ts';
import type { Lower } from './lower.ts';
import { replay } from './replay.ts';
import { SegmentCache } from './segment-cache.ts';
import { type Pause, Slices } from './slices.ts';
import { snapshotOf } from './snapshot.ts';
import { UnionFileSystem } from './union-filesystem.ts';
import type { Upper } from './upper.ts';
import { usedBytesOf } from './usage.ts';

export type { FileChange } from './changes.ts';
export type { Lower } from './lower.ts';

export interface CopyUp {
  /** Absolute; of a file with several names one of them. */
  readonly path: string;
  readonly ino: number;
  readonly type: FileType;
  /** The layer that it was in; -1 and undefined for the root of no layers. */
  readonly layer: number;
  readonly diffID: DiffID | undefined;
}

export interface UnionLimits {
  /** Bytes that the upper may store, and no more than its journal has room for; a write beyond gives ENOSPC. Default 8 GiB. */
  readonly capacity?: number | (() => number);
  /** Bytes not yet durable above which `ready` makes writers wait. Default 16 MB. */
  readonly pendingBytes?: number;
  /** Bytes after which a segment is sealed. Default 1 MB. */
  readonly segmentBytes?: number;
  /** Bytes of durable segments kept in memory. Default 16 MB. */
  readonly cacheBytes?: number;
  /** Milliseconds from a change to the flush that comes by itself. Default 200. */
  readonly flushDelay?: number;
  /** Records or kilobytes of content that a compaction writes between two pauses. Default 1024. */
  readonly slice?: number;
}

export interface UnionOptions {
  /** Bottom first. */
  readonly lowers: readonly Lower[];
  /** `stackLayers` of the lowers' indexes, when it is at hand. */
  readonly stack?: StackIndex;
  /** The union's own from here on: `close` closes it, and so does a failure to open. */
  readonly journal: Journal;
  /** Nanoseconds since 1970. */
  readonly now: () => bigint;
  readonly onCopyUp?: (copyUp: CopyUp) => void;
  /** After each change of the tree or of a file. */
  readonly onChange?: () => void;
  readonly limits?: UnionLimits;
  /** Default: setTimeout. */
  readonly schedule?: Schedule;
  /** Between two slices of a compaction: resolves when others had their turn. Default: a setTimeout of nothing. */
  readonly pause?: Pause;
}

export interface Union extends FileSystem {
  readonly stack: StackIndex;
  /** What was lost when the journal was opened, in words; undefined when nothing was. */
  readonly damage: string | undefined;
  /** Grows with each change of the tree or of a file. */
  readonly version: number;
  /** Layer that an inode comes from as it is, or `upper` when it was made or changed here. */
  layerOf(ino: number): number | 'upper';
  /** What `docker diff` prints, in its order. */
  changes(): FileChange[];
  /** Size of what was made or changed, whole files as `docker ps --size` counts them. */
  usedBytes(): number;
  /** Bytes that the upper really takes in storage, what is pending included. */
  storedBytes(): number;
  /**
   * The upper as a layer: what changed, with whiteouts and opaque directories. `offset` of a file is its inode
   * number: its content is read through the union.
   */
  snapshot(diffID: DiffID): LayerIndex;
  /** Merges segments and removes what is dead, now. It happens by itself too. */
  compact(): Promise<void>;
  /** Flushes and closes the journal, which it closes even when the flush fails. Rejects as `flush` does. */
  close(): Promise<void>;
}

const MB = 1024 * 1024;

function scheduleByTimeout(callback: () => void, milliseconds: number): () => void {
  const timer = setTimeout(callback, milliseconds);
  return () => clearTimeout(timer);
}

/**
 * Opens the filesystem that the journal holds over these lowers; an empty journal is a new upper.
 * Throws StorageFailedError when the journal belongs to other lowers or cannot be read, CorruptLayerError as stackLayers does.
 */
export async function openUnion(options: UnionOptions): Promise<Union> {
  try {
    return await openOver(options);
  } catch (error) {
    await options.journal.close();
    throw error;
  }
}

async function openOver(options: UnionOptions): Promise<Union> {
  const { lowers, journal, limits = {} } = options;
  const stack = options.stack ?? stackLayers(lowers.map((lower) => lower.index));
  const segmentBytes = limits.segmentBytes ?? MB;
  const cache = new SegmentCache(journal, limits.cacheBytes ?? 16 * MB);
  const { upper, segments, nextId, start, damage, torn } = await replay(journal, stack, cache);
  let compaction: Compaction | undefined;
  const log = new Log({
    journal,
    cache,
    schedule: options.schedule ?? scheduleByTimeout,
    segmentBytes,
    pendingBytes: limits.pendingBytes ?? 16 * MB,
    flushDelay: limits.flushDelay ?? 200,
    segments,
    nextId,
    start,
    onDurable: () => compaction?.consider(),
  });
  const pause = options.pause ?? (() => new Promise<void>((resolve) => void setTimeout(resolve, 0)));
  const slices = new Slices(pause, limits.slice);
  const isShort = () => journal.isShort ?? false;
  compaction = new Compaction({ upper, log, cache, segmentBytes, slices, isShort });
  if (damage !== undefined) await compaction.recover(torn);
  const union = new JournaledUnion(
    options,
    upper,
    log,
    compaction,
    new ContentReader(stack, lowers, cache),
    damage,
  );
  upper.onCopyUp = (inode) => {
    const layer = stack.layer(inode.ino - 1);
    const { ino, type } = inode;
    options.onCopyUp?.({ path: `/${upper.path(ino)}`, ino, type, layer, diffID: stack.diffIDs[layer] });
  };
  return union;
}

class JournaledUnion extends UnionFileSystem implements Union {
  readonly damage: string | undefined;
  readonly #journal: Journal;
  readonly #log: Log;
  readonly #upper: Upper;
  readonly #compaction: Compaction;

  constructor(
    options: UnionOptions,
    upper: Upper,
    log: Log,
    compaction: Compaction,
    content: ContentReader,
    damage: string | undefined,
  ) {
    const limit = options.limits?.capacity ?? 8 * 1024 * MB;
    const { journal } = options;
    const capacity = () =>
      Math.min(
        typeof limit === 'number' ? limit : limit(),
        log.storedBytes + (journal.room ?? Number.POSITIVE_INFINITY),
      );
    super({
      upper,
      log,
      content,
      now: options.now,
      beforeChange: (record) => compaction.before(record),
      onChange: options.onChange,
      capacity,
      isShort: () => journal.isShort ?? false,
      pendingBytes: options.limits?.pendingBytes ?? 16 * MB,
    });
    this.#journal = options.journal;
    this.#upper = upper;
    this.#log = log;
    this.#compaction = compaction;
    this.damage = damage;
  }

  get stack(): StackIndex {
    return this.#upper.stack;
  }

  get version(): number {
    return this.#upper.version;
  }

  layerOf(ino: number): number | 'upper' {
    return this.#upper.inodes.has(ino) ? 'upper' : this.#upper.stack.layer(ino - 1);
  }

  changes(): FileChange[] {
    return changesOf(this.#upper);
  }

  usedBytes(): number {
    return usedBytesOf(this.#upper);
  }

  storedBytes(): number {
    return this.#log.storedBytes + this.#log.pendingBytes;
  }

  snapshot(diffID: DiffID): LayerIndex {
    return snapshotOf(this.#upper, diffID);
  }

  async compact(): Promise<void> {
    await this.#compaction.run();
  }

  async close(): Promise<void> {
    try {
      await this.#compaction.stop();
      await this.#log.close();
    } finally {
      await this.#journal.close();
    }
  }
}
