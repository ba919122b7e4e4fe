import { afterEach, describe, expect, it } from 'vitest';
import {
  CancelledError,
  DiffIDMismatchError,
  DigestMismatchError,
  RegistryUnreachableError,
  SizeMismatchError,
  StorageFailedError,
  StorageFullError,
} from '../../src/engine/errors.ts';
import type { IngestProgress, IngestRequest } from '../../src/engine/image/layer-ingestor.ts';
import { openLayerIndex } from '../../src/engine/layer/packed-layer-index.ts';
import { Pace } from '../../src/engine/lazy/pace.ts';
import { ContentFiles } from '../../src/storage/content-files.ts';
import { deleteSandboxDatabase, SandboxDatabase } from '../../src/storage/database.ts';
import { IndexedDBContentStore } from '../../src/storage/indexeddb-content.ts';
import { largeWindowLock } from '../../src/storage/large-window.ts';
import { defaultPoolSize, LayerPool, type LayerPoolOptions } from '../../src/storage/layer-pool.ts';
import { throttled } from '../../src/storage/layer-worker.ts';
import { loadCodecs } from '../../workers/codecs.ts';
import { countingBytes, sameBytes } from '../conformance/bytes.ts';
import { freshSandbox } from '../conformance/sandbox-name.ts';
import { gzipped, serveLayer, tarOf, zstdFrame } from './layer-tar.ts';

const layerWorker = () =>
  new Worker(new URL('../../workers/layer.worker.ts', import.meta.url), { type: 'module' });
const silent = () => undefined;
const never = new AbortController().signal;

