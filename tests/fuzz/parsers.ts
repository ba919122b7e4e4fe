/**
 * Every parser of what a registry or a static host may send, a row each: add a
 * row, and it is fuzzed. An input is either parsed or refused with a LayerboxError.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { detectCompression } from '../../src/engine/archive/compression.ts';
import { GzipDecoder } from '../../src/engine/archive/gzip-decoder.ts';
import { parsePaxRecords } from '../../src/engine/archive/pax.ts';
import { PaxAttributes, PaxGlobals } from '../../src/engine/archive/pax-attributes.ts';
import { Unpacker } from '../../src/engine/archive/unpacker.ts';
import { CorruptLayerError } from '../../src/engine/errors.ts';
import { LayerFromTar } from '../../src/engine/layer/layer-from-tar.ts';
import type { LayerIndex } from '../../src/engine/layer/layer-index.ts';
import { openLayerIndex } from '../../src/engine/layer/packed-layer-index.ts';
import { stackLayers } from '../../src/engine/layer/stack.ts';
import { CannotBeLazy } from '../../src/engine/lazy/cannot-be-lazy.ts';
import { stargzFooter } from '../../src/engine/lazy/stargz-footer.ts';
import { readTableOfContents } from '../../src/engine/lazy/table-of-contents.ts';
import { decodeName } from '../../src/engine/names.ts';
import { parseConfig } from '../../src/engine/oci/config.ts';
import { type DiffID, parseDigest } from '../../src/engine/oci/digest.ts';
import { parseIndex } from '../../src/engine/oci/index.ts';
import { parseManifest } from '../../src/engine/oci/manifest.ts';
import { parseReference } from '../../src/engine/oci/reference.ts';
import { parseChallenges } from '../../src/engine/registry/challenge.ts';
import { nextPage } from '../../src/engine/registry/link.ts';
import { endOfArchive, file, header, joined, padded, pax } from '../unit/archive/tar-bytes.ts';
import { faultyParsers } from './faulty-parsers.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface FuzzedParser {
  /** Good inputs, of which bad ones are made. Those kept in seeds/<name> are added. */
  readonly seeds: readonly Uint8Array[];
  /** Parses, uses what came of it, and returns how large that is, in bytes or entries. */
  readonly parse: (input: Bytes) => number;
  /** How large it may be at most. Default: a megabyte and a thousand times the input. */
  readonly most?: (inputLength: number) => number;
  /** Makes whole what mutations break for certain (checksums), so that more is reached than the first check. */
  readonly mend?: (input: Bytes) => void;
  /** Words that mean something to it. */
  readonly words?: readonly string[];
  /** Refusals of its own that are no LayerboxError. */
  readonly refusals?: readonly (abstract new (
    ...args: never[]
  ) => Error)[];
}

const text = (value: string): Bytes => new TextEncoder().encode(value);
const json = (value: unknown): Bytes => text(JSON.stringify(value));
const diffID: DiffID = `sha256:${'ab'.repeat(32)}`;
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

const long = (type: 'L' | 'K', name: string) =>
  joined(header({ type, size: name.length + 1 }), padded(`${name}\0`));
