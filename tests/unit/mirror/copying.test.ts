import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serveFolder } from '../../../scripts/serve.ts';
import { EventStream } from '../../../src/engine/events.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry.ts';
import { pushLayout, type Registry, startRegistry } from '../../support/registry.ts';
import { run } from '../../support/run.ts';
import {
  getDocument,
  INDEX,
  makeLayout,
  type PushedDocument,
  pushIndex,
  pushNested,
  putDocument,
} from './images.ts';
import { blobsIn, filesIn, mirror, namesIn, temporaryFolder } from './place.ts';

const PLATFORMS = ['linux/386', 'linux/amd64', 'linux/arm/v7'];
let upstream: Registry;
let registry: FaultyRegistry;
let layout: Awaited<ReturnType<typeof makeLayout>>;
let index: PushedDocument;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let to: string;

beforeAll(async () => {
  layout = await makeLayout(PLATFORMS);
  upstream = await startRegistry({ cors: false });
  registry = await startFaultyRegistry(upstream);
  index = await pushIndex(layout.path, upstream, 'test/multi', PLATFORMS);
  await pushLayout(layout.path, 'linux-386', upstream, 'test/single:1');
});
afterAll(async () => {
  await registry.close();
  await upstream.close();
  await layout.remove();
});
beforeEach(async () => {
  folder = await temporaryFolder();
  to = join(folder.path, 'images');
  registry.faults.clear();
  registry.forget();
});
afterEach(() => folder.remove());

const image = (name: string) => `${registry.host}/test/${name}`;
const copy = (...words: string[]) => mirror(['--to', to, ...words]);
const blobRequests = () => registry.requests.filter((request) => request.includes('/blobs/'));
const pathOf = (digest: string) => `blobs/sha256/${digest.slice(7)}`;

async function skopeoCopy(name: string, target: string, ...options: string[]): Promise<void> {
  await run('skopeo', [
    ...['copy', '--quiet', '--insecure-policy', '--src-tls-verify=false', ...options],
    `docker://${image(name)}`,
    target,
  ]);
}

