import { describe, expect, it } from 'vitest';
import { DistributionSource } from '../../../src/engine/registry/distribution.ts';
import { AT_ONCE, digestOf, jsonBytes, MadeUpRepository, MadeUpWeb, refuse } from './made-up-registry.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
const SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const base = 'https://registry.example';
const signal = new AbortController().signal;

const manifest = (mediaType = MANIFEST) => ({
  schemaVersion: 2,
  mediaType,
  config: {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: `sha256:${'c'.repeat(64)}`,
    size: 1,
  },
  layers: [],
});
const index = (mediaType = INDEX) => ({ schemaVersion: 2, mediaType, manifests: [] });

function made(now = () => 0) {
  const repository = new MadeUpRepository('a/b');
  const web = new MadeUpWeb().host(base, repository.answer);
  const source = new DistributionSource({
    base,
    repository: 'a/b',
    familiarName: 'registry.example/a/b',
    name: 'registry registry.example',
    isOrigin: true,
    fetch: web.fetch,
    onRequest: () => undefined,
    now,
    patience: AT_ONCE,
  });
  return { repository, web, source };
}

describe('what a tag names', () => {
  it.each([
    ['an OCI index', index(), 1],
    ['a Docker manifest list', index(LIST), 2],
    ['an OCI manifest', manifest(), 1],
    ['a Docker manifest', manifest(DOCKER), 2],
  ])('is %s', async (_, document, requests) => {
    const { repository, web, source } = made();
    const expected = repository.manifest(document, 'v1');
    const found = await source.resolve({ tag: 'v1' }, { signal });
    expect(found.descriptor).toEqual(expected);
    expect(found.bytes).toEqual(jsonBytes(document));
    expect(found.kind).toBe('manifests' in document ? 'index' : 'manifest');
    expect(web.requests).toHaveLength(requests);
  });

  it('is asked for with headers that need no preflight', async () => {
    const { repository, web, source } = made();
    repository.manifest(manifest(), 'v1');
    await source.resolve({ tag: 'v1' }, { signal });
    for (const { accept, authorization } of web.requests) {
      expect(accept.length).toBeLessThanOrEqual(128);
      expect(accept).toMatch(/^[^"():<>?@[\\\]{}]*$/); // Fetch standard, "CORS-unsafe request-header byte"
      expect(authorization).toBe('');
    }
  });

  it('is a Docker manifest even where the registry would first turn it into schema 1', async () => {
    const { web, source } = made();
    web.host(`${base}/v2/a/b/manifests/`, ({ accept }) =>
      accept.includes(DOCKER)
        ? new Response(jsonBytes(manifest(DOCKER)), { headers: { 'content-type': DOCKER } })
        : new Response('{"schemaVersion":1}', { headers: { 'content-type': SCHEMA1 } }),
    );
    expect((await source.resolve({ tag: 'v1' }, { signal })).descriptor.mediaType).toBe(DOCKER);
  });

  it('is found although a proxy leaves CORS headers off its 404', async () => {
    const { web, source } = made();
    web.host(`${base}/v2/a/b/manifests/`, ({ accept }) => {
      if (!accept.includes(MANIFEST)) throw new TypeError('Failed to fetch');
      return new Response(jsonBytes(manifest()), { headers: { 'content-type': MANIFEST } });
    });
    expect((await source.resolve({ tag: 'v1' }, { signal })).kind).toBe('manifest');
  });

  describe('that is denied is so in Docker’s words', () => {
    const words =
      "pull access denied for registry.example/a/b, repository does not exist or may require 'docker login': denied: ";
    const scarce = { 'www-authenticate': `Bearer realm="${base}/token",error="insufficient_scope"` };
    it.each<[string, () => Response, string, string]>([
      ['403', () => refuse(403, 'DENIED', 'not for you'), 'RegistryDenied', `${words}not for you`],
      [
        '401',
        () => refuse(401, 'DENIED', 'not for you', { 'www-authenticate': 'Basic realm="x"' }),
        'RegistryDenied',
        `${words}not for you`,
      ],
      ['404', () => refuse(404, 'DENIED', 'not for you'), 'ManifestUnknown', `${words}not for you`],
      [
        '401 for a token that is for less',
        () => new Response('', { status: 401, headers: scarce }),
        'RegistryDenied',
        `${words}requested access to the resource is denied`,
      ],
    ])('with %s', async (_, answer, code, message) => {
      const { web, source } = made();
      web.host(`${base}/v2/`, answer).host(`${base}/token`, () => new Response('{"token":"t"}'));
      const failure = source.resolve({ tag: 'v1' }, { signal });
      await expect(failure).rejects.toMatchObject({ code, message });
    });

    it.each<[string, () => Response]>([
      ['an account is wanted', () => refuse(403, 'UNAUTHORIZED', 'authentication required')],
      ['the fault is the registry’s', () => refuse(500, 'DENIED', 'x')],
    ])('but not where %s', async (_, answer) => {
      const { web, source } = made();
      web.host(`${base}/v2/`, answer);
      const failure = await source.resolve({ tag: 'v1' }, { signal }).catch((error: unknown) => error);
      expect(String(failure)).not.toContain('pull access denied');
    });
  });

  it('is believed to be what it says, whatever the Content-Type', async () => {
    const { web, source } = made();
    web.host(
      `${base}/v2/`,
      () => new Response(jsonBytes(index()), { headers: { 'content-type': 'text/plain' } }),
    );
    expect((await source.resolve({ tag: 'v1' }, { signal })).descriptor.mediaType).toBe(INDEX);
  });

  it.each<[string, () => Response, string]>([
    ['is not there', () => refuse(404, 'MANIFEST_UNKNOWN', 'manifest unknown'), 'ManifestUnknown'],
    [
      'is for others',
      () => refuse(403, 'DENIED', 'requested access to the resource is denied'),
      'RegistryDenied',
    ],
    [
      'wants a password',
      () => refuse(401, 'UNAUTHORIZED', 'x', { 'www-authenticate': 'Basic realm="x"' }),
      'RegistryDenied',
    ],
    ['cannot be had', () => refuse(503, 'UNAVAILABLE', 'x'), 'RegistryResponse'],
    ['is a page', () => new Response('<!doctype html>'), 'InvalidDocument'],
    ['is too large', () => new Response('x'.repeat(4 * 1024 * 1024 + 1)), 'SizeMismatch'],
    [
      'is of schema 1',
      () => new Response('{"schemaVersion":1}', { headers: { 'content-type': SCHEMA1 } }),
      'UnsupportedMediaType',
    ],
    [
      'is another thing',
      () => new Response('{"schemaVersion":2,"mediaType":"application/json"}'),
      'UnsupportedMediaType',
    ],
    ['is neither', () => new Response('{"schemaVersion":2}'), 'InvalidDocument'],
    [
      'is not what the registry says it is',
      () =>
        new Response(jsonBytes(index()), { headers: { 'docker-content-digest': digestOf(jsonBytes({})) } }),
      'DigestMismatch',
    ],
  ])('%s', async (_, answer, code) => {
    const { web, source } = made();
    web.host(base, answer);
    await expect(source.resolve({ tag: 'v1' }, { signal })).rejects.toMatchObject({ code });
  });

  it('is missed in Docker’s words', async () => {
    await expect(made().source.resolve({ tag: 'v1' }, { signal })).rejects.toThrow(
      'manifest for registry.example/a/b:v1 not found: manifest unknown: manifest unknown (registry.example)',
    );
  });

  it('is missed with its whole repository in Docker’s words, which name no tag', async () => {
    const { web, source } = made();
    web.host(base, () => refuse(404, 'NAME_UNKNOWN', 'repository name not known to registry'));
    await expect(source.resolve({ tag: 'v1' }, { signal })).rejects.toMatchObject({
      code: 'ManifestUnknown',
      message:
        'repository registry.example/a/b not found: name unknown: repository name not known to registry (registry.example)',
    });
  });
});

describe('what a digest names', () => {
  it('is verified against it', async () => {
    const { repository, source } = made();
    const { digest } = repository.manifest(manifest());
    expect((await source.resolve({ tag: 'ignored', digest }, { signal })).descriptor.digest).toBe(digest);
    repository.manifests.set(digest, {
      type: MANIFEST,
      bytes: jsonBytes({ ...manifest(), annotations: {} }),
    });
    await expect(source.resolve({ digest }, { signal })).rejects.toMatchObject({ code: 'DigestMismatch' });
  });

  it('may be a sha512', async () => {
    const bytes = jsonBytes(index());
    const hash = Buffer.from(await crypto.subtle.digest('SHA-512', bytes)).toString('hex');
    const { repository, source } = made();
    repository.manifests.set(`sha512:${hash}`, { type: INDEX, bytes });
    const found = await source
      .resolve({ digest: `sha512:${hash}` }, { signal })
      .catch((error: unknown) => error);
    // the registry still tells the sha256: what was asked for counts
    expect(found).toMatchObject({ descriptor: { digest: `sha512:${hash}` } });
  });

  it('in a descriptor is verified, and so are size and kind', async () => {
    const { repository, source } = made();
    const descriptor = repository.manifest(manifest());
    expect((await source.document(descriptor, { signal })).kind).toBe('manifest');
    const rows = [
      [{ ...descriptor, size: descriptor.size + 1 }, 'SizeMismatch'],
      [{ ...descriptor, size: 2 ** 40 }, 'InvalidDocument'],
      [{ ...repository.manifest(index()), mediaType: MANIFEST }, 'ManifestUnknown'],
    ] as const;
    for (const [wrong, code] of rows) {
      await expect(source.document(wrong, { signal })).rejects.toMatchObject({ code });
    }
    repository.manifests.set(descriptor.digest, { type: MANIFEST, bytes: new Uint8Array(descriptor.size) });
    await expect(source.document(descriptor, { signal })).rejects.toMatchObject({ code: 'DigestMismatch' });
  });

  it('that is announced as a manifest and is an index is refused', async () => {
    const { repository, web, source } = made();
    const descriptor = { ...repository.manifest(index()), mediaType: MANIFEST };
    web.host(base, () => new Response(jsonBytes(index())));
    await expect(source.document(descriptor, { signal })).rejects.toThrow(
      'it is announced as manifest and is an index',
    );
  });
});

describe('a blob that is read whole', () => {
  it('is verified', async () => {
    const { repository, source } = made();
    const descriptor = { mediaType: 'x', ...repository.blob(jsonBytes({ a: 1 })) };
    expect(await source.blob(descriptor, 'config', { signal })).toEqual(jsonBytes({ a: 1 }));
    repository.blobs.set(descriptor.digest, jsonBytes({ a: 2 }));
    await expect(source.blob(descriptor, 'config', { signal })).rejects.toMatchObject({
      code: 'DigestMismatch',
    });
    repository.blobs.set(descriptor.digest, jsonBytes({ a: 'longer' }));
    await expect(source.blob(descriptor, 'config', { signal })).rejects.toMatchObject({
      code: 'SizeMismatch',
    });
    const large = { ...descriptor, size: 2 ** 40 };
    await expect(source.blob(large, 'config', { signal })).rejects.toMatchObject({ code: 'InvalidDocument' });
  });
});

describe('a registry that wants a token', () => {
  const realm = 'https://auth.example/token';
  const challenge = `Bearer realm="${realm}?x=1",service="registry.example",scope="repository:a/b:pull"`;

  function guarded(token: () => Response, now = () => 0, header = challenge) {
    const { repository, web, source } = made(now);
    repository.manifest(manifest(), 'v1');
    let good = 'none';
    const answer = repository.answer;
    web.host(base, (request, signal) =>
      request.authorization === `Bearer ${good}`
        ? answer(request, signal)
        : refuse(
            401,
            'UNAUTHORIZED',
            'authentication required',
            header === '' ? {} : { 'www-authenticate': header },
          ),
    );
    web.host('https://auth.example/', async () => {
      const response = token();
      const body: unknown = await response
        .clone()
        .json()
        .catch(() => undefined);
      if (typeof body === 'object' && body !== null) good = String(Object.values(body)[0]);
      return response;
    });
    return { web, source, repository, expire: () => (good = 'none') };
  }
  const json = (value: unknown, status = 200) => new Response(JSON.stringify(value), { status });

  it.each([['token'], ['access_token']])(
    'gives one to anybody, as %s, and it is used again',
    async (field) => {
      const { web, source, repository } = guarded(() => json({ [field]: 'secret', expires_in: 300 }));
      await source.resolve({ tag: 'v1' }, { signal });
      const descriptor = { mediaType: 'x', ...repository.blob(jsonBytes({})) };
      await source.blob(descriptor, 'config', { signal });
      expect(await source.blobRequest(descriptor, { signal })).toMatchObject({
        url: `${base}/v2/a/b/blobs/${descriptor.digest}`,
        headers: { Authorization: 'Bearer secret' },
      });
      const asked = web.requests.filter(({ url }) => url.startsWith(realm)).map(({ url }) => url);
      expect(asked).toEqual([`${realm}?x=1&service=registry.example&scope=repository%3Aa%2Fb%3Apull`]);
    },
  );

  it('is asked for a new one when the old one has run out', async () => {
    let time = 0;
    let count = 0;
    const { web, source, repository } = guarded(
      () => json({ token: `t${++count}`, expires_in: 100 }),
      () => time,
    );
    await source.resolve({ tag: 'v1' }, { signal });
    const descriptor = { mediaType: 'x', ...repository.blob(jsonBytes({})) };
    time = 89_000;
    expect((await source.blobRequest(descriptor, { signal })).headers).toEqual({
      Authorization: 'Bearer t1',
    });
    time = 90_000;
    expect((await source.blobRequest(descriptor, { signal })).headers).toEqual({
      Authorization: 'Bearer t2',
    });
    expect(web.requests.filter(({ url }) => url.startsWith(realm))).toHaveLength(2);
  });

  it.each<[string, () => Response, string, string]>([
    [
      'none without an account',
      () => json({ details: 'incorrect username or password' }, 401),
      'RegistryDenied',
      'incorrect username',
    ],
    ['an error', () => json({}, 500), 'RegistryResponse', 'answered 500 for a token'],
    ['nothing', () => json({}), 'RegistryResponse', 'sent no token'],
    ['an empty one', () => json({ token: '' }), 'RegistryResponse', 'sent no token'],
    ['one with a line end in it', () => json({ token: 'a\r\nX: y' }), 'RegistryResponse', 'sent no token'],
    ['a number', () => json({ token: 1 }), 'InvalidDocument', 'token must be a string'],
    ['a page', () => new Response('<html>'), 'InvalidDocument', 'it is a web page'],
    ['too much', () => new Response('x'.repeat(300_000)), 'SizeMismatch', 'larger than'],
  ])('whose service gives %s says so', async (_, token, code, words) => {
    const { source } = guarded(token);
    const failure = await source.resolve({ tag: 'v1' }, { signal }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).toContain(words);
  });

  it.each([['javascript:alert(1)'], ['/token'], ['']])('and names %j for it is refused', async (bad) => {
    const { source } = guarded(() => json({}), undefined, `Bearer realm="${bad}"`);
    await expect(source.resolve({ tag: 'v1' }, { signal })).rejects.toThrow('is no web address');
  });

  it('and does not let its challenge be read says which header to expose', async () => {
    const { source } = guarded(() => json({}), undefined, '');
    await expect(source.resolve({ tag: 'v1' }, { signal })).rejects.toThrow('Access-Control-Expose-Headers');
  });

  it('and never takes one is asked twice, not for ever', async () => {
    const { web, source, expire } = guarded(() => json({ token: 't' }));
    web.host(base, () => {
      expire();
      return refuse(401, 'UNAUTHORIZED', 'x', { 'www-authenticate': challenge });
    });
    await expect(source.resolve({ tag: 'v1' }, { signal })).rejects.toMatchObject({ code: 'RegistryDenied' });
    expect(web.requests.length).toBeLessThanOrEqual(3);
  });
});
