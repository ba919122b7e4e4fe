/**
 * A table of contents read into the index of its layer and the table of its
 * chunks. Its digest has been verified: what is checked here is that it can be
 * believed. Entries that contradict themselves or their neighbours are refused by name.
 */

import type { TarEntry } from '../archive/tar-reader.ts';
import { CorruptLayerError } from '../errors.ts';
import type { LayerIndex } from '../layer/layer-index.ts';
import { LayerIndexBuilder } from '../layer/layer-index-builder.ts';
import { maxDepth, maxEntries } from '../layer/layer-limits.ts';
import { aufsLinkOf, checkSymlink, cleanLink, cleanPath, readLayerPath } from '../layer/layer-path.ts';
import type { NewEntry } from '../layer/new-entry.ts';
import { printableName } from '../names.ts';
import type { DiffID, Digest } from '../oci/digest.ts';
import { CannotBeLazy } from './cannot-be-lazy.ts';
import { type ChunkTable, ChunkTableBuilder, type NewChunk } from './chunk-table.ts';
import { type TocEntry, tocEntry, tocRefused } from './toc-entry.ts';

export interface TableOfContents {
  /** File offsets in it are addresses of `chunks`. */
  readonly index: LayerIndex;
  readonly chunks: ChunkTable;
  /**
   * Streams that start before this byte of the blob are wanted first: they come
   * before the prefetch landmark (docs/estargz.md, "Prioritized Files and Landmark Files").
   * Undefined when the layer does not say.
   */
  readonly prioritizedEnd: number | undefined;
}

export interface TocSource {
  readonly diffID: DiffID;
  /** Where in the blob the streams of content end. */
  readonly payloadEnd: number;
  /** The table itself, where it is a file of the tar: eStargz's `stargz.index.json`, which it does not list. */
  readonly ownEntry?: { readonly entry: TarEntry; readonly chunk: NewChunk };
}

/** A chunk is in memory whole, to be verified; what has larger ones is not worth starting early. */
export const chunkLimit = 32 << 20;

/**
 * What a read costs is in proportion to what is read, whatever a table says: besides the first and the last chunk that
 * it touches, a read unpacks at most twice what it returns, and so many neighbours have so many bytes at least. Writers put the
 * chunks of a file one after the other, and a stream that is opened for one begins with it.
 */
const crowd = 64;
const leastOfCrowd = 64 << 10;

/** Objects and lists in the JSON of a table: one takes three bytes there, and seventy in memory. */
const maxObjects = 2 * maxEntries;

const prefetchLandmark = '.prefetch.landmark';
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws CorruptLayerError naming the entry, and CannotBeLazy for what can only be told from the whole layer. */
export function readTableOfContents(json: Uint8Array, source: TocSource): TableOfContents {
  const reader = new TocReader(source);
  entriesOf(json).forEach((value, at) => {
    reader.add(tocEntry(value, at), at);
  });
  return reader.finish();
}

function entriesOf(json: Uint8Array): readonly unknown[] {
  requireFewObjects(json);
  let root: unknown;
  try {
    root = JSON.parse(utf8.decode(json));
  } catch (cause) {
    const reason = cause instanceof Error ? printableName(cause.message) : 'it cannot be read';
    throw new CorruptLayerError(`its table of contents is no JSON: ${reason}`, {}, { cause });
  }
  const fields = new Map<string, unknown>(
    Object.entries(typeof root === 'object' && root !== null ? root : {}),
  );
  const entries = fields.get('entries');
  if (fields.get('version') !== 1) throw new CannotBeLazy('its table of contents is of an unknown version');
  if (!Array.isArray(entries)) throw new CorruptLayerError('its table of contents has no list of entries');
  return entries;
}

function requireFewObjects(json: Uint8Array): void {
  if (json.length <= maxObjects) return;
  let objects = 0;
  // brackets in names count too: no table comes near the limit
  for (const byte of json) if (byte === 0x7b || byte === 0x5b) objects += 1;
  if (objects > maxObjects) {
    throw new CannotBeLazy(`its table of contents has more than ${maxObjects} objects and lists`);
  }
}

