import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Deployment, startBasic, startBearer, startCache, startPlain } from '../support/deployment.ts';
import { freePort } from '../support/free-port.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { pushLayout, type Registry, readManifest, sha256, startRegistry } from '../support/registry.ts';
import type { TokenService } from '../support/token-service.ts';

/** What nginx answers in front of each registry, asked as a browser asks, without one. */

const learner = { name: 'learner', password: 'correct horse' };
const accounts = { [learner.name]: learner.password };
const origin = 'https://learn.example.org';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

let plain: Deployment;
let cache: Deployment;
let basic: Deployment;
let bearer: Deployment & { tokens: TokenService };
let folder: Nginx;
let open: Registry;
let old: Nginx;

beforeAll(async () => {
  [plain, basic, bearer, folder, open] = await Promise.all([
    startPlain(),
    startBasic(accounts),
    startBearer(accounts),
    startNginx('static', { root: inject('layout') }),
    startRegistry(),
  ]);
  old = await startNginx('plain', { registry: open.host });
  await pushLayout(inject('layout'), 'busybox', plain, 'test/busybox:latest');
  cache = await startCache(plain);
});
afterAll(async () => {
  await Promise.all([plain, cache, basic, bearer, folder, old].map((server) => server.close()));
  await open.close();
});

const registries = {
  plain: () => plain,
  cache: () => cache,
  basic: () => basic,
  bearer: () => bearer,
};

const ask = (server: Nginx, path: string, init: RequestInit = {}) =>
  fetch(`http://${server.host}${path}`, {
    ...init,
    headers: { Origin: origin, Accept: OCI_MANIFEST, ...(init.headers as Record<string, string>) },
  });

const words = (header: string | null) =>
  (header ?? '')
    .toLowerCase()
    .split(/,\s*/)
    .filter((word) => word !== '');

/** Headers of an answer that a page has to see. */
const EXPOSED = [
  'docker-content-digest',
  'www-authenticate',
  'link',
  'location',
  'range',
  'content-range',
  'docker-upload-uuid',
  'oci-subject',
  'retry-after',
  'ratelimit-limit',
  'ratelimit-remaining',
];

function expectReadable(response: Response): void {
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(words(response.headers.get('access-control-expose-headers'))).toEqual(
    expect.arrayContaining(EXPOSED),
  );
}

describe('a preflight is answered by nginx, without a password', () => {
  const preflight = (server: Nginx, path: string, method: string) =>
    ask(server, path, {
      method: 'OPTIONS',
      headers: {
        'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': 'authorization,content-type',
      },
    });
  const places = [
    ...Object.entries(registries).flatMap(([name, server]) => [
      { name, server, path: '/v2/test/busybox/manifests/latest', method: 'GET' },
      { name, server, path: '/v2/test/busybox/blobs/uploads/', method: 'POST' },
    ]),
    { name: 'bearer', server: () => bearer, path: '/token?service=x', method: 'GET' },
    { name: 'static', server: () => folder, path: '/index.json', method: 'GET' },
    { name: 'static', server: () => folder, path: '/blobs/sha256/00', method: 'GET' },
  ];
  it.each(places)('$name: $method $path', async ({ server, path, method }) => {
    const response = await preflight(server(), path, method);
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(words(response.headers.get('access-control-allow-methods'))).toContain(method.toLowerCase());
    expect(words(response.headers.get('access-control-allow-headers'))).toEqual(
      expect.arrayContaining(['authorization', 'accept', 'range', 'content-type', 'content-range']),
    );
    expect(Number(response.headers.get('access-control-max-age'))).toBeGreaterThanOrEqual(600);
  });

  it('which the registry itself would refuse', async () => {
    const response = await fetch(`http://${basic.direct.host}/v2/`, { method: 'OPTIONS' });
    expect(response.status).toBe(401);
  });
});