describe('the folder', () => {
  it('has the blobs that skopeo copies, to the byte, when all platforms are wanted', async () => {
    expect(await copy('--all-platforms', image('multi'))).toMatchObject({ code: 0 });
    const other = join(folder.path, 'skopeo');
    await skopeoCopy('multi', `oci:${other}:multi`, '--all');
    const theirs = await filesIn(other);
    const ours = await filesIn(to);
    expect(await blobsIn(to)).toEqual(await blobsIn(other));
    expect((await blobsIn(to)).length).toBe(1 + 3 + 3 + 4);
    for (const path of await blobsIn(other))
      expect(ours.get(path)?.equals(theirs.get(path) ?? Buffer.alloc(0))).toBe(true);
    expect(JSON.parse(String(ours.get('oci-layout')))).toEqual({ imageLayoutVersion: '1.0.0' });
    expect([...ours.keys()].filter((path) => /[:\\]|partial/.test(path))).toEqual([]);
  });

  it('holds linux/386 alone by default, under the index as it is', async () => {
    const done = await copy(image('multi'));
    expect(done).toMatchObject({ code: 0, stdout: `${image('multi')}:latest: copied\n` });
    const files = await filesIn(to);
    expect(files.get(pathOf(index.digest))).toEqual(Buffer.from(index.bytes));
    expect(await blobsIn(to)).toHaveLength(1 + 1 + 1 + 2);
    expect(await namesIn(to)).toEqual({ [`${image('multi')}:latest`]: index.digest });
  });

  it('is read by skopeo, single images and sparse indexes', async () => {
    expect(await copy(image('single:1'), image('multi'))).toMatchObject({ code: 0 });
    const single = await getDocument(upstream, 'test/single', '1');
    const inspected = JSON.parse(await run('skopeo', ['inspect', `oci:${to}:${image('single:1')}`]));
    expect(inspected).toMatchObject({ Digest: single.digest, Architecture: '386', Os: 'linux' });
    const words = [
      'inspect',
      '--override-os=linux',
      '--override-arch=386',
      `oci:${to}:${image('multi')}:latest`,
    ];
    // of an index skopeo tells the digest of what it chose
    expect(JSON.parse(await run('skopeo', words))).toMatchObject({
      Architecture: '386',
      Layers: inspected.Layers,
    });
  });

  it('is read by umoci', async () => {
    await copy(image('single:1'));
    // umoci takes no name with a slash or a colon, so by skopeo into a layout of its own
    const other = join(folder.path, 'umoci');
    await run('skopeo', [
      'copy',
      '--quiet',
      '--insecure-policy',
      `oci:${to}:${image('single:1')}`,
      `oci:${other}:1`,
    ]);
    expect(JSON.parse(await run('umoci', ['stat', '--json', '--image', `${other}:1`])).history).toHaveLength(
      2,
    );
  });

  it("keeps Docker's own media types, as skopeo's dir transport does", async () => {
    const docker = `docker://${upstream.host}/test/docker:1`;
    await run('skopeo', [
      ...['copy', '--quiet', '--insecure-policy', '--dest-tls-verify=false', '--format=v2s2'],
      `oci:${layout.path}:linux-386`,
      docker,
    ]);
    expect(await copy(image('docker:1'))).toMatchObject({ code: 0 });
    const other = join(folder.path, 'dir');
    await mkdir(other);
    await skopeoCopy('docker:1', `dir:${other}`);
    const theirs = [...(await filesIn(other))]
      .filter(([name]) => name !== 'version')
      .map(([, bytes]) => sha256(bytes));
    expect((await blobsIn(to)).map((path) => path.slice('blobs/sha256/'.length))).toEqual(theirs.sort());
  });

  it('is what the sandbox reads: by name, by platform, by digest', async () => {
    await copy(image('multi'), image('single:1'));
    const server = await serveFolder(to, 0);
    try {
      const signal = new AbortController().signal;
      const registries = new Registries({
        mirrors: { [registry.host]: `layout:${server.url}` },
        fetch: (url, init) => fetch(url, init),
        events: new EventStream(() => 0),
        now: Date.now,
      });
      registry.forget();
      for (const name of ['multi', `multi@${index.digest}`, 'single:1']) {
        const { source, document } = await registries.resolve(parseReference(image(name)), { signal });
        expect([source.name, document.kind]).toEqual([
          `layout ${server.url}`,
          name === 'single:1' ? 'manifest' : 'index',
        ]);
      }
      expect(registry.requests).toEqual([]);
    } finally {
      await server.close();
    }
  });

  it('lists its images', async () => {
    await copy(image('multi'), image('single:1'));
    const single = await getDocument(upstream, 'test/single', '1');
    expect(await copy('--list')).toEqual({
      code: 0,
      stdout: `${image('multi')}:latest\t${index.digest}\n${image('single:1')}\t${single.digest}\n`,
      stderr: '',
    });
  });
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('platforms', () => {
  it.each<[readonly string[], number, RegExp]>([
    [
      ['--platform', 'linux/amd64'],
      5,
      /linux\/amd64\)[\s\S]*without linux\/386, so the sandbox can open and walk it/,
    ],
    [
      ['--platform', 'linux/amd64'],
      5,
      /copied without linux\/386, which a pull looks for: pull it with --platform linux\/amd64/,
    ],
    [['--platform', 'linux/386', '--platform', 'linux/amd64'], 8, /\(linux\/386, linux\/amd64\)/],
    [['--platform', 'linux/386', '--platform', 'linux/s390x'], 5, /Note: .* has no linux\/s390x\./],
    [['--platform', 'linux/arm/v8'], 5, /linux\/arm\/v7/],
  ])('%j: %d blobs', async (words, count, says) => {
    const done = await copy(...words, image('multi'));
    expect(done.code).toBe(0);
    expect(done.stderr).toMatch(says);
    expect(await blobsIn(to)).toHaveLength(count);
  });

  it.each([
    ['multi', 'linux/s390x', 'it offers linux/386, linux/amd64, linux/arm/v7'],
    ['single:1', 'linux/amd64', 'it offers linux/386'],
  ])('of %s that are not there are refused with what it offers', async (name, platform, offers) => {
    const done = await copy('--platform', platform, image(name));
    expect(done.code).toBe(1);
    expect(done.stderr).toContain(`has no ${platform}: ${offers}`);
    expect(done.stdout).toBe('');
    await expect(filesIn(to)).rejects.toThrow('ENOENT');
  });

  it('says how to copy an image without linux/386', async () => {
    await pushIndex(layout.path, upstream, 'test/foreign', ['linux/amd64']);
    const done = await copy(image('foreign'));
    expect(done).toMatchObject({ code: 1 });
    expect(done.stderr).toContain(
      'has no linux/386: it offers linux/amd64. The sandbox runs linux/386 programs alone',
    );
    expect(done.stderr).toContain('--platform linux/amd64 copies that');
    expect(await copy('--platform', 'linux/amd64', image('foreign'))).toMatchObject({ code: 0 });
  });

  it('are found through an index of an index, and attestations are copied with all of them alone', async () => {
    const manifest = await getDocument(upstream, 'test/multi', 'linux-amd64');
    const inner = await putDocument(upstream, 'test/multi', {
      ...JSON.parse(new TextDecoder().decode(index.bytes)),
      mediaType: INDEX,
      manifests: [
        ...JSON.parse(new TextDecoder().decode(index.bytes)).manifests.slice(0, 1),
        {
          mediaType: manifest.mediaType,
          digest: manifest.digest,
          size: manifest.size,
          platform: { os: 'unknown', architecture: 'unknown' },
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        },
      ],
    });
    const outer = await pushNested(upstream, 'test/multi', 'nested', inner);
    expect(await copy(image('multi:nested'))).toMatchObject({ code: 0 });
    const few = await blobsIn(to);
    expect(few).toEqual(expect.arrayContaining([pathOf(inner.digest), pathOf(outer.digest)]));
    expect(few).not.toContain(pathOf(manifest.digest));
    expect(few).toHaveLength(2 + 1 + 1 + 2);
    const all = await copy('--all-platforms', image('multi:nested'));
    expect(all).toMatchObject({ code: 0 });
    expect(all.stderr).toContain('(linux/386)');
    expect(await blobsIn(to)).toHaveLength(few.length + 1 + 1 + 1);
  });

  it('that an index does not tell are those of the configs', async () => {
    const { mediaType, digest, size } = await getDocument(upstream, 'test/multi', 'linux-amd64');
    const untold = { schemaVersion: 2, mediaType: INDEX, manifests: [{ mediaType, digest, size }] };
    await putDocument(upstream, 'test/multi', untold, 'untold');
    const done = await copy(image('multi:untold'));
    expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining('it offers linux/amd64') });
    expect(await copy('--platform', 'linux/amd64', image('multi:untold'))).toMatchObject({ code: 0 });
  });

  it('have names with no power over a terminal', async () => {
    const { mediaType, digest, size } = await getDocument(upstream, 'test/multi', 'linux-386');
    const platform = { os: 'linux', architecture: '\x1b[2Jevil' };
    const hostile = {
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [{ mediaType, digest, size, platform }],
    };
    await putDocument(upstream, 'test/multi', hostile, 'hostile');
    for (const words of [[], ['--all-platforms']]) {
      const done = await copy(...words, image('multi:hostile'));
      expect(done.stderr).toContain('evil');
      expect(done.stdout + done.stderr).not.toContain('\x1b');
    }
  });

  it.each([['linux/386'], ['all']])('are not looked for without end: %s', async (platform) => {
    let inner = index;
    for (let depth = 0; depth < 5; depth++) inner = await pushNested(upstream, 'test/multi', 'deep', inner);
    const words = platform === 'all' ? ['--all-platforms'] : [];
    const done = await copy(...words, image('multi:deep'));
    expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining('indexes more than 4 deep') });
  });
});

