import { describe, expect, it } from 'vitest';
import type { ProgramCode } from './fake-machine.ts';
import { input, killPage, openSandbox, openWithBusybox, until } from './sandbox.ts';

const programs: Record<string, ProgramCode> = {
  sh: async (program) => {
    const [, , line = ''] = program.spec.argv;
    if (line !== '') {
      await program.out(`${line}\n`);
      return 0;
    }
    for (let text = await program.read(); text !== undefined; text = await program.read()) {
      await program.out(`got ${text}`);
    }
    return 0;
  },
  fail: async (program) => {
    await program.err('it failed\n');
    return 3;
  },
  sleep: async (program) => 128 + (await program.killed),
  stubborn: async (program) => {
    await program.out('here\n');
    return new Promise(() => undefined);
  },
  crash: async (program) => {
    await program.out('going\n');
    throw new Error('the machine stopped');
  },
  env: async ({ spec, out }) => {
    await out(`${spec.env.join('\n')}\n`);
    return 0;
  },
  touch: async ({ root, spec, out }) => {
    if (root === undefined) return 1;
    const here = new Set(root.readdir(root.root).map(({ name }) => name));
    for (const name of spec.argv.slice(1)) {
      if (here.has(name)) await out(`${name} is here\n`);
      else root.create(root.root, name, 0o644, { uid: 0, gid: 0 });
    }
    const bin = root.lookup(root.root, 'bin');
    if (root.readdir(bin).some(({ name }) => name === 'ls')) root.unlink(bin, 'ls');
    return 0;
  },
};

