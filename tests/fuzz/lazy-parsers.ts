/** Layers that are read before they are here: tables of contents, what leads to them, and reads by what they say. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Unpackers } from '../../src/engine/archive/unpackers.ts';
import type { BlobRanges } from '../../src/engine/lazy/blob-ranges.ts';
import { CannotBeLazy } from '../../src/engine/lazy/cannot-be-lazy.ts';
import { type DecodeStart, gunzipStart, unpackStart } from '../../src/engine/lazy/decode-chunk.ts';
import { lazyFormat } from '../../src/engine/lazy/lazy-format.ts';
import { LazyLayer } from '../../src/engine/lazy/lazy-layer.ts';
import { openLazyLayer } from '../../src/engine/lazy/open-lazy-layer.ts';
import { stargzFooter } from '../../src/engine/lazy/stargz-footer.ts';
import { readTableOfContents } from '../../src/engine/lazy/table-of-contents.ts';
import { tocFile } from '../../src/engine/lazy/toc-file.ts';
import type { Descriptor } from '../../src/engine/oci/descriptor.ts';
import { descriptorOf, MANIFEST_LIMIT, parseDocument } from '../../src/engine/oci/document.ts';
import { OCI_LAYER_GZIP } from '../../src/engine/oci/media-type.ts';
import { codecsModule } from '../unit/archive/unpacking.ts';
import { diffID, look } from './archive-parsers.ts';
import { type Bytes, type FuzzedParsers, jsonWords } from './fuzzed-parser.ts';

const { signal } = new AbortController();
const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const;
const unpackers = new Unpackers(async () => codecsModule);
const decodeZstd = unpackStart(unpackers, 'zstd');

const rangesOf = (blob: Uint8Array): BlobRanges => ({
  read: async (start, end) => Uint8Array.from(blob.subarray(start, end)),
});

/** Bytes that one read may have decoded besides twice what it returns: its first and its last chunk, and what comes along. */
const besides = (32 + 32 + 16) << 20;

/** A decoder, and what was asked of it. */
class CountedDecoder {
  asked = 0;
  readonly decode: DecodeStart;

  constructor(decode: DecodeStart) {
    this.decode = (compressed, length) => {
      this.asked += length;
      return decode(compressed, length);
    };
  }
}

/** Reads the beginnings and ends of some of the files; returns the bytes of all. */
async function readFiles(lazy: LazyLayer, decoder: CountedDecoder): Promise<number> {
  let total = 0;
  let files = 0;
  for (let number = 0; number < lazy.index.count && files < 6; number++) {
    const { type, size, offset } = lazy.index.entry(number);
    if (type !== 'file' || size === 0) continue;
    files += 1;
    for (const [from, length] of [
      [0, Math.min(size, 70_000)],
      [size - 1, 1],
    ] as const) {
      const before = decoder.asked;
      const bytes = await lazy.read(offset + from, length);
      while (lazy.isBusy) await new Promise(setImmediate);
      if (bytes.length !== length) throw new TypeError(`${bytes.length} bytes were read, not ${length}`);
      const cost = decoder.asked - before;
      if (cost > besides + 2 * length) throw new TypeError(`${cost} bytes were decoded to read ${length}`);
      total += length;
    }
  }
  return total;
}

/** A layer with the digest of the table that it really has: what is promised of the table is true. */
async function readStargz(blob: Bytes): Promise<number> {
  const footer = stargzFooter(blob, blob.length);
  if (footer === undefined) throw new CannotBeLazy('no footer');
  const { json } = tocFile(blob.subarray(footer.tocOffset, blob.length - footer.length));
  const annotations = { 'containerd.io/snapshot/stargz/toc.digest': sha256(json) };
  const decoder = new CountedDecoder(blob.length % 2 === 0 ? gunzipStart : unpackStart(unpackers, 'gzip'));
  const descriptor = { mediaType: OCI_LAYER_GZIP, digest: sha256(blob), size: blob.length, annotations };
  const source = { blob: descriptor, diffID, ranges: rangesOf(blob), what: 'it', decodeGzip: decoder.decode };
  const lazy = await openLazyLayer(source, signal);
  if (lazy === undefined) throw new CannotBeLazy('no table');
  look(lazy.index);
  return readFiles(lazy, decoder);
}

const checksums = ['io.github.containers', 'io.containers'].map(
  (by) => `${by}.zstd-chunked.manifest-checksum`,
);

