/**
 * The files of an archive of images, as its tar brings them: each goes into the content store, whatever its order, and
 * is found by its path. Nothing of the archive's paths ever becomes a path of a filesystem.
 */

import { detectCompression, signatureLength } from '../archive/compression.ts';
import { type TarEntry, TarReader } from '../archive/tar-reader.ts';
import { CancelledError, CorruptLayerError, UnsupportedMediaTypeError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { Digest } from '../oci/digest.ts';
import type { Lease } from '../store/leases.ts';
import { HashedBlob } from './hashed-blob.ts';
import type { ImageParts } from './image-parts.ts';
import { peekStart } from './ingest-source.ts';
import { unpackersOf } from './unpackers-of.ts';

/** Entries of one archive: many more than any image has layers. */
const ENTRIES = 20_000;
/** Links that lead to links. */
const LINKS = 8;
/** What an archive that was compressed may unpack to: as `largestTar` for a layer, of what has come so far. */
const RATIO = 200;
const ALWAYS = 4 * 2 ** 30;

export interface StoredFile {
  readonly digest: Digest;
  readonly size: number;
}

export class ArchiveFiles {
  readonly #files = new Map<string, StoredFile>();
  readonly #links = new Map<string, string>();

  get count(): number {
    return this.#files.size;
  }

  addFile(path: string, file: StoredFile): void {
    this.#links.delete(path);
    this.#files.set(path, file);
  }

  /** `target`: a path of the archive. */
  addLink(path: string, target: string): void {
    this.#files.delete(path);
    this.#links.set(path, target);
  }

  /** The file at a path, links followed inside of the archive; undefined when there is none. */
  find(path: string): StoredFile | undefined {
    let at = cleanPath(path);
    for (let links = 0; links <= LINKS && at !== undefined; links++) {
      const file = this.#files.get(at);
      if (file !== undefined) return file;
      at = this.#links.get(at);
    }
    return undefined;
  }
}

/** `a/b` of `./a//b/`; undefined for what leads out of the archive. */
export function cleanPath(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

/**
 * Stores the files of an archive, plain or compressed with gzip or zstd, kept by the lease. Errors: CorruptLayer for what is
 * no tar or is damaged, UnsupportedMediaType for other compressions, StorageFull, Cancelled. Nothing stays staged after one.
 */
export async function storeArchive(
  parts: ImageParts,
  source: AsyncIterable<Uint8Array<ArrayBuffer>>,
  lease: Lease,
  signal: AbortSignal,
): Promise<ArchiveFiles> {
  const files = new ArchiveFiles();
  const storing = new Storing(parts, lease, files);
  try {
    for await (const chunk of uncompressed(parts, source)) {
      if (signal.aborted) throw new CancelledError('the archive was not read to its end: it was cancelled');
      await storing.push(chunk);
    }
    await storing.end();
    return files;
  } catch (error) {
    await storing.abort();
    throw error;
  }
}

/** What the bytes decode to; each piece is good until the next is asked for. */
export async function* uncompressed(
  parts: Pick<ImageParts, 'unpackers'>,
  source: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const { start, chunks } = await peekStart(iterator, signatureLength);
    const format = detectCompression(start);
    if (format === 'none') {
      yield* chunks;
      return;
    }
    if (format !== 'gzip' && format !== 'zstd') {
      throw new UnsupportedMediaTypeError(
        `the archive is compressed with ${format}, and only gzip, zstd and plain tars can be unpacked here: unpack it first`,
        { compression: format },
      );
    }
    const unpackers = unpackersOf(parts);
    const unpacker = await unpackers.take();
    let taken = 0;
    try {
      unpacker.start({ format, capacity: 4 << 20 });
      for await (const chunk of chunks) {
        taken += chunk.length;
        for (const bytes of unpacker.push(chunk)) {
          yield bytes;
          unpacker.drop(unpacker.end);
          if (unpacker.end > Math.max(ALWAYS, RATIO * taken)) {
            throw new CorruptLayerError(
              `the archive unpacks to more than ${unpacker.end} bytes from ${taken}: no archive of files does`,
              { unpacked: unpacker.end, compressed: taken },
            );
          }
        }
      }
      unpacker.finish();
    } finally {
      unpackers.giveBack(unpacker);
    }
  } finally {
    await iterator.return?.();
  }
}

/** A file whose content is on its way. */
interface Open {
  readonly path: string;
  readonly blob: HashedBlob;
  end: number;
}

class Storing {
  readonly #parts: ImageParts;
  readonly #lease: Lease;
  readonly #files: ArchiveFiles;
  readonly #reader: TarReader;
  /** Seen in the current chunk, their content not looked at yet. */
  #seen: TarEntry[] = [];
  #open: Open | undefined;
  #position = 0;
  #entries = 0;

  constructor(parts: ImageParts, lease: Lease, files: ArchiveFiles) {
    this.#parts = parts;
    this.#lease = lease;
    this.#files = files;
    this.#reader = new TarReader((entry) => this.#seen.push(entry));
  }

  async push(chunk: Uint8Array): Promise<void> {
    this.#reader.push(chunk);
    const start = this.#position;
    this.#position += chunk.length;
    if (this.#open !== undefined) await this.#write(this.#open, chunk, start, start);
    const seen = this.#seen;
    this.#seen = [];
    for (const entry of seen) await this.#take(entry, chunk, start);
  }

  async end(): Promise<void> {
    this.#reader.end();
  }

  async abort(): Promise<void> {
    await this.#open?.blob.abort();
  }

  async #take(entry: TarEntry, chunk: Uint8Array, start: number): Promise<void> {
    this.#entries += 1;
    if (this.#entries > ENTRIES) {
      throw new CorruptLayerError(`the archive has more than ${ENTRIES} entries: no archive of images has`);
    }
    const path = cleanPath(entry.path);
    if (path === undefined || entry.path.startsWith('/')) {
      throw new CorruptLayerError(
        `the archive has an entry outside of itself: ${JSON.stringify(printableName(entry.path.slice(0, 300)))}`,
        { path: entry.path },
      );
    }
    if (entry.type === 'symlink' || entry.type === 'hardlink') {
      const folder = entry.type === 'symlink' ? `${path}/..` : '';
      const target = cleanPath(`${folder}/${entry.link ?? ''}`);
      if (target !== undefined) this.#files.addLink(path, target);
      return;
    }
    if (entry.type === 'dir') return;
    if (entry.type !== 'file' || entry.extents !== undefined) {
      throw new CorruptLayerError(
        `the archive has a ${entry.type === 'file' ? 'sparse file' : entry.type} in it: ${JSON.stringify(printableName(path))}; an archive of images has plain files alone`,
        { path },
      );
    }
    const id = `${this.#lease.id}-file`;
    const blob = await HashedBlob.open(this.#parts.content, unpackersOf(this.#parts), id);
    this.#open = { path, blob, end: entry.offset + entry.size };
    await this.#write(this.#open, chunk, start, entry.offset);
  }

  /** Takes what the chunk, which starts at `start` of the tar, has of the file from `from` on. */
  async #write(open: Open, chunk: Uint8Array, start: number, from: number): Promise<void> {
    const to = Math.min(open.end, start + chunk.length);
    if (to > from) await open.blob.write(chunk.subarray(from - start, to - start));
    if (to < open.end) return;
    this.#open = undefined;
    const digest = await open.blob.finish();
    await this.#lease.extend({ content: [digest] });
    await open.blob.commit(digest);
    this.#files.addFile(open.path, { digest, size: open.blob.size });
  }
}