const sparseMap = '2\n0\n3\n4096\n4\n';
const tars: readonly Bytes[] = [
  joined(
    header({ name: 'd/', type: '5' }),
    file('d/f', 'content'),
    header({ name: 'l', type: '2', link: 'd/f' }),
    endOfArchive,
  ),
  joined(
    file('a', 'x'),
    header({ name: 'b', type: '1', link: 'a' }),
    header({ name: 'n', type: '3', devices: ['1', '3'] }),
    header({ name: 'p', type: '6' }),
  ),
  joined(
    pax({
      path: 'a/b',
      mtime: '-1.5',
      uid: '70000',
      'SCHILY.xattr.user.a': 'v',
      'LIBARCHIVE.xattr.user.%3d': 'QUJD',
    }),
    file('cut', 'abc'),
  ),
  joined(pax({ uid: '9', comment: 'x' }, 'g'), file('a', ''), pax({ uid: '' }), file('b', '')),
  joined(long('L', 'n'.repeat(150)), long('K', 't'.repeat(120)), header({ type: '2' })),
  joined(
    file('a/.wh.b', ''),
    file('a/.wh..wh..opq', ''),
    file('.wh..wh.plnk/1', 'x'),
    header({ name: 'h', type: '1', link: '.wh..wh.plnk/1' }),
  ),
  joined(
    pax({
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.realsize': '5000',
      'GNU.sparse.name': 's',
    }),
    header({ size: 512 + 7 }),
    padded(sparseMap),
    padded('abcdefg'),
  ),
  joined(
    pax({ 'GNU.sparse.size': '5000', 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': '0,2,4000,1' }),
    file('f', 'abc'),
  ),
  joined(
    header({
      type: 'S',
      magic: 'ustar  \0',
      size: 3,
      raw: [
        [386, '00000000000\0'],
        [398, '00000000003\0'],
        [483, '00000010000\0'],
      ],
    }),
    padded('abc'),
  ),
  joined(
    header({ name: 's', type: '2', link: 'd/../e' }),
    file('s/f', 'x'),
    header({ name: 'h', type: '1', link: 's/../e/f' }),
  ),
];

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
function look(index: LayerIndex): void {
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

function indexOf(tar: Uint8Array, step: number): LayerIndex {
  const layer = new LayerFromTar({ limit: 100_000, maxSize: 1 << 20 });
  for (let at = 0; at < tar.length; at += step) layer.push(tar.subarray(at, at + step));
  return layer.finish(diffID);
}

function parseTar(input: Bytes): number {
  const index = indexOf(input, input.length);
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

/** The records of a pax header without its blocks. */
function records(values: Readonly<Record<string, string>>): Bytes {
  const whole = pax(values);
  const length = Number.parseInt(decodeName(whole.subarray(124, 135)), 8);
  return whole.slice(512, 512 + length);
}

const members = [
  gzipSync('one member'),
  joined(gzipSync('first '), gzipSync('second'), new Uint8Array(20)),
  gzipSync('stored', { level: 0 }),
  gzipSync(new Uint8Array(30_000)),
  // header fields: extra, name, comment and a checksum of the header
  gzipWithFields('with fields'),
];

function gzipWithFields(content: string): Bytes {
  const head = joined(
    Uint8Array.of(0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3),
    Uint8Array.of(4, 0, 0x41, 0x42, 0, 0),
    text('name\0comment\0'),
  );
  const tail = new DataView(new ArrayBuffer(8));
  tail.setUint32(0, crc32(content), true);
  tail.setUint32(4, content.length, true);
  const check = new DataView(new ArrayBuffer(2));
  check.setUint16(0, crc32(head) & 0xffff, true);
  return joined(head, new Uint8Array(check.buffer), deflateRawSync(content), new Uint8Array(tail.buffer));
}

/** Raw and run-length blocks, so that nothing has to be compressed (RFC 8878, 3.1.1). */
const zstdFrames = [
  joined(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0), text('hello')),
  joined(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50, 0x03, 0x40, 0, 0x41)),
  joined(
    Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3),
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 0x09, 0, 0, 0x78),
  ),
];

function parseGzip(input: Bytes): number {
  const decoder = new GzipDecoder();
  let size = 0;
  for (let at = 0; at < input.length; at += 333) {
    for (const bytes of decoder.push(input.subarray(at, at + 333))) size += bytes.length;
  }
  decoder.end();
  return size;
}

const unpacker = await Unpacker.create(
  await WebAssembly.compile(readFileSync(join(import.meta.dirname, '../../codecs/codecs.wasm'))),
);

function unpackAs(format: 'gzip' | 'zstd', input: Bytes): number {
  unpacker.start({ format, gather: 1 << 20, windowLimit: 1 << 20 });
  for (let at = 0; at < input.length; at += 333) {
    for (const _ of unpacker.push(input.subarray(at, at + 333))) unpacker.drop(unpacker.end);
  }
  unpacker.finish();
  return unpacker.end;
}

