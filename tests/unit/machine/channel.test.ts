import { describe, expect, it } from 'vitest';
import { Channel } from '../../../src/machine/channel.ts';
import { FRAME, MAX_PAYLOAD, readU32, STREAM, WINDOW } from '../../../src/machine/protocol.ts';

interface Sent {
  readonly type: number;
  readonly flag: number;
  readonly payload: Uint8Array;
}

function open() {
  const sent: Sent[] = [];
  const channel = new Channel(1, (_id, type, flag, payload) => sent.push({ type, flag, payload }));
  const bytesSent = () =>
    sent.filter(({ type }) => type === FRAME.DATA).reduce((sum, { payload }) => sum + payload.length, 0);
  const credits = () =>
    sent.filter(({ type }) => type === FRAME.CREDIT).reduce((sum, { payload }) => sum + readU32(payload), 0);
  return { channel, sent, bytesSent, credits };
}

const settled = async (promise: Promise<unknown>) => {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  // microtasks only: whatever resolves now has resolved when a later task runs
  await new Promise((resolve) => setImmediate(resolve));
  return done;
};

describe('to the guest', () => {
  it('goes in frames of at most MAX_PAYLOAD, in order', () => {
    const { channel, sent } = open();
    void channel.write(STREAM.IN, new Uint8Array(MAX_PAYLOAD + 1));
    expect(sent.map(({ payload }) => payload.length)).toEqual([MAX_PAYLOAD, 1]);
  });

  it('stops at WINDOW bytes without credit, and a write resolves when its last byte went', async () => {
    const { channel, bytesSent } = open();
    const written = channel.write(STREAM.IN, new Uint8Array(WINDOW + 10));
    expect(bytesSent()).toBe(WINDOW);
    expect(await settled(written)).toBe(false);
    channel.credit(4);
    expect(bytesSent()).toBe(WINDOW + 4);
    expect(await settled(written)).toBe(false);
    channel.credit(100);
    expect(await settled(written)).toBe(true);
  });

  it('ends behind what was written before', async () => {
    const { channel, sent } = open();
    void channel.write(STREAM.IN, new Uint8Array(WINDOW + 1));
    const ended = channel.after(FRAME.EOF, STREAM.IN);
    expect(sent.some(({ type }) => type === FRAME.EOF)).toBe(false);
    channel.credit(WINDOW);
    expect(await settled(ended)).toBe(true);
    expect(sent.at(-1)?.type).toBe(FRAME.EOF);
  });

  it('is overtaken by a signal', () => {
    const { channel, sent } = open();
    void channel.write(STREAM.IN, new Uint8Array(WINDOW + 1));
    channel.now(FRAME.SIGNAL);
    expect(sent.at(-1)?.type).toBe(FRAME.SIGNAL);
  });

  it('takes no more credit than was spent', () => {
    const { channel } = open();
    void channel.write(STREAM.IN, new Uint8Array(10));
    expect(() => channel.credit(11)).toThrow(/acknowledged more than it was sent/);
  });

  it('lets writers go when the channel closes', async () => {
    const { channel, sent } = open();
    const written = channel.write(STREAM.IN, new Uint8Array(WINDOW + 1));
    channel.close();
    expect(await settled(written)).toBe(true);
    const count = sent.length;
    await channel.write(STREAM.IN, new Uint8Array(1));
    channel.now(FRAME.SIGNAL);
    await channel.after(FRAME.EOF);
    expect(sent.length).toBe(count);
  });
});

describe('from the guest', () => {
  const chunk = () => new Uint8Array(MAX_PAYLOAD);

  it('gives credit for what was used, not for what came', async () => {
    const { channel, credits } = open();
    for (let i = 0; i < 4; i++) channel.receive(STREAM.OUT, chunk());
    expect(channel.waiting).toBe(WINDOW);
    expect(credits()).toBe(0);
    const reader = channel.read();
    await reader.next();
    expect(credits()).toBe(0);
    await reader.next();
    expect(credits()).toBe(MAX_PAYLOAD);
  });

  it('refuses what was sent without credit', () => {
    const { channel } = open();
    for (let i = 0; i < 4; i++) channel.receive(STREAM.OUT, chunk());
    expect(() => channel.receive(STREAM.OUT, Uint8Array.of(1))).toThrow(/more than its window/);
  });

  it('tells stdout from stderr, keeps order, and ends after what waits', async () => {
    const { channel } = open();
    channel.receive(STREAM.OUT, Uint8Array.of(1));
    channel.receive(STREAM.ERR, Uint8Array.of(2));
    channel.close();
    const seen: string[] = [];
    for await (const { stream, bytes } of channel.read()) seen.push(`${stream} ${bytes[0]}`);
    expect(seen).toEqual(['out 1', 'err 2']);
  });

  it('wakes a reader that waits', async () => {
    const { channel } = open();
    const next = channel.read().next();
    channel.receive(STREAM.OUT, Uint8Array.of(9));
    expect((await next).value).toEqual({ stream: 'out', bytes: Uint8Array.of(9) });
  });

  it('fails when the machine does', async () => {
    const { channel } = open();
    const next = channel.read().next();
    channel.close(new Error('gone'));
    await expect(next).rejects.toThrow('gone');
  });

  it('flows on when nobody reads any more', async () => {
    const { channel, credits } = open();
    channel.receive(STREAM.OUT, chunk());
    for await (const _ of channel.read()) break;
    for (let i = 0; i < 10; i++) channel.receive(STREAM.OUT, chunk());
    expect(credits()).toBe(11 * MAX_PAYLOAD);
    expect(channel.waiting).toBe(0);
  });

  it('has one reader', async () => {
    const { channel } = open();
    channel.receive(STREAM.OUT, Uint8Array.of(1));
    await channel.read().next();
    await expect(channel.read().next()).rejects.toThrow(/one reader/);
  });
});
