import { describe, expect, it } from 'vitest';
import { EventStream, type StampedEvent } from '../../../src/engine/events.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { joinMirrors, type Mirrors } from '../../../src/engine/registry/mirrors.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import { AT_ONCE, jsonBytes, MadeUpRepository, MadeUpWeb, refuse } from './made-up-registry.ts';

const signal = new AbortController().signal;
const document = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [],
};

function made(mirrors: Mirrors = {}) {
  const web = new MadeUpWeb();
  const events = new EventStream(() => 0);
  const seen: StampedEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const registries = new Registries({ mirrors, fetch: web.fetch, events, now: () => 0, patience: AT_ONCE });
  return {
    web,
    seen,
    registries,
    resolve: (text: string) => registries.resolve(parseReference(text), { signal }),
  };
}

describe('where an image may come from', () => {
  const mirrors: Mirrors = {
    'docker.io': ['https://one.example/', 'layout:https://two.example/folder'],
    'docker.io/library': 'https://three.example/v2/',
    'docker.io/library/alpine': 'layout:https://four.example/alpine/',
    'index.docker.io/team': 'http://five.example:8080/proxy',
  };
  it.each([
    ['team/app', ['mirror http://five.example:8080/proxy', 'registry docker.io']],
    ['other/app', ['mirror https://one.example', 'layout https://two.example/folder/', 'registry docker.io']],
    ['busybox', ['mirror https://three.example', 'registry docker.io']],
    ['alpine:3', ['layout https://four.example/alpine/', 'registry docker.io']],
    [
      'library2/x',
      ['mirror https://one.example', 'layout https://two.example/folder/', 'registry docker.io'],
    ],
    ['docker.io.example/x', ['registry docker.io.example']],
    ['ghcr.io/org/app', ['registry ghcr.io']],
  ])('%s', (text, names) => {
    const { registries } = made(mirrors);
    expect(registries.sources(parseReference(text)).map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['busybox', 'https://registry-1.docker.io/v2/library/busybox/manifests/latest'],
    ['ghcr.io/org/app:1', 'https://ghcr.io/v2/org/app/manifests/1'],
    ['localhost/app', 'http://localhost/v2/app/manifests/latest'],
    ['localhost:5000/app', 'http://localhost:5000/v2/app/manifests/latest'],
    ['127.0.0.1:5000/app', 'http://127.0.0.1:5000/v2/app/manifests/latest'],
    ['127.8.8.8/app', 'http://127.8.8.8/v2/app/manifests/latest'],
    ['[::1]:5000/app', 'http://[::1]:5000/v2/app/manifests/latest'],
    ['127.0.0.1.example/app', 'https://127.0.0.1.example/v2/app/manifests/latest'],
    ['localhost.example/app', 'https://localhost.example/v2/app/manifests/latest'],
    ['10.0.0.1:5000/app', 'https://10.0.0.1:5000/v2/app/manifests/latest'],
  ])('%s is asked for at %s', async (text, url) => {
    const { web, resolve } = made();
    await expect(resolve(text)).rejects.toMatchObject({ code: 'RegistryUnreachable' });
    expect(web.requests[0]?.url).toBe(url);
  });

  it.each(['mirror', '/registry/', 'layout:registry/', 'layout:', 'file:///x', 'layout:data:,x'])(
    'never from the mirror %j',
    (value) => {
      expect(() => made({ 'docker.io': value })).toThrow(
        `invalid mirror ${JSON.stringify(value)} for "docker.io"`,
      );
    },
  );

  it('is in both maps when two are joined, those of the first first', () => {
    expect(joinMirrors({ a: 'x', b: ['y'] }, { b: 'z', c: ['w'] })).toEqual({
      a: ['x'],
      b: ['y', 'z'],
      c: ['w'],
    });
  });
});

describe('the search', () => {
  const mirrors = { 'docker.io': ['https://one.example', 'https://two.example'] };
  const good = () => new MadeUpRepository('library/busybox');

  it.each<[string, () => Response]>([
    ['does not have it', () => refuse(404, 'MANIFEST_UNKNOWN', 'x')],
    ['is for others', () => refuse(401, 'UNAUTHORIZED', 'x', { 'www-authenticate': 'Basic realm="x"' })],
    ['is broken', () => refuse(500, 'UNKNOWN', 'x')],
    [
      'is down',
      () => {
        throw new TypeError('Failed to fetch');
      },
    ],
  ])('passes over a mirror that %s', async (_, answer) => {
    const { web, resolve } = made(mirrors);
    const repository = good();
    repository.manifest(document, 'latest');
    web.host('https://one.example', answer).host('https://two.example', repository.answer);
    const { source } = await resolve('busybox');
    expect([source.name, source.isOrigin]).toEqual(['mirror https://two.example', false]);
  });

  it('ends at a mirror whose answer does not verify', async () => {
    const { web, resolve } = made(mirrors);
    const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    web.host('https://one.example', () => new Response(jsonBytes(document), { headers }));
    await expect(resolve('busybox')).rejects.toMatchObject({ code: 'DigestMismatch' });
    expect(web.requests.every(({ url }) => url.startsWith('https://one.example'))).toBe(true);
  });

  it('ends when it is cancelled', async () => {
    const { web, registries } = made(mirrors);
    const controller = new AbortController();
    web.host('https://one.example', () => {
      controller.abort();
      throw new TypeError('x');
    });
    const resolving = registries.resolve(parseReference('busybox'), { signal: controller.signal });
    await expect(resolving).rejects.toMatchObject({ code: 'Cancelled' });
    expect(web.requests).toHaveLength(1);
  });

  it('that finds nothing tells what was asked, and why a page may not read a registry', async () => {
    const { web, resolve } = made(mirrors);
    web.host('https://one.example', () => refuse(404, 'MANIFEST_UNKNOWN', 'manifest unknown'));
    const failure = await resolve('python:3.12').catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'RegistryUnreachable',
      data: { mirrors: ['mirror https://one.example', 'mirror https://two.example'] },
    });
    const words = String(failure);
    for (const part of [
      'cannot pull python:3.12: no answer from https://registry-1.docker.io',
      'CORS',
      'a web page may read another site only when that site allows it',
      'npx layerbox mirror python:3.12 --to images',
      'mirrors: { "docker.io": "layout:https://<server>/images/" }',
      'docs/registry.md',
      'mirror https://one.example: manifest for python:3.12 not found',
      'mirror https://two.example: cannot reach https://two.example',
      'Failed to fetch',
    ]) {
      expect(words).toContain(part);
    }
  });

  it('in one registry alone fails as that registry does', async () => {
    const { web, resolve } = made();
    web.host('http://localhost:5000', () => refuse(404, 'MANIFEST_UNKNOWN', 'manifest unknown'));
    const failure = resolve('localhost:5000/app');
    await expect(failure).rejects.toMatchObject({ code: 'ManifestUnknown', data: { status: 404 } });
    await expect(resolve('localhost:5000/app')).rejects.toThrow(
      /^manifest for localhost:5000\/app:latest not found: manifest unknown: manifest unknown \(localhost:5000\)$/,
    );
  });

  it('that gets no answer on this machine says what to look at there', async () => {
    const { resolve } = made();
    await expect(resolve('localhost:5000/app')).rejects.toThrow(
      'Check that a registry runs at http://localhost:5000 and sends Access-Control-Allow-Origin',
    );
    await expect(resolve('localhost:5000/app:2')).rejects.toThrow(
      'npx layerbox mirror localhost:5000/app:2 --to images',
    );
  });

  it('tells of every request', async () => {
    const { web, seen, resolve } = made();
    const repository = good();
    repository.manifest(
      { ...document, mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json' },
      'latest',
    );
    web.host('https://registry-1.docker.io', repository.answer);
    await expect(resolve('busybox')).resolves.toBeDefined();
    const url = 'https://registry-1.docker.io/v2/library/busybox/manifests/latest';
    expect(seen).toMatchObject([
      { type: 'request', method: 'GET', url, status: 404 },
      { type: 'request', method: 'GET', url, status: 200 },
    ]);
  });
});
