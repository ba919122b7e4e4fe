/// <reference lib="webworker" />
/** Hashes and stores what a layer worker unpacks, beside it. */

import { expose } from 'comlink';
import { hashingWriters, type OpenHashingWriter } from '../src/engine/image/hashing-writer.ts';
import { IndexedDBContentStore } from '../src/storage/indexeddb-content.ts';
import { StageWorker } from '../src/storage/stage-worker.ts';

const sandbox = self.name;
const codecs = Promise.withResolvers<WebAssembly.Module>();
let writers: Promise<OpenHashingWriter> | undefined;

expose(
  new StageWorker(
    async (id, algorithm) => (await openWriters())(id, algorithm),
    (module) => {
      codecs.resolve(module);
      // the first layer finds them open
      openWriters().catch(() => undefined);
    },
  ),
);

/** What could not be opened is tried again for the next layer. */
function openWriters(): Promise<OpenHashingWriter> {
  writers ??= IndexedDBContentStore.open(sandbox).then(
    (content) => hashingWriters(content, () => codecs.promise),
    (error: unknown) => {
      writers = undefined;
      throw error;
    },
  );
  return writers;
}
