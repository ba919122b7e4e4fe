import { describe, expect, it } from 'vitest';
import { parsePlatform } from '../../../src/engine/oci/platform.ts';
import { LayoutSource } from '../../../src/engine/registry/layout.ts';
import { AT_ONCE, digestOf, jsonBytes, MadeUpWeb } from './made-up-registry.ts';

const base = 'https://static.example/images/';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const signal = new AbortController().signal;

const manifestFor = (text: string) => ({
  schemaVersion: 2,
  mediaType: MANIFEST,
  config: {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: digestOf(jsonBytes(text)),
    size: 1,
  },
  layers: [],
});

/** A static host with these files; what is missing is `missing`. */
function layout(
  entries: readonly { annotations?: Record<string, string>; content?: string; platform?: string }[],
  options: {
    mirrorOf?: string;
    repository?: string;
    missing?: () => Response;
    headers?: Record<string, string>;
  } = {},
) {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const manifests = entries.map(({ annotations, content = 'x', platform }) => {
    const bytes = jsonBytes(manifestFor(content));
    const digest = digestOf(bytes);
    files.set(`${base}blobs/sha256/${digest.slice(7)}`, bytes);
    const [os = '', architecture = ''] = platform?.split('/') ?? [];
    return {
      mediaType: MANIFEST,
      digest,
      size: bytes.length,
      ...(annotations && { annotations }),
      ...(platform && { platform: { os, architecture } }),
    };
  });
  files.set(`${base}index.json`, jsonBytes({ schemaVersion: 2, manifests }));
  const missing = options.missing ?? (() => new Response('not found', { status: 404 }));
  const web = new MadeUpWeb().host(base, ({ url }) => {
    const bytes = files.get(url);
    return bytes === undefined ? missing() : new Response(bytes, { headers: options.headers ?? {} });
  });
  const repository = options.repository ?? 'library/busybox';
  const source = new LayoutSource({
    base,
    repository: { registry: 'docker.io', repository },
    familiarName: repository.replace(/^library\//, ''),
    mirrorOf: options.mirrorOf ?? 'docker.io',
    fetch: web.fetch,
    onRequest: () => undefined,
    patience: AT_ONCE,
  });
  return { files, web, source };
}

const refName = (name: string) => ({ 'org.opencontainers.image.ref.name': name });
const named = (name: string) => ({ annotations: refName(name) });
const complete = (name: string) => ({
  annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': 'latest' },
});

describe('a name in a layout', () => {
  it.each<[string, ReturnType<typeof named>, string, string, string, boolean]>([
    // what it is, annotations, mirror's key, repository, tag, found
    ['as Docker shows it', named('busybox:1'), 'docker.io', 'library/busybox', '1', true],
    ['in full', named('docker.io/library/busybox:1'), 'docker.io', 'library/busybox', '1', true],
    ['of the path', named('library/busybox:1'), 'docker.io', 'library/busybox', '1', true],
    ['without a tag', named('busybox'), 'docker.io', 'library/busybox', 'latest', true],
    ['without a tag, asked for another', named('busybox'), 'docker.io', 'library/busybox', '1', false],
    ['relative to the key', named('app:1'), 'docker.io/org', 'org/app', '1', true],
    ['relative to another key', named('app:1'), 'docker.io', 'org/app', '1', false],
    ['the bare tag, for one repository', named('1'), 'docker.io/org/app', 'org/app', '1', true],
    ['the bare tag, for a whole registry', named('1'), 'docker.io', 'library/busybox', '1', false],
    ['of another tag', named('busybox:2'), 'docker.io', 'library/busybox', '1', false],
    ['of another image', named('alpine:1'), 'docker.io', 'library/busybox', '1', false],
    [
      'as containerd writes it',
      complete('docker.io/library/busybox:1'),
      'docker.io',
      'library/busybox',
      '1',
      true,
    ],
    [
      'of another image of containerd',
      complete('docker.io/a/b:latest'),
      'docker.io/library/busybox',
      'library/busybox',
      'latest',
      false,
    ],
    [
      'none',
      { annotations: {} } as ReturnType<typeof named>,
      'docker.io',
      'library/busybox',
      'latest',
      false,
    ],
  ])('%s', async (_, entry, mirrorOf, repository, tag, isFound) => {
    const { source } = layout([entry], { mirrorOf, repository });
    const resolving = source.resolve({ tag }, { signal });
    if (isFound) expect((await resolving).kind).toBe('manifest');
    else await expect(resolving).rejects.toMatchObject({ code: 'ManifestUnknown' });
  });

  it('that is not there: the error tells which are', async () => {
    const { source } = layout([named('busybox:1'), named('a/b:2')]);
    await expect(source.resolve({ tag: '9' }, { signal })).rejects.toThrow(
      'manifest for busybox:9 not found: manifest unknown (layout https://static.example/images/ has busybox:1, a/b:2)',
    );
  });

  it('that several manifests have is a choice of platform', async () => {
    const entries = ['linux/amd64', 'linux/386', 'linux/arm64'].map((platform) => ({
      ...named('busybox:1'),
      platform,
      content: platform,
    }));
    const { source } = layout(entries);
    const chosen = async (wanted?: string) => {
      const found = await source.resolve(
        { tag: '1' },
        { signal, ...(wanted && { wanted: parsePlatform(wanted) }) },
      );
      return found.descriptor.platform?.architecture;
    };
    expect([await chosen(), await chosen('linux/arm64')]).toEqual(['386', 'arm64']);
    await expect(chosen('linux/s390x')).rejects.toMatchObject({ code: 'NoMatchingPlatform' });
  });

  it('is no part of what is remembered of the image', async () => {
    const { source } = layout([named('busybox:1')]);
    expect((await source.resolve({ tag: '1' }, { signal })).descriptor.annotations).toBeUndefined();
  });
});

describe('a static host', () => {
  it.each([['text/html'], ['text/plain'], ['application/octet-stream'], ['application/json']])(
    'may call everything %s',
    async (type) => {
      const { files, source } = layout([named('busybox:1')], { headers: { 'content-type': type } });
      const manifest = [...files.values()][0]?.length;
      const { source: sized } = layout([named('busybox:1')], {
        headers: { 'content-type': type, 'content-length': String(manifest) },
      });
      if (type !== 'text/html')
        expect((await source.resolve({ tag: '1' }, { signal })).kind).toBe('manifest');
      expect((await sized.resolve({ tag: '1' }, { signal })).kind).toBe('manifest');
    },
  );

  const page = () => new Response('<!doctype html><p>Home', { headers: { 'content-type': 'text/html' } });

  it.each<[string, string, () => Response, string, string]>([
    [
      'no index.json',
      'index.json',
      () => new Response('', { status: 404 }),
      'ManifestUnknown',
      'it has no index.json',
    ],
    ['a page for it', 'index.json', page, 'ManifestUnknown', 'it answers with a web page for index.json'],
    [
      'an index.json that is none',
      'index.json',
      () => new Response('{}'),
      'InvalidDocument',
      'lacks schemaVersion',
    ],
    [
      'a 500 for it',
      'index.json',
      () => new Response('', { status: 500 }),
      'RegistryResponse',
      'answered 500',
    ],
    [
      'no manifest',
      'blobs/',
      () => new Response('', { status: 404 }),
      'BlobUnknown',
      'does not have manifest sha256:',
    ],
    ['a page for it', 'blobs/', page, 'BlobUnknown', 'it answers with a web page instead'],
    [
      'another manifest',
      'blobs/',
      () => new Response(jsonBytes(manifestFor('y'))),
      'DigestMismatch',
      'is not what was asked for',
    ],
    ['a short manifest', 'blobs/', () => new Response('{}'), 'SizeMismatch', 'has 2 bytes, not the'],
    ['a long one', 'blobs/', () => new Response('x'.repeat(10_000)), 'SizeMismatch', 'larger than'],
  ])('with %s (%s)', async (_, path, answer, code, words) => {
    const { web, source } = layout([named('busybox:1')]);
    web.host(`${base}${path}`, answer);
    const failure = await source.resolve({ tag: '1' }, { signal }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).toContain(words);
  });
});

describe('a digest in a layout', () => {
  const listed = digestOf(jsonBytes(manifestFor('x')));

  it('is found whatever its name', async () => {
    const { source } = layout([named('other:1')]);
    expect((await source.resolve({ digest: listed }, { signal })).descriptor.digest).toBe(listed);
  });

  it('is found without being listed, and verified', async () => {
    const { files, source } = layout([]);
    const address = `${base}blobs/sha256/${listed.slice(7)}`;
    files.set(address, jsonBytes(manifestFor('x')));
    const found = await source.resolve({ digest: listed }, { signal });
    expect(found.descriptor).toEqual({ mediaType: MANIFEST, digest: listed, size: found.bytes.length });
    files.set(address, jsonBytes(manifestFor('y')));
    await expect(source.resolve({ digest: listed }, { signal })).rejects.toMatchObject({
      code: 'DigestMismatch',
    });
  });

  it.each([
    ['nothing', () => new Response('', { status: 404 })],
    ['a page', () => new Response('<p>', { headers: { 'content-type': 'text/html' } })],
  ])('for which there is %s is unknown', async (_, missing) => {
    const { source } = layout([], { missing });
    await expect(source.resolve({ digest: listed }, { signal })).rejects.toMatchObject({
      code: 'ManifestUnknown',
    });
  });

  it('gives a blob its address, without headers', async () => {
    const { source } = layout([]);
    expect(await source.blobRequest({ mediaType: 'x', digest: listed, size: 1 })).toEqual({
      url: `${base}blobs/sha256/${listed.slice(7)}`,
      headers: {},
    });
  });
});

describe('a layout as a list', () => {
  it('has the tags of the repository among its names', async () => {
    const { source } = layout([
      { annotations: refName('busybox:1'), content: 'a' },
      { annotations: refName('docker.io/library/busybox:2'), content: 'b' },
      { annotations: refName('library/busybox'), content: 'c' },
      {
        annotations: { 'io.containerd.image.name': 'docker.io/library/busybox:3', ...refName('9') },
        content: 'd',
      },
      { annotations: refName('busybox:1'), content: 'e' },
      { annotations: refName('alpine:4'), content: 'f' },
      { annotations: refName('latest'), content: 'g' },
      { content: 'h' },
    ]);
    const pages: (readonly string[])[] = [];
    for await (const page of source.tags({ signal })) pages.push(page);
    expect(pages).toEqual([['1', '2', 'latest', '3']]);
  });

  it('has nothing that refers to a manifest, unless a tag says so', async () => {
    const subject = `sha256:${'a'.repeat(64)}` as const;
    const { source } = layout([{ annotations: refName('busybox:1') }]);
    expect(await source.referrers(subject, { signal })).toEqual([]);
    const named = layout([{ annotations: refName(`busybox:sha256-${'a'.repeat(64)}`) }]);
    expect(await named.source.referrers(subject, { signal })).toEqual([]);
  });
});

describe('a tag of a layout that is here', () => {
  it.each([
    ['whole', (bytes: Uint8Array<ArrayBuffer>) => bytes, 1],
    ['damaged', () => new Uint8Array(3), 2],
    ['no longer', () => undefined, 2],
  ])('%s, takes its share of requests', async (_, local, count) => {
    const { source, web, files } = layout([
      { annotations: { 'org.opencontainers.image.ref.name': 'busybox:1' } },
    ]);
    const [, bytes = new Uint8Array(0)] = [...files].find(([path]) => path.includes('/blobs/')) ?? [];
    const descriptor = { mediaType: MANIFEST, digest: digestOf(bytes), size: bytes.length };
    const read = async () => local(bytes);
    const found = await source.resolve({ tag: '1' }, { signal, local: { descriptor, read } });
    expect(found).toMatchObject({ bytes, descriptor });
    expect(web.requests).toHaveLength(count);
  });
});
