import { describe, expect, it } from 'vitest';
import { CancelledError, StorageFullError } from '../../../src/engine/errors.ts';
import type { PullProgress } from '../../../src/engine/image/pull-progress.ts';
import { parsePlatform } from '../../../src/engine/oci/platform.ts';
import { jsonBytes, refuse } from '../registry/made-up-registry.ts';
import { gate, MANIFEST, madeUpSandbox } from './made-up-sandbox.ts';

const NOTHING = { images: 0, leases: 0, ingests: 0 };

describe('a pull', () => {
  it('brings every document verbatim, every layer once, and names the image', async () => {
    const { registry, content, records, images, pull, leftovers } = madeUpSandbox();
    const layers = [registry.layer('one'), registry.layer('two')];
    const image = registry.image(layers);
    const index = registry.index([image], 'v1');
    const { record, digest, changed } = await pull('localhost:5000/app:v1');
    expect([digest, changed]).toEqual([index.digest, true]);
    expect(record).toEqual({
      id: 'localhost:5000/app:v1',
      target: index,
      manifest: { ...image.manifest, platform: { os: 'linux', architecture: '386' } },
      imageID: image.config.digest,
      platform: { os: 'linux', architecture: '386' },
      layers,
      taggedAt: expect.any(Number),
      hasRepoDigest: true,
    });
    expect(await records.list('images')).toEqual([record]);
    for (const { digest } of [index, image.manifest]) {
      expect(await content.read(digest)).toEqual(registry.manifests.get(digest)?.bytes);
    }
    for (const { digest } of [image.config, ...layers.map(({ blob }) => blob)]) {
      expect(await content.read(digest)).toEqual(registry.blobs.get(digest));
    }
    expect((await images.layerIndexes(record)).map((layer) => layer.find('one.txt') !== undefined)).toEqual([
      true,
      false,
    ]);
    expect(await leftovers()).toEqual({ ...NOTHING, images: 1 });
  });

  it('says when a layer is asked for again', async () => {
    const { registry, web, seen, pull } = madeUpSandbox();
    const layer = registry.layer('one');
    registry.image([layer], { tags: ['v1'] });
    let refusals = 1;
    web.host('http://localhost:5000/', (request, signal) =>
      request.url.endsWith(layer.blob.digest) && refusals-- > 0
        ? refuse(503, 'UNAVAILABLE', 'busy')
        : registry.answer(request, signal),
    );
    const { progress } = await pull('localhost:5000/app:v1');
    const statuses = progress.map((step) => (step.type === 'layer' ? step.status : step.type));
    expect(statuses.slice(1, 4)).toEqual(['Pulling fs layer', 'Retrying in 1 second', 'Downloading']);
    expect(statuses.at(-1)).toBe('Pull complete');
    expect(seen.filter((event) => event.type === 'retry')).toMatchObject([{ status: 503, attempt: 1 }]);
  });

  it('tells each layer’s way in Docker’s words, and the same as events', async () => {
    const { registry, seen, pull } = madeUpSandbox();
    const layer = registry.layer('one');
    registry.image([layer], { tags: ['v1'] });
    const { progress } = await pull('localhost:5000/app:v1');
    const statuses = progress.map((step) => (step.type === 'layer' ? step.status : step.type));
    expect(statuses).toEqual([
      'resolved',
      'Pulling fs layer',
      'Downloading',
      'Verifying Checksum',
      'Download complete',
      'Extracting',
      'Pull complete',
    ]);
    expect(progress.at(-1)).toEqual({
      type: 'layer',
      id: layer.blob.digest.slice(7, 19),
      digest: layer.blob.digest,
      diffID: layer.diffID,
      status: 'Pull complete',
      current: layer.blob.size,
      total: layer.blob.size,
    });
    const told = seen.map((event) =>
      'status' in event && event.type !== 'request' ? event.status : event.type,
    );
    expect(told.filter((word) => word !== 'request')).toEqual([
      'started',
      'waiting',
      'downloading',
      'verifying',
      'extracting',
      'extracting',
      'complete',
      'complete',
      'image',
    ]);
    const requests = seen
      .filter((event) => event.type === 'request')
      .map(({ url, status }) => [new URL(url).pathname.split('/').at(-2), status]);
    expect(requests).toEqual([
      ['manifests', 200],
      ['blobs', 200],
      ['blobs', 200],
    ]);
  });

  it('never fetches a layer that is here, whichever image brings it', async () => {
    const { registry, ingested, pull } = madeUpSandbox();
    const shared = registry.layer('shared');
    registry.image([shared], { tags: ['a'] });
    registry.image([shared, registry.layer('own')], { tags: ['b'] });
    await pull('localhost:5000/app:a');
    const { progress } = await pull('localhost:5000/app:b');
    expect(ingested.map(({ diffID }) => diffID).filter((id) => id === shared.diffID)).toHaveLength(1);
    expect(ingested).toHaveLength(2);
    const first = progress.find((step) => step.type === 'layer' && step.diffID === shared.diffID);
    expect(first).toMatchObject({ status: 'Already exists' });
  });

  it('of what is here already is one request, and changes nothing', async () => {
    const { registry, web, pull } = madeUpSandbox();
    registry.index([registry.image([registry.layer('one')])], 'v1');
    const first = await pull('localhost:5000/app:v1');
    web.requests.length = 0;
    const second = await pull('localhost:5000/app:v1');
    expect(second.changed).toBe(false);
    expect(second.record.imageID).toBe(first.record.imageID);
    expect(web.paths).toEqual(['/v2/app/manifests/v1']);
  });

  it('takes a layer that an image has twice for one', async () => {
    const { registry, ingested, images, pull } = madeUpSandbox();
    const layer = registry.layer('one');
    registry.image([layer, layer], { tags: ['v1'] });
    const { record, progress } = await pull('localhost:5000/app:v1');
    expect(ingested).toHaveLength(1);
    expect(progress.filter((step) => step.type === 'layer' && step.status === 'Pull complete')).toHaveLength(
      1,
    );
    expect(await images.layerIndexes(record)).toHaveLength(2);
  });

  it('by digest is named by the digest', async () => {
    const { registry, pull } = madeUpSandbox();
    const { manifest } = registry.image([registry.layer('one')], { tags: ['v1'] });
    const { record } = await pull(`localhost:5000/app:v1@${manifest.digest}`);
    expect(record.id).toBe(`localhost:5000/app@${manifest.digest}`);
  });

  it('follows an index within an index, but not for ever', async () => {
    const { registry, pull } = madeUpSandbox();
    const image = registry.image([registry.layer('one')]);
    let inner = { ...registry.index([image]), platform: undefined };
    const wrap = () => {
      const manifests = [inner];
      inner = {
        ...registry.manifest(
          { ...{ schemaVersion: 2, manifests }, mediaType: 'application/vnd.oci.image.index.v1+json' },
          'v1',
        ),
        platform: undefined,
      };
    };
    wrap();
    expect((await pull('localhost:5000/app:v1')).record.imageID).toBe(image.config.digest);
    for (let i = 0; i < 5; i++) wrap();
    await expect(pull('localhost:5000/app:v1')).rejects.toThrow('indexes more than 4 deep');
  });
});