describe('every answer can be read by a page, a refusal too', () => {
  const cases: readonly {
    name: string;
    server: () => Nginx;
    path: string;
    status: number;
    init?: RequestInit;
  }[] = [
    { name: 'what is there', server: () => plain, path: '/v2/test/busybox/manifests/latest', status: 200 },
    {
      name: 'an unknown manifest',
      server: () => plain,
      path: '/v2/test/busybox/manifests/none',
      status: 404,
    },
    {
      name: 'the referrers that Distribution 2.8 has not',
      server: () => plain,
      path: `/v2/test/busybox/referrers/${sha256(Buffer.from('x'))}`,
      status: 404,
    },
    {
      name: 'through the cache',
      server: () => cache,
      path: '/v2/test/busybox/manifests/latest',
      status: 200,
    },
    {
      name: 'what the cache does not find',
      server: () => cache,
      path: '/v2/test/none/manifests/latest',
      status: 404,
    },
    {
      name: 'a push to the cache',
      server: () => cache,
      path: '/v2/a/blobs/uploads/',
      init: { method: 'POST' },
      status: 403,
    },
    { name: 'no password', server: () => basic, path: '/v2/', status: 401 },
    {
      name: 'a wrong password',
      server: () => basic,
      path: '/v2/',
      init: { headers: { Authorization: `Basic ${btoa('learner:wrong')}` } },
      status: 401,
    },
    { name: 'no token', server: () => bearer, path: '/v2/test/busybox/manifests/latest', status: 401 },
    {
      name: 'a token that is none',
      server: () => bearer,
      path: '/v2/',
      init: { headers: { Authorization: 'Bearer x' } },
      status: 401,
    },
    { name: 'the token', server: () => bearer, path: '/token?service=a&scope=b', status: 200 },
    {
      name: 'a refused token',
      server: () => bearer,
      path: '/token?service=a',
      init: { headers: { Authorization: `Basic ${btoa('learner:wrong')}` } },
      status: 401,
    },
    { name: 'a file of the layout', server: () => folder, path: '/index.json', status: 200 },
    { name: 'a file that is not there', server: () => folder, path: '/blobs/sha256/00', status: 404 },
    {
      name: 'a path outside of the layout',
      server: () => folder,
      path: '/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
      status: 400,
    },
    { name: 'a folder', server: () => folder, path: '/blobs/', status: 404 },
    {
      name: 'a write',
      server: () => folder,
      path: '/index.json',
      init: { method: 'PUT', body: 'x' },
      status: 403,
    },
  ];
  it.each(cases)('$status $name', async ({ server, path, status, init }) => {
    const response = await ask(server(), path, init);
    await response.arrayBuffer();
    expect(response.status).toBe(status);
    if (status !== 400) expectReadable(response);
  });

  it('502 when the registry behind it is down', async () => {
    const alone = await startNginx('plain', { registry: `127.0.0.1:${await freePort()}` });
    const response = await ask(alone, '/v2/');
    expect(response.status).toBe(502);
    expectReadable(response);
    await alone.close();
  });

  it('once only, also where the registry sends CORS headers of its own', async () => {
    expect((await fetch(`http://${open.host}/v2/`)).headers.get('access-control-allow-origin')).toBe('*');
    expectReadable(await ask(old, '/v2/'));
  });
});

