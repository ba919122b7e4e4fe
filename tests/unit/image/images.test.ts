import { describe, expect, it } from 'vitest';
import { LayerCache } from '../../../src/engine/image/layer-cache.ts';
import { parseDigest } from '../../../src/engine/oci/digest.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { madeUpSandbox } from './made-up-sandbox.ts';

/** Two images, `app:v1` of layers one and shared, `app:v2` of shared and two. */
async function two() {
  const sandbox = madeUpSandbox();
  const { registry, pull } = sandbox;
  const shared = registry.layer('shared');
  const history = [
    { created: '2024-01-01T00:00:00Z', created_by: 'ADD shared /' },
    { created_by: 'ENV A=b', empty_layer: true, comment: 'said' },
    { created_by: 'COPY one /' },
  ];
  registry.image([shared, registry.layer('one')], { tags: ['v1', 'also'], more: { history } });
  registry.image([shared, registry.layer('two')], { tags: ['v2'] });
  const { record: v1 } = await pull('localhost:5000/app:v1');
  const { record: v2 } = await pull('localhost:5000/app:v2');
  return { ...sandbox, v1, v2 };
}

const hexOf = (digest: string) => digest.slice('sha256:'.length);

describe('an image is meant', () => {
  it('by reference, by digest, by ID and by the beginning of one', async () => {
    const { images, v1 } = await two();
    const hex = hexOf(v1.imageID);
    for (const text of [
      'localhost:5000/app:v1',
      `localhost:5000/app@${v1.target.digest}`,
      v1.imageID,
      hex,
      hex.slice(0, 12),
      `sha256:${hex.slice(0, 12)}`,
    ]) {
      expect((await images.resolve(text)).id, text).toBe(v1.id);
    }
  });

  it.each([
    ['localhost:5000/app:v9', 'No such image: localhost:5000/app:v9'],
    ['foo', 'No such image: foo:latest'],
    ['docker.io/library/foo', 'No such image: foo:latest'],
    [`foo@sha256:${'a'.repeat(64)}`, `No such image: foo@sha256:${'a'.repeat(64)}`],
    ['0'.repeat(64), `No such image: ${'0'.repeat(64)}`],
    [`sha256:${'0'.repeat(64)}`, `No such image: sha256:${'0'.repeat(64)}`],
  ])('by nothing: %s', async (text, message) => {
    const { images } = await two();
    await expect(images.resolve(text)).rejects.toMatchObject({ code: 'NoSuchImage', message });
  });

  it.each(['', 'Foo', 'a b', 'localhost:5000/app:'])('by no %j', async (text) => {
    const { images } = await two();
    await expect(images.resolve(text)).rejects.toMatchObject({ code: 'InvalidReference' });
  });

  it('by a name before the beginning of an ID', async () => {
    const { images, v1, v2 } = await two();
    const beginning = hexOf(v2.imageID).slice(0, 6);
    await images.tag(v1, parseReference(beginning));
    expect((await images.resolve(beginning)).imageID).toBe(v1.imageID);
  });

  it('by no beginning that two IDs have', async () => {
    const { images, records, v1, v2 } = await two();
    const near = parseDigest(`${v1.imageID.slice(0, -1)}${v1.imageID.endsWith('0') ? '1' : '0'}`);
    await records.commit([
      { kind: 'images', put: { ...v2, id: 'docker.io/library/near:latest', imageID: near } },
    ]);
    await expect(images.resolve(hexOf(v1.imageID).slice(0, 12))).rejects.toThrow(
      '2 images have IDs that begin so',
    );
  });
});

