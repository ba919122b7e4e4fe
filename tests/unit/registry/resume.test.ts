/** Blobs over connections that break, from a real server. */

import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type BlobOptions, type BlobRequest, openBlob } from '../../../src/engine/registry/blob.ts';
import { PATIENT, type Patience, type Retry } from '../../../src/engine/registry/retry.ts';
import { AT_ONCE } from './made-up-registry.ts';
import { type AskedRequest, type Handler, type RealServer, startServer } from './real-server.ts';

const blob = randomBytes(600_000);
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let server: RealServer | undefined;
afterEach(() => server?.close());

async function open(
  handler: Handler,
  more: { request?: Partial<BlobRequest>; options?: Partial<BlobOptions> } = {},
) {
  server = await startServer(handler);
  const retries: Retry[] = [];
  const body = await openBlob(
    { url: `${server.origin}/blob`, what: 'layer x', size: blob.length, ...more.request },
    {
      fetch,
      signal: new AbortController().signal,
      patience: AT_ONCE,
      onRetry: (retry) => retries.push(retry),
      ...more.options,
    },
  );
  return { body, retries, requests: server.requests };
}

const requestsSoFar = () => server?.requests.length ?? 0;

const read = async (body: ReadableStream<Uint8Array>) =>
  new Uint8Array(await new Response(body).arrayBuffer());

function latch() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Where a `Range: bytes=N-` starts. */
const from = (request: AskedRequest) => Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);

/** Sends `[start, start + count)` of the rest and then cuts the connection; all of it when there is less. */
function send(response: ServerResponse, start: number, count: number, headers: Record<string, string> = {}) {
  const rest = blob.subarray(start);
  response.writeHead(start === 0 ? 200 : 206, {
    'Content-Length': rest.length,
    ...(start > 0 && { 'Content-Range': `bytes ${start}-${blob.length - 1}/${blob.length}` }),
    ...headers,
  });
  if (count >= rest.length) response.end(rest);
  else response.write(rest.subarray(0, count), () => response.destroy());
}

