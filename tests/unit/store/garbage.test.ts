import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/engine/oci/digest.ts';
import type { ContainerRecord } from '../../../src/engine/store/container-record.ts';
import { collectGarbage } from '../../../src/engine/store/garbage.ts';
import { Leases } from '../../../src/engine/store/leases.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { MemoryJournalStore } from '../../../src/engine/store/memory-journal.ts';
import { MemoryRecordStore } from '../../../src/engine/store/memory-records.ts';
import type { Change, ImageRecord } from '../../../src/engine/store/records.ts';

/** A digest that stands for a name; the store asks for no more. */
function digestOf(name: string): Digest {
  let hex = '';
  for (const letter of name) hex += letter.charCodeAt(0).toString(16);
  return `sha256:${hex.padEnd(64, '0')}`;
}

const mediaType = 'application/octet-stream';

function image(id: string, layers: readonly string[]): ImageRecord {
  return {
    id,
    target: { mediaType, digest: digestOf(`${id} index`), size: 100 },
    manifest: { mediaType, digest: digestOf(`${id} manifest`), size: 100 },
    imageID: digestOf(`${id} config`),
    platform: { os: 'linux', architecture: '386' },
    layers: layers.map((layer) => ({
      diffID: digestOf(layer),
      blob: { mediaType, digest: digestOf(`${layer}.gz`), size: 50 },
    })),
    taggedAt: 0,
  };
}

function container(id: string, layers: readonly string[]): ContainerRecord {
  return {
    id,
    name: id,
    image: 'base',
    imageID: digestOf('gone config'),
    layers: layers.map(digestOf),
    platform: { os: 'linux', architecture: '386' },
    config: {
      hostname: id,
      user: '',
      env: [],
      entrypoint: [],
      cmd: [],
      workingDir: '/',
      labels: {},
      stopSignal: 'SIGTERM',
      tty: false,
      openStdin: false,
      attachStdin: false,
      autoRemove: false,
    },
    state: {
      status: 'exited',
      pid: 0,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: 0,
      finishedAt: 0,
    },
    createdAt: 0,
  };
}

async function opened() {
  const content = new MemoryContentStore();
  const records = new MemoryRecordStore();
  const journals = new MemoryJournalStore();
  const leases = new Leases(records, () => 0);
  return {
    stores: { content, records, journals, leases },
    put: async (name: string, size: number) => {
      const writer = await content.ingest(name);
      await writer.write(new Uint8Array(size));
      await writer.commit(digestOf(name));
    },
    putLayer: async (name: string, size: number, indexSize: number) => {
      const writer = await content.ingest(name);
      await writer.write(new Uint8Array(size));
      await writer.commit(digestOf(name));
      await records.commit([
        { kind: 'layers', put: { id: digestOf(name), size, index: new ArrayBuffer(indexSize) } },
      ]);
    },
    left: async () => new Set((await content.list()).map((blob) => blob.digest)),
  };
}

const digests = (...names: string[]): Set<Digest> => new Set(names.map(digestOf));

