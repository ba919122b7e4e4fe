/** Archives of images in the hands of skopeo and podman, and what these write, in the hands of `docker load`. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageRecord } from '../../../src/engine/store/records.ts';
import { run } from '../../support/run.ts';
import { openSandbox, type TestSandbox } from '../container/sandbox.ts';
import { bytesOf, image, load, ok, programs, withTwoLayers } from './archived.ts';

const MINE = 'docker.io/library/mine:1';
const BUSYBOX = 'docker.io/library/busybox:latest';

let folder: string;
/** With `mine:1` and `busybox:latest`, and both of them saved. */
let sandbox: TestSandbox;
let mine: ImageRecord;
let busybox: ImageRecord;
const place = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layerbox-archives-'));
  sandbox = await withTwoLayers();
  [mine, busybox] = await Promise.all([image(sandbox, MINE), image(sandbox, BUSYBOX)]);
  await writeFile(place('saved.tar'), await bytesOf(sandbox, 'save', 'mine:1', 'busybox'));
  await writeFile(place('mine.tar'), await bytesOf(sandbox, 'save', 'mine:1'));
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

const skopeo = (...args: string[]) => run('skopeo', ['--insecure-policy', '--override-arch', '386', ...args]);
const copy = (...args: string[]) => skopeo('copy', '-q', ...args);
const diffIDs = ({ layers }: ImageRecord) => layers.map(({ diffID }) => diffID);
const blobs = ({ layers }: ImageRecord) => layers.map(({ blob }) => blob.digest);
const tarOf = async (path: string) => {
  await run('tar', ['-C', path, '-cf', `${path}.tar`, '.']);
  return readFile(`${path}.tar`);
};

/** A new sandbox with what is in the archive; `said` of `docker load`. */
async function loaded(archive: Uint8Array): Promise<{ there: TestSandbox; said: string }> {
  const there = await openSandbox({ programs });
  const { code, out, err } = await load(there, archive);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return { there, said: out };
}

/** The file that `mine:1` has of its own is read from the layer, its program is started. */
async function works(there: TestSandbox, name: string): Promise<void> {
  expect((await there.engine.read(name, '/new')).length).toBe(400_000);
  expect(await ok(there, 'run', '--rm', name, 'true')).toBe('');
}

describe('skopeo', () => {
  it.each([
    ['docker-archive', 'mine:1', () => mine],
    ['docker-archive', 'docker.io/library/busybox:latest', () => busybox],
    ['docker-archive', '@0', () => mine],
    ['docker-archive', '@1', () => busybox],
    ['oci-archive', '1', () => mine],
    ['oci-archive', 'latest', () => busybox],
  ])('reads %s:%s of an archive of several images with all of its digests', async (kind, which, record) => {
    const target = `${place(`${kind}-${which.replace(/\W/g, '-')}`)}`;
    await copy(`${kind}:${place('saved.tar')}:${which}`, `dir:${target}`);
    const manifest = await readFile(join(target, 'manifest.json'));
    const { config, layers } = JSON.parse(manifest.toString());
    expect(config.digest).toBe(record().imageID);
    if (kind === 'docker-archive') return; // its manifest is skopeo's own, over uncompressed layers
    expect(layers.map(({ digest }: { digest: string }) => digest)).toEqual(blobs(record()));
    const digest = await skopeo('manifest-digest', join(target, 'manifest.json'));
    expect(digest.trim()).toBe(record().manifest.digest);
  });

  it('writes dir:, which is loaded from a tar with the digests it had', async () => {
    await copy(`oci-archive:${place('mine.tar')}`, `dir:${place('dir')}`);
    const { there, said } = await loaded(await tarOf(place('dir')));
    expect(said).toBe(`Loaded image ID: ${mine.imageID}\n`);
    const record = await image(there, `<none>@${mine.imageID}`);
    expect(record.manifest.digest).toBe(mine.manifest.digest);
    expect(blobs(record)).toEqual(blobs(mine));
    await works(there, mine.imageID);
  });

  it('writes layers in zstd, which are loaded, saved and read by it again as they are', async () => {
    const options = ['--dest-compress-format', 'zstd'];
    await copy(...options, `docker-archive:${place('saved.tar')}:mine:1`, `oci:${place('zstd')}:mine:zstd`);
    const { there, said } = await loaded(await tarOf(place('zstd')));
    expect(said).toBe('Loaded image: mine:zstd\n');
    const record = await image(there, 'docker.io/library/mine:zstd');
    expect(record.layers.map(({ blob }) => blob.mediaType)).toEqual([
      'application/vnd.oci.image.layer.v1.tar+zstd',
      'application/vnd.oci.image.layer.v1.tar+zstd',
    ]);
    expect(diffIDs(record)).toEqual(diffIDs(mine));
    await works(there, 'mine:zstd');
    const { digest } = JSON.parse(await readFile(join(place('zstd'), 'index.json'), 'utf8')).manifests[0];
    expect(record.manifest.digest).toBe(digest);

    await writeFile(place('zstd-again.tar'), await bytesOf(there, 'save', 'mine:zstd'));
    const again = `oci:${place('zstd-again')}:again`;
    await copy('--preserve-digests', `oci-archive:${place('zstd-again.tar')}:zstd`, again);
    expect(JSON.parse(await skopeo('inspect', again)).Digest).toBe(digest);
    // and unpacked, where it reads the same file as an archive of Docker's
    await copy(
      `docker-archive:${place('zstd-again.tar')}:mine:zstd`,
      `docker-archive:${place('unpacked.tar')}:mine:1`,
    );
    const [{ Config, Layers }] = JSON.parse(
      await run('tar', ['-xOf', place('unpacked.tar'), 'manifest.json']),
    );
    expect(Config).toBe(`${record.imageID.slice(7)}.json`);
    expect(Layers).toEqual(diffIDs(mine).map((diffID) => `${diffID.slice(7)}.tar`));
  });
});

