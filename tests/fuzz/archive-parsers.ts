/** What layers are made of: tars and their headers, compressed streams, the index that is kept of a layer. */

import { gzipSync } from 'node:zlib';
import { detectCompression } from '../../src/engine/archive/compression.ts';
import { GzipDecoder } from '../../src/engine/archive/gzip-decoder.ts';
import { parsePaxRecords } from '../../src/engine/archive/pax.ts';
import { PaxAttributes, PaxGlobals } from '../../src/engine/archive/pax-attributes.ts';
import { Unpacker } from '../../src/engine/archive/unpacker.ts';
import { Unpackers } from '../../src/engine/archive/unpackers.ts';
import { CorruptLayerError } from '../../src/engine/errors.ts';
import { cleanPath, uncompressed } from '../../src/engine/image/archive-files.ts';
import { LayerFromTar } from '../../src/engine/layer/layer-from-tar.ts';
import type { LayerIndex } from '../../src/engine/layer/layer-index.ts';
import { openLayerIndex } from '../../src/engine/layer/packed-layer-index.ts';
import { stackLayers } from '../../src/engine/layer/stack.ts';
import { decodeName } from '../../src/engine/names.ts';
import type { DiffID } from '../../src/engine/oci/digest.ts';
import { codecsModule } from '../unit/archive/unpacking.ts';
import { type Bytes, type FuzzedParsers, text } from './fuzzed-parser.ts';

export const diffID: DiffID = `sha256:${'ab'.repeat(32)}`;

/** Puts the right checksum in every block that looks as if it had one. */
function mendTar(input: Bytes): void {
  for (let at = 0; at + 512 <= input.length; at += 512) {
    const magic = decodeName(input.subarray(at + 257, at + 262));
    if (magic !== 'ustar') continue;
    input.fill(0x20, at + 148, at + 156);
    const sum = input.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    input.set(text(`${sum.toString(8).padStart(6, '0')}\0 `), at + 148);
  }
}

/** Asks an index for everything it has. */
export function look(index: LayerIndex): void {
  for (let number = 0; number < index.count; number++) {
    index.entry(number);
    if (index.find(index.path(number)) !== number) throw new TypeError(`entry ${number} is not at its path`);
  }
  const stack = stackLayers([index, index]);
  for (let number = 0; number < stack.count; number++) {
    stack.extents(number);
    stack.xattrs(number);
    stack.nlink(number);
  }
}

/** The index of a tar that comes in pieces of `step` bytes. */
export function indexOf(tar: Uint8Array, step = tar.length): LayerIndex {
  const layer = new LayerFromTar({ limit: 100_000, maxSize: 1 << 20 });
  for (let at = 0; at < tar.length; at += step) layer.push(tar.subarray(at, at + step));
  return layer.finish(diffID);
}

function parseTar(input: Bytes): number {
  const index = indexOf(input);
  const again = indexOf(input, 1 + (input.length % 700));
  if (again.count !== index.count) throw new TypeError('the entries depend on how the bytes come');
  look(openLayerIndex(index.buffer));
  return index.buffer.byteLength;
}

function parsePax(input: Bytes): number {
  const refuse = (reason: string) => new CorruptLayerError(reason);
  const records = parsePaxRecords(input, refuse);
  const globals = new PaxGlobals();
  globals.add({ values: new Map([['uid', text('5')]]), repeated: [] }, refuse);
  const attributes = new PaxAttributes(records, globals, refuse);
  let size = records.values.size + records.repeated.length;
  for (const keyword of ['path', 'linkpath'] as const) size += attributes.text(keyword)?.length ?? 0;
  for (const keyword of ['size', 'uid', 'gid'] as const) {
    const number = attributes.integer(keyword);
    if (number !== undefined && !Number.isSafeInteger(number)) throw new TypeError(`${keyword} is ${number}`);
  }
  size += String(attributes.mtimeNs).length;
  for (const value of attributes.xattrs?.values() ?? []) size += value.length;
  const own = new Set(['path', 'linkpath', 'size']);
  const shared = [...records.values].filter(([keyword]) => !own.has(keyword) && !keyword.startsWith('GNU.'));
  globals.add({ values: new Map(shared), repeated: [] }, refuse);
  return size;
}

function parseGzip(input: Bytes): number {
  const decoder = new GzipDecoder();
  let size = 0;
  for (let at = 0; at < input.length; at += 333) {
    for (const bytes of decoder.push(input.subarray(at, at + 333))) size += bytes.length;
  }
  decoder.end();
  return size;
}

const unpacker = await Unpacker.create(codecsModule);

function unpackAs(format: 'gzip' | 'zstd', input: Bytes): number {
  unpacker.start({ format, capacity: 1 << 20, windowLimit: 1 << 22 });
  for (let at = 0; at < input.length; at += 333) {
    for (const _ of unpacker.push(input.subarray(at, at + 333))) unpacker.drop(unpacker.end);
  }
  unpacker.finish();
  return unpacker.end;
}

const unpackers = new Unpackers(async () => codecsModule);

/** What `docker load` and `docker import` are given: a tar, plain or compressed. */
async function parseArchive(input: Bytes): Promise<number> {
  async function* pieces() {
    for (let at = 0; at < input.length; at += 777) yield input.slice(at, at + 777);
  }
  const layer = new LayerFromTar({ limit: 100_000, maxSize: 1 << 20 });
  for await (const bytes of uncompressed({ unpackers }, pieces())) layer.push(bytes);
  const index = layer.finish(diffID);
  for (let number = 0; number < index.count; number++) cleanPath(index.path(number));
  return index.buffer.byteLength;
}

const tarWords = [
  ...['../', './', '//', '.wh.', '.wh..wh.', 'GNU.sparse.map', 'SCHILY.xattr.', 'path', 'linkpath', 'size'],
  ...['S', 'x', 'g', 'L', 'K'],
];
/** deflate makes at most 1,032 bytes of one. */
const inflated = (length: number) => 1_000_000 + length * 1100;

export const archiveParsers: FuzzedParsers = {
  tar: {
    parse: parseTar,
    mend: mendTar,
    words: tarWords,
    // 2,047 directories for a path of 4 KiB, some 90 bytes each
    most: (length) => 1_000_000 + length * 200,
  },
  pax: {
    parse: parsePax,
    words: [
      ...['=', '\n', ' ', '6 a=b\n', 'SCHILY.xattr.', 'LIBARCHIVE.xattr.', '%', 'atime', 'hdrcharset=BINARY'],
    ],
  },
  archive: { parse: parseArchive, runs: 300, mend: mendTar, words: tarWords, most: inflated },
  // a tar that was mutated and then compressed: damage behind a checksum that is right
  'compressed tar': {
    parse: (input) => parseArchive(Uint8Array.from(gzipSync(input, { level: 1 }))),
    runs: 300,
    mend: mendTar,
    words: tarWords,
  },
  'layer index': {
    parse: (input) => {
      const index = openLayerIndex(input.slice().buffer);
      look(index);
      return index.count;
    },
  },
  gzip: { parse: parseGzip, most: inflated },
  'gzip in wasm': { parse: (input) => unpackAs('gzip', input), most: inflated },
  // a block of 4 bytes may stand for 128 KiB (RFC 8878, 3.1.1.2.3)
  'zstd in wasm': {
    parse: (input) => unpackAs('zstd', input),
    most: (length) => 1_000_000 + length * 40_000,
  },
  compression: { parse: (input) => detectCompression(input).length, takesAnything: true },
};
