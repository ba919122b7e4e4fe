/** `docker save` and `docker load`: to and from skopeo, across formats, and what no archive may do. */

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { run } from '../../support/run.ts';
import { endOfArchive, file, header, joined } from '../archive/tar-bytes.ts';
import { FakeClient } from '../container/fake-client.ts';
import { killPage, openSandbox, openWithBusybox } from '../container/sandbox.ts';
import { getDocument, makeLayout, type PushedDocument, pushIndex } from '../mirror/images.ts';
import { bytesOf, image, inPieces, load, ok, programs, withTwoLayers } from './archived.ts';

let folder: string;
let registry: Registry;
let made: Awaited<ReturnType<typeof makeLayout>>;
let index: PushedDocument;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layerbox-archive-'));
  [registry, made] = await Promise.all([startRegistry(), makeLayout(['linux/386', 'linux/amd64'])]);
  index = await pushIndex(made.path, registry, 'test/multi', ['linux/386', 'linux/amd64']);
});
afterAll(async () => {
  await registry.close();
  await made.remove();
  await rm(folder, { recursive: true });
});

const skopeo = (...args: string[]) => run('skopeo', ['--insecure-policy', '--override-arch', '386', ...args]);
const place = (name: string) => join(folder, name);
const BUSYBOX = 'docker.io/library/busybox:latest';