describe('a second run', () => {
  it('writes no file that is there', async () => {
    await copy(image('multi'));
    const written = async () =>
      Promise.all(
        [...(await filesIn(to)).keys()].sort().map(async (path) => [path, (await stat(join(to, path))).ino]),
      );
    const before = await written();
    await copy(image('multi'));
    expect(await written()).toEqual(before);
  });

  it('asks of a tag that did not move whether it did, and nothing else', async () => {
    await copy(image('multi'), image('single:1'));
    registry.forget();
    const again = await copy(image('multi'), image('single:1'));
    expect(again.stdout).toBe(`${image('multi')}:latest: up to date\n${image('single:1')}: up to date\n`);
    expect(registry.requests.sort()).toEqual([
      'HEAD /v2/test/multi/manifests/latest',
      'HEAD /v2/test/single/manifests/1',
    ]);
    registry.forget();
    // another platform of what is here
    expect(await copy('--platform', 'linux/amd64', image('multi'))).toMatchObject({ code: 0 });
    expect(blobRequests()).toHaveLength(2);
    expect(registry.requests).toHaveLength(4);
  });

  it('fetches anew what is not right on the disk', async () => {
    await copy(image('multi'));
    for (const path of await blobsIn(to)) {
      const bytes = await readFile(join(to, path));
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await writeFile(join(to, path), bytes);
    }
    registry.forget();
    expect(await copy(image('multi'))).toMatchObject({ code: 0 });
    expect(blobRequests()).toHaveLength(3);
    expect(
      registry.requests.filter((request) => request.startsWith('GET') && request.includes('/manifests/')),
    ).toHaveLength(2);
    for (const path of await blobsIn(to)) {
      expect(path).toBe(`blobs/sha256/${sha256(await readFile(join(to, path)))}`);
    }
  });

  it('lets a tag stand for what it stands for now, and keeps all else of index.json', async () => {
    await pushLayout(layout.path, 'linux-386', upstream, 'test/moving:1');
    await copy(image('moving:1'));
    const path = join(to, 'index.json');
    const before = JSON.parse(await readFile(path, 'utf8'));
    const other = {
      ...before.manifests[0],
      annotations: { 'org.opencontainers.image.ref.name': 'theirs' },
      x: 1,
    };
    await writeFile(
      path,
      JSON.stringify({ ...before, annotations: { a: 'b' }, manifests: [other, ...before.manifests] }),
    );
    await pushLayout(layout.path, 'linux-amd64', upstream, 'test/moving:1');
    registry.forget();
    const moved = await copy('--platform', 'linux/amd64', image('moving:1'));
    expect(moved.stdout).toBe(`${image('moving:1')}: copied\n`);
    const after = JSON.parse(await readFile(path, 'utf8'));
    const now = await getDocument(upstream, 'test/moving', '1');
    expect(after).toMatchObject({ annotations: { a: 'b' } });
    expect(after.manifests).toEqual([other, { ...before.manifests[0], digest: now.digest, size: now.size }]);
  });

  it('of an image by digest adds it once, without a name', async () => {
    const reference = `${image('multi')}@${index.digest}`;
    await copy(reference);
    registry.forget();
    expect((await copy(reference)).stdout).toBe(`${image('multi')}@${index.digest}: up to date\n`);
    expect(registry.requests).toEqual([]);
    expect(JSON.parse(await readFile(join(to, 'index.json'), 'utf8')).manifests).toEqual([
      { mediaType: INDEX, digest: index.digest, size: index.size },
    ]);
  });
});