describe('the platform of a pull', () => {
  it.each<[string[], string | undefined, string]>([
    [['amd64', '386'], undefined, 'linux/386'],
    [['arm64', 'amd64'], undefined, 'linux/amd64'],
    [['amd64', '386'], 'linux/amd64', 'linux/amd64'],
  ])('of %j, asked for %s, is %s', async (architectures, wanted, chosen) => {
    const { registry, pull } = madeUpSandbox();
    const layer = registry.layer('one');
    registry.index(
      architectures.map((architecture) => registry.image([layer], { architecture })),
      'v1',
    );
    const { record, progress } = await pull('localhost:5000/app:v1', {
      ...(wanted && { platform: parsePlatform(wanted) }),
    });
    expect(`${record.platform.os}/${record.platform.architecture}`).toBe(chosen);
    expect(progress[0]).toMatchObject({ type: 'resolved', platform: chosen });
  });

  it.each<[string, object, string | undefined, string]>([
    [
      'another than asked for',
      { architecture: 'amd64' },
      'linux/arm64',
      'image with reference localhost:5000/app:v1 was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)',
    ],
    ['windows', { os: 'windows', architecture: 'amd64' }, undefined, 'image operating system "windows"'],
  ])('that is %s is refused', async (_, options, wanted, words) => {
    const { registry, pull, leftovers } = madeUpSandbox();
    registry.image([registry.layer('one')], { tags: ['v1'], ...options });
    const pulling = pull('localhost:5000/app:v1', { ...(wanted && { platform: parsePlatform(wanted) }) });
    await expect(pulling).rejects.toMatchObject({ code: 'NoMatchingPlatform' });
    await expect(pulling).rejects.toThrow(words);
    expect(await leftovers()).toEqual(NOTHING);
  });

  it('that an index does not have is refused in Docker’s words', async () => {
    const { registry, pull } = madeUpSandbox();
    registry.index([registry.image([registry.layer('one')])], 'v1');
    await expect(pull('localhost:5000/app:v1', { platform: parsePlatform('linux/arm64') })).rejects.toThrow(
      'no matching manifest for linux/arm64 in the manifest list entries',
    );
  });
});

