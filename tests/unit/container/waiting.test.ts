/** How long commands and health checks wait: as long as they are told, beyond what a timer of the platform takes too. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTimer } from '../../../src/engine/container/long-timer.ts';
import type { ProgramCode } from './fake-machine.ts';
import { openWithBusybox, until } from './sandbox.ts';

const LONGEST = 2 ** 31 - 1;
const DAY = 24 * 3_600_000;

describe('a timer', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([1, LONGEST, LONGEST + 1, 100 * DAY, 3 * LONGEST])('of %i ms is over then', (time) => {
    const over = vi.fn();
    startTimer(over, time);
    vi.advanceTimersByTime(time - 1);
    expect(over).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(over).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([1, 30 * DAY])('that is stopped after %i ms is never over', (time) => {
    const over = vi.fn();
    const stop = startTimer(over, 100 * DAY);
    vi.advanceTimersByTime(time);
    stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('without an end waits for ever', () => {
    const over = vi.fn();
    startTimer(over, Number.POSITIVE_INFINITY);
    vi.advanceTimersByTime(100 * DAY);
    expect(over).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(1);
  });
});

describe('a time of many days is no time that is over', () => {
  let isAsked = false;
  const programs: Record<string, ProgramCode> = {
    sleep: async ({ killed }) => 128 + (await killed),
    /** Does not end when it is asked to. */
    stubborn: async ({ killed }) => {
      isAsked = (await killed) === 15;
      return new Promise<never>(() => undefined);
    },
    /** A health check without an answer. */
    '/bin/sh': async () => {
      isAsked = true;
      return new Promise<never>(() => undefined);
    },
  };
  beforeEach(() => {
    isAsked = false;
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  interface Row {
    readonly run: string;
    /** What waits; absent: the container's health check does. */
    readonly waits?: string;
    /** It begins to wait when a program is asked for something. */
    readonly asks?: true;
  }
  const rows: readonly Row[] = [
    { run: 'busybox stubborn', waits: 'stop -t 3000000 box', asks: true },
    { run: 'busybox stubborn', waits: 'restart -t 3000000 box', asks: true },
    { run: '--stop-timeout 3000000 busybox stubborn', waits: 'stop box', asks: true },
    { run: 'busybox sleep', waits: 'logs -f --until 2026-03-01T00:00:00Z box' },
    { run: 'busybox sleep', waits: 'events --until 2026-03-01T00:00:00Z' },
    { run: '--health-cmd ask --health-interval 720h busybox sleep' },
    { run: '--health-cmd ask --health-interval 1ms --health-timeout 720h busybox sleep', asks: true },
  ];
  it.each(rows)('run $run, $waits', async ({ run, waits, asks }) => {
    const { docker } = await openWithBusybox({ programs });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const longest = () => Math.max(...timers.mock.calls.map(([, time]) => time ?? 0));
    expect(await docker(`run -d --name box ${run}`)).toMatchObject({ code: 0, err: '' });
    const leaving = new AbortController();
    const waiting = waits === undefined ? undefined : docker(waits, { signal: leaving.signal });
    await until('it waits', () => (asks === undefined || isAsked) && longest() >= LONGEST);
    expect(longest()).toBe(LONGEST);
    await docker('rm -f box');
    leaving.abort();
    await waiting;
  });
});

describe('docker events --until', () => {
  it('ends when its time has passed, whatever the clock says by then', async () => {
    const { docker, clock } = await openWithBusybox();
    // the clock of this sandbox stands still, as one does that has been set back
    const soon = new Date(clock.now + 20).toISOString();
    expect(await docker(['events', '--until', soon])).toEqual({ code: 0, out: '', err: '' });
  });
});
