import { describe, expect, it, vi } from 'vitest';
import { Pace, turnOf } from '../../../src/engine/lazy/pace.ts';
import { openBlob } from '../../../src/engine/registry/blob.ts';
import { never, noise } from './fixture.ts';

describe('Pace', () => {
  it('holds back while anybody waits, and a moment longer', () => {
    vi.useFakeTimers();
    try {
      const pace = new Pace({ linger: 100 });
      const told: boolean[] = [];
      pace.onChange((isHeld) => told.push(isHeld));
      pace.begin();
      pace.begin();
      pace.end();
      vi.advanceTimersByTime(500);
      expect(told).toEqual([true]);
      pace.end();
      vi.advanceTimersByTime(99);
      pace.begin();
      vi.advanceTimersByTime(500);
      expect(told).toEqual([true]);
      pace.end();
      vi.advanceTimersByTime(100);
      expect(told).toEqual([true, false]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('lets go at once who does not have to wait', () => {
    expect(turnOf(new Pace(), never)).toBeUndefined();
  });

  it('lets go who is cancelled', async () => {
    const pace = new Pace();
    const controller = new AbortController();
    pace.begin();
    const turn = turnOf(pace, controller.signal);
    controller.abort();
    await turn;
    expect(pace.isHeld).toBe(true);
  });
});

describe('a blob that is fetched for later', () => {
  const content = noise(100, 7);
  /** A server of parts; `whole`: of whole blobs only. */
  const server =
    (seen: (string | null)[], whole = false) =>
    async (_url: string, init?: RequestInit) => {
      const range = new Headers(init?.headers).get('range');
      seen.push(range);
      const [, first = 0, last = 99] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
      if (range === null || whole) return new Response(content);
      const headers = { 'content-range': `bytes ${first}-${last}/100` };
      return new Response(content.slice(Number(first), Number(last) + 1), { status: 206, headers });
    };
  const request = { url: 'http://localhost/blob', what: 'a blob', size: 100, piece: 40 };
  const all = async (body: ReadableStream<Uint8Array<ArrayBuffer>>) =>
    Buffer.from(await new Response(body).arrayBuffer());

  it('is asked for in parts', async () => {
    const seen: (string | null)[] = [];
    const body = await openBlob(request, { fetch: server(seen), signal: never });
    expect((await all(body)).equals(content)).toBe(true);
    expect(seen).toEqual(['bytes=0-39', 'bytes=40-79', 'bytes=80-99']);
  });

  it('comes whole where there are no parts', async () => {
    const seen: (string | null)[] = [];
    const body = await openBlob(request, { fetch: server(seen, true), signal: never });
    expect((await all(body)).equals(content)).toBe(true);
    expect(seen).toHaveLength(1);
  });

  it('is asked for no more while it is held', async () => {
    const seen: (string | null)[] = [];
    const pace = new Pace({ linger: 0 });
    const body = await openBlob(request, {
      fetch: server(seen),
      signal: never,
      hold: () => (seen.length === 0 ? undefined : turnOf(pace, never)),
    });
    const reader = body.getReader();
    await reader.read();
    pace.begin();
    const reading = reader.read();
    await new Promise((resolve) => setTimeout(resolve));
    expect(seen).toHaveLength(1);
    pace.end();
    expect((await reading).value).toHaveLength(40);
    expect(seen).toHaveLength(2);
  });

  it('is read no further while it is held', async () => {
    const pace = new Pace({ linger: 0 });
    let pulled = 0;
    const source = () =>
      new ReadableStream<Uint8Array<ArrayBuffer>>(
        {
          pull(controller) {
            pulled += 1;
            controller.enqueue(new Uint8Array(10));
            if (pulled === 5) controller.close();
          },
        },
        { highWaterMark: 0 },
      );
    const body = await openBlob(
      { url: 'http://localhost/blob', what: 'a blob', size: 50 },
      { fetch: async () => new Response(source()), signal: never, hold: () => turnOf(pace, never) },
    );
    const reader = body.getReader();
    await reader.read();
    pace.begin();
    const before = pulled;
    const reading = reader.read();
    await new Promise((resolve) => setTimeout(resolve));
    expect(pulled).toBe(before);
    pace.end();
    expect((await reading).done).toBe(false);
  });
});