describe('a tag that has moved', () => {
  it('leaves the old image without a name, until it has one again', async () => {
    const { registry, records, seen, pull } = madeUpSandbox();
    registry.image([registry.layer('old')], { tags: ['v1', 'old'] });
    const first = await pull('localhost:5000/app:v1');
    const second = registry.image([registry.layer('new')], { tags: ['v1'] });
    const moved = await pull('localhost:5000/app:v1');
    expect([moved.changed, moved.record.imageID]).toEqual([true, second.config.digest]);
    const none = `<none>@${first.record.imageID}`;
    expect(await records.ids('images')).toEqual([none, 'localhost:5000/app:v1']);
    expect(await records.get('images', none)).toEqual({ ...first.record, id: none });
    expect(seen.filter((event) => event.type === 'image').map(({ action }) => action)).toEqual([
      'pull',
      'untag',
      'pull',
    ]);
    await pull('localhost:5000/app:old');
    expect(await records.ids('images')).toEqual(['localhost:5000/app:old', 'localhost:5000/app:v1']);
  });

  it('leaves no <none> where the old image has another name', async () => {
    const { registry, records, pull } = madeUpSandbox();
    registry.image([registry.layer('old')], { tags: ['v1', 'v0'] });
    await pull('localhost:5000/app:v1');
    await pull('localhost:5000/app:v0');
    registry.image([registry.layer('new')], { tags: ['v1'] });
    await pull('localhost:5000/app:v1');
    expect(await records.ids('images')).toEqual(['localhost:5000/app:v0', 'localhost:5000/app:v1']);
  });
});

