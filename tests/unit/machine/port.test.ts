import { expect, it, vi } from 'vitest';
import { ConsolePort, keepPortRaw } from '../../../src/machine/port.ts';

/** A device whose guest has queued `buffers` receive buffers, and what reached it. */
function device(buffers: number) {
  const state = { buffers, isConfigured: true };
  const idle = { is_configured: () => false, has_request: () => false };
  const queue = { is_configured: () => state.isConfigured, has_request: () => state.buffers > 0 };
  const received: Uint8Array[] = [];
  const bus = {
    send(_name: string, bytes: Uint8Array) {
      state.buffers -= 1;
      received.push(bytes.slice());
    },
  };
  const console = { virtio: { queues: [idle, idle, idle, idle, queue, idle] }, SendEvent: vi.fn() };
  const port = new ConsolePort(console, bus);
  const all = () => received.flatMap((bytes) => [...bytes]);
  return { state, port, received, all, console };
}

const sequence = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => (from + i) % 251);

it('sends what was written in one turn in pieces of at most a page, in order', async () => {
  const { port, received, all } = device(100);
  const parts = [sequence(10), sequence(5000, 10), sequence(3, 5010), sequence(4096, 5013)];
  for (const part of parts) port.write(part);
  await vi.waitUntil(() => port.isIdle);
  expect(received.map(({ length }) => length)).toEqual([4096, 4096, 917]);
  expect(all()).toEqual([...sequence(9109)]);
});

it('waits while the guest has no buffer queued, and loses nothing', async () => {
  const { port, state, all } = device(1);
  port.write(sequence(9000));
  await vi.waitUntil(() => all().length === 4096);
  expect(port.isIdle).toBe(false);
  state.buffers = 1;
  await vi.waitUntil(() => all().length === 8192);
  state.buffers = 5;
  await vi.waitUntil(() => port.isIdle);
  expect(all()).toEqual([...sequence(9000)]);
});

it('waits for a queue that the driver has not set up yet', async () => {
  const { port, state, all } = device(5);
  state.isConfigured = false;
  port.write(sequence(3));
  await new Promise((resolve) => setImmediate(resolve));
  expect(all()).toEqual([]);
  state.isConfigured = true;
  await vi.waitUntil(() => port.isIdle);
  expect(all()).toEqual([0, 1, 2]);
});

it('keeps port 1 from becoming a console, and no other', () => {
  const { console } = device(0);
  const { SendEvent } = console;
  keepPortRaw(console);
  console.SendEvent(1, 4, 1);
  console.SendEvent(0, 4, 1);
  console.SendEvent(1, 6, 1);
  expect(SendEvent.mock.calls).toEqual([
    [0, 4, 1],
    [1, 6, 1],
  ]);
});
