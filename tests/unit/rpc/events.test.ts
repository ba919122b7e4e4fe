import { describe, expect, it } from 'vitest';
import type { StampedEvent } from '../../../src/engine/events.ts';
import { CommandText } from '../../../src/rpc/command-text.ts';
import { EventHub } from '../../../src/rpc/event-hub.ts';
import { loopback, scriptedHost } from './loopback.ts';

const change = (sequence: number): StampedEvent => ({
  type: 'change',
  container: 'web',
  at: 1,
  sequence,
});

async function take(events: AsyncIterator<StampedEvent>, count: number): Promise<number[]> {
  const sequences: number[] = [];
  while (sequences.length < count) {
    const { value, done } = await events.next();
    if (done === true) break;
    sequences.push(value.sequence);
  }
  return sequences;
}

describe('events', () => {
  it('of the opening itself arrive, in order, with those after it', async () => {
    const loop = loopback(async (_options, emit) => {
      for (let i = 1; i <= 3; i++) emit(change(i));
      return scriptedHost({
        images: async () => {
          for (let i = 4; i <= 500; i++) emit(change(i));
          return [];
        },
      });
    });
    const events = loop.sandbox.events()[Symbol.asyncIterator]();
    await loop.sandbox.images();
    expect(await take(events, 500)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    await loop.sandbox.close();
    expect(await events.next()).toEqual({ done: true, value: undefined });
    loop.disconnect();
  });

  it('wait for a reader that comes later, and end with `return`', async () => {
    const hub = new EventHub();
    const events = hub.iterate();
    hub.emit(change(1));
    hub.emit(change(2));
    expect(await take(events, 2)).toEqual([1, 2]);
    const waiting = events.next();
    await events.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    hub.emit(change(3));
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  it('go to every listener until it unsubscribes', () => {
    const hub = new EventHub();
    const seen: string[] = [];
    const end = hub.subscribe(({ sequence }) => void seen.push(`a${sequence}`));
    hub.subscribe(({ sequence }) => void seen.push(`b${sequence}`));
    hub.emit(change(1));
    end();
    hub.emit(change(2));
    expect(seen).toEqual(['a1', 'b1', 'b2']);
  });
});

describe('the text of a command', () => {
  const rows: { chunks: number[][]; limit?: number; want: string; why: string }[] = [
    { chunks: [[0xe2], [0x82, 0xac]], want: '€', why: 'a character in two chunks' },
    { chunks: [[0x61, 0xff]], want: 'a\ufffd', why: 'a byte that is no UTF-8' },
    { chunks: [[0xe2, 0x82]], want: '\ufffd', why: 'an end in the middle of a character' },
    { chunks: [[0xef, 0xbb, 0xbf, 0x61]], want: '\ufeffa', why: 'a byte order mark is the program’s' },
    {
      chunks: [
        [0x61, 0x62],
        [0x63, 0x64],
      ],
      limit: 3,
      want: 'abc',
      why: 'no more than the limit',
    },
  ];
  it.each(rows)('$why', ({ chunks, limit, want }) => {
    const text = new CommandText(limit);
    for (const chunk of chunks) text.add(Uint8Array.from(chunk));
    expect(text.end()).toBe(want);
  });
});
