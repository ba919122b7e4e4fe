/** Commands on containers that are there, over a machine of functions: words, exit codes and events of Docker. */

import { describe, expect, it } from 'vitest';
import { FakeClient } from './fake-client.ts';
import type { ProgramCode } from './fake-machine.ts';
import { input, openWithBusybox, type TestSandbox, until } from './sandbox.ts';

const programs: Record<string, ProgramCode> = {
  sleep: async (program) => 128 + (await program.killed),
  echo: async ({ spec, out, err }) => {
    await out(`${spec.argv[1]}\n`);
    await err('told\n');
    return 0;
  },
  fail: async () => 3,
  cat: async (program) => {
    for (let text = await program.read(); text !== undefined; text = await program.read()) {
      await program.out(`got ${text}`);
    }
    return 4;
  },
};

const open = () => openWithBusybox({ programs });
const RUN_HELP = "\n\nRun 'docker run --help' for more information\n";

describe('docker create', () => {
  it('prints the ID and starts nothing', async () => {
    const { docker, machine } = await open();
    const { code, out } = await docker('create --name web busybox echo hi');
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^[0-9a-f]{64}\n$/) });
    expect(machine.spawned).toHaveLength(0);
    expect((await docker('ps -a --format {{.Status}}')).out).toBe('Created\n');
    expect((await docker('start -a web')).out).toBe('hi\n');
  });

  it('fails with 1 for what the daemon refuses, with 125 for what the client does', async () => {
    const { docker } = await open();
    await docker('create --name web busybox true');
    expect(await docker('create --name web busybox true')).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^Error response from daemon: Conflict\. The container name "\/web" is already in use/,
      ),
    });
    expect(await docker('create --pull foo busybox')).toEqual({
      code: 125,
      out: '',
      err: 'docker: invalid pull option: \'foo\': must be one of "always", "missing" or "never"\n\nRun \'docker create --help\' for more information\n',
    });
  });
});

describe('flags of docker run that are wrong', () => {
  const values: readonly (readonly [string, string, string])[] = [
    ['-m x', '-m, --memory', "invalid size: 'x'"],
    ['--memory-swap x', '--memory-swap', "invalid size: 'x'"],
    ['--cpus x', '--cpus', 'failed to parse x as a rational number'],
    ['--cpus 0.0000000001', '--cpus', 'value is too precise'],
    ['--pids-limit x', '--pids-limit', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['--health-interval x', '--health-interval', 'time: invalid duration "x"'],
    ['--stop-timeout x', '--stop-timeout', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['--ulimit foo=1', '--ulimit', 'invalid ulimit type: foo'],
    ['-a foo', '-a, --attach', 'valid streams are STDIN, STDOUT and STDERR'],
  ];
  it.each(values)('%s', async (flags, name, fault) => {
    const { docker } = await open();
    const { code, err } = await docker(`run ${flags} busybox true`);
    expect(code).toBe(125);
    const value = flags.split(' ')[1];
    expect(err).toMatch(new RegExp(`^invalid argument "${value}" for "${name}" flag: `));
    expect(err.split('\n')[0]).toBe(`invalid argument "${value}" for "${name}" flag: ${fault}`);
  });

  const refusals: readonly (readonly [string, string])[] = [
    ['--health-interval -1s', '--health-interval cannot be negative'],
    ['--health-timeout -1s', '--health-timeout cannot be negative'],
    ['--health-start-period -1s', '--health-start-period cannot be negative'],
    ['--health-retries -1', '--health-retries cannot be negative'],
    ['--no-healthcheck --health-cmd x', '--no-healthcheck conflicts with --health-* options'],
    ['--restart on-failure:x', 'invalid restart policy format: maximum retry count must be an integer'],
    ['-m 1m', 'Error response from daemon: Minimum memory limit allowed is 6MB'],
    [
      '--cpus 2',
      'Error response from daemon: range of CPUs is from 0.01 to 1.00, as there are only 1 CPUs available',
    ],
    ['--cap-add foo', 'Error response from daemon: invalid CapAdd: unknown capability: "CAP_FOO"'],
    [
      '--restart foo',
      "Error response from daemon: invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
  ];
  it.each(refusals)('%s', async (flags, message) => {
    const { docker } = await open();
    expect(await docker(`run ${flags} busybox true`)).toEqual({
      code: 125,
      out: '',
      err: `docker: ${message}${RUN_HELP}`,
    });
  });

  it('-a with -d', async () => {
    const { docker } = await open();
    expect(await docker('run -d -a stdout busybox true')).toEqual({
      code: 1,
      out: '',
      err: 'conflicting options: cannot specify both --attach and --detach\n',
    });
  });
});

describe('docker run -a', () => {
  it('shows the streams that it names', async () => {
    const { docker } = await open();
    expect(await docker('run -a stdout busybox echo hi')).toEqual({ code: 0, out: 'hi\n', err: '' });
    expect(await docker('run -a STDERR busybox echo hi')).toEqual({ code: 0, out: '', err: 'told\n' });
    expect(await docker('run -a stdout -a stderr busybox echo hi')).toEqual({
      code: 0,
      out: 'hi\n',
      err: 'told\n',
    });
  });

  it('stdin alone passes the input on and prints the ID', async () => {
    const { docker } = await open();
    const { code, out } = await docker('run -a stdin -i --name box-c busybox cat', { input: input('one') });
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^[0-9a-f]{64}\n$/) });
    expect((await docker('logs box-c')).out).toBe('got one');
    const template = '{{with .Config}}{{.AttachStdin}} {{.AttachStdout}} {{.AttachStderr}}{{end}}';
    expect((await docker(['inspect', '-f', template, 'box-c'])).out).toBe('true false false\n');
  });
});