describe('the layer pool', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function opened(options: Partial<LayerPoolOptions> = {}) {
    const sandbox = freshSandbox('pool');
    const pool = new LayerPool({ sandbox, spawn: layerWorker, codecs: loadCodecs, ...options });
    const database = await SandboxDatabase.open(sandbox);
    closing.push(async () => {
      await pool.close();
      database.close();
      await deleteSandboxDatabase(sandbox);
    });
    return { pool, sandbox, content: new IndexedDBContentStore(database, await ContentFiles.open(sandbox)) };
  }
  const ingest = (pool: LayerPool, request: IngestRequest) =>
    pool.ingest(request, { signal: never, onProgress: silent });

  it.each([true, false])('brings in a layer, compressed: %s', async (compressed) => {
    const { pool, content } = await opened();
    const hosts = countingBytes(300_000, 5);
    const tar = tarOf({ 'etc/hosts': hosts, 'etc/passwd': countingBytes(10) });
    const { request, diffID } = await serveLayer(tar, { compressed });
    const reported: IngestProgress[] = [];
    const record = await pool.ingest(request, {
      signal: never,
      onProgress: (progress) => reported.push(progress),
    });
    expect(record.id).toBe(diffID);
    expect(record.size).toBe(tar.byteLength);
    const index = openLayerIndex(record.index);
    const entry = index.entry(index.find('etc/hosts') ?? -1);
    expect(entry.size).toBe(hosts.byteLength);
    expect(sameBytes(await content.read(diffID, entry.offset, entry.size), hosts)).toBe(true);
    expect(await content.stat(request.blob.digest)).toEqual({ size: request.blob.size });
    expect(await content.pendingIngests()).toEqual([]);
    expect(reported[0]?.status).toBe('downloading');
    expect(reported.at(-1)).toEqual({ status: 'extracting', bytes: request.blob.size });
  });

  it('ends workers that have nothing to do, and starts others for what comes', async () => {
    const { pool } = await opened({ idleLimit: 0 });
    const { request } = await serveLayer(tarOf({ file: countingBytes(1000) }), { compressed: true });
    pool.prepare();
    expect(pool.workers).toBe(1);
    await expect.poll(() => pool.workers).toBe(0);
    for (let turn = 0; turn < 2; turn++) {
      await ingest(pool, request);
      await expect.poll(() => pool.workers).toBe(0);
    }
  });

  it('has a worker ready from the rehearsal on, which serves the first layer, and then another', async () => {
    let spawned = 0;
    const spawn = () => {
      spawned += 1;
      return layerWorker();
    };
    const { pool } = await opened({ idleLimit: 0, spawn });
    const { request } = await serveLayer(tarOf({ file: countingBytes(1000) }), { compressed: true });
    pool.rehearse();
    pool.rehearse();
    pool.prepare();
    expect(pool.workers).toBe(1);
    await ingest(pool, request);
    expect(spawned).toBe(1);
    // its memory is given back, and the next one has unpacked nothing
    await expect.poll(() => spawned).toBe(2);
    expect(pool.workers).toBe(1);
    await ingest(pool, { ...request, id: 'again' });
    await expect.poll(() => spawned).toBe(3);
    await pool.close();
    pool.rehearse();
    expect(pool.workers).toBe(0);
  });

  it('fails by the reason for which there are no decoders, and looks for them again', async () => {
    let isMissing = true;
    const codecs = async () => {
      if (isMissing) throw new Error('the decoders of layers cannot be loaded: 404');
      return loadCodecs();
    };
    const { pool } = await opened({ codecs });
    const { request, diffID } = await serveLayer(tarOf({ file: countingBytes(10) }), { compressed: true });
    await expect(ingest(pool, request)).rejects.toThrow('the decoders of layers cannot be loaded: 404');
    isMissing = false;
    expect((await ingest(pool, request)).id).toBe(diffID);
  });

  it('fails with the worker’s error, its class and data, and leaves nothing behind', async () => {
    const { pool, content } = await opened();
    const tar = tarOf({ file: countingBytes(100_000) });
    const blob = await gzipped(tar);
    const changed = blob.slice();
    changed[20] = (changed[20] ?? 0) ^ 0xff;
    const good = await serveLayer(tar, { compressed: true });
    const cut = await serveLayer(tar, { compressed: true, sent: blob.slice(0, -100) });
    const tampered = await serveLayer(tar, { compressed: true, sent: changed });
    const wrongDiffID = { ...good.request, diffID: good.request.blob.digest };
    const gone = { ...good.request, url: `${location.origin.replace(/:\d+$/, ':9')}/blob` };
    for (const [request, Class] of [
      [cut.request, SizeMismatchError],
      [tampered.request, DigestMismatchError],
      [wrongDiffID, DiffIDMismatchError],
      [gone, RegistryUnreachableError],
    ] as const) {
      const failure = await ingest(pool, request).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Class);
      expect(failure instanceof Class && failure.data.what).toBe(request.what);
      expect(await content.list()).toEqual([]);
      expect(await content.pendingIngests()).toEqual([]);
    }
    await ingest(pool, good.request);
    expect((await content.list()).length).toBe(2);
  });

  it('holds a layer back while others go first, and goes on after that', async () => {
    const { pool, content } = await opened({ size: 1 });
    const large = await serveLayer(tarOf({ file: countingBytes(32 * 1024 * 1024) }), { compressed: false });
    const small = await serveLayer(tarOf({ file: countingBytes(1000) }), { compressed: true });
    const pace = new Pace({ linger: 0 });
    pace.begin();
    let received = 0;
    const held = pool.ingest(large.request, {
      signal: never,
      onProgress: ({ bytes }) => {
        received = bytes;
      },
      pace,
    });
    // in the same worker, after it: when this one is through, the other one had its time
    await ingest(pool, small.request);
    await ingest(pool, { ...small.request, id: 'again' });
    expect(received).toBe(0);
    pace.end();
    expect((await held).id).toBe(large.diffID);
    expect(await content.stat(large.request.blob.digest)).toEqual({ size: large.request.blob.size });
  });

  it('cancels a layer that is held back', async () => {
    const { pool, content } = await opened();
    const { request } = await serveLayer(tarOf({ file: countingBytes(1000) }), { compressed: true });
    const pace = new Pace();
    pace.begin();
    const controller = new AbortController();
    const held = pool.ingest(request, { signal: controller.signal, onProgress: silent, pace });
    controller.abort();
    await expect(held).rejects.toThrow(CancelledError);
    expect(await content.pendingIngests()).toEqual([]);
  });

  it('cancels what its caller gives up, and leaves nothing of it', async () => {
    const { pool, content } = await opened();
    const large = await serveLayer(tarOf({ file: countingBytes(64 * 1024 * 1024) }), { compressed: false });
    const controller = new AbortController();
    const cancelled = pool.ingest(large.request, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(cancelled).rejects.toThrow(CancelledError);
    expect(await content.list()).toEqual([]);
    expect(await content.pendingIngests()).toEqual([]);
    await expect(
      pool.ingest(large.request, { signal: AbortSignal.abort(), onProgress: silent }),
    ).rejects.toThrow(CancelledError);
    // the same ID is as good as new
    await ingest(pool, large.request);
    expect((await content.list()).map((blob) => blob.digest)).toEqual([large.diffID]);
  });

  it('starts workers when there is work for them, and no more than its size', async () => {
    const { pool, content } = await opened({ size: 2 });
    expect(pool.workers).toBe(0);
    const layers = await Promise.all(
      [1, 2, 3, 4, 5].map((seed) =>
        serveLayer(tarOf({ file: countingBytes(200_000, seed) }), { compressed: true }),
      ),
    );
    const [first] = layers;
    if (first !== undefined) await ingest(pool, first.request);
    expect(pool.workers).toBe(1);
    await Promise.all(layers.slice(1).map((layer) => ingest(pool, layer.request)));
    expect(pool.workers).toBe(2);
    expect((await content.list()).length).toBe(10);
  });

  it('brings in one layer with a large window at a time, and ends its worker for the memory', async () => {
    const { pool, content, sandbox } = await opened({ size: 2 });
    const served = (seed: number, windowLog: number) => {
      const tar = tarOf({ file: countingBytes(1_500_000, seed) });
      return serveLayer(tar, { compressed: true, blob: zstdFrame(tar, windowLog) });
    };
    const large = await Promise.all([1, 2].map((seed) => served(seed, 27)));
    const small = await served(3, 21);
    const lock = largeWindowLock(sandbox);
    const elsewhere = Promise.withResolvers<void>();
    const granted = Promise.withResolvers<void>();
    const holding = navigator.locks.request(lock, () => {
      granted.resolve();
      return elsewhere.promise;
    });
    await granted.promise;
    const waiting = Promise.all(large.map(({ request }) => ingest(pool, request)));
    const others = async () =>
      (await navigator.locks.query()).pending?.filter(({ name }) => name === lock).length ?? 0;
    await expect.poll(others, { timeout: 60_000 }).toBe(2);
    // who needs no such window does not wait
    expect((await ingest(pool, small.request)).id).toBe(small.diffID);
    const controller = new AbortController();
    const cancelled = pool.ingest((await served(4, 27)).request, {
      signal: controller.signal,
      onProgress: silent,
    });
    controller.abort();
    await expect(cancelled).rejects.toThrow(CancelledError);
    expect(await content.list()).toHaveLength(2);

    elsewhere.resolve();
    await holding;
    expect((await waiting).map(({ id }) => id)).toEqual(large.map(({ diffID }) => diffID));
    await expect.poll(() => pool.workers, { timeout: 4000 }).toBe(0);
    expect((await navigator.locks.query()).held?.filter(({ name }) => name === lock)).toEqual([]);
    // and the next ones are as good
    expect((await ingest(pool, { ...small.request, id: 'again' })).id).toBe(small.diffID);
    expect(await content.pendingIngests()).toEqual([]);
  });

  it('fails what a worker that cannot run was given, and starts another for the next', async () => {
    let broken = true;
    const script = URL.createObjectURL(
      new Blob(['throw new Error("out of order")'], { type: 'text/javascript' }),
    );
    const { pool } = await opened({ spawn: () => (broken ? new Worker(script) : layerWorker()) });
    const { request, diffID } = await serveLayer(tarOf({ file: countingBytes(10) }), { compressed: true });
    const failure = await ingest(pool, request).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageFailedError);
    expect(String(failure)).toContain('out of order');
    expect(pool.workers).toBe(0);
    broken = false;
    expect((await ingest(pool, request)).id).toBe(diffID);
  });

  /** A large layer whose ingest has begun, and what that comes to. */
  async function underWayIn(pool: LayerPool) {
    const large = await serveLayer(tarOf({ file: countingBytes(64 * 1024 * 1024) }), { compressed: false });
    const started = Promise.withResolvers<void>();
    const underWay = pool
      .ingest(large.request, { signal: never, onProgress: () => started.resolve() })
      .catch((error: unknown) => error);
    await started.promise;
    return { large, underWay };
  }

  it('cancels what is under way when it is closed, and takes no more', async () => {
    const { pool, content } = await opened();
    const { large, underWay } = await underWayIn(pool);
    await pool.close();
    expect(await underWay).toBeInstanceOf(CancelledError);
    expect(await content.pendingIngests()).toEqual([]);
    expect(pool.workers).toBe(0);
    await expect(ingest(pool, large.request)).rejects.toThrow(CancelledError);
  });

  it('refuses what is under way when room is short, and then nothing of it is staged', async () => {
    const { pool, content } = await opened();
    const { underWay } = await underWayIn(pool);
    await pool.refuse();
    const later = new Promise((resolve) => setTimeout(resolve, 0, 'later'));
    expect(await Promise.race([underWay, later])).toBeInstanceOf(StorageFullError);
    expect(await content.pendingIngests()).toEqual([]);
  });

  it.each([
    [Number.NaN, 1],
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 2],
    [6, 3],
    [64, 4],
  ])('on %d processors has %d workers', (processors, size) => {
    expect(defaultPoolSize(processors)).toBe(size);
  });
});

describe('progress', () => {
  it('is reported when the status changes, at the last byte, and five times a second', () => {
    let time = 0;
    const reported: string[] = [];
    const report = throttled(
      ({ status, bytes }) => reported.push(`${status} ${bytes}`),
      1000,
      () => time,
    );
    for (let bytes = 10; bytes <= 1000; bytes += 10) {
      report({ status: 'downloading', bytes });
      time += 5;
    }
    report({ status: 'verifying', bytes: 1000 });
    expect(reported).toEqual([
      'downloading 10',
      'downloading 410',
      'downloading 810',
      'downloading 1000',
      'verifying 1000',
    ]);
  });
});
