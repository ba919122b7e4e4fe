import { describe, expect, it, vi } from 'vitest';
import { Pace, turnOf } from '../../../src/engine/lazy/pace.ts';
import { openBlob } from '../../../src/engine/registry/blob.ts';
import { never } from './fixture.ts';

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