describe('a pull that fails', () => {
  type Sandbox = ReturnType<typeof madeUpSandbox>;
  const blobPath = (digest: string) => `http://localhost:5000/v2/app/blobs/${digest}`;

  it.each<[string, (sandbox: Sandbox) => void, string]>([
    [
      'at a tampered config',
      ({ registry }) => {
        const { config } = registry.image([registry.layer('one')], { tags: ['v1'] });
        registry.blobs.set(config.digest, jsonBytes({ tampered: true }));
      },
      'SizeMismatch',
    ],
    [
      'at a config of the same size',
      ({ registry }) => {
        const { config } = registry.image([registry.layer('one')], { tags: ['v1'] });
        registry.blobs.set(config.digest, new Uint8Array(config.size));
      },
      'DigestMismatch',
    ],
    [
      'at a tampered layer',
      ({ registry }) => {
        const layer = registry.layer('one');
        registry.image([layer], { tags: ['v1'] });
        const bytes = registry.blobs.get(layer.blob.digest)?.slice() ?? new Uint8Array();
        bytes[12] = 255 - (bytes[12] ?? 0);
        registry.blobs.set(layer.blob.digest, bytes);
      },
      'DigestMismatch',
    ],
    [
      'at a wrong size',
      ({ registry }) => {
        const layer = registry.layer('one');
        registry.image([{ ...layer, blob: { ...layer.blob, size: layer.blob.size + 1 } }], { tags: ['v1'] });
      },
      'SizeMismatch',
    ],
    [
      'at a wrong diffID',
      ({ registry }) => {
        registry.image([{ ...registry.layer('one'), diffID: `sha256:${'0'.repeat(64)}` }], { tags: ['v1'] });
      },
      'DiffIDMismatch',
    ],
    [
      'at a layer that is missing',
      ({ registry }) => {
        const layer = registry.layer('one');
        registry.image([layer], { tags: ['v1'] });
        registry.blobs.delete(layer.blob.digest);
      },
      'BlobUnknown',
    ],
    [
      'at a 500 for a layer',
      ({ registry, web }) => {
        const layer = registry.layer('one');
        registry.image([layer], { tags: ['v1'] });
        web.host(blobPath(layer.blob.digest), () => refuse(500, 'UNKNOWN', 'x'));
      },
      'RegistryResponse',
    ],
    [
      'at a layer whose host went away',
      ({ registry, web }) => {
        const layer = registry.layer('one');
        registry.image([layer], { tags: ['v1'] });
        web.host(blobPath(layer.blob.digest), () => Promise.reject(new TypeError('Failed to fetch')));
      },
      'RegistryUnreachable',
    ],
    [
      'at layers that the config does not count',
      ({ registry }) => {
        registry.image([registry.layer('one')], {
          tags: ['v1'],
          more: { rootfs: { type: 'layers', diff_ids: [] } },
        });
      },
      'InvalidDocument',
    ],
    [
      'at a layer of unknown type',
      ({ registry }) => {
        const layer = registry.layer('one');
        registry.image([{ ...layer, blob: { ...layer.blob, mediaType: 'application/x' } }], { tags: ['v1'] });
      },
      'UnsupportedMediaType',
    ],
    [
      'at what is no image',
      ({ registry }) => {
        const config = {
          mediaType: 'application/vnd.cncf.helm.config.v1+json',
          ...registry.blob(jsonBytes({})),
        };
        registry.manifest({ ...{ schemaVersion: 2, config, layers: [] }, mediaType: MANIFEST }, 'v1');
      },
      'UnsupportedMediaType',
    ],
    [
      'at a manifest that is not what the index says',
      ({ registry }) => {
        const image = registry.image([registry.layer('one')]);
        registry.index([image], 'v1');
        registry.manifests.set(image.manifest.digest, {
          type: MANIFEST,
          bytes: new Uint8Array(image.manifest.size),
        });
      },
      'DigestMismatch',
    ],
    ['at a tag that is not there', () => undefined, 'ManifestUnknown'],
  ])('%s leaves nothing that can be seen', async (_, arrange, code) => {
    const sandbox = madeUpSandbox();
    arrange(sandbox);
    await expect(sandbox.pull('localhost:5000/app:v1')).rejects.toMatchObject({ code });
    expect(await sandbox.leftovers()).toEqual(NOTHING);
    expect(await sandbox.records.ids('layers')).toEqual([]);
    expect(sandbox.seen.at(-1)).toMatchObject({
      type: 'pull',
      status: 'failed',
      message: expect.any(String),
    });
  });

  it('keeps what the tag was before', async () => {
    const { registry, records, pull } = madeUpSandbox();
    registry.image([registry.layer('old')], { tags: ['v1'] });
    const { record } = await pull('localhost:5000/app:v1');
    const broken = registry.layer('new');
    registry.image([broken], { tags: ['v1'] });
    registry.blobs.delete(broken.blob.digest);
    await expect(pull('localhost:5000/app:v1')).rejects.toMatchObject({ code: 'BlobUnknown' });
    expect(await records.list('images')).toEqual([record]);
  });

  it('keeps the layers that were whole for the next try', async () => {
    const { registry, ingested, pull } = madeUpSandbox();
    const good = registry.layer('good');
    const late = registry.layer('late');
    registry.image([good, late], { tags: ['v1'] });
    const bytes = registry.blobs.get(late.blob.digest) ?? new Uint8Array();
    registry.blobs.delete(late.blob.digest);
    await expect(pull('localhost:5000/app:v1')).rejects.toMatchObject({ code: 'BlobUnknown' });
    registry.blobs.set(late.blob.digest, bytes);
    await pull('localhost:5000/app:v1');
    expect(ingested.filter(({ diffID }) => diffID === late.diffID)).toHaveLength(2);
    expect(ingested.length).toBeLessThanOrEqual(4);
  });

  it('for want of space gives back what it took', async () => {
    let isFull = false;
    const sandbox = madeUpSandbox({
      wrap: (ingestor) => ({
        ...ingestor,
        ingest: async (request, how) => {
          if (isFull) throw new StorageFullError('the disk is full');
          isFull = true;
          return ingestor.ingest(request, how);
        },
      }),
    });
    sandbox.registry.image([sandbox.registry.layer('one'), sandbox.registry.layer('two')], { tags: ['v1'] });
    await expect(sandbox.pull('localhost:5000/app:v1')).rejects.toMatchObject({ code: 'StorageFull' });
    expect(await sandbox.content.list()).toEqual([]);
    expect(await sandbox.records.ids('layers')).toEqual([]);
  });

  it('never reads more of a stored blob than its descriptor says', async () => {
    const { registry, pull } = madeUpSandbox();
    const layer = registry.layer('one');
    registry.image([layer], { tags: ['v1'] });
    await pull('localhost:5000/app:v1');
    // a config that is announced with the digest of a blob that is here, and another size
    const config = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: layer.blob.digest,
      size: 1,
    };
    registry.manifest({ ...{ schemaVersion: 2, config, layers: [] }, mediaType: MANIFEST }, 'v2');
    await expect(pull('localhost:5000/app:v2')).rejects.toMatchObject({ code: 'SizeMismatch' });
  });
});

