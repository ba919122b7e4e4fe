/**
 * The log of one container: what it wrote, line by line, with times. Lines are kept in chunks, each one record;
 * the last chunk is written again as it grows, at most once a second, and a full one never. When all chunks
 * together are above the cap, the oldest goes.
 */

import { joinBytes } from '../archive/join-bytes.ts';
import type { Change, RecordStore } from '../store/records.ts';
import { decodeEntries, encodeEntries, type LogEntry, storedSize } from './log-entry.ts';

/** Bytes of stored log per container; the oldest lines go first. */
export const LOG_CAP = 1024 * 1024;
const CHUNK = 64 * 1024;
/** A longer line is cut: the same measure as Docker's. */
const LINE_LIMIT = 16 * 1024;
const FLUSH_MS = 1000;
const LINE_FEED = 10;

interface Chunk {
  readonly number: number;
  readonly entries: LogEntry[];
  size: number;
  dirty: boolean;
}

export interface LogPorts {
  readonly records: RecordStore;
  readonly now: () => number;
  /** Told when a flush of its own failed: nobody waits for it. */
  readonly onFailure: (error: unknown) => void;
}

export class ContainerLog {
  readonly #ports: LogPorts;
  readonly #id: string;
  readonly #chunks: Chunk[];
  readonly #pending = { out: new Uint8Array(0), err: new Uint8Array(0) };
  readonly #dropped: number[] = [];
  #waiters: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<void> = Promise.resolve();
  /** Number of the first entry that is still kept, counted from the opening. */
  #first = 0;
  #ended = false;

  private constructor(ports: LogPorts, id: string, chunks: Chunk[]) {
    this.#ports = ports;
    this.#id = id;
    this.#chunks = chunks;
  }

  /** The log as it was left. StorageFailedError when what is stored is damaged. */
  static async open(ports: LogPorts, id: string): Promise<ContainerLog> {
    const records = await ports.records.list('logs', `${id}/`);
    const chunks = records.map(
      (record): Chunk => ({
        number: Number(record.id.slice(id.length + 1)),
        entries: decodeEntries(record.bytes),
        size: record.bytes.length,
        dirty: false,
      }),
    );
    return new ContainerLog(ports, id, chunks);
  }

  /** Takes what the program wrote; a line appears when it is whole. */
  write(stream: 'out' | 'err', bytes: Uint8Array): void {
    let rest = this.#pending[stream].length === 0 ? bytes : joinBytes([this.#pending[stream], bytes]);
    let added = false;
    for (let end = wholeLines(rest); end > 0; end = wholeLines(rest)) {
      this.#add(stream, rest.slice(0, end));
      rest = rest.subarray(end);
      added = true;
    }
    this.#pending[stream] = rest.slice();
    if (added) this.#wake();
  }

  /** The program has ended: what was no whole line is one now, followers come to their end, all is stored. */
  async end(): Promise<void> {
    for (const stream of ['out', 'err'] as const) {
      const pending = this.#pending[stream];
      if (pending.length > 0) this.#add(stream, pending);
      this.#pending[stream] = new Uint8Array(0);
    }
    this.#ended = true;
    this.#wake();
    await this.flush();
  }

  /** Resolves when all whole lines so far are stored. */
  flush(): Promise<void> {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    const flushed = this.#flushing.then(() => this.#store());
    this.#flushing = flushed.catch(() => undefined);
    return flushed;
  }

