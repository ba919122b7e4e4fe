/** Answers that do not come, or of which only a part comes: manifests, tokens and lists, unlike blobs, are asked for anew. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import { EventStream, type StampedEvent } from '../../../src/engine/events.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { passwordCredential } from '../../../src/engine/registry/credentials.ts';
import { readPatiently, sendPatiently } from '../../../src/engine/registry/patient-request.ts';
import { fallbackTag } from '../../../src/engine/registry/referrers.ts';
import { refusal } from '../../../src/engine/registry/refusal.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import { PATIENT, type Patience } from '../../../src/engine/registry/retry.ts';
import { fetchToken } from '../../../src/engine/registry/token.ts';
import { type Answer, AT_ONCE, MadeUpRepository, MadeUpWeb, refuse } from './made-up-registry.ts';

const base = 'https://registry.example';
const url = `${base}/v2/`;
const signal = new AbortController().signal;
const subject = `sha256:${'a'.repeat(64)}` as const;
/** Long enough for what is made up to be there, short enough to wait for. */
const HASTY: Patience = { ...AT_ONCE, stall: 20 };

afterEach(() => void vi.useRealTimers());

/** Accepts the connection, and says nothing. */
const silence: Answer = (_, stopped) =>
  new Promise((_, reject) => stopped.addEventListener('abort', () => reject(stopped.reason)));

/** The first bytes of an answer, after which its connection does as it is told. */
async function cut(answer: Response, count: number, end: 'breaks' | 'stalls'): Promise<Response> {
  const start = new Uint8Array(await answer.arrayBuffer()).subarray(0, count);
  let isSent = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        if (!isSent) controller.enqueue(start);
        else if (end === 'breaks') controller.error(new TypeError('terminated'));
        else return new Promise(() => undefined);
        isSent = true;
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { status: answer.status, headers: answer.headers });
}

const repository = new MadeUpRepository('app');
const config = {
  mediaType: 'application/vnd.oci.image.config.v1+json',
  ...repository.blob(Buffer.from('{}')),
};
const manifest = repository.manifest(
  { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [] } as {
    mediaType: string;
  },
  'v1',
);
const index = (...manifests: readonly object[]) =>
  ({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }) as {
    mediaType: string;
  };
repository.manifest(index(manifest), fallbackTag(subject));

/** All that a registry and a layout are asked for, whole. */
const whole: Answer = (request, stopped) => {
  const { pathname } = new URL(request.url);
  if (pathname === '/token') return new Response('{"token":"t"}');
  if (request.authorization !== 'Bearer t' && !pathname.startsWith('/layout/')) {
    return refuse(401, 'UNAUTHORIZED', 'x', { 'www-authenticate': `Bearer realm="${base}/token"` });
  }
  if (pathname.endsWith('/tags/list')) return new Response('{"tags":["v1"]}');
  if (pathname.endsWith('/_catalog')) return new Response('{"repositories":["app"]}');
  if (pathname.includes('/referrers/')) return new Response(JSON.stringify(index(manifest)));
  if (pathname === '/layout/index.json') {
    const annotations = { 'org.opencontainers.image.ref.name': 'app:v1' };
    return new Response(JSON.stringify(index({ ...manifest, annotations })));
  }
  const blob = pathname.split('/layout/blobs/sha256/')[1];
  if (blob !== undefined) return new Response(repository.manifests.get(`sha256:${blob}`)?.bytes ?? null);
  return repository.answer(request, stopped);
};

function client(answer: Answer, mirrors = {}) {
  const web = new MadeUpWeb().host(base, answer);
  const events = new EventStream(() => 0);
  const seen: StampedEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const registries = new Registries({ mirrors, fetch: web.fetch, events, now: () => 0, patience: HASTY });
  return { web, registries, retries: () => seen.filter(({ type }) => type === 'retry') };
}

type Client = ReturnType<typeof client>['registries'];
const reference = parseReference('registry.example/app:v1');

const asks: [string, string, (registries: Client) => Promise<unknown>][] = [
  ['a manifest', '/v2/app/manifests/v1', (it) => it.resolve(reference, { signal })],
  [
    'a manifest of an index',
    `/v2/app/manifests/${manifest.digest}`,
    async (it) => (await it.resolve(reference, { signal })).source.document(manifest, { signal }),
  ],
  ['a token', '/token', (it) => it.resolve(reference, { signal })],
  ['a page of tags', '/v2/app/tags/list', (it) => it.tags(reference, { signal })],
  ['a page of the catalog', '/v2/_catalog', (it) => it.catalog('registry.example', { signal }).next()],
  ['what refers to it', `/v2/app/referrers/${subject}`, (it) => it.referrers(reference, subject, { signal })],
];

