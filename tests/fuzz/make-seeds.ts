/**
 * `npx tsx tests/fuzz/make-seeds.ts [PARSER...]`: makes the inputs in seeds/ anew, of what real tools write (tool-seeds.ts,
 * recorded-answers.ts) and of what the project's own writers do (good-tars.ts and its neighbours). What once went wrong
 * (`found-...`) stays, and so does every file of another name: the tars of tools as they were when they were recorded.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { stargzFooter } from '../../src/engine/lazy/stargz-footer.ts';
import { tocFile } from '../../src/engine/lazy/toc-file.ts';
import { type StargzFile, type StargzLayer, stargzLayer } from '../support/estargz.ts';
import { startRegistry } from '../support/registry.ts';
import { descriptorOf, noise } from '../unit/lazy/fixture.ts';
import { indexOf } from './archive-parsers.ts';
import { attestations, configs, indexes, manifests, tables } from './good-documents.ts';
import { members, zstdFrames } from './good-streams.ts';
import { paxRecords, tars } from './good-tars.ts';
import * as texts from './good-texts.ts';
import { digQuery, portAnswers, registryAnswers } from './recorded-answers.ts';
import { keptSeeds, seedFolder } from './seeds.ts';
import {
  archives,
  chunkedLayer,
  gzipStreams,
  makeImage,
  makeTree,
  tarsOfTools,
  zstdStreams,
} from './tool-seeds.ts';

type Seeds = Readonly<Record<string, Uint8Array | string>>;

const files: readonly StargzFile[] = [
  { name: 'bin/', type: 'dir', mode: 0o755 },
  { name: 'bin/a', content: noise(900, 1), mode: 0o755, xattrs: { 'user.a': 'v' } },
  { name: '.prefetch.landmark', content: '\x0f' },
  { name: 'big', content: noise(3000, 2), mtime: 1_600_000_000 },
  { name: 'text', content: 'All work and no play\n'.repeat(60) },
  { name: 'empty', content: '' },
  { name: 'sh', type: 'symlink', link: 'bin/a' },
  { name: 'hard', type: 'hardlink', link: 'bin/a' },
  { name: 'null', type: 'char', rdev: [1, 3] },
];
/** The tables in seeds/reads-by-a-table-of-contents are of this one. */
const first = stargzLayer(files, { chunkSize: 1000 });
const stargzLayers: Readonly<Record<string, StargzLayer>> = {
  'files.stargz': first,
  'shared.stargz': stargzLayer(files, { chunkSize: 1000, shared: true }),
  'legacy.stargz': stargzLayer(files.slice(0, 4), { legacyFooter: true }),
};

/** The gzip member with the table, its tar, its JSON, and the footer. */
function partsOf({ blob, tocOffset }: StargzLayer) {
  const footer = stargzFooter(blob, blob.length)?.length ?? 0;
  const member = blob.subarray(tocOffset, blob.length - footer);
  const { json } = tocFile(member);
  return { member, json, tar: gunzipSync(member), footer: blob.subarray(blob.length - footer) };
}

const named = <T>(made: Readonly<Record<string, StargzLayer>>, part: (layer: StargzLayer) => T) =>
  Object.fromEntries(Object.entries(made).map(([name, layer]) => [name.replace('.stargz', ''), part(layer)]));

async function write(name: string, seeds: Seeds): Promise<void> {
  const folder = seedFolder(name);
  await mkdir(folder, { recursive: true });
  for (const [file, content] of Object.entries(seeds)) await writeFile(join(folder, file), content);
  console.log(`${name}: ${Object.keys(seeds).length}`);
}

const wanted = new Set(process.argv.slice(2));
const work = await mkdtemp(join(tmpdir(), 'layerbox-seeds-'));
const registry = await startRegistry();
try {
  await makeTree(work);
  const image = await makeImage(work);
  const chunked = await chunkedLayer(registry, image.layout);
  const streams = {
    gzip: { ...members, ...(await gzipStreams(work)) },
    zstd: { ...zstdFrames, ...(await zstdStreams(work)) },
  };
  const packed = await archives(work);
  const tools = await tarsOfTools(work);
  const allTars = { ...tars, ...tools };
  const documents = {
    manifest: { ...manifests, ...image.manifests },
    index: { ...indexes, ...image.indexes },
  };
  const rows: Readonly<Record<string, Seeds>> = {
    tar: { ...tars, ...tools },
    pax: paxRecords,
    archive: packed,
    'compressed tar': tools,
    'layer index': Object.fromEntries(
      Object.entries({
        ...allTars,
        ...Object.fromEntries(keptSeeds('tar').map(({ file, bytes }) => [file, bytes])),
      })
        .filter(([name]) => !name.startsWith('found-'))
        .map(([name, tar]) => [name, new Uint8Array(indexOf(tar).buffer)]),
    ),
    gzip: streams.gzip,
    'gzip in wasm': streams.gzip,
    'zstd in wasm': streams.zstd,
    compression: Object.fromEntries(
      Object.entries(packed).map(([name, bytes]) => [name.replace('refused-', ''), bytes.slice(0, 600)]),
    ),
    manifest: documents.manifest,
    index: documents.index,
    'document of any kind': { ...documents.manifest, ...documents.index },
    config: { ...configs, ...image.configs },
    attestation: attestations,
    reference: texts.references,
    digest: texts.digests,
    'embedded data': texts.embedded,
    challenge: texts.challenges,
    link: texts.links,
    'retry after': texts.waits,
    'registry answer': { ...texts.answers, ...(await registryAnswers(registry, image.layout)) },
    'token answer': texts.tokens,
    'image layout': { ...texts.layouts, ...image.indexes },
    'table of contents': {
      ...tables,
      ...named(stargzLayers, (layer) => partsOf(layer).json),
      chunked: chunked.toc,
    },
    'reads by a table of contents': { files: partsOf(first).json },
    'stargz table file': {
      ...named(stargzLayers, (layer) => partsOf(layer).tar),
      'files.gz': partsOf(first).member,
    },
    'stargz footer': named(stargzLayers, (layer) => partsOf(layer).footer),
    'lazy annotations': { chunked: chunked.descriptor, estargz: JSON.stringify(descriptorOf(first)) },
    'stargz layer': Object.fromEntries(Object.entries(stargzLayers).map(([name, { blob }]) => [name, blob])),
    'chunked layer': { skopeo: chunked.layer },
    template: texts.templates,
    'user files': texts.userFiles,
    'name query': { dig: await digQuery() },
    'port answer': await portAnswers(),
  };
  for (const [name, seeds] of Object.entries(rows)) {
    if (wanted.size === 0 || wanted.has(name)) await write(name, seeds);
  }
} finally {
  await registry.close();
  await rm(work, { recursive: true });
}