describe('a pull that is cancelled', () => {
  it.each(['manifests/v1', 'blobs/config', 'blobs/layer'])(
    'at %s leaves nothing that can be seen',
    async (where) => {
      const { registry, web, seen, pull, leftovers } = madeUpSandbox();
      const layer = registry.layer('one');
      const { config } = registry.image([layer], { tags: ['v1'] });
      const path = where.replace('config', config.digest).replace('layer', layer.blob.digest);
      const controller = new AbortController();
      web.host(`http://localhost:5000/v2/app/${path}`, (_, signal) => {
        controller.abort();
        return Promise.reject(signal.reason);
      });
      await expect(pull('localhost:5000/app:v1', { signal: controller.signal })).rejects.toMatchObject({
        code: 'Cancelled',
      });
      expect(await leftovers()).toEqual(NOTHING);
      expect(seen.at(-1)).toMatchObject({ type: 'pull', status: 'cancelled' });
    },
  );

  it('in the middle of a layer leaves nothing that can be seen', async () => {
    const { registry, web, pull, leftovers } = madeUpSandbox();
    const layer = registry.layer('one');
    registry.image([layer], { tags: ['v1'] });
    const controller = new AbortController();
    web.host(`http://localhost:5000/v2/app/blobs/${layer.blob.digest}`, (_, signal) => {
      const bytes = registry.blobs.get(layer.blob.digest) ?? new Uint8Array();
      const body = new ReadableStream({
        start: (stream) => {
          stream.enqueue(bytes.slice(0, 10));
          signal.addEventListener('abort', () => stream.error(signal.reason));
          setTimeout(() => controller.abort(), 0);
        },
      });
      return new Response(body);
    });
    await expect(pull('localhost:5000/app:v1', { signal: controller.signal })).rejects.toBeInstanceOf(
      CancelledError,
    );
    expect(await leftovers()).toEqual(NOTHING);
  });

  it('before it begins asks for nothing', async () => {
    const { web, pull, leftovers } = madeUpSandbox();
    const controller = new AbortController();
    controller.abort();
    await expect(pull('localhost:5000/app:v1', { signal: controller.signal })).rejects.toMatchObject({
      code: 'Cancelled',
    });
    expect(web.requests).toEqual([]);
    expect(await leftovers()).toEqual(NOTHING);
  });
});