describe('an image tells', () => {
  it('its history, newest first, beside its layers', async () => {
    const { images, v1 } = await two();
    expect(await images.history(v1)).toEqual([
      { imageID: v1.imageID, createdBy: 'COPY one /', comment: '', size: 3, diffID: v1.layers[1]?.diffID },
      { createdBy: 'ENV A=b', comment: 'said', size: 0 },
      {
        created: '2024-01-01T00:00:00Z',
        createdBy: 'ADD shared /',
        comment: '',
        size: 6,
        diffID: v1.layers[0]?.diffID,
      },
    ]);
  });

  it('a line for each layer that its history leaves out', async () => {
    const { images, v2 } = await two();
    expect((await images.history(v2)).map(({ createdBy, size }) => [createdBy, size])).toEqual([
      ['', 3],
      ['', 6],
    ]);
    expect(await images.size(v2)).toBe(9);
  });

  it('itself as docker image inspect does', async () => {
    const { images, v1 } = await two();
    await images.tag(v1, parseReference('mine'));
    const shown = await images.inspect(await images.resolve('mine'));
    expect(shown).toMatchObject({
      Id: v1.imageID,
      RepoTags: ['mine:latest', 'localhost:5000/app:v1'],
      RepoDigests: [`mine@${v1.target.digest}`, `localhost:5000/app@${v1.target.digest}`],
      Created: '2024-01-01T00:00:00Z',
      Architecture: '386',
      Os: 'linux',
      Size: 9,
      Config: { Env: ['A=b'], Cmd: ['sh'] },
      RootFS: { Type: 'layers', Layers: v1.layers.map(({ diffID }) => diffID) },
      Metadata: { LastTagTime: expect.stringMatching(/^1970-01-01T00:00:0/) },
    });
    expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
  });

  it('that a layer is gone, and what to do', async () => {
    const { images, records, v1 } = await two();
    await records.commit([{ kind: 'layers', delete: v1.layers[0]?.diffID ?? '' }]);
    await expect(images.layerIndexes(v1)).rejects.toMatchObject({ code: 'ContentMissing' });
  });
});