describe('ranges', () => {
  it.each(['plain', 'cache', 'static'] as const)('%s gives a part of a layer', async (name) => {
    const { layers } = await readManifest(plain, 'test/busybox', 'latest');
    const [layer] = layers;
    const digest = layer?.digest ?? '';
    const path =
      name === 'static' ? `/blobs/${digest.replace(':', '/')}` : `/v2/test/busybox/blobs/${digest}`;
    const server = name === 'static' ? folder : registries[name]();
    const whole = new Uint8Array(await (await ask(server, path)).arrayBuffer());
    expect(sha256(whole)).toBe(digest);
    if (name === 'cache') await kept(path);
    const part = await ask(server, path, { headers: { Range: 'bytes=1000-' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 1000-${whole.length - 1}/${whole.length}`);
    expect(part.headers.get('content-length')).toBe(`${whole.length - 1000}`);
    expect(sha256(new Uint8Array(await part.arrayBuffer()))).toBe(sha256(whole.subarray(1000)));
    const past = await ask(server, path, { headers: { Range: `bytes=${whole.length}-` } });
    expect(past.status).toBe(416);
    expectReadable(past);
  });

  it('the cache keeps what it has fetched, and asks its origin no more', async () => {
    const { config } = await readManifest(plain, 'test/busybox', 'latest');
    const path = `/v2/test/busybox/blobs/${config.digest}`;
    await kept(path);
    const before = await plain.requests();
    for (let at = 0; at < 3; at += 1) expect((await ask(cache, path)).status).toBe(200);
    expect(await plain.requests()).toHaveLength(before.length);
  });
});

/** When the cache has it: it answers the first reader straight from its origin, and fetches it a second time to keep it. */
async function kept(path: string): Promise<void> {
  for (;;) {
    const before = await plain.requests();
    await (await ask(cache, path)).arrayBuffer();
    if ((await plain.requests()).length === before.length) return;
  }
}

describe('uploads', () => {
  it('reach the registry while they are sent', { timeout: 20_000 }, async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const nginx = await startNginx('basic', { registry: `127.0.0.1:${port}` });
    const upload = request(`http://${nginx.host}/v2/a/blobs/uploads/1`, { method: 'PATCH' });
    upload.write(Buffer.alloc(100_000));
    const [arriving, answer] = await once(server, 'request');
    const [first]: Buffer[] = await once(arriving, 'data');
    // the upload is not at its end, and yet there is some of it
    expect(first?.length).toBeGreaterThan(0);
    expect(arriving.headers['transfer-encoding']).toBe('chunked');
    arriving.resume();
    upload.end(Buffer.alloc(10));
    await once(arriving, 'end');
    answer.end();
    const [response]: IncomingMessage[] = await once(upload, 'response');
    expect(response?.statusCode).toBe(200);
    response?.resume();
    await nginx.close();
    server.closeAllConnections();
    server.close();
  });

  it('tell the next step without scheme and host, right behind any proxy', async () => {
    const start = await ask(plain, '/v2/test/mine/blobs/uploads/', { method: 'POST' });
    expect(start.status).toBe(202);
    expect(start.headers.get('location')).toMatch(/^\/v2\/test\/mine\/blobs\/uploads\//);
    expectReadable(start);
  });

  it('of any size are let through', async () => {
    const bytes = Buffer.alloc(5_000_000, 'layer');
    const start = await ask(plain, '/v2/test/mine/blobs/uploads/', { method: 'POST' });
    const location = new URL(start.headers.get('location') ?? '', `http://${plain.host}`);
    location.searchParams.set('digest', sha256(bytes));
    const put = await ask(plain, `${location.pathname}${location.search}`, { method: 'PUT', body: bytes });
    expect(put.status).toBe(201);
  });

  it('to a registry without passwords come from this computer alone', async () => {
    const from = async (localAddress: string) => {
      const post = request(`http://${plain.host}/v2/test/mine/blobs/uploads/`, {
        method: 'POST',
        localAddress,
      });
      post.end();
      const [response]: IncomingMessage[] = await once(post, 'response');
      response?.resume();
      return [response?.statusCode, response?.headers['access-control-allow-origin']];
    };
    expect(await from('127.0.0.1')).toEqual([202, '*']);
    expect(await from('127.0.0.2')).toEqual([403, '*']);
  });
});

describe('passwords and tokens', () => {
  it('a push with a name and a password, and not without', async () => {
    await pushLayout(inject('layout'), 'busybox', basic, 'test/busybox:latest', learner);
    await expect(pushLayout(inject('layout'), 'busybox', basic, 'test/other:latest')).rejects.toThrow(
      /unauthorized|authentication/i,
    );
  });

  it('a push with a token, and not with one that may only pull', async () => {
    await pushLayout(inject('layout'), 'busybox', bearer, 'test/busybox:latest', learner);
    await expect(pushLayout(inject('layout'), 'busybox', bearer, 'test/other:latest')).rejects.toThrow(
      /unauthorized|denied|authentication/i,
    );
  });

  it('the registry verifies the signature and the end of a token', async () => {
    const path = '/v2/test/busybox/tags/list';
    const scope = 'repository:test/busybox:pull';
    const query = `/token?service=${encodeURIComponent(bearer.tokens.service)}&scope=${scope}`;
    const status = async (token: string) =>
      (await ask(bearer, path, { headers: { Authorization: `Bearer ${token}` } })).status;
    const { token } = await (await ask(bearer, query)).json();
    expect(await status(token)).toBe(200);
    const [head, , signature] = token.split('.');
    const claims = { iss: 'token-service', aud: bearer.tokens.service, exp: 4e9, access: [] };
    const forged = Buffer.from(JSON.stringify(claims)).toString('base64url');
    expect(await status(`${head}.${forged}.${signature}`)).toBe(401);
    bearer.tokens.lifetime = -1;
    const { token: stale } = await (await ask(bearer, query)).json();
    bearer.tokens.lifetime = 300;
    expect(await status(stale)).toBe(401);
  });
});

it('a blob of a static folder is kept by the browser, the list of images is not', async () => {
  const layout = await mkdtemp(join(tmpdir(), 'layerbox-static-'));
  await writeFile(join(layout, 'index.json'), '{}');
  const served = await startNginx('static', { root: layout });
  const index = await ask(served, '/index.json');
  expect(index.headers.get('cache-control')).toBe('no-cache');
  expect(index.headers.get('content-type')).toBe('application/json');
  await writeFile(join(layout, 'index.json'), '{"changed":true}');
  const etag = index.headers.get('etag') ?? '';
  const again = await ask(served, '/index.json', { headers: { 'If-None-Match': etag } });
  expect(await again.text()).toBe('{"changed":true}');
  const { config } = await readManifest(plain, 'test/busybox', 'latest');
  const blob = await ask(folder, `/blobs/${config.digest.replace(':', '/')}`);
  expect(blob.headers.get('cache-control')).toMatch(/immutable/);
  await served.close();
  await rm(layout, { recursive: true });
});
