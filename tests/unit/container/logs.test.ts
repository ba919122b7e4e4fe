/** Which lines `docker logs` shows: each flag, and that it does something. */

import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { ProgramCode } from './fake-machine.ts';
import { openWithBusybox, type TestSandbox, until } from './sandbox.ts';

let sandbox: TestSandbox;

/** A line a minute, the second one an error: 03:05:05 to 03:08:05. */
const talk: ProgramCode = async ({ out, err }) => {
  for (const [index, word] of ['one', 'two', 'three', 'four'].entries()) {
    sandbox.clock.now += 60_000;
    await (index === 1 ? err : out)(`${word}\n`);
  }
  return 0;
};

const hold: ProgramCode = async ({ out, killed }) => {
  await out('early\n');
  const code = 128 + (await killed);
  await out('late\n');
  return code;
};

beforeAll(async () => {
  sandbox = await openWithBusybox({ programs: { talk, hold } });
  expect((await sandbox.docker('run --name box-a busybox talk')).code).toBe(0);
  sandbox.clock.now = Date.UTC(2026, 0, 2, 3, 9, 5);
});

/** What it shows, the errors marked. */
async function shown(flags: string): Promise<string> {
  const seen: string[] = [];
  const { code } = await sandbox.docker(`logs ${flags} box-a`, {
    write: async (stream, bytes) => {
      seen.push(`${stream === 'err' ? '!' : ''}${new TextDecoder().decode(bytes).trimEnd()}`);
    },
  });
  expect(code).toBe(0);
  return seen.join(' ');
}

describe('docker logs', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['', 'one !two three four'],
    ['--since 2026-01-02T03:06:05Z', '!two three four'],
    ['--since 2026-01-02T03:06:05.001Z', 'three four'],
    ['--since 2026-01-02T04:06:06+01:00', 'three four'],
    ['--since 150s', 'three four'],
    ['--since 2m30s', 'three four'],
    ['--since 1h', 'one !two three four'],
    ['--since 1767323166', 'three four'],
    ['--since 0s', ''],
    ['--until 2026-01-02T03:06:05Z', 'one !two'],
    ['--until 2026-01-02T03:06:04.999Z', 'one'],
    ['--until 2026-01-02T04:06:06+01:00', 'one !two'],
    ['--until 150s', 'one !two'],
    ['--until 2m30s', 'one !two'],
    ['--until 1h', ''],
    ['--until 1767323166', 'one !two'],
    ['--until 2026-01-03T00:00:00Z', 'one !two three four'],
    ['--since 200s --until 90s', '!two three'],
    ['--since 200s --tail 1', 'four'],
    ['--until 90s -t --tail 2', '2026-01-02T03:07:05.000000000Z three'],
    ['--tail 2', 'three four'],
    ['-n 3', '!two three four'],
    ['--tail 0', ''],
    ['--tail all', 'one !two three four'],
    ['-t -n 1', '2026-01-02T03:08:05.000000000Z four'],
    ['-f --since 150s', 'three four'],
    ['-f --until 150s', 'one !two'],
    ['-f -n 1', 'four'],
  ];
  it.each(rows)('%s', async (flags, want) => {
    expect(await shown(flags)).toBe(want);
  });

  it('-f goes on until the program ends, and without it there is what there is', async () => {
    const { docker } = sandbox;
    await docker('run -d --name box-b busybox hold');
    await until('it spoke', async () => (await docker('logs box-b')).out === 'early\n');
    const following = docker('logs -f box-b');
    await docker('stop box-b');
    expect(await following).toEqual({ code: 0, out: 'early\nlate\n', err: '' });
  });

  it('-f --until leaves no timer behind when who reads has left', async () => {
    const { docker, clock } = sandbox;
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const stopped = vi.spyOn(globalThis, 'clearTimeout');
    const line = `logs -f --until ${new Date(clock.now + 3_600_000).toISOString()} box-a`;
    const write = async () => {
      throw new Error('nobody reads');
    };
    await expect(docker(line, { write })).rejects.toThrow('nobody reads');
    const armed = timers.mock.calls.findIndex(([, time]) => time === 3_600_000);
    expect(armed).toBeGreaterThanOrEqual(0);
    expect(stopped).toHaveBeenCalledWith(timers.mock.results[armed]?.value);
    vi.restoreAllMocks();
  });

  it.each(['since', 'until'])('--%s refuses what is no time', async (flag) => {
    expect(await sandbox.docker(`logs --${flag} yesterday box-a`)).toEqual({
      code: 1,
      out: '',
      err: `invalid value for "${flag}": failed to parse value as time or duration: "yesterday"\n`,
    });
  });
});
