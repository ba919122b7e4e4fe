/// <reference lib="webworker" />
/** Hashes and stores what a layer worker unpacks, beside it. */

import { expose } from 'comlink';
import { hashingWriters, type OpenHashingWriter } from '../src/engine/image/hashing-writer.ts';
import { IndexedDBContentStore } from '../src/storage/indexeddb-content.ts';
import { StageWorker } from '../src/storage/stage-worker.ts';
import { loadCodecs } from './codecs.ts';

const sandbox = self.name;
let codecs: Promise<WebAssembly.Module> | undefined;
let writers: Promise<OpenHashingWriter> | undefined;

expose(
  new StageWorker(async (id, algorithm) => {
    // what could not be opened is tried again for the next layer
    writers ??= openWriters().catch((error: unknown) => {
      writers = undefined;
      throw error;
    });
    return (await writers)(id, algorithm);
  }),
);

async function openWriters(): Promise<OpenHashingWriter> {
  const content = await IndexedDBContentStore.open(sandbox);
  return hashingWriters(content, () => {
    codecs ??= loadCodecs().catch((error: unknown) => {
      codecs = undefined;
      throw error;
    });
    return codecs;
  });
}