describe('a blob whose connection breaks', () => {
  it.each([[1], [4096], [99_999], [300_000], [599_999]])(
    'each time after %i bytes comes whole',
    async (count) => {
      // of a byte each no more come than patience allows
      let cuts = 0;
      const { body, retries, requests } = await open((request, response) => {
        cuts += 1;
        send(response, from(request), cuts > 4 ? blob.length : count);
      });
      expect(sha(await read(body))).toBe(sha(blob));
      expect(requests.map(from)).toEqual([...new Set(requests.map(from))].sort((a, b) => a - b));
      expect(retries.length).toBe(requests.length - 1);
      expect(retries[0]).toMatchObject({
        method: 'GET',
        status: 0,
        attempt: 1,
        reason: 'the connection broke',
      });
    },
  );

  it('goes on as often as it must while it gets on', async () => {
    const { body, requests } = await open((request, response) => send(response, from(request), 70_000));
    expect(sha(await read(body))).toBe(sha(blob));
    expect(requests.length).toBe(Math.ceil(blob.length / 70_000));
  });

  it('and brings nothing new is given up', async () => {
    const { body, requests } = await open((request, response) =>
      send(response, from(request), from(request) === 0 ? 1000 : 0),
    );
    await expect(read(body)).rejects.toThrow('terminated');
    expect(requests.length).toBe(1 + PATIENT.retries);
  });

  it('and then a byte at a time is given up, too', async () => {
    const { body, requests } = await open((request, response) => send(response, from(request), 1));
    await expect(read(body)).rejects.toThrow('terminated');
    expect(requests.length).toBe(1 + PATIENT.retries);
  });

  it('comes from a server that knows no ranges by skipping what is here', async () => {
    let sent = 100_000;
    const { body, requests } = await open((_, response) => {
      send(response, 0, sent);
      sent += 300_000;
    });
    expect(sha(await read(body))).toBe(sha(blob));
    expect(requests.map((request) => request.headers.range)).toEqual([
      undefined,
      'bytes=100000-',
      'bytes=400000-',
    ]);
  });

  it.each<[string, string | undefined, string | undefined]>([
    ['a strong one', '"abc"', '"abc"'],
    ['a weak one, which says nothing of bytes', 'W/"abc"', undefined],
    ['one that is none', 'abc', undefined],
    ['none', undefined, undefined],
  ])('asks If-Range by its ETag: %s', async (_, etag, ifRange) => {
    const { body, requests } = await open((request, response) =>
      send(
        response,
        from(request),
        from(request) === 0 ? 1000 : blob.length,
        etag === undefined ? {} : { ETag: etag },
      ),
    );
    expect(sha(await read(body))).toBe(sha(blob));
    expect(requests[1]?.headers['if-range']).toBe(ifRange);
  });

  it('is asked for without If-Range at once where that is not allowed, as by most servers to a page', async () => {
    const { body, retries } = await open(
      (request, response) =>
        send(response, from(request), from(request) === 0 ? 1000 : blob.length, { ETag: '"abc"' }),
      {
        options: {
          fetch: (url, init) =>
            new Headers(init?.headers).has('if-range')
              ? Promise.reject(new TypeError('Failed to fetch'))
              : fetch(url, init),
        },
      },
    );
    expect(sha(await read(body))).toBe(sha(blob));
    expect(retries).toHaveLength(1);
  });

  it.each<[string, Record<string, string>]>([
    ['another start', { 'Content-Range': 'bytes 999-599999/600000' }],
    ['another size', { 'Content-Range': 'bytes 1000-599999/700000' }],
    ['an end beyond the end', { 'Content-Range': 'bytes 1000-600000/600000' }],
    ['no numbers', { 'Content-Range': 'bytes */600000' }],
    ['another unit', { 'Content-Range': 'lines 1000-599999/600000' }],
    ['several parts', { 'Content-Type': 'multipart/byteranges; boundary=x' }],
  ])('refuses a part with %s', async (_, headers) => {
    const { body } = await open((request, response) =>
      send(
        response,
        from(request),
        from(request) === 0 ? 1000 : blob.length,
        from(request) === 0 ? {} : headers,
      ),
    );
    await expect(read(body)).rejects.toMatchObject({
      code: 'RegistryResponse',
      message: expect.stringContaining('answered with another part of layer x than it was asked for'),
    });
  });

  it('takes a part whose Content-Range cannot be read when its length fits, and refuses it when not', async () => {
    for (const [length, code] of [
      [blob.length - 1000, undefined],
      [blob.length - 999, 'RegistryResponse'],
    ] as const) {
      const { body } = await open((request, response) => {
        if (from(request) === 0) return send(response, 0, 1000);
        response.writeHead(206, { 'Content-Length': length });
        response.end(blob.subarray(1000).subarray(0, length));
      });
      const reading = read(body).then(sha, (error: { code: string }) => error.code);
      expect(await reading).toBe(code ?? sha(blob));
      await server?.close();
    }
  });

  it('waits where the registry is busy, as long as it says', async () => {
    const answers = [
      (request: AskedRequest, response: ServerResponse) => send(response, from(request), 1000),
      (_: AskedRequest, response: ServerResponse) => response.writeHead(429, { 'Retry-After': '7' }).end(),
      (_: AskedRequest, response: ServerResponse) => response.writeHead(503).end(),
      (request: AskedRequest, response: ServerResponse) => send(response, from(request), blob.length),
    ];
    const { body, retries } = await open((request, response) => void answers.shift()?.(request, response));
    expect(sha(await read(body))).toBe(sha(blob));
    expect(retries.map(({ status, attempt }) => [status, attempt])).toEqual([
      [0, 1],
      [429, 2],
      [503, 3],
    ]);
    expect(retries[1]?.wait).toBe(7000);
  });

  it('asks for new headers before it goes on, and again at a 401', async () => {
    const asked: unknown[] = [];
    const fresh = ['Bearer two', 'Bearer three'];
    const { body, requests } = await open(
      (request, response) => {
        const { authorization } = request.headers;
        if (authorization === 'Bearer one') send(response, from(request), 1000);
        else if (authorization === 'Bearer three') send(response, from(request), blob.length);
        else response.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="x"' }).end('no');
      },
      {
        request: { headers: { Authorization: 'Bearer one' } },
        options: {
          renew: async (refused) => {
            asked.push(refused);
            return { Authorization: fresh.shift() ?? '' };
          },
        },
      },
    );
    expect(sha(await read(body))).toBe(sha(blob));
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer one',
      'Bearer two',
      'Bearer three',
    ]);
    expect(asked).toEqual([undefined, { challenge: 'Bearer realm="x"', sent: 'Bearer two', attempt: 1 }]);
  });

  it('fails as the registry says when nothing better can be sent', async () => {
    const { body, requests } = await open(
      (request, response) => {
        if (from(request) === 0) send(response, 0, 1000);
        else response.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="x"' }).end();
      },
      { options: { renew: async (refused) => (refused === undefined ? {} : undefined) } },
    );
    await expect(read(body)).rejects.toMatchObject({ code: 'RegistryDenied' });
    expect(requests.length).toBe(2);
  });

  it('and always wants other headers is not asked for ever', async () => {
    let count = 0;
    const opening = open((_, response) => void response.writeHead(401, { 'WWW-Authenticate': 'x' }).end(), {
      options: { renew: async () => ({ Authorization: `Bearer ${++count}` }) },
    });
    await expect(opening).rejects.toMatchObject({ code: 'RegistryDenied' });
    expect(server?.requests.length).toBeLessThan(6);
  });

  it('that brings nothing for long is made anew', async () => {
    const patience: Patience = { ...AT_ONCE, stall: 50 };
    const { body, retries } = await open(
      (request, response) => {
        if (from(request) > 0) return send(response, from(request), blob.length);
        response.writeHead(200, { 'Content-Length': blob.length });
        response.write(blob.subarray(0, 1000));
      },
      { options: { patience } },
    );
    expect(sha(await read(body))).toBe(sha(blob));
    expect(retries).toHaveLength(1);
  });

  it('that is not answered is asked for again', async () => {
    const { body, retries } = await open(
      (request, response) => {
        if (requestsSoFar() > 1) send(response, from(request), blob.length);
      },
      { options: { patience: { ...AT_ONCE, stall: 50 } } },
    );
    expect(sha(await read(body))).toBe(sha(blob));
    expect(retries).toMatchObject([{ status: 0, attempt: 1, reason: 'no answer' }]);
  });

  it('that is never answered is given up, with the reason', async () => {
    const opening = open(() => undefined, { options: { patience: { ...AT_ONCE, stall: 10 } } });
    await expect(opening).rejects.toMatchObject({
      code: 'RegistryUnreachable',
      message: expect.stringContaining('within 1 second: it is down'),
    });
    expect(requestsSoFar()).toBe(3);
  });

  it('and is not answered when it goes on is not asked for without If-Range', async () => {
    const { body, requests } = await open(
      (request, response) => {
        if (requestsSoFar() === 2) return;
        send(response, from(request), from(request) === 0 ? 1000 : blob.length, { ETag: '"abc"' });
      },
      { options: { patience: { ...AT_ONCE, stall: 50 } } },
    );
    expect(sha(await read(body))).toBe(sha(blob));
    expect(requests.map(({ headers }) => headers['if-range'])).toEqual([undefined, '"abc"', '"abc"']);
  });

  it('ends at once when it is cancelled while it waits', async () => {
    const controller = new AbortController();
    const { body } = await open((request, response) => send(response, from(request), 1000), {
      options: {
        signal: controller.signal,
        // a wait without end: the test would hang with it
        patience: { ...PATIENT, firstWait: 2 ** 30, longestWait: 2 ** 30, totalWait: 2 ** 31 },
        onRetry: () => queueMicrotask(() => controller.abort()),
      },
    });
    await expect(read(body)).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it('lets go of the connection when its reader has enough', async () => {
    const gone = latch();
    const { body } = await open((_, response) => {
      response.on('close', () => gone.open());
      response.writeHead(200, { 'Content-Length': blob.length });
      response.write(blob.subarray(0, 1000));
    });
    const reader = body.getReader();
    await reader.read();
    await reader.cancel();
    await gone.opened;
  });
});