describe('two pulls at once', () => {
  /** A sandbox whose layer downloads wait at a gate. */
  function gated() {
    const sandbox = madeUpSandbox();
    const layer = sandbox.registry.layer('shared');
    sandbox.registry.image([layer], { tags: ['a'] });
    sandbox.registry.image([layer, sandbox.registry.layer('own')], { tags: ['b'] });
    const asked = gate();
    const answer = gate();
    let fails = false;
    sandbox.web.host(`http://localhost:5000/v2/app/blobs/${layer.blob.digest}`, async (_, signal) => {
      asked.open();
      await Promise.race([
        answer.opened,
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ]);
      if (fails) {
        fails = false;
        return refuse(403, 'DENIED', 'x');
      }
      return new Response(sandbox.registry.blobs.get(layer.blob.digest));
    });
    const fetches = () => sandbox.ingested.filter(({ diffID }) => diffID === layer.diffID).length;
    const waiting = async (tag: string) => {
      // the second pull waits for the shared layer once its own has come
      const isThere = () =>
        sandbox.seen.some(
          (event) => event.type === 'layer' && event.reference.endsWith(tag) && event.diffID === layer.diffID,
        );
      while (!isThere()) await new Promise((resolve) => setImmediate(resolve));
    };
    return { ...sandbox, asked, answer, fetches, waiting, failOnce: () => (fails = true) };
  }

  it('fetch a shared layer once, and both see it come', async () => {
    const { pull, asked, answer, waiting, fetches, leftovers } = gated();
    const first = pull('localhost:5000/app:a');
    await asked.opened;
    const second = pull('localhost:5000/app:b');
    await waiting(':b');
    answer.open();
    const progress = await Promise.all([first, second]);
    expect(fetches()).toBe(1);
    for (const pulled of progress) {
      expect(
        pulled.progress.filter((step) => step.type === 'layer' && step.status === 'Downloading').length,
      ).toBeGreaterThan(0);
    }
    expect(await leftovers()).toEqual({ ...NOTHING, images: 2 });
  });

  it('go on with the fetch when one of them is cancelled', async () => {
    const { pull, asked, answer, waiting, fetches, leftovers } = gated();
    const controller = new AbortController();
    const first = pull('localhost:5000/app:a', { signal: controller.signal });
    await asked.opened;
    const second = pull('localhost:5000/app:b');
    await waiting(':b');
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'Cancelled' });
    answer.open();
    await second;
    expect(fetches()).toBe(1);
    expect(await leftovers()).toEqual({ ...NOTHING, images: 1 });
  });

  it('end the fetch when both are cancelled', async () => {
    const { pull, asked, waiting, leftovers } = gated();
    const controller = new AbortController();
    const first = pull('localhost:5000/app:a', { signal: controller.signal });
    await asked.opened;
    const second = pull('localhost:5000/app:b', { signal: controller.signal });
    await waiting(':b');
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'Cancelled' });
    await expect(second).rejects.toMatchObject({ code: 'Cancelled' });
    expect(await leftovers()).toEqual(NOTHING);
  });

  it('of which the first fails: the other tries for itself', async () => {
    const { pull, asked, answer, waiting, fetches, failOnce } = gated();
    const first = pull('localhost:5000/app:a');
    await asked.opened;
    const second = pull('localhost:5000/app:b');
    await waiting(':b');
    failOnce();
    answer.open();
    await expect(first).rejects.toMatchObject({ code: 'RegistryDenied' });
    expect((await second).changed).toBe(true);
    expect(fetches()).toBe(2);
  });

  it('of one tag give it one image', async () => {
    const { registry, records, pull } = madeUpSandbox();
    registry.image([registry.layer('one')], { tags: ['v1'] });
    await Promise.all([pull('localhost:5000/app:v1'), pull('localhost:5000/app:v1')]);
    expect(await records.ids('images')).toEqual(['localhost:5000/app:v1']);
  });
});