describe('docker attach', () => {
  it('shows what comes from now on, passes input, and exits as the program', async () => {
    const { docker } = await open();
    await docker('run -di --name box-c busybox cat');
    const attached = docker('attach box-c', { input: input('one\n') });
    await until('it is there', async () => (await docker('logs box-c')).out === 'got one\n');
    // the container was not made for one client: the end of its pipe is not the end of the program's input
    const second = docker('attach --no-stdin box-c');
    await docker('kill box-c');
    expect(await attached).toEqual({ code: 137, out: 'got one\n', err: '' });
    expect(await second).toEqual({ code: 137, out: '', err: '' });
    expect(await docker('attach box-c')).toEqual({
      code: 1,
      out: '',
      err: 'You cannot attach to a stopped container, start it first\n',
    });
  });

  it('--no-stdin passes no input', async () => {
    const { docker, events } = await open();
    await docker('run -di --name box-c busybox cat');
    const silent = docker('attach --no-stdin box-c', { input: input('never\n') });
    await until('it is attached', () =>
      events.some((event) => event.type === 'container' && event.action === 'attach'),
    );
    const attached = docker('attach box-c', { input: input('one\n') });
    await until('it is there', async () => (await docker('logs box-c')).out.endsWith('got one\n'));
    expect((await docker('logs box-c')).out).toBe('got one\n');
    await docker('kill box-c');
    expect(await silent).toEqual({ code: 137, out: 'got one\n', err: '' });
    expect((await attached).code).toBe(137);
  });

  it('has its terminal drawn anew, and is let go by the keys', async () => {
    const { docker, machine, events } = await open();
    await docker('run -dit --name box-c busybox sleep');
    const client = new FakeClient('attach --detach-keys ctrl-x box-c', true);
    machine.connect(client);
    await until('it is attached', () => client.attached?.raw === true);
    client.type('\x18');
    expect(await client.exited).toBe(0);
    expect((await docker('ps --format {{.Names}}')).out).toBe('box-c\n');
    const actions = events.flatMap((event) => (event.type === 'container' ? [event.action] : []));
    expect(actions).toEqual(['create', 'start', 'attach', 'resize', 'resize', 'detach']);
    await docker('rm -f box-c');
  });

  it('passes signals on unless --sig-proxy=false', async () => {
    const { docker, machine } = await open();
    for (const [flags, ends] of [
      ['', true],
      ['--sig-proxy=false ', false],
    ] as const) {
      await docker('run -d --name box-c busybox sleep');
      const client = new FakeClient(`attach ${flags}box-c`, false);
      machine.connect(client);
      await until('it is attached', () => client.attached !== undefined);
      expect(client.attached?.signals).toBe(ends);
      client.signal(15);
      if (ends) expect(await client.exited).toBe(143);
      await docker('rm -f box-c');
    }
  });
});

