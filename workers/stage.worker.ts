/// <reference lib="webworker" />
/** Hashes and stores what a layer worker unpacks, beside it. */

import { expose } from 'comlink';
import { streamingHash } from '../src/engine/archive/streaming-hash.ts';
import { IndexedDBContentStore } from '../src/storage/indexeddb-content.ts';
import { StageWorker } from '../src/storage/stage-worker.ts';
import { loadCodecs } from './codecs.ts';

const sandbox = self.name;
let codecs: Promise<WebAssembly.Module> | undefined;
let content: Promise<IndexedDBContentStore> | undefined;

expose(
  new StageWorker({
    content: () => {
      // one that could not be opened is tried again for the next layer
      content ??= IndexedDBContentStore.open(sandbox).catch((error: unknown) => {
        content = undefined;
        throw error;
      });
      return content;
    },
    startHash: (algorithm) =>
      streamingHash(algorithm, () => {
        codecs ??= loadCodecs().catch((error: unknown) => {
          codecs = undefined;
          throw error;
        });
        return codecs;
      }),
  }),
);