describe('podman', () => {
  /** With images in a folder of its own. */
  const inStore = (store: string, ...args: string[]) =>
    run('podman', [
      ...['--root', place(store), '--runroot', place(`${store}-run`), '--storage-driver', 'vfs'],
      ...args,
    ]);
  const podman = (...args: string[]) => inStore('podman', ...args);
  const idOf = async (name: string, store = 'podman') =>
    `sha256:${(await inStore(store, 'image', 'inspect', '--format', '{{.Id}}', name)).trim()}`;

  it('loads what is saved here, several images of one archive, with their IDs', async () => {
    // names without a registry are those of no registry for it
    expect(await podman('load', '-q', '-i', place('saved.tar'))).toBe(
      'Loaded image: localhost/mine:1\nLoaded image: localhost/busybox:latest\n',
    );
    expect(await idOf('localhost/mine:1')).toBe(mine.imageID);
    expect(await idOf('localhost/busybox')).toBe(busybox.imageID);
    const [shown] = JSON.parse(await podman('image', 'inspect', 'localhost/mine:1'));
    expect(shown.RootFS.Layers).toEqual(diffIDs(mine));
  });

  it.each([
    ['docker-archive', 'localhost/mine:1'],
    ['oci-archive', 'localhost/mine:1'],
    ['oci-dir', 'localhost/mine:1'],
    // which tells no name
    ['docker-dir', undefined],
  ])('saves %s, which is loaded here with its ID', async (format, name) => {
    const path = place(`podman-${format}`);
    await podman('save', '-q', '--format', format, '-o', path, 'localhost/mine:1');
    const archive = format.endsWith('dir') ? await tarOf(path) : await readFile(path);
    const { there, said } = await loaded(archive);
    const [record] = await there.stores.records.list('images');
    if (record === undefined) throw new Error(said);
    expect(said).toBe(`Loaded image${name === undefined ? ` ID: ${record.imageID}` : `: ${name}`}\n`);
    expect(diffIDs(record)).toEqual(diffIDs(mine));
    // the config of an image of Docker's is another one in an OCI image
    const { config } = format.startsWith('oci')
      ? JSON.parse(await skopeo('inspect', '--raw', `${format}:${path}`.replace('-dir', '')))
      : {};
    expect(record.imageID).toBe(config?.digest ?? mine.imageID);
    await works(there, name ?? record.imageID);
    // and what is saved of it here is the same image for podman
    await writeFile(`${path}-back`, await bytesOf(there, 'save', name ?? record.imageID));
    const back = await inStore('back', 'load', '-q', '-i', `${path}-back`);
    expect(await idOf(back.trim().replace(/^Loaded image: /, ''), 'back')).toBe(record.imageID);
  });

  it('saves several images with -m, which are loaded here', async () => {
    const names = ['localhost/mine:1', 'localhost/busybox'];
    await podman('save', '-q', '-m', '-o', place('podman-m.tar'), ...names);
    const { there, said } = await loaded(await readFile(place('podman-m.tar')));
    expect(said.split('\n').filter(Boolean).toSorted()).toEqual([
      'Loaded image: localhost/busybox:latest',
      'Loaded image: localhost/mine:1',
    ]);
    expect((await image(there, 'localhost/mine:1')).imageID).toBe(mine.imageID);
    expect((await image(there, 'localhost/busybox:latest')).imageID).toBe(busybox.imageID);
    await works(there, 'localhost/mine:1');
  });
});