describe('garbage collection', () => {
  it('keeps all that an image needs, and nothing of one that is gone', async () => {
    const { stores, put, putLayer, left } = await opened();
    const parts = ['index', 'manifest', 'config'];
    for (const name of ['kept', 'gone']) for (const part of parts) await put(`${name} ${part}`, 10);
    for (const name of ['shared', 'old']) {
      await putLayer(name, 1000, 100);
      await put(`${name}.gz`, 300);
    }
    await stores.records.commit([{ kind: 'images', put: image('kept', ['shared']) }]);
    expect(await collectGarbage(stores)).toBe(3 * 10 + 1000 + 100 + 300);
    expect(await left()).toEqual(
      digests('kept index', 'kept manifest', 'kept config', 'shared', 'shared.gz'),
    );
    expect(await stores.records.ids('layers')).toEqual([digestOf('shared')]);
    expect(await collectGarbage(stores)).toBe(0);
  });

  it('keeps the unpacked layers of a container whose image was removed by force', async () => {
    const { stores, put, putLayer, left } = await opened();
    await putLayer('layer', 1000, 100);
    await put('layer.gz', 300);
    await stores.records.commit([{ kind: 'containers', put: container('c1', ['layer']) }]);
    expect(await collectGarbage(stores)).toBe(300);
    expect(await left()).toEqual(digests('layer'));
    expect(await stores.records.ids('layers')).toEqual([digestOf('layer')]);
  });

  it('keeps what a lease names until it is released', async () => {
    const { stores, put, putLayer, left } = await opened();
    await put('blob', 10);
    await putLayer('layer', 1000, 100);
    const lease = await stores.leases.take({
      owner: 'pull',
      content: [digestOf('blob')],
      layers: [digestOf('layer')],
      ephemeral: true,
    });
    expect(await collectGarbage(stores)).toBe(0);
    expect(await left()).toEqual(digests('blob', 'layer'));
    await lease.release();
    expect(await collectGarbage(stores)).toBe(1110);
    expect(await left()).toEqual(new Set());
  });

  it('at the start drops ephemeral leases and what was left half-done; at other times neither', async () => {
    const { stores, put, left } = await opened();
    await put('pulled', 10);
    await put('durable', 10);
    await stores.leases.take({ owner: 'pull', content: [digestOf('pulled')], ephemeral: true });
    await stores.leases.take({ owner: 'x', content: [digestOf('durable')], ephemeral: false });
    await (await stores.content.ingest('half')).write(new Uint8Array(10));
    await collectGarbage(stores);
    expect(await stores.content.pendingIngests()).toEqual(['half']);
    expect(await left()).toEqual(digests('pulled', 'durable'));
    expect(await collectGarbage(stores, { atStart: true })).toBe(10);
    expect(await stores.content.pendingIngests()).toEqual([]);
    expect(await left()).toEqual(digests('durable'));
  });

  it('removes uppers and logs of containers that are gone, and no other journal', async () => {
    const { stores } = await opened();
    const log = (id: string): Change => ({ kind: 'logs', put: { id, bytes: new Uint8Array(7) } });
    await stores.records.commit([
      { kind: 'containers', put: container('c1', []) },
      ...['c1/000000000001', 'c10/000000000001', 'gone/000000000001', 'gone/000000000002'].map(log),
    ]);
    for (const name of ['container/c1', 'container/gone', 'volume/data', 'volume/container/x', 'host']) {
      const journal = await stores.journals.open(name);
      await journal.append(new Uint8Array(100));
      await journal.append(new Uint8Array(50));
      if (name !== 'container/c1') await journal.close();
    }
    expect(await collectGarbage(stores)).toBe(150 + 3 * 7);
    expect(new Set(await stores.journals.list())).toEqual(
      new Set(['container/c1', 'volume/data', 'volume/container/x', 'host']),
    );
    expect(await stores.records.ids('logs')).toEqual(['c1/000000000001']);
  });

  it('takes nothing that is leased while it runs', async () => {
    const { stores, put } = await opened();
    await put('wanted', 10);
    const collection = collectGarbage(stores);
    const lease = await stores.leases.take({ owner: 'pull', content: [digestOf('wanted')], ephemeral: true });
    // Whoever has the lease sees what is true from now on: here, that it must be fetched again.
    expect(await stores.content.stat(digestOf('wanted'))).toBeUndefined();
    await put('wanted', 10);
    expect(await collection).toBe(10);
    expect(await collectGarbage(stores)).toBe(0);
    expect(await stores.content.stat(digestOf('wanted'))).toEqual({ size: 10 });
    await lease.release();
  });

  it('removes a record before the bytes it points to', async () => {
    const { stores, putLayer } = await opened();
    await putLayer('layer', 1000, 100);
    const failing = {
      ...stores,
      content: Object.assign(Object.create(stores.content), {
        list: () => stores.content.list(),
        pendingIngests: () => stores.content.pendingIngests(),
        delete: () => Promise.reject(new Error('the tab dies here')),
      }),
    };
    await expect(collectGarbage(failing)).rejects.toThrow('dies');
    expect(await stores.records.ids('layers')).toEqual([]);
    expect(await collectGarbage(stores)).toBe(1000);
  });
});