/** A descriptor on a line of its own, then the blob; the digest of the table is the one that it really has. */
async function readChunked(input: Bytes): Promise<number> {
  const line = input.indexOf(0x0a);
  const described = descriptorOf(parseDocument(input.slice(0, Math.max(0, line)), 'it', MANIFEST_LIMIT));
  const blob = input.slice(line + 1);
  const first: Descriptor = { ...described, size: blob.length };
  const format = lazyFormat(first);
  if (format?.kind !== 'zstd:chunked') throw new CannotBeLazy('no table');
  const table = blob.subarray(format.offset, format.offset + format.length);
  const digest = sha256(table);
  const annotations = { ...first.annotations, ...Object.fromEntries(checksums.map((key) => [key, digest])) };
  // of either name there must be both
  for (const key of checksums)
    if (first.annotations?.[key] === undefined) Reflect.deleteProperty(annotations, key);
  const decoder = new CountedDecoder(decodeZstd);
  const source = { diffID, ranges: rangesOf(blob), what: 'it', decodeZstd: decoder.decode };
  const lazy = await openLazyLayer({ ...source, blob: { ...first, annotations } }, signal);
  if (lazy === undefined) throw new CannotBeLazy('no table');
  look(lazy.index);
  return readFiles(lazy, decoder);
}

/** Where the seeds for a table of contents come from. */
const stargzSeed = join(import.meta.dirname, 'seeds/stargz-layer/files.stargz');

/** Any table, for a layer that there is. */
async function readByTable(json: Bytes): Promise<number> {
  const blob = readFileSync(stargzSeed);
  const footer = stargzFooter(blob, blob.length);
  if (footer === undefined) throw new TypeError(`${stargzSeed} is no layer`);
  const table = readTableOfContents(json, { diffID, payloadEnd: footer.tocOffset });
  const decoder = new CountedDecoder(gunzipStart);
  const lazy = new LazyLayer({ table, ranges: rangesOf(blob), decode: decoder.decode, what: 'it' });
  await lazy.prefetch();
  decoder.asked = 0;
  return readFiles(lazy, decoder);
}

const tocWords = [
  ...jsonWords,
  ...['chunk', 'reg', 'offset', 'chunkOffset', 'chunkSize', 'innerOffset', 'endOffset', '.wh..wh..opq'],
  ...['33554431', '"chunkType":"zeros"', '.prefetch.landmark'],
];

export const lazyParsers: FuzzedParsers = {
  'table of contents': {
    parse: (input) => {
      const { index, chunks } = readTableOfContents(input, { diffID, payloadEnd: 1 << 20 });
      look(index);
      for (let chunk = 0; chunk < chunks.count; chunk++) {
        if (chunks.isStored(chunk) && chunks.end(chunk) <= chunks.offset(chunk))
          throw new TypeError('no stream');
        chunks.digest(chunk);
      }
      return index.count + chunks.count;
    },
    refusals: [CannotBeLazy],
    words: tocWords,
  },
  'reads by a table of contents': {
    parse: readByTable,
    runs: 300,
    refusals: [CannotBeLazy],
    words: tocWords,
    most: () => 1_000_000,
  },
  // the tar with the table in it, as it is or as the gzip member that it is found as
  'stargz table file': {
    parse: (input) => {
      const isCompressed = input[0] === 0x1f && input[1] === 0x8b;
      return tocFile(isCompressed ? input : gzipSync(input, { level: 1 })).json.length;
    },
    runs: 300,
    refusals: [CannotBeLazy],
    words: ['stargz.index.json', 'x', '0', '5', 'ustar'],
  },
  'stargz footer': {
    parse: (input) => stargzFooter(input, 10_000)?.length ?? 0,
    takesAnything: true,
  },
  'lazy annotations': {
    parse: (input) => {
      const format = lazyFormat(descriptorOf(parseDocument(input, 'it', MANIFEST_LIMIT)));
      if (format?.kind !== 'zstd:chunked') return 1;
      const { offset, length, uncompressedLength } = format;
      if (!(offset > 0 && length > 0 && uncompressedLength >= 0)) throw new TypeError('it is nowhere');
      return 2;
    },
    refusals: [CannotBeLazy],
    words: [
      ...jsonWords,
      ':1',
      ':',
      '999999999999999',
      'io.containers.zstd-chunked.',
      'manifest-position',
      '+zstd',
    ],
  },
  'stargz layer': { parse: readStargz, runs: 300, refusals: [CannotBeLazy], most: () => 1_000_000 },
  'chunked layer': {
    parse: readChunked,
    runs: 300,
    refusals: [CannotBeLazy],
    words: jsonWords,
    most: () => 1_000_000,
  },
};
