import { describe, expect, it } from 'vitest';
import { capabilityMask } from '../../../src/engine/container/capabilities.ts';
import { afterProbe, checkOf, STARTING, untilProbe } from '../../../src/engine/container/health.ts';
import { cgroupValues, checkLimits } from '../../../src/engine/container/limits.ts';
import { nextWait, parseRestartPolicy } from '../../../src/engine/container/restart-policy.ts';
import { parseUlimit } from '../../../src/engine/container/ulimits.ts';
import {
  type ContainerRecord,
  DEFAULT_HOST_CONFIG,
  hostConfigOf,
  type Probe,
} from '../../../src/engine/store/container-record.ts';
import type { ProgramCode } from './fake-machine.ts';
import { killPage, openSandbox, openWithBusybox, type TestSandbox, until } from './sandbox.ts';

describe('--restart', () => {
  const good = [
    ['', 'no', 0],
    ['no', 'no', 0],
    ['always', 'always', 0],
    ['unless-stopped', 'unless-stopped', 0],
    ['on-failure', 'on-failure', 0],
    ['on-failure:3', 'on-failure', 3],
  ] as const;
  it.each(good)('%j', (text, name, maximumRetryCount) => {
    expect(parseRestartPolicy(text)).toEqual({ name, maximumRetryCount });
  });

  const bad = [
    [':3', 'invalid restart policy format: no policy provided before colon'],
    ['on-failure:x', 'invalid restart policy format: maximum retry count must be an integer'],
    ['on-failure:-1', 'invalid restart policy: maximum retry count cannot be negative'],
    ['always:3', "invalid restart policy: maximum retry count can only be used with 'on-failure'"],
    [
      'foo',
      "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
  ] as const;
  it.each(bad)('refuses %j', (text, message) => {
    expect(() => parseRestartPolicy(text)).toThrow(message);
  });

  it('waits twice as long each time, up to a minute, until a run was a good one', () => {
    const waits = [0];
    for (let i = 0; i < 12; i++) waits.push(nextWait(waits.at(-1) ?? 0, 0));
    expect(waits.slice(1)).toEqual([
      100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000,
    ]);
    expect(nextWait(51_200, 10_000)).toBe(100);
  });
});

describe('limits', () => {
  const none = DEFAULT_HOST_CONFIG.limits;
  const refused = [
    [{ memory: 1 }, 'Minimum memory limit allowed is 6MB'],
    [
      { memory: 8e6, memorySwap: 7e6 },
      'Minimum memoryswap limit should be larger than memory limit, see usage',
    ],
    [{ memorySwap: 7e6 }, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
    [{ memoryReservation: 1 }, 'Minimum memory reservation allowed is 6MB'],
    [
      { memory: 8e6, memoryReservation: 9e6 },
      'Minimum memory limit can not be less than memory reservation limit, see usage',
    ],
    [{ nanoCPUs: 2e9 }, 'range of CPUs is from 0.01 to 1.00, as there are only 1 CPUs available'],
    [{ nanoCPUs: 1e8, cpuQuota: 5000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
    [{ nanoCPUs: 1e8, cpuPeriod: 5000 }, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
    [
      { cpuPeriod: 1 },
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    ],
    [{ cpuQuota: 1 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
  ] as const;
  it.each(refused)('%j', (change, message) => {
    expect(() => checkLimits({ ...none, ...change })).toThrow(message);
  });

  it('write nothing where there is none, and take away what was there', () => {
    expect(cgroupValues(none, { all: false })).toEqual([]);
    expect(cgroupValues(none, { all: true })).toEqual([
      ['memory.max', 'max'],
      ['memory.low', '0'],
      ['pids.max', 'max'],
      ['cpu.max', 'max 100000'],
      ['cpu.weight', '100'],
    ]);
    expect(cgroupValues({ ...none, pidsLimit: -1 }, { all: false })).toEqual([]);
  });

  // runc, libcontainer/cgroups/fs2/cpu.go
  const processor = [
    [{ cpuPeriod: 50_000 }, 'max 50000'],
    [{ cpuPeriod: 50_000, cpuQuota: 20_000 }, '20000 50000'],
    [{ cpuQuota: 20_000 }, '20000 100000'],
    [{ nanoCPUs: 25e7 }, '25000 100000'],
  ] as const;
  it.each(processor)('%j of the processor', (change, want) => {
    expect(cgroupValues({ ...none, ...change }, { all: false })).toEqual([['cpu.max', want]]);
  });
});

describe('--ulimit', () => {
  const rows = [
    ['nofile=5', { name: 'nofile', soft: 5, hard: 5 }],
    ['nofile=5:7', { name: 'nofile', soft: 5, hard: 7 }],
    ['core=-1', { name: 'core', soft: -1, hard: -1 }],
    ['nofile', 'invalid ulimit argument: nofile'],
    ['foo=1', 'invalid ulimit type: foo'],
    ['nofile=5:2', 'ulimit soft limit must be less than or equal to hard limit: 5 > 2'],
    ['nofile=x', 'strconv.ParseInt: parsing "x": invalid syntax'],
  ] as const;
  it.each(rows)('%s', (text, want) => {
    expect(parseUlimit(text)).toEqual(want);
  });
});

describe('capabilities', () => {
  it('that there are not are refused in the words of Docker', () => {
    const none = { privileged: false, capAdd: [], capDrop: [] };
    expect(() => capabilityMask({ ...none, capAdd: ['foo'] })).toThrow(
      'invalid CapAdd: unknown capability: "CAP_FOO"',
    );
    expect(() => capabilityMask({ ...none, capDrop: ['foo'] })).toThrow(
      'invalid CapDrop: unknown capability: "CAP_FOO"',
    );
  });
});

describe('health', () => {
  const check = checkOf(
    {
      test: ['CMD-SHELL', 'x'],
      interval: 2e9,
      timeout: 0,
      startPeriod: 10e9,
      startInterval: 1e9,
      retries: 0,
    },
    undefined,
  );
  if (check === undefined) throw new Error('there is a check');
  const probe = (start: number, exitCode: number): Probe => ({ start, end: start, exitCode, output: '' });

  it('asks in shell form with the shell of the image, and not at all with NONE', () => {
    expect(check).toEqual({
      argv: ['/bin/sh', '-c', 'x'],
      interval: 2000,
      timeout: 30_000,
      startPeriod: 10_000,
      startInterval: 1000,
      retries: 3,
    });
    const base = { interval: 0, timeout: 0, startPeriod: 0, retries: 0 };
    expect(checkOf({ ...base, test: ['CMD-SHELL', 'x'] }, ['/bin/ash', '-ec'])?.argv).toEqual([
      '/bin/ash',
      '-ec',
      'x',
    ]);
    expect(checkOf({ ...base, test: ['CMD', 'a', 'b'] }, undefined)?.argv).toEqual(['a', 'b']);
    expect(checkOf({ ...base, test: ['NONE'] }, undefined)).toBeUndefined();
    expect(checkOf(undefined, undefined)).toBeUndefined();
  });

  it('counts failures after the start period only, and a success at once', () => {
    let health = afterProbe(STARTING, probe(1000, 1), check, 0);
    expect(health).toMatchObject({ status: 'starting', failingStreak: 0 });
    expect(untilProbe(health, check, 0, 1000)).toBe(1000);
    for (const at of [11_000, 12_000]) health = afterProbe(health, probe(at, 1), check, 0);
    expect(health).toMatchObject({ status: 'starting', failingStreak: 2 });
    expect(untilProbe(health, check, 0, 12_000)).toBe(2000);
    health = afterProbe(health, probe(13_000, 1), check, 0);
    expect(health).toMatchObject({ status: 'unhealthy', failingStreak: 3 });
    health = afterProbe(health, probe(14_000, 0), check, 0);
    expect(health).toMatchObject({ status: 'healthy', failingStreak: 0 });
    for (let i = 0; i < 9; i++) health = afterProbe(health, probe(i, 0), check, 0);
    expect(health.log).toHaveLength(5);
    // once healthy, a failure of the start period counts
    expect(afterProbe(health, probe(1000, 1), check, 0).failingStreak).toBe(1);
  });
});

describe('a record of before', () => {
  it('has the host config that Docker gives by default', async () => {
    const { docker, stores } = await openWithBusybox();
    await docker('create --name old busybox true');
    const [record] = await stores.records.list('containers');
    if (record === undefined) throw new Error('there is a record');
    const { hostConfig: _, ...old } = record;
    expect(hostConfigOf(old satisfies ContainerRecord)).toEqual(DEFAULT_HOST_CONFIG);
  });
});

/** Programs that end when they are told to. */
function program() {
  const ends: ((code: number) => void)[] = [];
  const code: ProgramCode = ({ killed }) =>
    Promise.race([
      new Promise<number>((resolve) => {
        ends.push(resolve);
      }),
      killed.then((number) => 128 + number),
    ]);
  return { code, ends };
}

const statusOf = async ({ docker }: TestSandbox, name: string) =>
  (
    await docker(['inspect', '-f', '{{.State.Status}} {{.State.Running}} {{.RestartCount}}', name])
  ).out.trim();

describe('a restart policy', () => {
  const policies = [
    ['no', 1, 'exited'],
    ['no', 0, 'exited'],
    ['on-failure', 0, 'exited'],
    ['on-failure', 3, 'running'],
    ['unless-stopped', 0, 'running'],
    ['always', 0, 'running'],
  ] as const;
  it.each(policies)('%s after exit code %i: %s', async (policy, exitCode, status) => {
    const { code, ends } = program();
    const sandbox = await openWithBusybox({ programs: { it: code } });
    await sandbox.docker(`run -d --name web --restart ${policy} busybox it`);
    ends[0]?.(exitCode);
    await until('it has ended', () =>
      sandbox.events.some((e) => e.type === 'container' && e.action === 'die'),
    );
    if (status === 'running') await until('it runs again', () => ends.length === 2);
    await until('it is stored', async () => (await statusOf(sandbox, 'web')).startsWith(status));
    expect(ends).toHaveLength(status === 'running' ? 2 : 1);
    await sandbox.docker('rm -f web');
  });

  it('gives up after its number of retries, and counts them', async () => {
    const sandbox = await openWithBusybox({ programs: { it: async () => 1 } });
    await sandbox.docker('run -d --name web --restart on-failure:2 busybox it');
    await until('it gave up', async () => (await statusOf(sandbox, 'web')) === 'exited false 2');
    expect(sandbox.machine.spawned).toHaveLength(3);
    // somebody's start begins anew
    await sandbox.docker('start web');
    await until('it gave up again', async () => (await statusOf(sandbox, 'web')) === 'exited false 2');
    expect(sandbox.machine.spawned).toHaveLength(6);
  });

  it('is restarting between two runs, when only a start, a stop and -f are allowed', async () => {
    const sandbox = await openWithBusybox({ programs: { it: async () => 1 } });
    const { docker } = sandbox;
    const id = (await docker('run -d --name web --restart always busybox it')).out.trim();
    // by now it waits for seconds
    await until('it failed often', () => sandbox.machine.spawned.length >= 4);
    await until('it waits', async () => (await statusOf(sandbox, 'web')).startsWith('restarting true'));
    expect((await docker('ps --format {{.Status}}')).out).toMatch(/^Restarting \(1\) .* ago\n$/);
    const refused = [
      ['exec web true', `Container ${id} is restarting, wait until the container is running`],
      ['pause web', `Container ${id} is restarting, wait until the container is running`],
      ['top web', `Container ${id} is restarting, wait until the container is running`],
      [
        'rm web',
        'cannot remove container "/web": container is restarting: stop the container before removing or force remove',
      ],
    ] as const;
    for (const [line, message] of refused) {
      expect((await docker(line)).err, line).toBe(`Error response from daemon: ${message}\n`);
    }
    expect((await docker('attach web')).err).toBe(
      'You cannot attach to a restarting container, wait until it is running\n',
    );
    expect((await docker('stop web')).code).toBe(0);
    expect(await statusOf(sandbox, 'web')).toMatch(/^exited false/);
    const count = sandbox.machine.spawned.length;
    expect((await docker('wait web')).out).toBe('1\n');
    expect((await docker('rm web')).code).toBe(0);
    expect(sandbox.machine.spawned).toHaveLength(count);
  });

  it.each(['stop', 'kill'])('does nothing after docker %s', async (command) => {
    const { code, ends } = program();
    const sandbox = await openWithBusybox({ programs: { it: code } });
    await sandbox.docker('run -d --name web --restart always busybox it');
    await sandbox.docker(`${command} web`);
    expect(await statusOf(sandbox, 'web')).toBe('exited false 0');
    expect(ends).toHaveLength(1);
    await sandbox.docker('start web');
    ends[1]?.(0);
    await until('it runs again', () => ends.length === 3);
    await sandbox.docker('rm -f web');
  });

  it('of always and unless-stopped start with the host, after a stop that of always alone', async () => {
    const { code } = program();
    const first = await openWithBusybox({ programs: { it: code } });
    for (const policy of ['no', 'on-failure', 'always', 'unless-stopped']) {
      await first.docker(`run -d --name run-${policy} --restart ${policy} busybox it`);
      await first.docker(`run -d --name stop-${policy} --restart ${policy} busybox it`);
      await first.docker(`create --name new-${policy} --restart ${policy} busybox it`);
      await first.docker(`stop stop-${policy}`);
    }
    const second = await openSandbox({ programs: { it: code }, stores: await killPage(first) });
    await until('they run', async () => (await second.docker('ps -q')).out.split('\n').length === 4);
    expect((await second.docker('ps --format {{.Names}}')).out.trim().split('\n').sort()).toEqual([
      'run-always',
      'run-unless-stopped',
      'stop-always',
    ]);
    await second.engine.close();
  });

  it('cannot be together with --rm', async () => {
    const { docker } = await openWithBusybox();
    const message = 'docker: conflicting options: cannot specify both --restart and --rm\n';
    for (const command of ['run', 'create']) {
      const { code, err } = await docker(`${command} --rm --restart always busybox true`);
      expect({ code, err }).toEqual({
        code: 125,
        err: `${message}\nRun 'docker ${command} --help' for more information\n`,
      });
    }
    await docker('create --name web --rm busybox true');
    expect((await docker('update --restart always web')).err).toMatch(
      /: Restart policy cannot be updated because AutoRemove is enabled for the container\n$/,
    );
  });
});