  /**
   * The lines, each an entry of its own: the last `tail` of those that are there, and with `follow` those to come,
   * until the program ends or the signal is aborted.
   */
  async *read(
    options: { tail?: number; follow?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<LogEntry> {
    const { follow = false, signal } = options;
    let { next, skip } = this.#start(options.tail);
    const stop = () => this.#wake();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      for (;;) {
        // a reader so slow that the cap was reached meanwhile goes on with the oldest that is kept
        if (next < this.#first) [next, skip] = [this.#first, 0];
        const entry = this.#entry(next);
        if (entry !== undefined) {
          next += 1;
          for (const line of linesOf(entry).slice(skip)) {
            if (signal?.aborted === true) return;
            yield line;
          }
          skip = 0;
          continue;
        }
        if (!follow || this.#ended || signal?.aborted === true) return;
        await new Promise<void>((resolve) => this.#waiters.push(resolve));
      }
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Where the last `tail` lines begin: an entry's number and how many of its lines come before. */
  #start(tail: number | undefined): { next: number; skip: number } {
    if (tail === undefined) return { next: this.#first, skip: 0 };
    let next = this.#first + this.#count();
    for (let wanted = tail; wanted > 0 && next > this.#first; ) {
      next -= 1;
      const entry = this.#entry(next);
      const lines = entry === undefined ? 0 : linesOf(entry).length;
      if (lines >= wanted) return { next, skip: lines - wanted };
      wanted -= lines;
    }
    return { next, skip: 0 };
  }

  #add(stream: 'out' | 'err', bytes: Uint8Array<ArrayBuffer>): void {
    const entry: LogEntry = { stream, at: this.#ports.now(), bytes };
    const size = storedSize(entry);
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.size + size > CHUNK) {
      chunk = { number: (chunk?.number ?? -1) + 1, entries: [], size: 0, dirty: true };
      this.#chunks.push(chunk);
      this.#dropOldest();
    }
    chunk.entries.push(entry);
    chunk.size += size;
    chunk.dirty = true;
    this.#timer ??= setTimeout(() => {
      this.flush().catch(this.#ports.onFailure);
    }, FLUSH_MS);
  }

  #dropOldest(): void {
    while (this.#chunks.length * CHUNK > LOG_CAP) {
      const oldest = this.#chunks.shift();
      if (oldest === undefined) return;
      this.#first += oldest.entries.length;
      this.#dropped.push(oldest.number);
    }
  }

  async #store(): Promise<void> {
    const changes: Change[] = this.#dropped.map((number) => ({
      kind: 'logs',
      delete: this.#recordID(number),
    }));
    const written = this.#chunks.filter((chunk) => chunk.dirty);
    for (const chunk of written) {
      changes.push({
        kind: 'logs',
        put: { id: this.#recordID(chunk.number), bytes: encodeEntries(chunk.entries) },
      });
      chunk.dirty = false;
    }
    if (changes.length === 0) return;
    this.#dropped.length = 0;
    try {
      await this.#ports.records.commit(changes);
    } catch (error) {
      for (const chunk of written) chunk.dirty = true;
      throw error;
    }
  }

  #recordID(number: number): string {
    return `${this.#id}/${String(number).padStart(12, '0')}`;
  }

  #count(): number {
    return this.#chunks.reduce((count, chunk) => count + chunk.entries.length, 0);
  }

  #entry(number: number): LogEntry | undefined {
    let index = number - this.#first;
    for (const chunk of this.#chunks) {
      if (index < chunk.entries.length) return chunk.entries[index];
      index -= chunk.entries.length;
    }
    return undefined;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

/** How many bytes from the start are whole lines, as many as fit one entry; a line above the limit is cut there. */
function wholeLines(bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  const end = bytes.lastIndexOf(LINE_FEED, LINE_LIMIT - 1) + 1;
  return end > 0 ? end : bytes.length >= LINE_LIMIT ? LINE_LIMIT : 0;
}

function linesOf(entry: LogEntry): LogEntry[] {
  const lines: LogEntry[] = [];
  for (let start = 0; start < entry.bytes.length; ) {
    const lineFeed = entry.bytes.indexOf(LINE_FEED, start);
    const end = lineFeed < 0 ? entry.bytes.length : lineFeed + 1;
    lines.push({ ...entry, bytes: entry.bytes.subarray(start, end) });
    start = end;
  }
  return lines;
}
