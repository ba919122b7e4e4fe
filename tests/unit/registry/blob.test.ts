import { describe, expect, it } from 'vitest';
import { RegistryDeniedError } from '../../../src/engine/errors.ts';
import { openBlob } from '../../../src/engine/registry/blob.ts';
import { readBody } from '../../../src/engine/registry/bounded-body.ts';
import { AT_ONCE, errorBody, MadeUpWeb } from './made-up-registry.ts';

const url = 'https://registry.example/v2/a/blobs/sha256:0';
const html = { 'content-type': 'text/html; charset=utf-8' };

function open(
  answer: (signal: AbortSignal) => Response | Promise<Response>,
  controller = new AbortController(),
) {
  const web = new MadeUpWeb().host(url, (_, signal) => answer(signal));
  const request = { url, headers: {}, what: 'layer x', size: 3 };
  return openBlob(request, { fetch: web.fetch, signal: controller.signal, patience: AT_ONCE });
}

describe('a blob', () => {
  it('is the body', async () => {
    const body = await open(() => new Response('abc'));
    expect(await new Response(body).text()).toBe('abc');
  });

  it('announced as a page, but of the right size, is the body', async () => {
    const body = await open(() => new Response('abc', { headers: { ...html, 'content-length': '3' } }));
    expect(await new Response(body).text()).toBe('abc');
  });

  it.each<[string, () => Response, string, number | undefined, string]>([
    [
      'a 404',
      () => new Response(errorBody('BLOB_UNKNOWN', 'blob unknown'), { status: 404 }),
      'BlobUnknown',
      404,
      'registry.example does not have layer x: blob unknown',
    ],
    [
      'a 404 without words',
      () => new Response('', { status: 404 }),
      'BlobUnknown',
      404,
      'registry.example does not have layer x',
    ],
    [
      'a 401',
      () => new Response(errorBody('UNAUTHORIZED', 'authentication required'), { status: 401 }),
      'RegistryDenied',
      401,
      'authentication required',
    ],
    [
      'a 403',
      () => new Response('<p>no', { status: 403 }),
      'RegistryDenied',
      403,
      'registry.example denies access to layer x',
    ],
    [
      'a 500',
      () => new Response(errorBody('UNKNOWN', 'disk on fire'), { status: 500 }),
      'RegistryResponse',
      500,
      'registry.example answered 500 for layer x: disk on fire; the fault is with the registry',
    ],
    [
      'a 429',
      () => new Response('{"errors":[{"code":"TOOMANYREQUESTS"}]}', { status: 429 }),
      'RegistryResponse',
      429,
      'TOOMANYREQUESTS; it limits how much may be pulled',
    ],
    ['a 206', () => new Response('ab', { status: 206 }), 'RegistryResponse', 206, 'answered 206'],
    ['a 204', () => new Response(null, { status: 204 }), 'RegistryResponse', 204, 'answered 204'],
    [
      'a page in its place',
      () => new Response('<html>', { headers: html }),
      'BlobUnknown',
      200,
      'it answers with a web page instead',
    ],
    [
      'a hostile message',
      () => new Response(errorBody('X', `\u001b[31m${'y'.repeat(9999)}`), { status: 500 }),
      'RegistryResponse',
      500,
      '?[31myyy',
    ],
    [
      'an endless message',
      () => new Response('x'.repeat(1 << 20), { status: 500 }),
      'RegistryResponse',
      500,
      'answered 500 for layer x; the fault',
    ],
    [
      'errors that are none',
      () => new Response('{"errors":[1,null,{"code":{}}]}', { status: 500 }),
      'RegistryResponse',
      500,
      'answered 500 for layer x; the fault',
    ],
  ])('behind %s fails as it should', async (_, answer, code, status, words) => {
    const failure = await open(answer).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, data: { what: 'layer x', status, url } });
    expect(String(failure)).toContain(words);
    expect(String(failure).length).toBeLessThan(900);
  });

  it('from nowhere says that it may be down or without CORS', async () => {
    const failure = open(() => Promise.reject(new TypeError('Failed to fetch')));
    await expect(failure).rejects.toMatchObject({ code: 'RegistryUnreachable', data: { url } });
    await expect(open(() => Promise.reject(new TypeError('x')))).rejects.toThrow('(CORS)');
  });

  it('given up before it is asked for is never asked for', async () => {
    const controller = new AbortController();
    controller.abort();
    const web = new MadeUpWeb();
    const opening = openBlob({ url, what: 'x' }, { fetch: web.fetch, signal: controller.signal });
    await expect(opening).rejects.toMatchObject({ code: 'Cancelled' });
    expect(web.requests).toEqual([]);
  });

  it('given up on its way is cancelled, not unreachable', async () => {
    const controller = new AbortController();
    const opening = open((signal) => {
      controller.abort();
      return Promise.reject(signal.reason);
    }, controller);
    await expect(opening).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it('is asked for without cookies, referrer or cache, and each answer is told', async () => {
    const told: unknown[] = [];
    const inits: (RequestInit | undefined)[] = [];
    await openBlob(
      { url, headers: { Authorization: 'Bearer x' }, what: 'x' },
      {
        signal: new AbortController().signal,
        onRequest: (request) => told.push(request),
        fetch: async (_, init) => {
          inits.push(init);
          return new Response('abc');
        },
      },
    );
    expect(inits).toMatchObject([
      {
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        cache: 'no-store',
        headers: { Authorization: 'Bearer x' },
      },
    ]);
    expect(told).toMatchObject([{ method: 'GET', url, status: 200 }]);
  });
});

describe('a body that is read whole', () => {
  const request = { url, what: 'a manifest' };
  const options = { limit: 4, signal: new AbortController().signal };

  it.each(['', 'a', 'abcd'])('may have %j', async (text) => {
    const bytes = await readBody(new Response(text), request, options);
    expect(new TextDecoder().decode(bytes)).toBe(text);
  });

  it('is not read beyond its limit', async () => {
    let sent = 0;
    let isCancelled = false;
    const endless = new ReadableStream({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(new Uint8Array(2));
      },
      cancel: () => {
        isCancelled = true;
      },
    });
    const reading = readBody(new Response(endless), request, options);
    await expect(reading).rejects.toMatchObject({ code: 'SizeMismatch', data: { limit: 4 } });
    expect(isCancelled).toBe(true);
    expect(sent).toBeLessThan(10);
  });

  it('that breaks off is unreachable', async () => {
    const broken = new ReadableStream({
      pull: (controller) => controller.error(new TypeError('terminated')),
    });
    await expect(readBody(new Response(broken), request, options)).rejects.toMatchObject({
      code: 'RegistryUnreachable',
      data: { failure: 'broken', received: 0 },
    });
  });

  it('that stalls breaks off, and its connection is let go', async () => {
    let isCancelled = false;
    const stalling = new ReadableStream({
      start: (controller) => controller.enqueue(new Uint8Array(1)),
      cancel: () => {
        isCancelled = true;
      },
    });
    const reading = readBody(new Response(stalling), request, { ...options, stall: 1 });
    await expect(reading).rejects.toThrow(
      'the connection to https://registry.example broke after 1 byte of a manifest; try again',
    );
    expect(isCancelled).toBe(true);
  });

  it('whose stream knows what is wrong fails with that', async () => {
    const refused = new ReadableStream({
      pull: (controller) => controller.error(new RegistryDeniedError('not any more')),
    });
    await expect(readBody(new Response(refused), request, options)).rejects.toThrow('not any more');
  });
});