/** A file whose chunks are still coming. */
interface OpenFile {
  readonly entry: TocEntry;
  readonly at: number;
  readonly chunks: NewChunk[];
  /** Content so far. */
  covered: number;
  /** Content before the last `crowd` of its chunks. */
  passed: number;
  /** The last of them that is no run of zeros. */
  stored: NewChunk | undefined;
}

class TocReader {
  readonly #source: TocSource;
  readonly #index = new LayerIndexBuilder({ maxDepth });
  readonly #chunks = new ChunkTableBuilder();
  #file: OpenFile | undefined;
  #prioritizedEnd: number | undefined;

  constructor(source: TocSource) {
    this.#source = source;
  }

  add(entry: TocEntry, at: number): void {
    if (entry.type === 'chunk') {
      this.#addChunk(entry, at);
      return;
    }
    this.#closeFile();
    if (entry.type === 'reg' && entry.size > 0) {
      this.#file = { entry, at, chunks: [], covered: 0, passed: 0, stored: undefined };
      this.#addChunk(entry, at);
      if (cleanPath(entry.name) === prefetchLandmark) this.#prioritizedEnd = entry.offset;
      return;
    }
    if (entry.type === 'reg' && (entry.chunkSize > 0 || entry.isZeros)) {
      throw tocRefused(entry.name, at, `its chunk has ${entry.chunkSize} bytes, but it is empty`);
    }
    this.#addEntry(newEntry(entry, at, 0), entry.name);
  }

  finish(): TableOfContents {
    this.#closeFile();
    const { diffID, payloadEnd, ownEntry } = this.#source;
    if (ownEntry !== undefined) {
      const { entry, chunk } = ownEntry;
      this.#addEntry({ ...entry, offset: this.#chunks.addFile([chunk]) }, entry.path);
    }
    return {
      index: this.#index.finish(diffID),
      chunks: this.#chunks.finish(payloadEnd),
      prioritizedEnd: this.#prioritizedEnd,
    };
  }

  #addChunk(entry: TocEntry, at: number): void {
    const file = this.#file;
    const refuse = (reason: string) => tocRefused(entry.name, at, reason);
    if (file === undefined || file.entry.name !== entry.name) {
      throw refuse('it is a chunk, but the entry before it is not of its file');
    }
    const { size } = file.entry;
    if (entry.chunkOffset !== file.covered) {
      throw refuse(
        `its chunk starts at byte ${entry.chunkOffset}, but the one before it ends at ${file.covered}`,
      );
    }
    const length = entry.chunkSize === 0 ? size - file.covered : entry.chunkSize;
    if (length === 0 || file.covered + length > size) {
      throw refuse(`its chunk has ${length} bytes from ${file.covered}, but the file has ${size}`);
    }
    const previous = file.stored;
    if (previous?.offset !== undefined && !entry.isZeros) {
      const isInside =
        entry.offset === previous.offset && entry.innerOffset >= previous.inner + previous.size;
      if (entry.offset <= previous.offset && !isInside) {
        throw refuse(
          `its stream at byte ${entry.offset} of the layer is not behind the chunk that it follows`,
        );
      }
      const skipped = entry.innerOffset - (isInside ? previous.inner + previous.size : 0);
      if (skipped > length) {
        throw refuse(
          `its chunk of ${length} bytes lies behind ${skipped} others in its stream, which would be unpacked for each read`,
        );
      }
    }
    const before = file.chunks.at(-crowd);
    if (before !== undefined) {
      const together = file.covered - file.passed;
      if (together < leastOfCrowd) {
        throw refuse(
          `the ${crowd} chunks before it have ${together} bytes together: at least ${leastOfCrowd} are expected`,
        );
      }
      file.passed += before.size;
    }
    file.covered += length;
    const chunk = entry.isZeros ? zerosOf(length) : this.#stored(entry, length, refuse);
    file.chunks.push(chunk);
    if (!entry.isZeros) file.stored = chunk;
  }

  #stored(entry: TocEntry, size: number, refuse: (reason: string) => Error): NewChunk {
    const { offset, innerOffset: inner, digest, chunkDigest } = entry;
    const { payloadEnd } = this.#source;
    if (offset >= payloadEnd) {
      throw refuse(`it starts at byte ${offset} of the layer, whose content ends at ${payloadEnd}`);
    }
    // the first bytes of any layer are a header's
    if (offset === 0) throw refuse('it does not say where its content is');
    const isWhole = entry.type === 'reg' && size === entry.size;
    if (isWhole && digest !== undefined && chunkDigest !== undefined && digest !== chunkDigest) {
      throw refuse(`it has the digest ${digest}, but its only chunk ${chunkDigest}`);
    }
    const known: Digest | undefined = chunkDigest ?? (isWhole ? digest : undefined);
    if (known === undefined)
      throw new CannotBeLazy(`the chunks of ${JSON.stringify(printableName(entry.name))} have no digests`);
    if (inner + size > chunkLimit) throw new CannotBeLazy(`it has chunks of more than ${chunkLimit} bytes`);
    return { size, offset, inner, digest: known, end: undefined };
  }

  #closeFile(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    const { entry, at, chunks, covered } = file;
    if (covered !== entry.size) {
      throw tocRefused(entry.name, at, `its chunks have ${covered} bytes together, but it has ${entry.size}`);
    }
    const address = this.#chunks.addFile(withEnds(chunks, entry, at, this.#source.payloadEnd));
    this.#addEntry(newEntry(entry, at, address), entry.name);
  }

  #addEntry(entry: NewEntry, tarPath: string): void {
    const place = readLayerPath(tarPath);
    if (place.kind === 'ignored') return;
    if (place.kind === 'opaque') {
      this.#index.addOpaque(place.path);
      return;
    }
    const { mode, uid, gid, mtimeNs } = entry;
    if (place.kind === 'whiteout') {
      this.#index.add({ path: place.path, type: 'whiteout', mode, uid, gid, mtimeNs });
      return;
    }
    const { type } = entry;
    if (type === 'symlink') checkSymlink(place.path, entry.link ?? '');
    this.#index.add({ ...entry, path: place.path, ...(type === 'hardlink' && { link: hardLinkOf(entry) }) });
  }
}