describe('docker restart', () => {
  it('stops and starts, with the signal and the patience that it was given', async () => {
    const { docker, events } = await open();
    await docker('run -d --rm --name box-c busybox sleep');
    expect(await docker('restart -s INT -t 5 box-c')).toEqual({ code: 0, out: 'box-c\n', err: '' });
    const told = events.flatMap((event) => (event.type === 'container' ? [event] : []));
    expect(told.map(({ action }) => action)).toEqual([
      'create',
      'start',
      'kill',
      'die',
      'stop',
      'start',
      'restart',
    ]);
    expect(told[2]?.attributes?.signal).toBe('2');
    expect((await docker('ps --format {{.Names}}')).out).toBe('box-c\n'); // --rm did not take it
    await docker('stop box-c');
    expect((await docker('ps -aq')).out).toBe('');
    expect((await docker('restart nope')).err).toBe('Error response from daemon: No such container: nope\n');
  });
});

describe('the stop timeout of a container', () => {
  it('is what --stop-timeout says, unless stop says otherwise', async () => {
    const { docker } = await openWithBusybox({
      programs: { stubborn: () => new Promise(() => undefined) },
    });
    await docker('run -d --name box-c --stop-timeout 0 busybox stubborn');
    expect((await docker('stop box-c')).code).toBe(0);
    expect(
      (await docker(['inspect', '-f', '{{.State.ExitCode}} {{.Config.StopTimeout}}', 'box-c'])).out,
    ).toBe('137 0\n');
  });
});

describe('docker wait', () => {
  it('prints the exit codes when they have ended', async () => {
    const { docker } = await open();
    await docker('run --name box-a busybox fail');
    await docker('run -d --name box-b busybox sleep');
    const waiting = docker('wait box-a box-b');
    await docker('stop box-b');
    expect(await waiting).toEqual({ code: 0, out: '3\n143\n', err: '' });
    expect(await docker('wait nope')).toMatchObject({ code: 1 });
  });

  it('ends with Ctrl-C', async () => {
    const { docker } = await open();
    await docker('run -d --name box-b busybox sleep');
    const stop = new AbortController();
    const waiting = docker('wait box-b', { signal: stop.signal });
    stop.abort();
    expect((await waiting).code).toBe(130);
    await docker('rm -f box-b');
  });
});

