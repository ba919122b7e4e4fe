/// <reference lib="webworker" />
/** Ingests layers into a sandbox's content store, beside the engine. */

import { expose } from 'comlink';
import { Unpackers } from '../src/engine/archive/unpackers.ts';
import type { OpenHashingWriter } from '../src/engine/image/hashing-writer.ts';
import { ingestLayer } from '../src/engine/image/ingest-layer.ts';
import { pieceLength } from '../src/engine/image/ingest-stage.ts';
import { IndexedDBContentStore } from '../src/storage/indexeddb-content.ts';
import { LargeWindow } from '../src/storage/large-window.ts';
import { LayerWorker } from '../src/storage/layer-worker.ts';
import { stageWriters } from '../src/storage/stage-writer.ts';
import { loadCodecs } from './codecs.ts';

const unpackers = new Unpackers(loadCodecs);
let content: Promise<IndexedDBContentStore> | undefined;
let openBeside: OpenHashingWriter | undefined;
let largeWindow: LargeWindow | undefined;

const stageWorker = (sandbox: string) =>
  new Worker(new URL('./stage.worker.ts', import.meta.url), { type: 'module', name: sandbox });

expose(
  new LayerWorker(
    async (sandbox, request, options) => {
      // One that could not be opened is tried again for the next layer.
      content ??= IndexedDBContentStore.open(sandbox).catch((error: unknown) => {
        content = undefined;
        throw error;
      });
      openBeside ??= stageWriters(() => stageWorker(sandbox), pieceLength);
      largeWindow ??= new LargeWindow(sandbox);
      const window = largeWindow;
      return await ingestLayer(
        request,
        {
          fetch: (url, init) => fetch(url, init),
          content: await content,
          unpackers,
          openBeside,
          takeLargeWindow: (signal) => window.take(signal),
        },
        options,
      );
    },
    () => largeWindow?.isHeld === true,
  ),
);