describe('names', () => {
  it('of two registries do not stand for each other', async () => {
    await copy(image('single:1'));
    const path = join(to, 'index.json');
    const document = JSON.parse(await readFile(path, 'utf8'));
    // what another tool takes for the short name is not what counts where the full one is told
    const [entry] = document.manifests;
    const other = {
      ...entry,
      annotations: { ...entry.annotations, 'io.containerd.image.name': 'docker.io/test/single:1' },
    };
    await writeFile(path, JSON.stringify({ ...document, manifests: [other] }));
    await copy(image('single:1'));
    expect(JSON.parse(await readFile(path, 'utf8')).manifests).toEqual([other, entry]);
  });

  it('that skopeo gave are taken over', async () => {
    await skopeoCopy('single:1', `oci:${to}:${image('single:1')}`);
    expect(await copy(image('single:1'))).toMatchObject({ stdout: `${image('single:1')}: up to date\n` });
    expect(Object.keys(await namesIn(to))).toEqual([image('single:1')]);
  });
});

describe('the work', () => {
  it('fetches once what several images share, with no more requests at a time than --jobs', async () => {
    await pushLayout(layout.path, 'linux-amd64', upstream, 'test/other:1');
    let under = 0;
    let most = 0;
    const counting = async (url: string, init?: RequestInit) => {
      under += 1;
      most = Math.max(most, under);
      return fetch(url, init).finally(() => {
        under -= 1;
      });
    };
    const words = ['--to', to, '--platform', 'linux/386', '--platform', 'linux/amd64', '--jobs', '2'];
    const done = await mirror([...words, image('multi'), image('single:1'), image('other:1')], {
      fetch: counting,
    });
    expect(done).toMatchObject({ code: 0 });
    const layers = blobRequests().filter((request) => !isConfig(request));
    expect(new Set(layers.map((request) => request.split('/blobs/')[1])).size).toBe(layers.length);
    expect(layers.length).toBe(3);
    expect(most).toBe(2);
  });

  const isConfig = (request: string) => configs.has(request.split('/blobs/')[1] ?? '');
  const configs = new Set<string>();
  beforeAll(async () => {
    for (const platform of PLATFORMS) {
      const { bytes } = await getDocument(upstream, 'test/multi', platform.replaceAll('/', '-'));
      configs.add(JSON.parse(new TextDecoder().decode(bytes)).config.digest);
    }
  });
});
