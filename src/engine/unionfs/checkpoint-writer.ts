/**
 * Writes a checkpoint a little at a time while operations go on: the state as it was when it began. What an operation
 * is about to change, and is not written yet, is written before its record. So the log has the checkpoint's records
 * among those of operations, and whoever reads it applies these after the checkpoint's last.
 */

import { batches, identityOf, inodeRecords } from './checkpoint.ts';
import type { Log } from './log.ts';
import type { UpperRecord } from './records.ts';
import type { Segment } from './segment.ts';
import type { Upper } from './upper.ts';

export class CheckpointWriter {
  readonly #upper: Upper;
  readonly #log: Log;
  readonly #start: Segment;
  /** Inode numbers of which all is written, or will be by `#current`. */
  readonly #written = new Set<number>();
  #bytes = 0;
  #current: { readonly ino: number; readonly records: Generator<UpperRecord> } | undefined;

  /** Begins: from here on each operation's record must come to `before`, before it is in the log. */
  constructor(upper: Upper, log: Log) {
    this.#upper = upper;
    this.#log = log;
    this.#start = log.oldestPending();
    const { nextIno, version, files } = upper;
    this.#append({ kind: 'checkpoint', ...identityOf(upper.stack), nextIno, version, files });
  }

  /** Bytes of its records so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Writes what the record changes, as it is. */
  before(record: UpperRecord): void {
    for (const ino of changedBy(this.#upper, record)) this.#save(ino);
  }

  #save(ino: number): void {
    if (this.#current?.ino === ino) this.#appendAll(this.#current.records);
    if (this.#written.has(ino)) return;
    this.#written.add(ino);
    this.#appendAll(inodeRecords(this.#upper, [ino]));
  }

  #appendAll(records: Generator<UpperRecord>): void {
    for (const record of records) this.#append(record);
  }

  #append(record: UpperRecord): void {
    const before = this.#log.storedBytes + this.#log.pendingBytes;
    this.#log.append(record);
    this.#bytes += this.#log.storedBytes + this.#log.pendingBytes - before;
  }

  /** Writes all that is left; yields after each record. */
  *rest(): Generator<undefined> {
    const { inodes, dentries, nlinks, ctimes, orphans } = this.#upper;
    for (const numbers of [inodes.keys(), dentries.keys()]) {
      for (const ino of numbers) {
        if (this.#written.has(ino)) continue;
        this.#written.add(ino);
        const records = inodeRecords(this.#upper, [ino]);
        this.#current = { ino, records };
        // not for...of: an operation may have taken the last of them meanwhile
        for (let next = records.next(); next.done !== true; next = records.next()) {
          this.#append(next.value);
          yield;
        }
        this.#current = undefined;
      }
    }
    // of the lower's inodes that are not copied up there is little to say: many in one record
    for (const numbers of [nlinks.keys(), ctimes.keys(), orphans.keys()]) {
      for (const inos of batches(this.#unwritten(numbers))) {
        this.#appendAll(inodeRecords(this.#upper, inos));
        yield;
      }
    }
  }

  *#unwritten(numbers: Iterable<number>): Generator<number> {
    for (const ino of numbers) {
      if (this.#written.has(ino)) continue;
      this.#written.add(ino);
      yield ino;
    }
  }

  /** Ends it, once `rest` is through. When that is durable, replay starts where this began. */
  end(): void {
    this.#log.endCheckpoint(this.#start);
  }
}

/** The inodes of which a record of an operation changes something: themselves, their names, or what is in them. */
function changedBy(upper: Upper, record: UpperRecord): readonly number[] {
  const named = (directory: number, name: string) => {
    const ino = upper.lookup(directory, name);
    return ino === undefined ? [] : [ino];
  };
  switch (record.kind) {
    case 'create':
    case 'link':
      return [record.directory, record.ino];
    case 'remove':
      return [record.directory, ...named(record.directory, record.name)];
    case 'rename':
      return [
        record.from,
        record.to,
        ...named(record.from, record.name),
        ...named(record.to, record.newName),
      ];
    case 'forget':
    case 'write':
    case 'relocate':
    case 'setattr':
    case 'setxattr':
    case 'removexattr':
      return [record.ino];
    default:
      throw new TypeError(`a ${record.kind} record is of no operation`);
  }
}