describe('a blob of another length than announced', () => {
  it('is passed on as it is when the server says so', async () => {
    const { body, requests } = await open((_, response) => response.end(blob.subarray(0, 500)));
    expect((await read(body)).length).toBe(500);
    expect(requests).toHaveLength(1);
  });

  it('is asked for once more when the end came unannounced, and no more than that', async () => {
    const { body, requests } = await open((request, response) => {
      if (from(request) > 0) return void response.writeHead(416).end();
      response.write(blob.subarray(0, 500));
      response.end();
    });
    expect((await read(body)).length).toBe(500);
    expect(requests.map(from)).toEqual([0, 500]);
  });

  it('may be longer: its reader sees that', async () => {
    const { body } = await open((_, response) => response.end(Buffer.concat([blob, blob])));
    expect((await read(body)).length).toBe(2 * blob.length);
  });
});

describe('a part of a blob', () => {
  const range = { start: 1000, end: 201_000 };
  const wanted = blob.subarray(range.start, range.end);
  const part = (request: AskedRequest, response: ServerResponse, count: number) => {
    const [, start = '0', end = '0'] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const bytes = blob.subarray(Number(start), Number(end) + 1);
    response.writeHead(206, {
      'Content-Range': `bytes ${start}-${end}/${blob.length}`,
      'Content-Length': bytes.length,
    });
    if (count >= bytes.length) response.end(bytes);
    else response.write(bytes.subarray(0, count), () => response.destroy());
  };

  it('is asked for alone, and goes on where its connection broke', async () => {
    const { body, requests } = await open((request, response) => part(request, response, 150_000), {
      request: { range },
    });
    expect(sha(await read(body))).toBe(sha(wanted));
    expect(requests.map(({ headers }) => headers.range)).toEqual([
      'bytes=1000-200999',
      'bytes=151000-200999',
    ]);
  });

  it('is cut out of what a server without ranges sends, which is read no further', async () => {
    const gone = latch();
    const { body } = await open(
      (_, response) => {
        response.on('close', () => gone.open());
        response.writeHead(200, { 'Content-Length': 2 ** 40 });
        response.write(blob);
      },
      { request: { range, size: 2 ** 40 } },
    );
    expect(sha(await read(body))).toBe(sha(wanted));
    await gone.opened;
  });

  it('of data that is here comes from there', async () => {
    const embedded = Buffer.from('hello world').toString('base64');
    const { body, requests } = await open(() => undefined, {
      request: { embedded, range: { start: 6, end: 11 }, size: 11 },
    });
    expect(new TextDecoder().decode(await read(body))).toBe('world');
    expect(requests).toEqual([]);
  });
});

describe('a blob that its descriptor carries', () => {
  it.each(['aGVsbG8', 'aGVs bG8=', 'aGVsbG8=\n', '%%%%', 'aGVsbG8_', 'a==='])(
    'is refused as %j',
    async (embedded) => {
      await expect(open(() => undefined, { request: { embedded } })).rejects.toMatchObject({
        code: 'InvalidDocument',
        data: { field: 'data' },
      });
    },
  );
});