const descriptor = (mediaType: string, more: object = {}) => ({ mediaType, digest, size: 7, ...more });
const oci = 'application/vnd.oci.image';
const manifests = [
  json({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: descriptor(`${oci}.config.v1+json`, { data: 'e30=' }),
    layers: [
      descriptor(`${oci}.layer.v1.tar+gzip`, { urls: ['https://example.com/x'], annotations: { a: 'b' } }),
      descriptor(`${oci}.layer.v1.tar+zstd`),
    ],
    subject: descriptor(`${oci}.manifest.v1+json`),
    annotations: { 'org.opencontainers.image.created': '2020-01-01T00:00:00Z' },
  }),
  json({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: descriptor('application/vnd.docker.container.image.v1+json'),
    layers: [descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip')],
  }),
];
const indexes = [
  json({
    schemaVersion: 2,
    mediaType: `${oci}.index.v1+json`,
    manifests: [
      descriptor(`${oci}.manifest.v1+json`, {
        platform: {
          os: 'linux',
          architecture: 'arm',
          variant: 'v7',
          'os.version': '1',
          'os.features': ['x'],
        },
      }),
      descriptor(`${oci}.index.v1+json`),
    ],
  }),
];
const configs = [
  json({
    created: '2020-01-01T00:00:00.123456789Z',
    author: 'me',
    os: 'linux',
    architecture: '386',
    config: {
      User: '0:0',
      ExposedPorts: { '80/tcp': {} },
      Env: ['PATH=/bin', 'A='],
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['x'],
      Volumes: { '/data': {} },
      WorkingDir: '/',
      Labels: { a: 'b' },
      StopSignal: 'SIGTERM',
      Healthcheck: { Test: ['CMD', 'x'], Interval: 1e9, Timeout: 1, Retries: 3 },
    },
    rootfs: { type: 'layers', diff_ids: [digest] },
    history: [{ created: '2020-01-01T00:00:00Z', created_by: 'x', empty_layer: true, comment: 'c' }],
  }),
];
const jsonWords = [
  'null',
  'true',
  '{}',
  '[]',
  '""',
  '-1',
  '1e400',
  '"\\ud800"',
  '__proto__',
  'manifests',
  'layers',
  'mediaType',
  'schemaVersion',
  ',',
  ':',
  '{',
  '[',
  digest,
];

const tables = [
  json({
    version: 1,
    entries: [
      { name: 'd/', type: 'dir', mode: 16_877, modtime: '2020-01-01T00:00:00Z' },
      {
        name: 'd/f',
        type: 'reg',
        size: 5,
        offset: 100,
        digest,
        chunkDigest: digest,
        mode: 33_188,
        xattrs: { 'user.a': 'QQ==' },
      },
      { name: 'd/big', type: 'reg', size: 10, offset: 200, chunkSize: 6, digest, chunkDigest: digest },
      { name: 'd/big', type: 'chunk', offset: 300, chunkOffset: 6, chunkSize: 4, chunkDigest: digest },
      { name: 'l', type: 'symlink', linkName: 'd/f' },
      { name: 'h', type: 'hardlink', linkName: 'd/f' },
      { name: 'n', type: 'char', devMajor: 1, devMinor: 3 },
    ],
  }),
];

const linkBase = 'https://registry.example/v2/_catalog?n=2';
const inText = (parse: (value: string) => number) => (input: Bytes) => parse(decodeName(input));

const table: Readonly<Record<string, FuzzedParser>> = {
  tar: {
    seeds: tars,
    parse: parseTar,
    mend: mendTar,
    words: [
      '../',
      './',
      '//',
      '.wh.',
      '.wh..wh.',
      'GNU.sparse.map',
      'SCHILY.xattr.',
      'path',
      'linkpath',
      'size',
      'S',
      'x',
      'g',
      'L',
      'K',
    ],
    // 2,047 directories for a path of 4 KiB, some 90 bytes each
    most: (length) => 1_000_000 + length * 200,
  },
  pax: {
    seeds: [
      records({ path: 'a/b/c', linkpath: '../d' }),
      records({ mtime: '-1.5', atime: '1700000000.123456789', uid: '70000', gid: '3', size: '12' }),
      records({ 'LIBARCHIVE.xattr.a%3d': 'QUJD', 'SCHILY.xattr.user.a': 'v\0' }),
      records({ 'GNU.sparse.offset': '10', 'GNU.sparse.numbytes': '10' }),
    ],
    parse: parsePax,
    words: [
      '=',
      '\n',
      ' ',
      '6 a=b\n',
      'SCHILY.xattr.',
      'LIBARCHIVE.xattr.',
      '%',
      'atime',
      'hdrcharset=BINARY',
    ],
  },
  'layer index': {
    seeds: tars.map((tar) => new Uint8Array(indexOf(tar, tar.length).buffer)),
    parse: (input) => {
      const index = openLayerIndex(input.slice().buffer);
      look(index);
      return index.count;
    },
  },
  gzip: { seeds: members, parse: parseGzip, most: (length) => 1_000_000 + length * 1100 },
  'gzip in wasm': {
    seeds: members,
    parse: (input) => unpackAs('gzip', input),
    most: (length) => 1_000_000 + length * 1100,
  },
  // a block of 4 bytes may stand for 128 KiB (RFC 8878, 3.1.1.2.3)
  'zstd in wasm': {
    seeds: zstdFrames,
    parse: (input) => unpackAs('zstd', input),
    most: (length) => 1_000_000 + length * 40_000,
  },
  compression: {
    seeds: [...members, ...zstdFrames, ...tars],
    parse: (input) => detectCompression(input).length,
  },
  manifest: {
    seeds: manifests,
    parse: (input) => parseManifest(input, 'it').layers.length,
    words: jsonWords,
  },
  index: { seeds: indexes, parse: (input) => parseIndex(input, 'it').manifests.length, words: jsonWords },
  config: { seeds: configs, parse: (input) => parseConfig(input, 'it').diffIDs.length, words: jsonWords },
  reference: {
    seeds: [
      'busybox',
      'a/b:tag',
      'localhost:5000/x/y:t',
      `ghcr.io/o/n@${digest}`,
      '[::1]:5000/a',
      `a:b@${digest}`,
    ].map(text),
    parse: inText((value) => parseReference(value).repository.length),
    words: ['/', ':', '@', '--', '__', '.', 'docker.io', 'sha256:', '[', ']'],
  },
  digest: {
    seeds: [text(digest)],
    parse: inText((value) => parseDigest(value).length),
    words: ['sha512:', 'f'.repeat(128)],
  },
  challenge: {
    seeds: [
      'Bearer realm="https://a/t",service="s",scope="r:a:pull,push"',
      'Basic realm="x", Bearer realm="\\"q"',
      'Negotiate abc==, Digest a=b',
    ].map(text),
    parse: inText((value) => parseChallenges(value).length),
    words: [',', '=', '"', '\\', 'Bearer ', 'realm=', '\t'],
  },
  link: {
    seeds: [
      '</v2/_catalog?last=b&n=2>; rel="next"',
      '<https://registry.example/x>; rel=next, <y>; rel="prev next"; title="a\\"b"',
    ].map(text),
    parse: inText((value) => nextPage(value, linkBase, 'it')?.length ?? 0),
    words: ['<', '>', ';', ',', 'rel=', '"', 'http://', '//', '\\'],
  },
  'table of contents': {
    seeds: tables,
    parse: (input) => {
      const { index, chunks } = readTableOfContents(input, { diffID, payloadEnd: 1000 });
      look(index);
      return index.count + chunks.count;
    },
    refusals: [CannotBeLazy],
    words: [
      ...jsonWords,
      'chunk',
      'reg',
      'offset',
      'chunkOffset',
      'chunkSize',
      'innerOffset',
      '.wh..wh..opq',
    ],
  },
  'stargz footer': {
    seeds: [
      joined(
        Uint8Array.of(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0, 0x53, 0x47, 22, 0),
        text('0000000000000100STARGZ'),
        Uint8Array.of(1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0),
      ),
    ],
    parse: (input) => stargzFooter(input, 10_000)?.length ?? 0,
  },
};

/** The names of all rows. */
export const parserNames: readonly string[] = Object.keys(table);

const seedsFolder = join(import.meta.dirname, 'seeds');

/** The inputs that are kept for a parser: of real tools, and what once went wrong. */
export function keptSeeds(name: string): readonly (readonly [file: string, bytes: Bytes])[] {
  const folder = join(seedsFolder, name.replaceAll(' ', '-'));
  const isThere = readdirSync(seedsFolder).includes(name.replaceAll(' ', '-'));
  if (!isThere) return [];
  return readdirSync(folder).map((file) => [file, new Uint8Array(readFileSync(join(folder, file)))]);
}

/** The row with the kept seeds among its own. */
export function parserOf(name: string): FuzzedParser {
  const parser = table[name] ?? faultyParsers[name];
  if (parser === undefined) {
    throw new Error(`there is no parser ${JSON.stringify(name)}, only ${parserNames.join(', ')}`);
  }
  return { ...parser, seeds: [...parser.seeds, ...keptSeeds(name).map(([, bytes]) => bytes)] };
}