describe('never more than three layers are on their way', () => {
  /** Layers wait at a gate, in the ingestor. */
  function counted() {
    const running = { now: 0, most: 0 };
    const answer = gate();
    const sandbox = madeUpSandbox({
      wrap: (ingestor) => ({
        ...ingestor,
        ingest: async (request, how) => {
          running.now += 1;
          running.most = Math.max(running.most, running.now);
          try {
            await Promise.race([
              answer.opened,
              new Promise((_, reject) =>
                how.signal.addEventListener('abort', () => reject(how.signal.reason)),
              ),
            ]);
            return await ingestor.ingest(request, how);
          } finally {
            running.now -= 1;
          }
        },
      }),
    });
    const layers = Array.from({ length: 9 }, (_, i) => sandbox.registry.layer(`layer ${i}`));
    const busy = async () => {
      while (running.now < 3) await new Promise((resolve) => setImmediate(resolve));
    };
    return { ...sandbox, answer, running, layers, busy };
  }
  const statuses = (progress: readonly PullProgress[]) =>
    progress.flatMap((step) => (step.type === 'layer' ? [step.status] : []));

  it('of one pull', async () => {
    const { registry, layers, pull, answer, running } = counted();
    registry.image(layers, { tags: ['v1'] });
    answer.open();
    const { progress } = await pull('localhost:5000/app:v1');
    expect(running.most).toBe(3);
    expect(statuses(progress).filter((status) => status === 'Pull complete')).toHaveLength(9);
  });

  it('of all pulls together; the others are said to wait', async () => {
    const { registry, layers, pull, answer, running, busy } = counted();
    const tags = layers.map((layer, n) => {
      registry.image([layer], { tags: [`v${n}`] });
      return `localhost:5000/app:v${n}`;
    });
    const told: PullProgress[][] = tags.map(() => []);
    const pulls = tags.map((tag, n) => pull(tag, { onProgress: (step) => void told[n]?.push(step) }));
    await busy();
    while (told.filter((steps) => statuses(steps).includes('Waiting')).length < 6) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    answer.open();
    await Promise.all(pulls);
    expect(running.most).toBe(3);
    expect(told.filter((steps) => statuses(steps).includes('Waiting'))).toHaveLength(6);
  });

  it('and one that waits can be cancelled: it is never asked for', async () => {
    const { registry, layers, pull, answer, busy, ingested, leftovers } = counted();
    const last = layers.slice(-1);
    registry.image(layers.slice(0, 3), { tags: ['large'] });
    registry.image(last, { tags: ['small'] });
    const large = pull('localhost:5000/app:large');
    await busy();
    const controller = new AbortController();
    const small = pull('localhost:5000/app:small', {
      signal: controller.signal,
      onProgress: (step) => {
        if (step.type === 'layer' && step.status === 'Waiting') controller.abort();
      },
    });
    await expect(small).rejects.toThrow(CancelledError);
    answer.open();
    await large;
    expect(ingested.map(({ diffID }) => diffID)).not.toContain(last[0]?.diffID);
    expect(await leftovers()).toEqual({ ...NOTHING, images: 1 });
  });
});
