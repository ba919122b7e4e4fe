/** Tokens that run out while a layer worker fetches: from the worker's request through the pool to the token service. */

import { expose } from 'comlink';
import { afterEach, describe, expect, it } from 'vitest';
import { EventStream, type StampedEvent } from '../../../src/engine/events.ts';
import { LayerFetches } from '../../../src/engine/image/layer-fetches.ts';
import type { IngestRequest } from '../../../src/engine/image/layer-ingestor.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { openBlob } from '../../../src/engine/registry/blob.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import { MemoryRecordStore } from '../../../src/engine/store/memory-records.ts';
import { LayerPool } from '../../../src/storage/layer-pool.ts';
import { LayerWorker } from '../../../src/storage/layer-worker.ts';
import { codecsModule } from '../archive/unpacking.ts';
import { BLOB, CONFIG, startRegistry, startTokenService } from './made-up-accounts.ts';
import { AT_ONCE } from './made-up-registry.ts';
import type { RealServer } from './real-server.ts';

const signal = new AbortController().signal;
const diffID = `sha256:${'d'.repeat(64)}` as const;
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const closed = <T extends RealServer>(server: T): T => {
  closing.push(() => server.close());
  return server;
};

/** A worker as the pool starts it, on a thread of the test's own: what crosses is cloned all the same. */
function workerThread(read: (bytes: Uint8Array) => void): Worker {
  const { port1, port2 } = new MessageChannel();
  closing.push(() => port1.close());
  const surface = new LayerWorker({
    ingestInto: async (_, request, { signal: stop, line }) => {
      const { url, headers, what, blob } = request;
      const options = { ...line, fetch, signal: stop, patience: AT_ONCE };
      const body = await openBlob({ url, headers, what, size: blob.size }, options);
      read(new Uint8Array(await new Response(body).arrayBuffer()));
      return { id: request.diffID, size: 1, index: new ArrayBuffer(1) };
    },
    onCodecs: () => undefined,
    getReady: async () => undefined,
    isSpent: () => false,
  });
  expose(surface, port1);
  port2.start();
  const worker = {
    postMessage: port2.postMessage.bind(port2),
    addEventListener: port2.addEventListener.bind(port2),
    removeEventListener: port2.removeEventListener.bind(port2),
    terminate: () => port2.close(),
  };
  // of a Worker no more is used
  return worker as unknown as Worker;
}

async function start() {
  const tokens = closed(await startTokenService({ anonymous: true, expiresIn: 3600 }));
  const registry = closed(
    await startRegistry(
      ({ headers }) => tokens.isGood(headers.authorization),
      () => `Bearer realm="${tokens.origin}/token",service="s"`,
    ),
  );
  const events = new EventStream(() => 0);
  const seen: StampedEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const registries = new Registries({
    mirrors: {},
    fetch: (url, init) => fetch(url, init),
    events,
    now: () => 0,
    patience: AT_ONCE,
  });
  const read: Uint8Array[] = [];
  const pool = new LayerPool({
    sandbox: 'x',
    size: 1,
    spawn: () => workerThread((bytes) => read.push(bytes)),
    codecs: async () => codecsModule,
  });
  closing.push(() => pool.close());
  const fetches = new LayerFetches({ records: new MemoryRecordStore(), ingestor: pool, events });
  const { source } = await registries.resolve(parseReference(`${registry.host}/app:v1`), { signal });
  const bring = () =>
    fetches.bring(
      {
        diffID,
        request: async (stop): Promise<IngestRequest> => ({
          ...(await source.blobRequest(BLOB, { signal: stop })),
          id: 'layer-1',
          what: 'layer x',
          blob: BLOB,
          diffID,
        }),
      },
      { signal, onProgress: () => undefined },
    );
  return { tokens, registry, seen, read, bring };
}

describe('a layer worker whose token is refused', () => {
  it('gets a new one from who knows the registry, and each request is an event', async () => {
    const { tokens, registry, seen, read, bring } = await start();
    tokens.expire();
    seen.length = 0;
    await bring();
    expect(read.map((bytes) => Buffer.from(bytes).equals(CONFIG))).toEqual([true]);
    expect(tokens.given).toHaveLength(2);
    const blob = `${registry.origin}/v2/app/blobs/${BLOB.digest}`;
    expect(
      seen.flatMap((event) => (event.type === 'request' ? [[event.url.split('?')[0], event.status]] : [])),
    ).toEqual([
      [blob, 401],
      [`${tokens.origin}/token`, 200],
      [blob, 200],
    ]);
  });

  it('fails as the token service does, with the class of its error', async () => {
    const { tokens, bring } = await start();
    tokens.expire();
    await tokens.close();
    await expect(bring()).rejects.toMatchObject({
      code: 'RegistryUnreachable',
      message: expect.stringContaining('a token for'),
    });
  });
});

describe('a layer worker whose registry is busy', () => {
  it('tells of each repetition', async () => {
    const { registry, seen, bring } = await start();
    await registry.close();
    seen.length = 0;
    await expect(bring()).rejects.toMatchObject({ code: 'RegistryUnreachable' });
    expect(seen.flatMap((event) => (event.type === 'retry' ? [[event.status, event.attempt]] : []))).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });
});
