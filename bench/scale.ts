/** What an image of any size costs: to open, to look up in, to list; and what compaction holds up. */

import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright';
import { endOfArchive, paddingAfter, tarHeaderOf } from '../src/engine/archive/tar-writer.ts';
import { buildLayerIndex } from '../src/engine/layer/layer-index-builder.ts';
import { stackLayers } from '../src/engine/layer/stack.ts';
import { MemoryJournalStore } from '../src/engine/store/memory-journal.ts';
import { openUnion, type Union } from '../src/engine/unionfs/union.ts';
import { NinePServer } from '../src/machine/nine-p/server.ts';
import { startChromium } from '../tests/support/chromium.ts';
import {
  entriesOfDirectory,
  entriesOfLayer,
  layersOfFiles,
  numberedDiffID,
  pathOfFile,
} from '../tests/support/many-files.ts';
import { NinePClient } from '../tests/support/nine-p-client.ts';
import { pageMemory } from '../tests/support/processes.ts';
import { putBlob, putManifest, type Registry, sha256 } from '../tests/support/registry.ts';
import { dockerOk, openSandbox } from '../tests/support/sandbox-page.ts';
import { costOfOpening } from '../tests/support/stored-image.ts';
import { compared, median, type Row } from './report.ts';
import type { Setting } from './setting.ts';

const FILES = 100_000;
const LAYERS = 40;
const OWNER = { uid: 0, gid: 0 };
/** What must be reached. */
const OPEN_MS = 1000;
const OPEN_MB = 60;
/** Milliseconds that a person does not notice in a shell. */
const UNNOTICED_MS = 50;

export async function scaleRows(setting: Setting): Promise<Row[]> {
  return [
    ...(await openingRows()),
    ...(await browserRows(setting)),
    await lookupRow(),
    ...(await listingRows()),
    await compactionRow(),
  ];
}

/** Milliseconds of this process's processor time: what others do on the machine counts little. */
async function processor(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  return spentSince(start);
}

function spentSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

async function openingRows(): Promise<Row[]> {
  let megabytes = 0;
  const here = await median(3, async () => {
    const cost = await costOfOpening(LAYERS, FILES);
    megabytes = Math.max(megabytes, cost.megabytes);
    return cost.processor;
  });
  const name = `an image of ${FILES} files in ${LAYERS} layers, opened`;
  return [
    compared({
      name: `${name}, processor`,
      here,
      unit: 'ms',
      against: 'what it may take',
      there: OPEN_MS,
      atLeast: 1,
    }),
    compared({
      name: `${name}, most memory`,
      here: megabytes,
      unit: 'MB',
      against: 'what it may take',
      there: OPEN_MB,
      atLeast: 1,
    }),
  ];
}

/** Pushes the same image to a registry: files of ten bytes. */
async function pushManyFiles(registry: Registry, repository: string): Promise<void> {
  const layers = [];
  const diffIDs: string[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    const pieces: Uint8Array[] = [];
    for (const { type, ...entry } of entriesOfLayer(layer, LAYERS, FILES)) {
      if (type === 'whiteout') continue;
      const size = type === 'file' ? 10 : 0;
      pieces.push(
        tarHeaderOf({ ...entry, type, size }),
        new Uint8Array(size + paddingAfter(size)).fill(0x61),
      );
    }
    const tar = Buffer.concat([...pieces, endOfArchive]);
    const bytes = new Uint8Array(gzipSync(tar, { level: 1 }));
    diffIDs.push(sha256(tar));
    layers.push({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: await putBlob(registry, repository, bytes),
      size: bytes.length,
    });
  }
  const config = new TextEncoder().encode(
    JSON.stringify({
      architecture: '386',
      os: 'linux',
      config: { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: diffIDs },
    }),
  );
  await putManifest(registry, repository, 'latest', {
    ...{ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json' },
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: await putBlob(registry, repository, config),
      size: config.length,
    },
    layers,
  });
}

const list = (page: Page, image: string, path: string) =>
  page.evaluate(
    async ([reference, directory]) => {
      const start = performance.now();
      const { count } = await window.sandbox.files(reference).list(directory);
      return { count, milliseconds: performance.now() - start };
    },
    [image, path] as const,
  );

