import { describe, expect, it } from 'vitest';
import { sendPatiently } from '../../../src/engine/registry/patient-request.ts';
import { PATIENT, Retries, type Retry, retryAfter } from '../../../src/engine/registry/retry.ts';
import { AT_ONCE, MadeUpWeb, refuse } from './made-up-registry.ts';

const url = 'https://registry.example/v2/';
const signal = new AbortController().signal;
const now = Date.parse('2024-05-01T12:00:00Z');

describe('a Retry-After', () => {
  it.each<[string | undefined, string | undefined, number | undefined]>([
    ['0', undefined, 0],
    ['120', undefined, 120_000],
    [' 5 ', undefined, 5000],
    ['Wed, 01 May 2024 12:00:30 GMT', undefined, 30_000],
    ['Wed, 01 May 2024 11:00:00 GMT', undefined, 0],
    // the reader's clock is an hour behind the registry's
    ['Wed, 01 May 2024 13:00:30 GMT', 'Wed, 01 May 2024 13:00:00 GMT', 30_000],
    ['-5', undefined, undefined],
    ['5.5', undefined, undefined],
    ['soon', undefined, undefined],
    ['Wed', undefined, undefined],
    ['99999999999999999999', undefined, undefined],
    [undefined, undefined, undefined],
  ])('of %j (Date: %j) asks for %j ms', (value, date, expected) => {
    const headers = new Headers();
    if (value !== undefined) headers.set('retry-after', value);
    if (date !== undefined) headers.set('date', date);
    expect(retryAfter(headers, now)).toBe(expected);
  });
});

describe('the tries of a request', () => {
  async function waits(random: number, headers: Record<string, string> = {}): Promise<number[]> {
    const told: Retry[] = [];
    const patience = { ...AT_ONCE, random: () => random, now: () => now };
    const retries = new Retries({ url, what: 'x' }, patience, (retry) => told.push(retry));
    const response = new Response('', { status: 503, headers });
    while (await retries.wait({ status: 503, response, reason: 'x' }, signal));
    return told.map(({ wait }) => wait);
  }

  it('wait twice as long each time, with up to half of it by chance', async () => {
    expect(await waits(0)).toEqual([125, 250, 500, 1000, 2000]);
    expect(await waits(1)).toEqual([250, 500, 1000, 2000, 4000]);
  });

  it('wait at least as long as the registry asks', async () => {
    expect(await waits(0, { 'retry-after': '1' })).toEqual([1000, 1000, 1000, 1000, 2000]);
  });

  it('end before a wait that is too long', async () => {
    expect(await waits(0, { 'retry-after': '61' })).toEqual([]);
    expect(await waits(0, { 'retry-after': '25' })).toEqual([25_000, 25_000]);
  });

  it('begin anew where there was progress', async () => {
    const retries = new Retries({ url, what: 'x' }, { ...AT_ONCE, retries: 1 });
    const setback = { status: 0, reason: 'x' };
    expect(await retries.wait(setback, signal)).toBe(true);
    expect(await retries.wait(setback, signal)).toBe(false);
    retries.reset();
    expect(await retries.wait(setback, signal)).toBe(true);
  });

  it('end at once when they are cancelled, before a wait and in it', async () => {
    const controller = new AbortController();
    const patience = { ...PATIENT, firstWait: 2 ** 30, longestWait: 2 ** 30, totalWait: 2 ** 31 };
    const waiting = new Retries({ url, what: 'x' }, patience).wait(
      { status: 0, reason: 'x' },
      controller.signal,
    );
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'Cancelled' });
    const late = new Retries({ url, what: 'x' }, patience).wait(
      { status: 0, reason: 'x' },
      controller.signal,
    );
    await expect(late).rejects.toMatchObject({ code: 'Cancelled' });
  });
});

describe('a request', () => {
  function sent(
    answers: (() => Response)[],
    more: { reached?: Set<string>; mayBeUnreadable?: boolean } = {},
  ) {
    const web = new MadeUpWeb().host(
      url,
      () => (answers.length > 1 ? answers.shift() : answers[0])?.() ?? refuse(500, 'X', 'x'),
    );
    const retries: Retry[] = [];
    const options = {
      fetch: web.fetch,
      signal,
      patience: AT_ONCE,
      onRetry: (retry: Retry) => retries.push(retry),
      ...more,
    };
    return { web, retries, response: sendPatiently({ url, what: 'x' }, options) };
  }
  const status = (code: number) => () => new Response('', { status: code });
  const nothing = () => {
    throw new TypeError('Failed to fetch');
  };

  it.each([[429], [500], [502], [503], [504]])('answered %i is made again', async (code) => {
    const { web, retries, response } = sent([status(code), status(200)]);
    expect((await response).status).toBe(200);
    expect(web.requests).toHaveLength(2);
    expect(retries).toMatchObject([
      { method: 'GET', url, status: code, attempt: 1, reason: `it answered ${code}` },
    ]);
  });

  it.each([[200], [301], [400], [401], [403], [404], [405], [416], [501]])(
    'answered %i is not',
    async (code) => {
      const { web, response } = sent([status(code)]);
      expect((await response).status).toBe(code);
      expect(web.requests).toHaveLength(1);
    },
  );

  it('that is always refused gets the last answer, whole', async () => {
    const { web, response } = sent([() => refuse(503, 'UNAVAILABLE', 'come later')]);
    expect(await (await response).text()).toContain('come later');
    expect(web.requests).toHaveLength(6);
  });

  it('without an answer is made again, but only where there was one before', async () => {
    const first = sent([nothing]);
    await expect(first.response).rejects.toMatchObject({ code: 'RegistryUnreachable' });
    expect(first.web.requests).toHaveLength(1);
    const known = sent([nothing], { reached: new Set(['https://registry.example']) });
    await expect(known.response).rejects.toMatchObject({ code: 'RegistryUnreachable' });
    expect(known.web.requests).toHaveLength(3);
    const again = sent([nothing, status(200)], { reached: new Set(['https://registry.example']) });
    expect((await again.response).status).toBe(200);
  });

  it('without an answer is not made again where that is nothing unusual', async () => {
    const reached = new Set(['https://registry.example']);
    const { web, response } = sent([nothing], { reached, mayBeUnreadable: true });
    await expect(response).rejects.toMatchObject({ code: 'RegistryUnreachable' });
    expect(web.requests).toHaveLength(1);
  });

  it('that was answered makes its origin known', async () => {
    const reached = new Set<string>();
    await sent([status(404)], { reached }).response;
    expect([...reached]).toEqual(['https://registry.example']);
  });
});
