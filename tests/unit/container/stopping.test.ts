/** How containers are asked to stop and when they are started again, on the real kernel: each flag by its effect. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testMachine } from '../../support/machine.ts';
import { openSandbox, openWithBusybox, type TestSandbox, until } from './sandbox.ts';

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await openWithBusybox({ machine: testMachine() });
}, 120_000);
afterAll(() => sandbox.engine.close(), 60_000);

/** What the command printed; it must succeed. */
async function ok(...argv: string[]): Promise<string> {
  const { code, out, err } = await sandbox.docker(argv);
  expect({ argv, code, err }).toEqual({ argv, code: 0, err: '' });
  return out.trim();
}

const inspect = (name: string, template: string) => ok('inspect', '-f', template, name);
const wordsOf = (text: string) => text.split(' ').filter((word) => word !== '');

/** Starts a line of shell in the background, and waits until it has said that it is ready. */
async function start(flags: string, image: string, line: string, name = 'box-s'): Promise<void> {
  await ok('run', '-d', '--name', name, ...wordsOf(flags), image, 'sh', '-c', line);
  await until('it is ready', async () => (await ok('logs', name)).includes('ready'));
}

describe('the signal that asks a program to end', () => {
  const heeds = 'trap "exit 5" TERM; trap "exit 6" USR1; trap "exit 7" QUIT; echo ready; sleep 1000 & wait';

  beforeAll(async () => {
    await ok('create', '--name', 'base', 'busybox', 'true');
    await ok('commit', '-c', 'STOPSIGNAL SIGQUIT', 'base', 'quits');
    await ok('rm', 'base');
  });

  /** Flags of run, the image, the command that stops it, and how the program ends: by its trap of that signal. */
  const rows: readonly (readonly [string, string, string, number])[] = [
    ['', 'busybox', 'stop', 5],
    ['--stop-signal USR1', 'busybox', 'stop', 6],
    ['--stop-signal 3', 'busybox', 'stop', 7],
    ['--stop-signal USR1', 'busybox', 'stop -s SIGTERM', 5],
    ['', 'quits', 'stop', 7],
    ['--stop-signal SIGUSR1', 'quits', 'stop', 6],
  ];
  it.each(rows)('run %s %s, docker %s: %i', async (flags, image, stop, code) => {
    await start(flags, image, heeds);
    await ok(...wordsOf(stop), 'box-s');
    expect(await inspect('box-s', '{{.State.Status}} {{.State.ExitCode}}')).toBe(`exited ${code}`);
    await ok('rm', 'box-s');
  });

  it('is that of docker restart too', async () => {
    await start('--stop-signal USR1', 'busybox', heeds);
    await ok('restart', 'box-s');
    const died = sandbox.events.filter((event) => event.type === 'container' && event.action === 'die');
    expect(died.at(-1)).toMatchObject({ exitCode: 6 });
    await ok('rm', '-f', 'box-s');
  });
});

describe('the time that a program has to end', () => {
  const stubborn = 'trap "" TERM; echo ready; while :; do sleep 0.1; done';

  it('is that of --stop-timeout, then it is killed', async () => {
    await start('--stop-timeout 1', 'busybox', stubborn);
    const before = performance.now();
    await ok('stop', 'box-s');
    const seconds = (performance.now() - before) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(1);
    // without the flag it would have ten
    expect(seconds).toBeLessThan(9);
    expect(await inspect('box-s', '{{.State.ExitCode}}')).toBe('137');
    await ok('rm', 'box-s');
  }, 30_000);

  it.each(['stop -t 0', 'restart -t 0'])('is that of docker %s, when it is told', async (command) => {
    await start('--stop-timeout 1000', 'busybox', stubborn);
    await ok(...wordsOf(command), 'box-s');
    const died = sandbox.events.filter((event) => event.type === 'container' && event.action === 'die');
    expect(died.at(-1)).toMatchObject({ exitCode: 137 });
    await ok('rm', '-f', 'box-s');
  });
});

describe('a restart policy', () => {
  /** Ends by itself the first time, without a fault, and stays the second. */
  const endsOnce = 'echo ready; test -e /once && exec sleep 1000; touch /once';

  it.each(['always', 'unless-stopped'])(
    '%s starts a program again that has ended, not one that was stopped',
    async (policy) => {
      await start(`--restart ${policy}`, 'busybox', endsOnce, policy);
      await until('it runs again', async () => (await ok('logs', policy)) === 'ready\nready');
      expect(await inspect(policy, '{{.State.Status}} {{.RestartCount}}')).toBe('running 1');
      await ok('stop', '-t', '0', policy);
      // longer than it would wait for its next start
      await ok('run', '--rm', 'busybox', 'sleep', '0.5');
      expect(await inspect(policy, '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 137');
      expect(await ok('logs', policy)).toBe('ready\nready');
    },
  );

  it('decides what runs when the sandbox is opened again', async () => {
    for (const policy of ['no', 'on-failure', 'always', 'unless-stopped']) {
      await start(`--restart ${policy}`, 'busybox', 'echo ready; exec sleep 1000', `up-${policy}`);
    }
    const stopped = await ok('ps', '-a', '--format', '{{.Names}}', '-f', 'status=exited');
    expect(stopped.split('\n').sort()).toEqual(['always', 'unless-stopped']);
    await sandbox.engine.close();
    sandbox = await openSandbox({ machine: testMachine(), stores: sandbox.stores });
    const running = async () => (await ok('ps', '--format', '{{.Names}}')).split('\n').sort();
    // stopped by hand, `always` starts and `unless-stopped` does not
    await until('three run', async () => (await running()).length === 3);
    expect(await running()).toEqual(['always', 'up-always', 'up-unless-stopped']);
    await until('it says so', async () => (await ok('logs', 'always')) === 'ready\nready\nready');
    expect(await ok('exec', 'always', 'ls', '/once')).toBe('/once');
  }, 120_000);
});