/** The target as the tar's reader has it: the two indexes must be the same. */
function hardLinkOf({ path, link = '' }: NewEntry): string {
  if (aufsLinkOf(link) !== undefined) {
    throw new CannotBeLazy(`${JSON.stringify(printableName(path))} is a hard link of AUFS`);
  }
  return cleanLink(link);
}

const zerosOf = (size: number): NewChunk => ({
  size,
  offset: undefined,
  end: undefined,
  inner: 0,
  digest: undefined,
});

/** With `endOffset` the chunks of a file follow each other: each ends where the next one starts. */
function withEnds(
  chunks: readonly NewChunk[],
  entry: TocEntry,
  at: number,
  payloadEnd: number,
): readonly NewChunk[] {
  const { endOffset } = entry;
  if (endOffset === 0) return chunks;
  const last = chunks.findLast((chunk) => chunk.offset !== undefined);
  if (endOffset > payloadEnd || endOffset <= (last?.offset ?? 0)) {
    throw tocRefused(entry.name, at, `its content ends at byte ${endOffset} of the layer, which cannot be`);
  }
  let next = endOffset;
  const ended: NewChunk[] = [];
  for (const chunk of chunks.toReversed()) {
    const { offset } = chunk;
    ended.push(offset === undefined ? chunk : { ...chunk, end: next });
    // several chunks may share one stream
    if (offset !== undefined && chunk.inner === 0) next = offset;
  }
  return ended.reverse();
}

function newEntry(entry: TocEntry, at: number, offset: number): NewEntry {
  const { type, mode, uid, gid, mtimeNs, link, rdev, xattrs } = entry;
  const isLink = type === 'symlink' || type === 'hardlink';
  if (type === 'chunk') throw tocRefused(entry.name, at, 'it is a chunk of no file');
  if (isLink && link === '') throw tocRefused(entry.name, at, `it is a ${type} without a target`);
  return {
    path: entry.name,
    type: type === 'reg' ? 'file' : type,
    mode,
    uid,
    gid,
    mtimeNs,
    size: type === 'reg' ? entry.size : 0,
    offset,
    link: isLink ? link : undefined,
    rdev: type === 'char' || type === 'block' ? rdev : undefined,
    xattrs,
  };
}
