/// <reference lib="webworker" />
/** Ingests layers into a sandbox's content store, beside the engine. */

import { expose } from 'comlink';
import { rehearseCodecs } from '../src/engine/archive/codec-rehearsal.ts';
import { Unpackers } from '../src/engine/archive/unpackers.ts';
import { ingestLayer } from '../src/engine/image/ingest-layer.ts';
import { pieceLength } from '../src/engine/image/ingest-stage.ts';
import { IndexedDBContentStore } from '../src/storage/indexeddb-content.ts';
import { LargeWindow } from '../src/storage/large-window.ts';
import { LayerWorker } from '../src/storage/layer-worker.ts';
import { StageWriters } from '../src/storage/stage-writer.ts';

const codecs = Promise.withResolvers<WebAssembly.Module>();
const unpackers = new Unpackers(() => codecs.promise);
let content: Promise<IndexedDBContentStore> | undefined;
let stages: StageWriters | undefined;
let largeWindow: LargeWindow | undefined;

/** One that could not be opened is tried again for the next layer. */
function openContent(sandbox: string): Promise<IndexedDBContentStore> {
  content ??= IndexedDBContentStore.open(sandbox).catch((error: unknown) => {
    content = undefined;
    throw error;
  });
  return content;
}

function stagesOf(sandbox: string): StageWriters {
  stages ??= new StageWriters({
    spawn: () => new Worker(new URL('./stage.worker.ts', import.meta.url), { type: 'module', name: sandbox }),
    codecs: () => codecs.promise,
    bufferLength: pieceLength,
  });
  return stages;
}

expose(
  new LayerWorker({
    ingestInto: async (sandbox, request, options) => {
      const { open } = stagesOf(sandbox);
      largeWindow ??= new LargeWindow(sandbox);
      const window = largeWindow;
      return await ingestLayer(
        request,
        {
          fetch: (url, init) => fetch(url, init),
          content: await openContent(sandbox),
          unpackers,
          openBeside: open,
          takeLargeWindow: (signal) => window.take(signal),
        },
        options,
      );
    },
    onCodecs: codecs.resolve,
    getReady: async (sandbox, rehearses, signal) => {
      stagesOf(sandbox).prepare();
      await openContent(sandbox);
      if (rehearses) await rehearseCodecs(await codecs.promise, signal);
    },
    isSpent: () => largeWindow?.isHeld === true,
  }),
);