describe('docker run', () => {
  it('prints what the program prints and exits as it exits', async () => {
    const { docker } = await openWithBusybox({ programs });
    expect(await docker(['run', 'busybox', 'sh', '-c', 'hello'])).toEqual({
      code: 0,
      out: 'hello\n',
      err: '',
    });
    expect(await docker('run busybox fail')).toEqual({ code: 3, out: '', err: 'it failed\n' });
  });

  it('pulls what is not here, its progress on standard error', async () => {
    const { docker } = await openSandbox({ programs });
    const { code, out, err } = await docker(['run', 'busybox', 'sh', '-c', 'hello']);
    expect({ code, out }).toEqual({ code: 0, out: 'hello\n' });
    expect(err).toMatch(
      /^Unable to find image 'busybox:latest' locally\nlatest: Pulling from library\/busybox\n/,
    );
    expect(err).toMatch(
      /\nDigest: sha256:[0-9a-f]{64}\nStatus: Downloaded newer image for busybox:latest\n$/,
    );
  });

  it('passes input to the program and ends it with the input', async () => {
    const { docker } = await openWithBusybox({ programs });
    expect(await docker('run -i busybox sh', { input: input('one\n', 'two\n') })).toEqual({
      code: 0,
      out: 'got one\ngot two\n',
      err: '',
    });
    // without -i there is no input at all
    expect((await docker('run busybox sh', { input: input('one\n') })).out).toBe('');
  });

  it('spawns with the namespaces, the user and the defaults that Docker has', async () => {
    const { docker, machine } = await openWithBusybox({ programs });
    await docker('run --name web -e A=1 -e B -u 1000:100 -w /tmp -h box busybox env');
    const id = (await docker('ps -aq --no-trunc')).out.trim();
    expect(machine.spawned.at(-1)).toEqual({
      argv: ['env'],
      env: [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'HOSTNAME=box',
        'A=1',
        'HOME=/',
      ],
      cwd: '/tmp',
      uid: 1000,
      gid: 100,
      groups: [100],
      network: id,
      container: {
        tree: `c/${id}`,
        hostname: 'box',
        cgroup: id,
        capabilities: 'a80425fb',
        binds: [
          expect.objectContaining({ target: '/etc/hosts' }),
          expect.objectContaining({ target: '/etc/resolv.conf' }),
        ],
      },
    });
    await docker('run busybox env');
    expect(machine.spawned.at(-1)).toMatchObject({ uid: 0, gid: 0, cwd: '/' });
    expect(machine.spawned.at(-1)?.container?.hostname).toMatch(/^[0-9a-f]{12}$/);
    expect(machine.spawned.at(-1)?.env).toContain('HOME=/root');
  });

  const failures: readonly (readonly [string, number, string])[] = [
    [
      'run busybox nosuch',
      127,
      'docker: Error response from daemon: failed to create task for container: exec: "nosuch": executable file not found in $PATH: unknown',
    ],
    [
      'run -u nobody-here busybox sh',
      125,
      'docker: Error response from daemon: unable to find user nobody-here: no matching entries in passwd file',
    ],
    [
      'run -w here busybox sh',
      125,
      "docker: Error response from daemon: the working directory 'here' is invalid, it needs to be an absolute path",
    ],
    ['run --stop-signal FOO busybox sh', 125, 'docker: Error response from daemon: invalid signal: FOO'],
    ['run --entrypoint= busybox', 125, 'docker: Error response from daemon: no command specified'],
    [
      'run --name _ busybox sh',
      125,
      'docker: Error response from daemon: Invalid container name (_), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    ],
    ['run --pull never nosuch', 125, 'docker: Error response from daemon: No such image: nosuch:latest'],
    ['run --gpus all busybox', 125, 'docker: the flag --gpus is not yet supported by Layerbox'],
    ['run --ipc host busybox', 125, 'docker: the flag --ipc is not yet supported by Layerbox'],
  ];
  it.each(failures)('%s exits %i', async (line, code, message) => {
    const sandbox = await openWithBusybox({ programs });
    const result = await sandbox.docker(line);
    expect(result).toMatchObject({ code, out: '' });
    expect(result.err).toContain(message);
    expect(sandbox.machine.trees.size).toBe(1); // the host's own
  });

  it('with --rm leaves nothing, also of what could not start', async () => {
    const { docker, stores } = await openWithBusybox({ programs });
    expect((await docker('run --rm busybox fail')).code).toBe(3);
    expect((await docker('run --rm busybox nosuch')).code).toBe(127);
    expect((await docker('ps -aq')).out).toBe('');
    expect(await stores.journals.list()).toEqual(['host']);
    expect(await stores.records.ids('logs')).toEqual([]);
  });

  it('without a machine refuses, and all else works', async () => {
    const { docker } = await openWithBusybox({ withoutMachine: true });
    const { code, err } = await docker('run busybox sh');
    expect(code).toBe(125);
    expect(err).toContain('has no machine');
    expect((await docker('images -q')).out).toMatch(/^[0-9a-f]{12}\n$/);
    expect((await docker('ps -a --format {{.Status}}')).out).toBe('Created\n');
  });

  it('wants a terminal for -it', async () => {
    const { docker } = await openWithBusybox({ programs });
    expect(await docker('run -it busybox sh')).toEqual({
      code: 1,
      out: '',
      err: 'the input device is not a TTY\n',
    });
  });

  it('refuses a name that is taken, in the words of Docker', async () => {
    const { docker } = await openWithBusybox({ programs });
    await docker('run --name web busybox sh');
    const id = (await docker('ps -aq --no-trunc')).out.trim();
    const { code, err } = await docker('run --name web busybox sh');
    expect(code).toBe(125);
    expect(err).toBe(
      `docker: Error response from daemon: Conflict. The container name "/web" is already in use by container "${id}". ` +
        "You have to remove (or rename) that container to be able to reuse that name.\n\nRun 'docker run --help' for more information\n",
    );
  });
});

describe('the life of a container', () => {
  it('runs in the background, is listed, stopped by its signal, started again and removed', async () => {
    const { docker, machine, events, clock } = await openWithBusybox({ programs });
    const { out: id } = await docker('run -d --name web busybox sleep');
    expect(id).toMatch(/^[0-9a-f]{64}\n$/);
    clock.now += 61_000;
    expect((await docker('ps')).out).toBe(
      [
        'CONTAINER ID   IMAGE     COMMAND   CREATED              STATUS              PORTS     NAMES',
        `${id.slice(0, 12)}   busybox   "sleep"   About a minute ago   Up About a minute             web`,
        '',
      ].join('\n'),
    );
    expect(await docker('stop web')).toEqual({ code: 0, out: 'web\n', err: '' });
    expect((await docker('ps -a --format {{.Status}}')).out).toBe('Exited (143) Less than a second ago\n');
    expect((await docker('ps -q')).out).toBe('');
    expect((await docker('start web')).out).toBe('web\n');
    expect(machine.running).toBe(1);
    expect((await docker('kill -s INT web')).code).toBe(0);
    await until(
      'it ended',
      () => events.filter((event) => event.type === 'container' && event.action === 'die').length === 2,
    );
    expect((await docker(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'web'])).out).toBe(
      'exited 130\n',
    );
    expect((await docker('rm web')).out).toBe('web\n');
    expect((await docker('ps -a')).out).toBe(
      'CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n',
    );
    const actions = events.flatMap((event) => (event.type === 'container' ? [event.action] : []));
    expect(actions).toEqual(['create', 'start', 'kill', 'die', 'stop', 'start', 'kill', 'die', 'destroy']);
  });

  it('is killed when it does not heed the stop signal in time', async () => {
    const { docker } = await openWithBusybox({ programs });
    await docker('run -d --name web busybox stubborn');
    expect((await docker('stop -t 0 web')).out).toBe('web\n');
    expect((await docker('ps -a --format {{.Status}}')).out).toMatch(/^Exited \(137\)/);
  });

  it('refuses what its state does not allow', async () => {
    const { docker } = await openWithBusybox({ programs });
    const id = (await docker('run -d --name web busybox stubborn')).out.trim();
    expect((await docker('rm web')).err).toBe(
      'Error response from daemon: cannot remove container "/web": container is running: stop the container before removing or force remove\n',
    );
    expect(await docker('rm -f web')).toEqual({ code: 0, out: 'web\n', err: '' });
    expect(await docker('rm -f web')).toEqual({
      code: 0,
      out: '',
      err: 'Error response from daemon: No such container: web\n',
    });
    expect(await docker('rm web')).toEqual({
      code: 1,
      out: '',
      err: 'Error response from daemon: No such container: web\n',
    });
    await docker('run --name done busybox fail');
    const done = (await docker('ps -aq --no-trunc')).out.trim();
    expect((await docker('kill done')).err).toBe(
      `Error response from daemon: cannot kill container: done: container ${done} is not running\n`,
    );
    expect((await docker('exec done sh')).err).toBe(
      `Error response from daemon: container ${done} is not running\n`,
    );
    expect(done).not.toBe(id);
  });

  it('a program that is started again keeps its files, and removal gives the space back', async () => {
    const { docker, stores } = await openWithBusybox({ programs });
    await docker('run --name web busybox touch made');
    expect((await docker('diff web')).out).toBe('C /bin\nD /bin/ls\nA /made\n');
    expect(await docker('start -a web')).toEqual({ code: 0, out: 'made is here\n', err: '' });
    const before = await stores.journals.list();
    expect(before).toHaveLength(2);
    await docker('rm web');
    expect(await stores.journals.list()).toEqual(['host']);
    expect(await stores.records.ids('containers')).toEqual([]);
  });

  it('ends with 255 and the reason when the machine fails under it', async () => {
    const { docker } = await openWithBusybox({ programs });
    expect(await docker('run --name web busybox crash')).toEqual({
      code: 255,
      out: 'going\n',
      err: 'docker: the machine stopped\n',
    });
    expect((await docker(['inspect', '-f', '{{.State.ExitCode}} {{.State.Error}}', 'web'])).out).toBe(
      '255 the machine stopped\n',
    );
    expect((await docker('rm web')).code).toBe(0);
  });

  it('after a reload is there, exited, with its files and its log', async () => {
    const first = await openWithBusybox({ programs });
    await first.docker('run -d --name web busybox stubborn');
    await first.docker('run --name files busybox touch made');
    await first.docker('run -d --rm --name gone busybox sleep');
    await until('the log is stored', () => first.stores.records.ids('logs').then((ids) => ids.length > 0));
    expect((await first.docker('logs web')).out).toBe('here\n');
    const second = await openSandbox({ programs, stores: await killPage(first) });
    expect((await second.docker('ps -a --format {{.Names}}:{{.Status}}')).out).toBe(
      'files:Exited (0) Less than a second ago\nweb:Exited (255) Less than a second ago\n',
    );
    expect((await second.docker('diff files')).out).toBe('C /bin\nD /bin/ls\nA /made\n');
    expect((await second.docker('logs web')).out).toBe('here\n');
    expect((await second.docker('start web')).code).toBe(0);
  });
});
