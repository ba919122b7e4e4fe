/**
 * Every parser of what a registry or a static host may send, a row each: add a
 * row, and it is fuzzed. An input is either parsed or refused with a LayerboxError.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectCompression } from '../../src/engine/archive/compression.ts';
import { GzipDecoder } from '../../src/engine/archive/gzip-decoder.ts';
import { parsePaxRecords } from '../../src/engine/archive/pax.ts';
import { PaxAttributes, PaxGlobals } from '../../src/engine/archive/pax-attributes.ts';
import { Unpacker } from '../../src/engine/archive/unpacker.ts';
import { parseTemplate } from '../../src/engine/cli/template.ts';
import { CorruptLayerError } from '../../src/engine/errors.ts';
import { LayerFromTar } from '../../src/engine/layer/layer-from-tar.ts';
import type { LayerIndex } from '../../src/engine/layer/layer-index.ts';
import { openLayerIndex } from '../../src/engine/layer/packed-layer-index.ts';
import { stackLayers } from '../../src/engine/layer/stack.ts';
import { CannotBeLazy } from '../../src/engine/lazy/cannot-be-lazy.ts';
import { stargzFooter } from '../../src/engine/lazy/stargz-footer.ts';
import { readTableOfContents } from '../../src/engine/lazy/table-of-contents.ts';
import { decodeName } from '../../src/engine/names.ts';
import { parseAttestation } from '../../src/engine/oci/attestation.ts';
import { parseConfig } from '../../src/engine/oci/config.ts';
import { type DiffID, parseDigest } from '../../src/engine/oci/digest.ts';
import { parseIndex } from '../../src/engine/oci/index.ts';
import { parseManifest } from '../../src/engine/oci/manifest.ts';
import { parseReference } from '../../src/engine/oci/reference.ts';
import { parseChallenges } from '../../src/engine/registry/challenge.ts';
import { nextPage } from '../../src/engine/registry/link.ts';
import { joined } from '../unit/archive/tar-bytes.ts';
import { faultyParsers } from './faulty-parsers.ts';
import { attestations, configs, digest, indexes, jsonWords, manifests, tables } from './good-documents.ts';
import { members, zstdFrames } from './good-streams.ts';
import { records, tars } from './good-tars.ts';

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

const templates = [
  '{{range $i, $e := .a.b}}{{if $i}},{{else if eq $i 0}}{{- $e | printf "%-5v" -}}{{end}}{{end}}',
  '{{define "T"}}{{.}}{{end}}{{template "T" .c}}{{with index .a.b 1}}{{.}}{{end}}{{/* c */}}',
  '{{printf "%5.2f %x %q" 1.5 .c `r`}}{{json .}}{{slice .c 0 1}}{{and (not .a) 1}}',
].map((template) => new TextEncoder().encode(template));

const text = (value: string): Bytes => new TextEncoder().encode(value);
const diffID: DiffID = `sha256:${'ab'.repeat(32)}`;

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
  unpacker.start({ format, capacity: 1 << 20, windowLimit: 1 << 20 });
  for (let at = 0; at < input.length; at += 333) {
    for (const _ of unpacker.push(input.subarray(at, at + 333))) unpacker.drop(unpacker.end);
  }
  unpacker.finish();
  return unpacker.end;
}

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
  attestation: {
    seeds: attestations,
    parse: (input) => {
      const { packages, build } = parseAttestation(input, 'it');
      return (packages?.length ?? 0) + (build?.parameters.length ?? 0);
    },
    words: [...jsonWords, 'payload', 'payloadType', 'predicate', 'packages', 'components'],
  },
  // typed by a person, but into a page that must not hang
  template: {
    seeds: templates,
    parse: (input) => parseTemplate(decodeName(input)).render({ a: { b: [1, 'x', null] }, c: 'y' }).length,
    most: () => 17 * 1024 * 1024,
    words: [
      '{{',
      '}}',
      '-',
      'range',
      'end',
      'else',
      'if',
      'with',
      'define',
      'template',
      'printf',
      '%9999d',
      '(',
      ')',
      '|',
      '$',
    ],
  },
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