describe('docker rename', () => {
  it('gives another name', async () => {
    const { docker } = await open();
    const id = (await docker('create --name box-a busybox true')).out.trim();
    await docker('create --name box-b busybox true');
    expect(await docker('rename box-a box-c')).toEqual({ code: 0, out: '', err: '' });
    expect((await docker('ps -a --format {{.Names}}')).out).toBe('box-b\nbox-c\n');
    const failed = 'Error: failed to rename container named';
    const rows = [
      [
        'box-b box-c',
        `Error when allocating new name: Conflict. The container name "/box-c" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
      ],
      ['box-b box-b', 'Renaming a container with the same name as its current name'],
      ['box-b _', 'Invalid container name (_), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed'],
    ] as const;
    for (const [words, message] of rows) {
      expect(await docker(`rename ${words}`)).toEqual({
        code: 1,
        out: '',
        err: `Error response from daemon: ${message}\n${failed} box-b\n`,
      });
    }
  });
});

describe('docker update', () => {
  it('wants flags, and keeps what it was told', async () => {
    const { docker, machine } = await open();
    await docker('create --name box-a busybox sleep');
    expect(await docker('update box-a')).toEqual({
      code: 1,
      out: '',
      err: 'you must provide one or more flags when using this command\n',
    });
    expect(await docker('update --restart on-failure:2 -m 8m --memory-swap -1 box-a')).toEqual({
      code: 0,
      out: 'box-a\n',
      err: '',
    });
    const template =
      '{{with .HostConfig}}{{.Memory}} {{.MemorySwap}} {{.RestartPolicy.Name}} {{.RestartPolicy.MaximumRetryCount}}{{end}}';
    expect((await docker(['inspect', '-f', template, 'box-a'])).out).toBe('8388608 -1 on-failure 2\n');
    expect(machine.written.size).toBe(0);
    await docker('start box-a');
    expect([...machine.written.values()]).toEqual(['8388608']);
    await docker('rm -f box-a');
  });
});

describe('docker rm', () => {
  it('-l knows no links', async () => {
    const { docker } = await open();
    await docker('create --name box-a busybox true');
    expect((await docker('rm -l box-a')).err).toBe(
      'Error response from daemon: Conflict, cannot remove the default link name of the container\n',
    );
    expect((await docker('rm -l /web/db')).err).toBe(
      'Error response from daemon: Cannot get parent /web for link name /web/db\n',
    );
    expect((await docker('ps -aq')).out).not.toBe('');
  });
});

describe('docker container prune', () => {
  const prepare = async () => {
    const sandbox = await open();
    const { docker } = sandbox;
    await docker('run -d --name up busybox sleep');
    const ids = [];
    for (const label of ['x', 'y']) {
      sandbox.clock.now += 1000;
      ids.push((await docker(`create -l is=${label} busybox true`)).out.trim());
    }
    return { ...sandbox, ids };
  };

  it('asks, and removes what does not run', async () => {
    const { docker, ids } = await prepare();
    const question =
      'WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ';
    expect(await docker('container prune', { input: input('n\n') })).toMatchObject({ out: question });
    const { code, out } = await docker('container prune', { input: input('y\n') });
    expect(code).toBe(0);
    expect(out).toBe(
      `${question}Deleted Containers:\n${[...ids].reverse().join('\n')}\n\nTotal reclaimed space: 0B\n`,
    );
    expect((await docker('ps -a --format {{.Names}}')).out).toBe('up\n');
    expect((await docker('container prune -f')).out).toBe('Total reclaimed space: 0B\n');
    await docker('rm -f up');
  });

  it('--filter chooses', async () => {
    const { docker, ids, clock } = await prepare();
    expect((await docker('container prune -f --filter until=1h')).out).toBe('Total reclaimed space: 0B\n');
    expect((await docker('container prune -f --filter label=is=x')).out).toContain(ids[0]);
    clock.now += 2 * 3_600_000;
    expect((await docker('container prune -f --filter until=1h --filter label!=is=z')).out).toContain(ids[1]);
    expect((await docker('container prune -f --filter foo=1')).err).toContain("invalid filter 'foo'");
    await docker('rm -f up');
  });
});

describe('docker logs', () => {
  it('--details has a place for attributes before each line', async () => {
    const { docker } = await open();
    await docker('run --name box-a busybox echo hi');
    expect((await docker('logs --details box-a')).out).toBe(' hi\n');
    expect((await docker('logs --details -t box-a')).out).toBe('2026-01-02T03:04:05.000000000Z  hi\n');
  });

  it('-f ends at --until', async () => {
    const { docker, clock } = await open();
    await docker('run -d --name box-a busybox sleep');
    const soon = new Date(clock.now + 50).toISOString();
    expect(await docker(`logs -f --until ${soon} box-a`)).toEqual({ code: 0, out: '', err: '' });
    await docker('rm -f box-a');
  });
});

describe('docker events', () => {
  const history = async ({ docker }: TestSandbox, ...flags: string[]) =>
    docker(['events', '--since', '1h', '--until', '0s', ...flags]);

  it('tells of containers and images in the lines of Docker', async () => {
    const sandbox = await open();
    const { docker } = sandbox;
    const id = (await docker('create --name box-a -l who=me busybox fail')).out.trim();
    await docker('start -a box-a');
    await docker('rename box-a box-b');
    const { code, out } = await history(sandbox, '-f', 'type=container');
    expect(code).toBe(0);
    const at = '2026-01-02T03:04:05.000000000Z container';
    expect(out.split('\n')).toEqual(
      expect.arrayContaining([
        `${at} create ${id} (image=busybox, name=box-a, who=me)`,
        `${at} start ${id} (image=busybox, name=box-a, who=me)`,
        `${at} die ${id} (execDuration=0, exitCode=3, image=busybox, name=box-a, who=me)`,
        `${at} rename ${id} (image=busybox, name=box-b, oldName=/box-a, who=me)`,
      ]),
    );
    expect((await history(sandbox, '-f', 'type=image')).out).toMatch(
      /^\S+Z image pull busybox:latest \(.*name=busybox.*\)\n/,
    );
  });

  it('filters and formats', async () => {
    const sandbox = await open();
    const { docker } = sandbox;
    await docker('run -d --name box-a -l who=me busybox sleep');
    await docker('run -d --name box-b busybox sleep');
    await docker('exec box-a fail');
    const actions = async (...filters: string[]) =>
      (
        await history(
          sandbox,
          '--format',
          '{{.Actor.Attributes.name}} {{.Action}}',
          ...filters.flatMap((f) => ['-f', f]),
        )
      ).out
        .trim()
        .split('\n');
    expect(await actions('container=box-a', 'event=start')).toEqual(['box-a start']);
    expect(await actions('event=start')).toEqual(['box-a start', 'box-b start']);
    expect(await actions('event=exec_create')).toEqual(['box-a exec_create: fail']);
    expect(await actions('label=who=me', 'event=create')).toEqual(['box-a create']);
    expect(await actions('image=busybox', 'type=container', 'event=create')).toEqual([
      'box-a create',
      'box-b create',
    ]);
    expect(await actions('type=volume')).toEqual(['']);
    const { out } = await history(sandbox, '-f', 'container=box-b', '-f', 'event=start', '--format', 'json');
    expect(JSON.parse(out)).toMatchObject({
      status: 'start',
      from: 'busybox',
      Type: 'container',
      Action: 'start',
      Actor: { Attributes: { image: 'busybox', name: 'box-b' } },
      scope: 'local',
      time: 1767323045,
      timeNano: 1767323045000000000,
    });
    await docker('rm -f box-a box-b');
  });

  it('goes on until it is interrupted, from now on when there is no --since', async () => {
    const { docker } = await open();
    const stop = new AbortController();
    let text = '';
    const told = docker('events --format {{.Action}}', {
      signal: stop.signal,
      write: async (_, bytes) => {
        text += new TextDecoder().decode(bytes);
      },
    });
    await docker('create --name box-a busybox true');
    await until('it is told', () => text === 'create\n');
    stop.abort();
    expect((await told).code).toBe(130);
  });

  it('refuses what is no time and no filter', async () => {
    const { docker } = await open();
    expect(await docker('events --since foo')).toEqual({
      code: 1,
      out: '',
      err: 'failed to parse value as time or duration: "foo"\n',
    });
    expect((await docker('events -f foo=1')).err).toContain("invalid filter 'foo'");
  });
});