describe('docker save', () => {
  it('is loaded again as it was, and can be run', async () => {
    const sandbox = await withTwoLayers();
    const tar = await bytesOf(sandbox, 'save', 'mine:1', 'busybox');
    const other = await openSandbox({ programs });
    expect(await load(other, tar)).toEqual({
      code: 0,
      out: 'Loaded image: mine:1\nLoaded image: busybox:latest\n',
      err: '',
    });
    const id = 'docker.io/library/mine:1';
    expect({ ...(await image(other, id)), taggedAt: 0 }).toEqual({
      ...(await image(sandbox, id)),
      taggedAt: 0,
    });
    expect(Buffer.from(await other.engine.read('mine:1', '/new')).toString()).toBe('new\n'.repeat(100_000));
    expect(await ok(other, 'run', '--rm', 'mine:1', 'true')).toBe('');
    // and from there the same bytes come
    expect((await bytesOf(other, 'save', 'mine:1', 'busybox')).equals(tar)).toBe(true);
    // what the archive had besides is gone
    const again = await openSandbox({ programs, stores: await killPage(other) });
    expect((await bytesOf(again, 'save', 'mine:1', 'busybox')).equals(tar)).toBe(true);
  });

  it('is an OCI layout and what docker load of any version reads, as tar(1) lists it', async () => {
    const sandbox = await withTwoLayers();
    await writeFile(place('two.tar'), await bytesOf(sandbox, 'save', 'mine:1', 'busybox:latest'));
    const names = (await run('tar', ['tf', place('two.tar')])).split('\n').slice(0, -1);
    const { layers, manifest, imageID } = await image(sandbox, 'docker.io/library/mine:1');
    const base = await image(sandbox, BUSYBOX);
    const blobs = [...layers.map(({ blob }) => blob.digest), manifest.digest, imageID];
    blobs.push(base.manifest.digest, base.imageID);
    const paths = blobs.map((digest) => `blobs/sha256/${digest.slice(7)}`).sort();
    expect(names).toEqual(['blobs/', 'blobs/sha256/', ...paths, 'index.json', 'manifest.json', 'oci-layout']);
    const content = async (name: string) => JSON.parse(await run('tar', ['xOf', place('two.tar'), name]));
    expect(await content('manifest.json')).toMatchObject([
      {
        Config: `blobs/sha256/${imageID.slice(7)}`,
        RepoTags: ['mine:1'],
        Layers: layers.map(({ blob }) => `blobs/sha256/${blob.digest.slice(7)}`),
      },
      { RepoTags: ['busybox:latest'] },
    ]);
    expect((await content('index.json')).manifests[0]).toEqual({
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.size,
      platform: { architecture: '386', os: 'linux' },
      annotations: {
        'io.containerd.image.name': 'docker.io/library/mine:1',
        'org.opencontainers.image.ref.name': '1',
      },
    });
    expect(await content('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
  });

  it.each(['docker-archive', 'oci-archive'])(
    'is read by skopeo as %s, and what that writes is loaded here',
    async (kind) => {
      const sandbox = await withTwoLayers();
      const saved = place(`${kind}-saved.tar`);
      await writeFile(saved, await bytesOf(sandbox, 'save', 'mine:1'));
      const from = kind === 'oci-archive' ? `${kind}:${saved}` : `${kind}:${saved}:mine:1`;
      const back = place(`${kind}-back.tar`);
      await skopeo('copy', '-q', from, `${kind}:${back}:docker.io/library/mine:back`);
      const other = await openSandbox({ programs });
      expect(await load(other, await readFile(back))).toEqual({
        code: 0,
        out: 'Loaded image: mine:back\n',
        err: '',
      });
      const here = await image(sandbox, 'docker.io/library/mine:1');
      const there = await image(other, 'docker.io/library/mine:back');
      expect(there.imageID).toBe(here.imageID);
      expect(there.layers.map(({ diffID }) => diffID)).toEqual(here.layers.map(({ diffID }) => diffID));
      if (kind === 'oci-archive') expect(there.manifest.digest).toBe(here.manifest.digest);
      expect(await ok(other, 'run', '--rm', 'mine:back', 'true')).toBe('');
      expect((await other.engine.read('mine:back', '/new')).length).toBe(400_000);
    },
  );

  it('of a name without a tag has all of its tags, of an ID none', async () => {
    const sandbox = await openWithBusybox();
    await ok(sandbox, 'tag', 'busybox', 'busybox:other');
    const all = await openSandbox();
    await load(all, await bytesOf(sandbox, 'save', 'busybox'));
    expect(await all.stores.records.ids('images')).toEqual([BUSYBOX, 'docker.io/library/busybox:other']);
    const one = await openSandbox();
    await load(one, await bytesOf(sandbox, 'save', 'busybox:other'));
    expect(await one.stores.records.ids('images')).toEqual(['docker.io/library/busybox:other']);
    const { imageID } = await image(sandbox, BUSYBOX);
    const none = await openSandbox();
    expect((await load(none, await bytesOf(sandbox, 'save', imageID.slice(7, 19)))).out).toBe(
      `Loaded image ID: ${imageID}\n`,
    );
    expect(await none.stores.records.ids('images')).toEqual([`<none>@${imageID}`]);
  });

  it('waits for its reader', async () => {
    const sandbox = await withTwoLayers();
    let waiting = 0;
    let most = 0;
    await sandbox.docker(['save', 'mine:1'], {
      write: async () => {
        waiting += 1;
        most = Math.max(most, waiting);
        await new Promise((resolve) => setImmediate(resolve));
        waiting -= 1;
      },
    });
    expect(most).toBe(1);
  });

  it('-o writes a file of the host, which -i reads; nothing else is there after a failure', async () => {
    const sandbox = await openSandbox({ programs, withoutMachine: true });
    await ok(sandbox, 'pull', 'busybox');
    expect(await ok(sandbox, 'save', '-o', 'box.tar', 'busybox')).toBe('');
    await ok(sandbox, 'rmi', 'busybox');
    expect(await ok(sandbox, 'load', '-i', '/root/box.tar')).toBe('Loaded image: busybox:latest\n');
    await ok(sandbox, 'rmi', 'busybox');
    // not even a read of what is there is needed for a refusal
    expect(await sandbox.docker('save -o box.tar nosuch')).toMatchObject({ code: 1 });
    expect(await ok(sandbox, 'load', '-q', '-i', 'box.tar')).toBe('Loaded image: busybox:latest\n');
    expect(await sandbox.docker('load -i none.tar')).toEqual({
      code: 1,
      out: '',
      err: 'open none.tar: no such file or directory\n',
    });
    expect(await sandbox.docker('save -o none/box.tar busybox')).toEqual({
      code: 1,
      out: '',
      err: 'failed to save image: invalid output path: stat none: no such file or directory\n',
    });
  });

  it.each([
    ['save nosuch', 'Error response from daemon: No such image: nosuch:latest\n'],
    [
      'save --platform linux/arm64 busybox',
      /Error response from daemon: image with reference \S+ was found but does not provide the specified platform \(linux\/arm64\)\n$/,
    ],
    ['save --platform a/b/c/d busybox', /"a\/b\/c\/d": cannot parse platform specifier/],
  ])('%s is refused, and nothing is written', async (line, err) => {
    const sandbox = await openWithBusybox();
    const result = await sandbox.docker(line);
    expect(result).toMatchObject({ code: 1, out: '' });
    if (typeof err === 'string') expect(result.err).toBe(err);
    else expect(result.err).toMatch(err);
    expect(await sandbox.stores.records.ids('leases')).toEqual([]);
  });

  it.each([['save busybox'], ['export web'], ['load']])('%s on a terminal is refused', async (line) => {
    const sandbox = await openWithBusybox({ programs });
    await ok(sandbox, 'create', '--name', 'web', 'busybox', 'true');
    const client = new FakeClient(line, true);
    sandbox.machine.connect(client);
    expect(await client.exited).toBe(1);
    expect(client.out).toBe('');
    expect(client.err.trim()).toBe(
      line === 'load'
        ? 'requested load from stdin, but stdin is empty'
        : 'cowardly refusing to save to a terminal. Use the -o flag or redirect',
    );
  });
});

describe('docker load', () => {
  async function multiArchive(): Promise<Buffer> {
    const path = place('multi.tar');
    const source = `docker://${registry.host}/test/multi`;
    await skopeo(
      'copy',
      '-q',
      '--all',
      '--src-tls-verify=false',
      source,
      `oci-archive:${path}:example.org/multi:1`,
    );
    return readFile(path);
  }
  const open = () => openSandbox({ programs, fetch: (url, init) => fetch(url, init) });

  it('keeps all platforms of an index, and push sends the whole of it to the byte', async () => {
    const sandbox = await open();
    const loaded = await load(sandbox, await multiArchive());
    expect(loaded).toEqual({ code: 0, out: 'Loaded image: example.org/multi:1\n', err: '' });
    const record = await image(sandbox, 'example.org/multi:1');
    expect(record.target.digest).toBe(index.digest);
    expect(record.platform).toEqual({ os: 'linux', architecture: '386' });
    const again = await openSandbox({
      programs,
      stores: await killPage(sandbox),
      fetch: (url, init) => fetch(url, init),
    });
    await ok(again, 'tag', 'example.org/multi:1', `${registry.host}/whole/multi`);
    const out = await ok(again, 'push', `${registry.host}/whole/multi`);
    expect(out).not.toContain('Info');
    expect(await getDocument(registry, 'whole/multi', 'latest')).toEqual(index);
    // and saved it is whole, too
    const third = await open();
    await load(third, await bytesOf(again, 'save', 'example.org/multi:1'));
    expect((await image(third, 'example.org/multi:1')).more).toEqual(record.more);
  });

  it('--platform takes that one, and refuses an archive without it', async () => {
    const sandbox = await open();
    await load(sandbox, await multiArchive(), '--platform', 'linux/amd64');
    expect((await image(sandbox, 'example.org/multi:1')).platform.architecture).toBe('amd64');
    expect(await load(await open(), await multiArchive(), '--platform', 'linux/arm64')).toMatchObject({
      code: 1,
      err: expect.stringContaining('requested platform linux/arm64 not found'),
    });
    const box = await openWithBusybox();
    await writeFile(place('box.tar'), await bytesOf(box, 'save', 'busybox'));
    await skopeo(
      'copy',
      '-q',
      `docker-archive:${place('box.tar')}`,
      `docker-archive:${place('plain.tar')}:box:1`,
    );
    const plain = await readFile(place('plain.tar'));
    expect((await load(await open(), plain, '--platform', 'linux/arm64')).code).toBe(1);
    expect((await load(await open(), plain, '--platform', 'linux/386')).code).toBe(0);
  });

  it('--platform of save leaves the others out', async () => {
    const sandbox = await open();
    await load(sandbox, await multiArchive());
    const other = await open();
    await load(other, await bytesOf(sandbox, 'save', '--platform', 'linux/amd64', 'example.org/multi:1'));
    const record = await image(other, 'example.org/multi:1');
    expect(record.platform.architecture).toBe('amd64');
    expect(record.target.digest).toBe(record.manifest.digest);
  });

  it('takes archives in gzip and zstd, and refuses other compressions by name', async () => {
    const sandbox = await openWithBusybox();
    const tar = await bytesOf(sandbox, 'save', 'busybox');
    await writeFile(place('z.tar'), tar);
    await run('zstd', ['-q', '-f', place('z.tar')]);
    for (const packed of [gzipSync(tar), await readFile(place('z.tar.zst'))]) {
      expect((await load(await openSandbox(), packed)).out).toBe('Loaded image: busybox:latest\n');
    }
    await run('bzip2', ['-kf', place('z.tar')]);
    expect((await load(await openSandbox(), await readFile(place('z.tar.bz2')))).err).toMatch(
      /compressed with bzip2, and only gzip, zstd and plain tars/,
    );
  });

  it('tells when a name is taken from another image', async () => {
    const sandbox = await withTwoLayers();
    const tar = await bytesOf(sandbox, 'save', 'mine:1');
    const { imageID } = await image(sandbox, BUSYBOX);
    await ok(sandbox, 'tag', 'busybox', 'mine:1');
    expect((await load(sandbox, tar)).out).toBe(
      `The image mine:1 already exists, renaming the old one with ID ${imageID} to empty string\nLoaded image: mine:1\n`,
    );
    expect((await load(sandbox, tar)).out).toBe('Loaded image: mine:1\n');
  });

  it('shows how far it is on a terminal, unless -q', async () => {
    const sandbox = await openSandbox({ programs });
    const archive = await bytesOf(await openWithBusybox(), 'save', 'busybox');
    const run = async (line: string) => {
      const client = new FakeClient(line, true);
      const terminal = { ...client.terminal, stdin: false };
      Object.assign(client, { terminal, input: inPieces(archive) });
      sandbox.machine.connect(client);
      expect(await client.exited).toBe(0);
      await sandbox.docker('rmi busybox');
      return client.out;
    };
    expect(await run('load')).toMatch(/[0-9a-f]{12}: Loading layer/);
    expect(await run('load -q')).toBe('Loaded image: busybox:latest\n');
  });
});

describe('an archive that is not what it should be', () => {
  const sha = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex');
  const CONFIG = JSON.stringify({
    architecture: '386',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${'1'.repeat(64)}`] },
  });
  const list = (item: object) => file('manifest.json', JSON.stringify([item]));
  const whole = (...parts: Uint8Array[]) => joined(...parts, endOfArchive);
  const layout = (manifests: readonly object[]) =>
    joined(
      file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
      file('index.json', JSON.stringify({ schemaVersion: 2, manifests })),
    );
  const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
  const manifestFile = JSON.stringify({
    schemaVersion: 2,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: `sha256:${sha(CONFIG)}`,
      size: CONFIG.length,
    },
    layers: [
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: `sha256:${sha('not a tar')}`,
        size: 9,
      },
    ],
  });
  const blob = (content: string, name = sha(content)) => file(`blobs/sha256/${name}`, content);
  const entry = { mediaType: MANIFEST, digest: `sha256:${sha(manifestFile)}`, size: manifestFile.length };

  it.each<[string, () => Uint8Array, RegExp]>([
    ['nothing', () => new Uint8Array(0), /the archive is empty/],
    ['no tar', () => Buffer.from('x'.repeat(2000)), /checksum|is damaged|header/i],
    [
      'a tar that was cut',
      () => file('index.json', 'x'.repeat(2000)).subarray(0, 1000),
      /the tar ends at byte/,
    ],
    ['a filesystem', () => whole(file('etc/passwd', 'x')), /neither the index\.json .* docker import/s],
    ['a list that is none', () => whole(file('manifest.json', '{}')), /must be a list/],
    ['a list that is no JSON', () => whole(file('manifest.json', '[')), /is no JSON document/],
    ['a list of nothing', () => whole(file('manifest.json', '[]')), /has no image in it/],
    [
      'a config that is missing',
      () => whole(list({ Config: 'c.json', Layers: [] })),
      /names "c\.json", which the archive does not have/,
    ],
    [
      'a config above its root',
      () => whole(file('c.json', CONFIG), list({ Config: '../../c.json', Layers: [] })),
      /names "\.\.\/\.\.\/c\.json"/,
    ],
    [
      'a layer that is missing',
      () => whole(file('c.json', CONFIG), list({ Config: 'c.json', Layers: ['l.tar'] })),
      /names "l\.tar"/,
    ],
    [
      'too few layers',
      () => whole(file('c.json', CONFIG), list({ Config: 'c.json', Layers: [] })),
      /0 layers, its config 1 diff_ids/,
    ],
    [
      'a layer with another diffID',
      () =>
        whole(
          file('c.json', CONFIG),
          file('l.tar', 'x'.repeat(512)),
          list({ Config: 'c.json', Layers: ['l.tar'] }),
        ),
      /layer sha256/,
    ],
    [
      'a tar with another diffID',
      () =>
        whole(
          file('c.json', CONFIG),
          file('l.tar', '\0'.repeat(1024)),
          list({ Config: 'c.json', Layers: ['l.tar'] }),
        ),
      /unpacked it has the diffID sha256:[0-9a-f]+, but the config of its image promises sha256:1111/,
    ],
    [
      'a link in a circle',
      () =>
        whole(
          header({ name: 'c.json', type: '2', link: 'd.json' }),
          header({ name: 'd.json', type: '2', link: 'c.json' }),
          list({ Config: 'c.json', Layers: [] }),
        ),
      /names "c\.json"/,
    ],
    ['a path outside of it', () => whole(file('../x', 'x')), /an entry outside of itself: "\.\.\/x"/],
    ['an absolute path', () => whole(file('/etc/x', 'x')), /an entry outside of itself: "\/etc\/x"/],
    ['a device', () => whole(header({ name: 'disk', type: '4' })), /has a block in it: "disk"/],
    [
      'a name that is no reference',
      () => whole(file('c.json', CONFIG), list({ Config: 'c.json', RepoTags: ['UPPER:1'], Layers: [] })),
      /0 layers|must be lowercase/,
    ],
    ['an index that is none', () => whole(layout([]), blob('x')), /has no image in it/],
    ['a manifest that is missing', () => whole(layout([entry])), /the archive does not have manifest sha256/],
    [
      'a manifest of another size',
      () => whole(layout([{ ...entry, size: 7 }]), blob(manifestFile)),
      /has \d+ bytes in the archive, not the 7 announced/,
    ],
    [
      'a blob with a false name',
      () => whole(layout([entry]), blob(manifestFile), blob(CONFIG), blob('NOT a tar', sha('not a tar'))),
      /is not what its name in the archive says: its digest is sha256:/,
    ],
    [
      'a layer that is no tar',
      () => whole(layout([entry]), blob(manifestFile), blob(CONFIG), blob('not a tar')),
      /layer sha256:[0-9a-f]+: /,
    ],
    [
      'a huge manifest',
      () =>
        whole(
          layout([{ ...entry, digest: `sha256:${sha(' '.repeat(5 << 20))}`, size: 5 << 20 }]),
          blob(' '.repeat(5 << 20)),
        ),
      /at most 4194304 are allowed/,
    ],
  ])('%s is refused, and leaves nothing behind', async (_, bytes, message) => {
    const sandbox = await openSandbox();
    const { code, out, err } = await load(sandbox, bytes());
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(message);
    expect(await sandbox.stores.content.list()).toEqual([]);
    expect(await sandbox.stores.content.pendingIngests()).toEqual([]);
    for (const kind of ['images', 'layers', 'leases'] as const) {
      expect(await sandbox.stores.records.ids(kind)).toEqual([]);
    }
  });

  it('and comes a byte at a time is read as any other', async () => {
    const { code, err } = await openSandbox().then((sandbox) =>
      sandbox.docker(['load'], {
        input: inPieces(whole(layout([entry]), blob(manifestFile), blob(CONFIG)), 1),
      }),
    );
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('does not have layer') });
  });

  it('of entries without end is not read to the end', async () => {
    async function* endless() {
      for (;;) yield joined(...Array.from({ length: 100 }, () => header({ name: 'd/', type: '5' })));
    }
    const sandbox = await openSandbox();
    const { code, err } = await sandbox.docker(['load'], { input: endless() });
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('more than 20000 entries') });
  });

  it('stops when it is cancelled', async () => {
    const sandbox = await openSandbox();
    const control = new AbortController();
    async function* slow() {
      yield header({ name: 'a', size: 1 << 20 });
      control.abort();
      await new Promise(() => undefined);
    }
    const { code } = await sandbox.docker(['load'], { input: slow(), signal: control.signal });
    expect(code).toBe(130);
    expect(await sandbox.stores.content.pendingIngests()).toEqual([]);
  });
});