describe.each(asks)('%s', (_, path, ask) => {
  const faulty = (times: number, fault: Answer) => {
    let left = times;
    return client((request, stopped) => {
      const isMeant =
        new URL(request.url).pathname === path && (path === '/token' || request.authorization !== '');
      if (!isMeant || left === 0) return whole(request, stopped);
      left -= 1;
      return fault(request, stopped);
    });
  };
  const cutting =
    (end: 'breaks' | 'stalls'): Answer =>
    async (request, stopped) =>
      cut(await whole(request, stopped), 5, end);

  it.each(['breaks', 'stalls'] as const)(
    'whose connection %s in the middle is asked for again',
    async (end) => {
      const { web, registries, retries } = faulty(1, cutting(end));
      const right = client(whole);
      const expected = await ask(right.registries);
      const got = await ask(registries);
      expect(JSON.stringify(got)).toBe(JSON.stringify(expected));
      expect(web.requests).toHaveLength(right.web.requests.length + 1);
      expect(retries()).toMatchObject([{ status: 0, attempt: 1, reason: 'the connection broke' }]);
    },
  );

  it('whose connection always breaks says where, and nothing of CORS', async () => {
    const { web, registries } = faulty(Number.POSITIVE_INFINITY, cutting('breaks'));
    const failure = await ask(registries).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'RegistryUnreachable', data: { failure: 'broken', received: 5 } });
    expect(String(failure)).toContain(`the connection to ${base} broke after 5 bytes of `);
    expect(String(failure)).not.toContain('CORS');
    expect(web.paths.filter((asked) => asked === path).length).toBeGreaterThanOrEqual(1 + PATIENT.retries);
  });

  it('that is not answered is asked for again, and given up with the reason', async () => {
    const once = faulty(1, silence);
    await ask(once.registries);
    expect(once.retries()).toMatchObject([{ status: 0, attempt: 1, reason: 'no answer' }]);
    const never = faulty(Number.POSITIVE_INFINITY, silence);
    const failure = await ask(never.registries).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'RegistryUnreachable', data: { failure: 'silent' } });
    expect(String(failure)).toContain(`no answer from ${base} for `);
    expect(String(failure)).not.toContain('CORS');
    expect(never.retries()).toHaveLength(2);
  });
});

describe('index.json of a layout', () => {
  it.each<[string, Answer]>([
    ['that breaks off', async (request, stopped) => cut(await whole(request, stopped), 5, 'breaks')],
    ['that stalls', async (request, stopped) => cut(await whole(request, stopped), 5, 'stalls')],
    ['that is not answered', silence],
  ])('%s is asked for again', async (_, fault) => {
    let count = 0;
    const { registries, retries } = client(
      (request, stopped) => {
        // the first answer tells that the place is there
        if (!request.url.endsWith('/index.json') || ++count !== 2) return whole(request, stopped);
        return fault(request, stopped);
      },
      { 'registry.example': `layout:${base}/layout/` },
    );
    await registries.tags(reference, { signal });
    const { source } = await registries.resolve(reference, { signal });
    expect(source.name).toBe(`layout ${base}/layout/`);
    expect(retries()).toHaveLength(1);
  });
});

describe('a request', () => {
  const options = (web: MadeUpWeb) => ({ fetch: web.fetch, signal });

  it('waits a minute for its answer', async () => {
    vi.useFakeTimers();
    const web = new MadeUpWeb().host(url, silence);
    let failure: unknown;
    const sent = sendPatiently({ url, what: 'x' }, options(web)).catch((error: unknown) => {
      failure = error;
    });
    await vi.advanceTimersByTimeAsync(59_999);
    expect(failure).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await sent;
    expect(failure).toMatchObject({
      code: 'RegistryUnreachable',
      message: `no answer from ${base} for x within 60 seconds: it is down or has too much to do; try again later`,
    });
    // of a place that never answered more is not to be expected
    expect(web.requests).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('with bytes to send waits as long as they need', async () => {
    vi.useFakeTimers();
    const web = new MadeUpWeb().host(url, (request, stopped) =>
      Promise.race([
        silence(request, stopped),
        new Promise<Response>((resolve) => setTimeout(() => resolve(new Response('')), 3_600_000)),
      ]),
    );
    const put = { method: 'PUT', url, what: 'x', body: new Uint8Array(1) } as const;
    const sent = sendPatiently(put, options(web));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect((await sent).status).toBe(200);
  });

  it('that is cancelled while nothing comes is cancelled, not unreachable', async () => {
    const controller = new AbortController();
    const web = new MadeUpWeb().host(url, silence);
    const sent = sendPatiently({ url, what: 'x' }, { fetch: web.fetch, signal: controller.signal });
    controller.abort();
    await expect(sent).rejects.toMatchObject({ code: 'Cancelled' });
  });

  it('that was answered in time goes on from then, until it is cancelled', async () => {
    vi.useFakeTimers();
    let stop: AbortSignal | undefined;
    const web = new MadeUpWeb().host(url, (_, stopped) => {
      stop = stopped;
      return new Response('');
    });
    const controller = new AbortController();
    await sendPatiently({ url, what: 'x' }, { fetch: web.fetch, signal: controller.signal });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(stop?.aborted).toBe(false);
    controller.abort('enough');
    expect(stop?.reason).toBe('enough');
  });

  it('for a token, with a password, is not made in another way when nothing comes', async () => {
    const web = new MadeUpWeb().host(url, silence);
    const challenge = { scheme: 'bearer', parameters: new Map([['realm', `${base}/v2/token`]]) };
    const wish = {
      registry: base,
      scopes: [],
      what: 'app',
      credential: passwordCredential('learner', 'secret'),
    };
    const asking = fetchToken(challenge, wish, { ...options(web), patience: HASTY, now: () => 0 });
    await expect(asking).rejects.toMatchObject({ data: { failure: 'silent' } });
    expect(web.requests).toHaveLength(1);
  });

  it('that is refused has its body left to whoever tells of it', async () => {
    const web = new MadeUpWeb().host(url, () => refuse(404, 'NAME_UNKNOWN', 'no such name'));
    const { response, bytes } = await readPatiently({ url, what: 'x' }, { ...options(web), limit: 4 });
    expect(bytes).toHaveLength(0);
    expect(await response.text()).toContain('no such name');
  });
});

describe('a refusal', () => {
  it('whose words do not come is told without them', async () => {
    vi.useFakeTimers();
    const stalled = await cut(refuse(403, 'DENIED', 'never told'), 5, 'stalls');
    const told = refusal(stalled, { url, what: 'x' }, 'manifest');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await told).toMatchObject({ code: 'RegistryDenied', data: { status: 403 } });
  });
});
