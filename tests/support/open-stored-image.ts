/**
 * A program: opens the image whose packed layer indexes are the files of a folder, as a sandbox opens it from its store,
 * and says what that cost as JSON. A process of its own, so that nothing else is in its memory.
 *
 *     node --import tsx open-stored-image.ts FOLDER COUNT
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageStacks } from '../../src/engine/container/image-stacks.ts';
import { openImage } from '../../src/engine/container/image-view.ts';
import { LayerCache } from '../../src/engine/image/layer-cache.ts';
import { stackLayers } from '../../src/engine/layer/stack.ts';
import { isDigest } from '../../src/engine/oci/digest.ts';
import { MemoryRecordStore } from '../../src/engine/store/memory-records.ts';
import type { RecordKind, Records } from '../../src/engine/store/records.ts';
import { layersOfFiles, numberedDiffID } from './many-files.ts';

export interface OpeningCost {
  readonly entries: number;
  readonly milliseconds: number;
  /** Milliseconds of the processor: what others do meanwhile counts little. */
  readonly processor: number;
  /** The most megabytes that the process had more than before. */
  readonly megabytes: number;
  readonly indexBytes: number;
  readonly indexReads: number;
  readonly contentReads: number;
}

const [folder = '', count = '0'] = process.argv.slice(2);
let indexBytes = 0;
let indexReads = 0;
let contentReads = 0;

/** Layer records come from the folder when they are asked for, and stay nowhere. */
class FolderRecords extends MemoryRecordStore {
  override async get<K extends RecordKind>(kind: K, id: string): Promise<Records[K] | undefined> {
    if (kind !== 'layers' || !isDigest(id)) return super.get(kind, id);
    const path = join(folder, id.replace(':', '-'));
    const bytes = new Uint8Array((await stat(path)).size);
    const file = await open(path);
    await file.read(bytes, 0, bytes.length);
    await file.close();
    indexReads += 1;
    indexBytes += bytes.byteLength;
    const record: Records['layers'] = { id, size: 0, index: bytes.buffer };
    // K is `layers` here, but the compiler does not see it
    return record as Records[K];
  }
}

const records = new FolderRecords();
const content = {
  read: () => {
    contentReads += 1;
    return Promise.reject(new Error('opening an image does not ask for this'));
  },
};

// what is compiled and loaded by it is no part of an image's cost
for (let i = 0; i < 3; i++) stackLayers(layersOfFiles(3, 300));
/** Megabytes, of the process as the kernel knows it. */
const memory = (field: 'VmRSS' | 'VmHWM'): number => {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync('/proc/self/status', 'utf8'),
  )?.[1];
  return Number(kilobytes) / 1024;
};
// the peak of before, the compiler's, is forgotten (proc(5), clear_refs)
writeFileSync('/proc/self/clear_refs', '5');
const before = memory('VmRSS');
const used = process.cpuUsage();
const start = performance.now();
const union = await openImage(
  Array.from({ length: Number(count) }, (_, number) => numberedDiffID(number)),
  { stacks: new ImageStacks(new LayerCache(records)), content },
);
const milliseconds = performance.now() - start;
const spent = process.cpuUsage(used);
const cost: OpeningCost = {
  entries: union.stack.count,
  milliseconds,
  processor: (spent.user + spent.system) / 1000,
  megabytes: memory('VmHWM') - before,
  indexBytes,
  indexReads,
  contentReads,
};
console.log(JSON.stringify(cost));
