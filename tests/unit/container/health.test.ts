/** When a container's health is asked for and what the answers make of it: each flag by its effect, with a clock that is moved by hand. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProgramCode } from './fake-machine.ts';
import { openWithBusybox, type TestSandbox } from './sandbox.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Probed extends TestSandbox {
  /** Seconds after the start of each probe so far. */
  readonly probes: number[];
  /** Lets so many seconds pass. */
  pass(seconds: number): Promise<void>;
  /** Seconds after the start and status of each change of mind so far. */
  changes(): readonly string[];
}

/** `outcomes`: exit codes of the probes, the last for all that follow. `ofImage`: the flags of its HEALTHCHECK. */
async function openProbed(flags: string, outcomes: readonly number[], ofImage?: string): Promise<Probed> {
  const probes: number[] = [];
  const probe: ProgramCode = async ({ out }) => {
    probes.push(since());
    await out('x'.repeat(5000));
    return outcomes[Math.min(probes.length, outcomes.length) - 1] ?? 0;
  };
  const sandbox = await openWithBusybox({
    programs: { '/bin/sh': probe, probe, sleep: async ({ killed }) => 128 + (await killed) },
  });
  const { clock, docker, events } = sandbox;
  const startedAt = clock.now;
  const since = () => (clock.now - startedAt) / 1000;
  if (ofImage !== undefined) {
    await docker('create --name base busybox sleep');
    const change = `HEALTHCHECK ${ofImage} CMD probe`;
    expect(await docker(['commit', '-c', change, 'base', 'probed'])).toMatchObject({ code: 0, err: '' });
  }
  const image = ofImage === undefined ? 'busybox' : 'probed';
  expect(await docker(`run -d --name web ${flags} ${image} sleep`)).toMatchObject({ code: 0, err: '' });
  return {
    ...sandbox,
    probes,
    pass: async (seconds) => {
      for (let step = 0; step < seconds * 2; step += 1) {
        clock.now += 500;
        await vi.advanceTimersByTimeAsync(500);
        // what the timers set off comes to its end before time goes on
        for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
    },
    changes: () =>
      events.flatMap((event) =>
        event.type === 'container' && event.action === 'health_status'
          ? [`${(event.at - startedAt) / 1000} ${event.detail}`]
          : [],
      ),
  };
}

interface Row {
  readonly flags: string;
  readonly outcomes: readonly number[];
  readonly probes: readonly number[];
  readonly changes: readonly string[];
}

describe('a health check', () => {
  const rows: readonly Row[] = [
    { flags: '', outcomes: [1], probes: [30, 60, 90], changes: ['90 unhealthy'] },
    {
      flags: '--health-interval 20s',
      outcomes: [1],
      probes: [20, 40, 60, 80, 100],
      changes: ['60 unhealthy'],
    },
    { flags: '--health-retries 1', outcomes: [1], probes: [30, 60, 90], changes: ['30 unhealthy'] },
    {
      flags: '--health-retries 1',
      outcomes: [0, 1, 0],
      probes: [30, 60, 90],
      changes: ['30 healthy', '60 unhealthy', '90 healthy'],
    },
    // failures of the start period do not count, and it has an interval of its own: five seconds
    {
      flags: '--health-retries 1 --health-start-period 12s',
      outcomes: [1],
      probes: [5, 10, 15, 45, 75],
      changes: ['15 unhealthy'],
    },
    {
      flags: '--health-retries 1 --health-start-period 7s --health-start-interval 2s',
      outcomes: [1],
      probes: [2, 4, 6, 8, 38, 68, 98],
      changes: ['8 unhealthy'],
    },
    // without a start period there is nothing that its interval could be of
    {
      flags: '--health-retries 1 --health-start-interval 2s',
      outcomes: [1],
      probes: [30, 60, 90],
      changes: ['30 unhealthy'],
    },
    // a success ends the start period
    {
      flags: '--health-retries 1 --health-start-period 60s --health-start-interval 2s',
      outcomes: [1, 0, 1],
      probes: [2, 4, 34, 64, 94],
      changes: ['4 healthy', '34 unhealthy'],
    },
    // the interval of the start period is its own, also when it is the longer one
    {
      flags: '--health-start-period 10s --health-interval 1s --health-retries 9',
      outcomes: [1],
      probes: [5, ...Array.from({ length: 91 }, (_, index) => 10 + index)],
      changes: ['18 unhealthy'],
    },
  ];
  it.each(rows)('$flags $outcomes', async ({ flags, outcomes, probes, changes }) => {
    const sandbox = await openProbed(`--health-cmd ask ${flags}`, outcomes);
    await sandbox.pass(100);
    expect(sandbox.probes).toEqual(probes);
    expect(sandbox.changes()).toEqual(changes);
    await sandbox.docker('rm -f web');
  });

  it('of the image holds where no flag says otherwise', async () => {
    const ofImage = '--interval=20s --start-period=7s --start-interval=2s --retries=1';
    const plain = await openProbed('', [1], ofImage);
    await plain.pass(60);
    expect(plain.probes).toEqual([2, 4, 6, 8, 28, 48]);
    expect(plain.changes()).toEqual(['8 unhealthy']);
    await plain.docker('rm -f web');
    const flags = '--health-interval 10s --health-start-period 3s --health-retries 2';
    const changed = await openProbed(flags, [1], ofImage);
    await changed.pass(40);
    expect(changed.probes).toEqual([2, 4, 14, 24, 34]);
    expect(changed.changes()).toEqual(['14 unhealthy']);
    await changed.docker('rm -f web');
  });

  it('of the image is not asked with --no-healthcheck', async () => {
    const { docker, pass, probes } = await openProbed('--no-healthcheck', [0], '--interval=1s');
    await pass(60);
    expect(probes).toEqual([]);
    expect((await docker('ps --format {{.Status}}')).out).toBe('Up About a minute\n');
    await docker('rm -f web');
  });

  it('keeps the beginning of what it says, and says that there was more', async () => {
    const { docker, pass } = await openProbed('--health-cmd ask --health-interval 1s', [0]);
    await pass(1);
    const { out } = await docker(['inspect', '-f', '{{(index .State.Health.Log 0).Output}}', 'web']);
    expect(out).toBe(`${'x'.repeat(4096)}...\n`);
    await docker('rm -f web');
  });

  it('is not asked while the container is paused, or once it has stopped', async () => {
    const { docker, pass, probes } = await openProbed('--health-cmd ask --health-interval 10s', [0]);
    await pass(15);
    await docker('pause web');
    await pass(30);
    expect(probes).toEqual([10]);
    await docker('unpause web');
    await pass(10);
    expect(probes).toEqual([10, 55]);
    await docker('stop web');
    await pass(30);
    expect(probes).toEqual([10, 55]);
    await docker('rm web');
  });
});