describe('docker rmi', () => {
  const chain = async (sandbox: Awaited<ReturnType<typeof two>>, text: string, force = false) => {
    const { untagged, deleted } = await sandbox.images.remove(text, { force });
    return { untagged, deleted: deleted.length };
  };

  it('of the last name takes the image and the layers that are its alone', async () => {
    const sandbox = await two();
    const { images, v1, v2, records, content, seen } = sandbox;
    const { untagged, deleted } = await images.remove('localhost:5000/app:v1');
    expect(untagged).toEqual(['localhost:5000/app:v1', `localhost:5000/app@${v1.target.digest}`]);
    expect(deleted[0]).toBe(v1.imageID);
    expect(deleted).toHaveLength(2);
    expect(await records.ids('images')).toEqual(['localhost:5000/app:v2']);
    expect([...(await records.ids('layers'))].sort()).toEqual(v2.layers.map(({ diffID }) => diffID).sort());
    expect(await content.stat(v1.imageID)).toBeUndefined();
    expect(seen.slice(-3)).toMatchObject([
      { type: 'image', action: 'untag' },
      { type: 'image', action: 'delete' },
      { type: 'storage', action: 'reclaimed', bytes: expect.any(Number) },
    ]);
    expect(await chain(sandbox, 'localhost:5000/app:v2')).toMatchObject({ deleted: 3 });
    expect(await content.list()).toEqual([]);
  });

  it('of one name of several takes the name', async () => {
    const sandbox = await two();
    await sandbox.images.tag(sandbox.v1, parseReference('mine'));
    expect(await sandbox.images.remove('mine')).toEqual({
      untagged: ['mine:latest'],
      deleted: [],
      reclaimed: 0,
    });
    expect((await sandbox.images.resolve('localhost:5000/app:v1')).imageID).toBe(sandbox.v1.imageID);
  });

  it('by ID takes the only name too, and of several only by force', async () => {
    const sandbox = await two();
    const { images, v1, v2 } = sandbox;
    await images.tag(v1, parseReference('mine'));
    const id = hexOf(v1.imageID).slice(0, 12);
    await expect(images.remove(id)).rejects.toMatchObject({
      code: 'ImageInUse',
      message: `conflict: unable to delete ${id} (must be forced) - image is referenced in multiple repositories`,
    });
    expect((await chain(sandbox, id, true)).untagged.slice(0, 2).sort()).toEqual([
      'localhost:5000/app:v1',
      'mine:latest',
    ]);
    expect(await chain(sandbox, v2.imageID)).toMatchObject({ deleted: 3 });
  });

  it('takes an image without a name', async () => {
    const sandbox = await two();
    const { registry, pull, images, v1 } = sandbox;
    registry.image([registry.layer('newer')], { tags: ['v1'] });
    await pull('localhost:5000/app:v1');
    expect((await images.remove(v1.imageID)).untagged).toEqual([]);
    await expect(images.resolve(v1.imageID)).rejects.toMatchObject({ code: 'NoSuchImage' });
  });

  const container = 'c'.repeat(64);

  it.each([[true], [false]])(
    'of the name of an image in use (running: %s) refuses, in Docker’s words',
    async (running) => {
      const { images, uses, v1 } = await two();
      uses.set(v1.imageID, [{ container, running }]);
      await expect(images.remove('localhost:5000/app:v1')).rejects.toMatchObject({
        code: 'ImageInUse',
        message: `conflict: unable to remove repository reference "localhost:5000/app:v1" (must force) - container cccccccccccc is using its referenced image ${hexOf(v1.imageID).slice(0, 12)}`,
      });
      expect((await images.resolve('localhost:5000/app:v1')).id).toBe(v1.id);
    },
  );

  it.each([
    [true, false, 'cannot be forced', 'running'],
    [true, true, 'cannot be forced', 'running'],
    [false, false, 'must be forced', 'stopped'],
  ])('by ID of an image in use (running %s, force %s) refuses: %s', async (running, force, remedy, state) => {
    const { images, uses, v1 } = await two();
    uses.set(v1.imageID, [{ container, running }]);
    const id = hexOf(v1.imageID).slice(0, 12);
    await expect(images.remove(id, { force })).rejects.toThrow(
      `conflict: unable to delete ${id} (${remedy}) - image is being used by ${state} container cccccccccccc`,
    );
  });

  it('by force takes the name of an image that runs, and leaves the image', async () => {
    const { images, uses, records, v1 } = await two();
    uses.set(v1.imageID, [{ container, running: true }]);
    const { untagged, deleted } = await images.remove('localhost:5000/app:v1', { force: true });
    expect([untagged.length, deleted]).toEqual([2, []]);
    expect(await records.ids('images')).toContain(`<none>@${v1.imageID}`);
    expect(await images.layerIndexes(await images.resolve(v1.imageID))).toHaveLength(2);
  });

  it('by force takes an image whose container is stopped', async () => {
    const { images, uses, v1 } = await two();
    uses.set(v1.imageID, [{ container, running: false }]);
    expect((await images.remove('localhost:5000/app:v1', { force: true })).deleted[0]).toBe(v1.imageID);
  });

  it('of what is not there says so', async () => {
    const { images } = await two();
    await expect(images.remove('foo')).rejects.toThrow('No such image: foo:latest');
  });
});

describe('opened layer indexes', () => {
  it('are opened once, and let go when they are too many', async () => {
    const { records, v1, v2 } = await two();
    const ids = [...new Set([...v1.layers, ...v2.layers].map(({ diffID }) => diffID))];
    const [first, second, third] = ids;
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('three layers expected');
    const reads: string[] = [];
    const counted = Object.create(records, {
      get: {
        value: (kind: 'layers', id: string) => {
          reads.push(id);
          return records.get(kind, id);
        },
      },
    });
    const size = (await records.get('layers', first))?.index.byteLength ?? 0;
    const cache = new LayerCache(counted, size * 2 + size / 2);
    await Promise.all([cache.open(first), cache.open(first)]);
    await cache.open(second);
    await cache.open(first);
    expect(reads).toEqual([first, second]);
    await cache.open(third); // second was used longest ago
    await cache.open(first);
    await cache.open(second);
    expect(reads).toEqual([first, second, third, second]);
    expect(await cache.open(`sha256:${'0'.repeat(64)}`)).toBeUndefined();
  });
});
