import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StaticServer, serveFolder } from '../../../scripts/serve.ts';

let folder: string;
let server: StaticServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layerbox-serve-'));
  await mkdir(join(folder, 'site', 'assets'), { recursive: true });
  await writeFile(join(folder, 'secret'), 'outside');
  await writeFile(join(folder, 'site', 'index.html'), '<p>page');
  await writeFile(join(folder, 'site', 'blob'), '0123456789');
  await writeFile(join(folder, 'site', 'empty'), '');
  await writeFile(join(folder, 'site', 'assets', 'a-1f.wasm'), 'wasm');
  await symlink(join(folder, 'site', 'blob'), join(folder, 'site', 'link'));
  server = await serveFolder(join(folder, 'site'), 0);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** As it is: fetch would tidy the path up. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number | undefined; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      request({ host: '127.0.0.1', port: server.port, path, headers, method }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          body += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
      })
        .on('error', reject)
        .end();
    },
  );
}

describe('the static server', () => {
  const rows: { path: string; status: number; body?: string; type?: string }[] = [
    { path: '/', status: 200, body: '<p>page', type: 'text/html; charset=utf-8' },
    { path: '/index.html?x=1', status: 200, body: '<p>page' },
    { path: '/blob', status: 200, body: '0123456789', type: 'application/octet-stream' },
    { path: '/empty', status: 200, body: '' },
    { path: '/assets/a-1f.wasm', status: 200, body: 'wasm', type: 'application/wasm' },
    { path: '/assets', status: 404 },
    { path: '/nothing', status: 404 },
    { path: '/blob/below', status: 404 },
    { path: '/../secret', status: 404 },
    { path: '/assets/../../secret', status: 404 },
    { path: '/%2e%2e/secret', status: 404 },
    { path: '/..%2fsecret', status: 404 },
    { path: '/..%5csecret', status: 404 },
    { path: '/blob%00', status: 404 },
    { path: '/%E0%A4%A', status: 404 },
  ];
  it.each(rows)('answers $path with $status', async ({ path, status, body, type }) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    if (body !== undefined) expect(answer.body).toBe(body);
    if (type !== undefined) expect(answer.headers['content-type']).toBe(type);
    expect(answer.body).not.toContain('outside');
  });

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=5-500', 206, '56789', 'bytes 5-9/10'],
    ['bytes=10-', 416, undefined, 'bytes */10'],
    ['bytes=0-1,3-4', 200, '0123456789', undefined],
    ['lines=1-2', 200, '0123456789', undefined],
  ])('answers the range %s with %i', async (range, status, body, contentRange) => {
    const answer = await get('/blob', { range });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-range']).toBe(contentRange);
    if (body !== undefined) expect(answer.body).toBe(body);
  });

  it('sends the policy with every file, the scripts of workers included', async () => {
    for (const path of ['/', '/assets/a-1f.wasm', '/blob']) {
      const policy = String((await get(path)).headers['content-security-policy']);
      expect(policy).toMatch(/default-src 'self';.*script-src 'self' 'wasm-unsafe-eval';.*frame-ancestors/);
      expect(policy).not.toMatch(/script-src[^;]*'unsafe-/);
    }
  });

  it('knows what a browser has already, and for how long it may keep it', async () => {
    const first = await get('/blob');
    const etag = String(first.headers.etag);
    expect(await get('/blob', { 'if-none-match': etag })).toMatchObject({ status: 304, body: '' });
    expect(await get('/blob', { 'if-none-match': '"other"' })).toMatchObject({ status: 200 });
    expect(first.headers['cache-control']).toBe('no-cache');
    expect((await get('/assets/a-1f.wasm')).headers['cache-control']).toContain('immutable');
  });

  it('sends no body for HEAD, and takes nothing', async () => {
    expect(await get('/blob', {}, 'HEAD')).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '10' },
    });
    expect(await get('/blob', {}, 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });
});
