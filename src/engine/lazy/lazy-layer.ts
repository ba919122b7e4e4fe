/**
 * A layer that is read before it is here: its index comes from its table of
 * contents, and each piece of content is fetched when it is touched, verified,
 * and kept in memory up to a size.
 */

import type { LayerIndex } from '../layer/layer-index.ts';
import { printableName } from '../names.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobRanges } from './blob-ranges.ts';
import { ChunkCache } from './chunk-cache.ts';
import { ChunkFetches } from './chunk-fetches.ts';
import { addressBase, type ChunkTable } from './chunk-table.ts';
import type { DecodeStart } from './decode-chunk.ts';
import { DecodedLength } from './decoded-length.ts';
import { FileAddresses } from './file-addresses.ts';
import type { Pace } from './pace.ts';
import type { TableOfContents } from './table-of-contents.ts';

export interface LazyLayerOptions {
  readonly table: TableOfContents;
  readonly ranges: BlobRanges;
  readonly decode: DecodeStart;
  /** In words, for errors: `layer sha256:0123... of busybox:latest`. */
  readonly what: string;
  /** Bytes of content to keep in memory. */
  readonly cacheLimit?: number;
  /** As ChunkFetches has them. */
  readonly pace?: Pick<Pace, 'begin' | 'end'>;
  readonly parallel?: number;
  readonly readAhead?: number;
}

const defaultCacheLimit = 32 << 20;

/** Chunks that are fetched before anybody wants them. */
const prefetchCount = 10_000;

export class LazyLayer {
  /** The offsets of its files are addresses within this layer, not places in its tar. */
  readonly index: LayerIndex;
  readonly #chunks: ChunkTable;
  readonly #prioritizedEnd: number | undefined;
  readonly #files: FileAddresses;
  readonly #cache: ChunkCache;
  readonly #fetches: ChunkFetches;
  readonly #controller = new AbortController();
  /** A bit for each chunk that was fetched. */
  readonly #delivered: Uint8Array;

  constructor(options: LazyLayerOptions) {
    const { table, ranges, decode, what, pace, parallel, readAhead } = options;
    this.index = table.index;
    this.#chunks = table.chunks;
    this.#prioritizedEnd = table.prioritizedEnd;
    this.#files = new FileAddresses(table.index);
    this.#delivered = new Uint8Array(Math.ceil(table.chunks.count / 8));
    this.#cache = new ChunkCache(options.cacheLimit ?? defaultCacheLimit);
    this.#fetches = new ChunkFetches({
      chunks: table.chunks,
      ranges,
      decode,
      describe: (address) => `${what}: ${JSON.stringify(printableName(this.pathAt(address)))}`,
      onChunk: (chunk, content) => {
        this.#cache.add(chunk, content);
        this.#delivered[chunk >> 3] = (this.#delivered[chunk >> 3] ?? 0) | (1 << (chunk & 7));
      },
      isHere: (chunk) => this.#cache.has(chunk),
      signal: this.#controller.signal,
      ...(pace !== undefined && { pace }),
      ...(parallel !== undefined && { parallel }),
      ...(readAhead !== undefined && { readAhead }),
    });
  }

  /** Compressed bytes that were fetched for reads. */
  get received(): number {
    return this.#fetches.received;
  }

  /** Bytes of content in memory. */
  get held(): number {
    return this.#cache.size;
  }

  /** True while a read waits for the network. */
  get isBusy(): boolean {
    return this.#fetches.isBusy;
  }

  /** The file whose content is at an address, with a leading slash. */
  pathAt(address: number): string {
    const file = this.#files.find(address);
    return file === undefined
      ? '(a file that another one of the layer replaced)'
      : `/${this.index.path(file.entry)}`;
  }

  /**
   * `length` bytes from an address: at once where they are in memory. The bytes
   * may be a view of the cache: whoever gets them must not change them.
   * Errors: those of ChunkFetches.fetch; RangeError outside of the layer; Cancelled once it is closed.
   */
  read(address: number, length: number): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    if (length === 0) return new Uint8Array(0);
    const chunks = this.#chunks;
    if (!(address >= addressBase && length >= 0 && address + length <= addressBase + chunks.size)) {
      throw new RangeError(`cannot read ${length} bytes from ${address} of ${this.index.diffID}`);
    }
    const first = chunks.find(address);
    const last = chunks.find(address + length - 1);
    const contents = new Map<number, Uint8Array<ArrayBuffer>>();
    const missing: number[] = [];
    for (let chunk = first; chunk <= last; chunk++) {
      if (!chunks.isStored(chunk)) continue;
      const content = this.#cache.get(chunk);
      if (content === undefined) missing.push(chunk);
      else contents.set(chunk, content);
    }
    const put = () => joined(chunks, contents, address, length, first, last);
    if (missing.length === 0) return put();
    return this.#fetches.fetch(missing).then((fetched) => {
      missing.forEach((chunk, i) => {
        const content = fetched[i];
        if (content !== undefined) contents.set(chunk, content);
      });
      return put();
    });
  }

  /**
   * Fetches what the layer says is wanted first, as far as it fits into memory;
   * resolves when it is there. Errors as `read`.
   */
  async prefetch(): Promise<void> {
    const end = this.#prioritizedEnd;
    if (end === undefined) return;
    const wanted: number[] = [];
    let size = 0;
    const cost = new DecodedLength(this.#chunks);
    for (let chunk = 0; chunk < this.#chunks.count && wanted.length < prefetchCount; chunk++) {
      if (!this.#chunks.isStored(chunk) || this.#chunks.offset(chunk) >= end) continue;
      size += this.#chunks.start(chunk + 1) - this.#chunks.start(chunk);
      cost.add(chunk);
      // a stream may hold a great deal that is not content
      if (size > this.#cache.limit || cost.total > 2 * this.#cache.limit) break;
      if (!this.#cache.has(chunk)) wanted.push(chunk);
    }
    await this.#fetches.fetch(wanted);
  }

  /** The chunks that were fetched so far. */
  *delivered(): Generator<{ readonly address: number; readonly size: number; readonly digest: Digest }> {
    const chunks = this.#chunks;
    for (let chunk = 0; chunk < chunks.count; chunk++) {
      if (((this.#delivered[chunk >> 3] ?? 0) & (1 << (chunk & 7))) === 0) continue;
      const address = chunks.start(chunk);
      yield { address, size: chunks.start(chunk + 1) - address, digest: chunks.digest(chunk) };
    }
  }

  /** Nobody will read it any more; what is under way may end. */
  retire(): void {
    this.#cache.clear();
  }

  /** Ends what is under way and lets go of the memory. */
  close(): void {
    this.#controller.abort(new Error('the layer was closed'));
    this.#cache.clear();
  }
}

/** The bytes from `address` on, cut from the chunks `first` to `last`; what no content is given for is zeros. */
function joined(
  chunks: ChunkTable,
  contents: ReadonlyMap<number, Uint8Array<ArrayBuffer>>,
  address: number,
  length: number,
  first: number,
  last: number,
): Uint8Array<ArrayBuffer> {
  const only = first === last ? contents.get(first) : undefined;
  if (only !== undefined)
    return only.subarray(address - chunks.start(first), address - chunks.start(first) + length);
  const bytes = new Uint8Array(length);
  for (const [chunk, content] of contents) {
    const at = chunks.start(chunk) - address;
    const from = Math.max(0, -at);
    bytes.set(content.subarray(from, Math.max(from, length - at)), at + from);
  }
  return bytes;
}