async function browserRows(setting: Setting): Promise<Row[]> {
  const image = `${setting.registry.host}/bench/many-files`;
  await pushManyFiles(setting.registry, 'bench/many-files');
  const chromium = await startChromium();
  const first = await openSandbox(chromium, setting.site);
  await dockerOk(first, 'pull', '-q', image);
  await first.close();
  const page = await openSandbox(chromium, setting.site);
  // another image in the same way: what is loaded and compiled by it is no part of this one's cost
  await dockerOk(page, 'pull', '-q', 'busybox');
  await list(page, 'busybox', '/');
  const before = await pageMemory(chromium);
  const opened = await list(page, image, '/usr/share');
  if (opened.count !== 40) throw new Error(`the image has ${opened.count} names in /usr/share`);
  const after = await pageMemory(chromium);
  await chromium.close();
  const name = `the same in the page, from IndexedDB to its first directory`;
  return [
    compared({
      name,
      here: opened.milliseconds,
      unit: 'ms',
      against: 'what it may take',
      there: OPEN_MS,
      atLeast: 1,
    }),
    compared({
      name: `${name}, memory`,
      here: Math.max(1, after - before),
      unit: 'MB',
      against: 'what it may take',
      there: OPEN_MB,
      atLeast: 1,
    }),
  ];
}

async function lookupRow(): Promise<Row> {
  const files = 50_000;
  const paths = Array.from({ length: 20_000 }, (_, i) => pathOfFile((i * 7919) % files));
  const nanoseconds = async (layers: number) => {
    const stack = stackLayers(layersOfFiles(layers, files));
    const spent = await median(5, () =>
      processor(async () => {
        for (const path of paths) stack.find(path);
      }),
    );
    return (spent * 1e6) / paths.length;
  };
  const one = await nanoseconds(1);
  const many = await nanoseconds(127);
  return compared({
    name: 'a path looked up over 127 layers',
    here: many,
    unit: 'ns',
    against: 'over one layer',
    there: one,
    atLeast: 0.5,
  });
}

async function unionOfDirectory(files: number): Promise<Union> {
  const index = buildLayerIndex(numberedDiffID(1), entriesOfDirectory(files));
  const read = () => new Uint8Array(0);
  const journal = await new MemoryJournalStore().open('bench');
  return openUnion({ lowers: [{ index, read }], journal, now: () => 0n });
}

async function listingRows(): Promise<Row[]> {
  const through = {
    'the union': async (union: Union) => {
      union.readdir(union.lookup(union.root, 'd'));
    },
    '9P': async (union: Union) => {
      const server = new NinePServer({ report: (error) => console.error(error) });
      server.mount('host', union);
      const client = new NinePClient(server);
      await client.connect(131_072);
      await client.walk('host/d', 1);
      await client.call('lopen', { fid: 1, flags: 0 });
      for (let offset = 0; ; ) {
        const { entries } = await client.call('readdir', { fid: 1, offset, count: 131_000 });
        if (entries.length === 0) return;
        const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
        for (let at = 0; at < entries.length; at += 24 + view.getUint16(at + 22, true)) {
          offset = Number(view.getBigUint64(at + 13, true));
        }
      }
    },
  };
  const rows: Row[] = [];
  for (const [name, act] of Object.entries(through)) {
    const [large, small] = [await unionOfDirectory(50_000), await unionOfDirectory(12_500)];
    // until all of it is compiled
    for (let i = 0; i < 10; i++) await act(small);
    const there = 4 * (await median(9, () => processor(() => act(small))));
    const here = await median(9, () => processor(() => act(large)));
    rows.push(
      compared({
        name: `a directory of 50,000 names through ${name}`,
        here,
        unit: 'ms',
        against: 'four times one of 12,500',
        there,
        // 50,000 entries outgrow the caches and the young generation, 12,500 do not; a square would be a quarter
        atLeast: 0.33,
      }),
    );
  }
  return rows;
}

/** The most processor time that one turn took, during which nothing else had its turn, while a journal of 100,000 small files was compacted. */
async function compactionRow(): Promise<Row> {
  const journal = await new MemoryJournalStore().open('bench');
  const union = await openUnion({ lowers: [], journal, now: () => 0n, schedule: () => () => undefined });
  for (let number = 0; number < FILES; number++) {
    if (number % 1000 === 0) union.mkdir(union.root, `d${number / 1000}`, 0o755, OWNER);
    const directory = union.lookup(union.root, `d${Math.floor(number / 1000)}`);
    const ino = union.create(directory, `file-${number}`, 0o644, OWNER);
    union.write(ino, 0, new TextEncoder().encode(`content of file ${number}`));
    if (number % 500 === 0) await union.flush();
  }
  await union.flush();
  let longest = 0;
  let isOver = false;
  const compacting = union.compact().then(() => {
    isOver = true;
  });
  while (!isOver) {
    const start = process.cpuUsage();
    await new Promise((resolve) => setImmediate(resolve));
    longest = Math.max(longest, spentSince(start));
  }
  await compacting;
  await union.close();
  return compared({
    name: `longest turn of a compaction of ${FILES} small files`,
    here: longest,
    unit: 'ms',
    against: 'what nobody notices',
    there: UNNOTICED_MS,
    atLeast: 1,
  });
}
