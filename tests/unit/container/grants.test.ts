/** What a container is granted, limited and deprived of, on the real kernel. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testMachine } from '../../support/machine.ts';
import { openWithBusybox, type TestSandbox, until } from './sandbox.ts';

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await openWithBusybox({ machine: testMachine() });
}, 120_000);
afterAll(() => sandbox.engine.close(), 60_000);

const docker = (...argv: string[]) => sandbox.docker(argv);
/** What a line for the container's shell prints. */
const inside = async (flags: string, line: string) => {
  const { out, err } = await docker('run', '--rm', ...flags.split(' '), 'busybox', 'sh', '-c', line);
  return `${out}${err}`.trim();
};
const inspect = async (name: string, template: string) =>
  (await docker('inspect', '-f', template, name)).out.trim();

describe('capabilities', () => {
  const effective = 'grep CapEff /proc/self/status | cut -f2; cat /proc/self/attr/x 2>/dev/null';
  const rows: readonly (readonly [string, string])[] = [
    ['--name box-c', '00000000a80425fb'],
    ['--cap-drop ALL', '0000000000000000'],
    ['--cap-drop all --cap-add CHOWN', '0000000000000001'],
    ['--cap-add NET_ADMIN', '00000000a80435fb'],
    ['--cap-drop CAP_CHOWN', '00000000a80425fa'],
    ['--privileged', '000001ffffffffff'],
    ['--cap-add ALL --cap-drop MKNOD', '000001fff7ffffff'],
  ];
  it.each(rows)('%s', async (flags, want) => {
    expect(await inside(flags, effective)).toBe(want);
  });

  it('--cap-drop takes the right, not only the name', async () => {
    expect(await inside('--cap-drop CHOWN', 'touch /x; chown 1:1 /x 2>&1 || echo refused')).toMatch(
      /Operation not permitted\nrefused$/,
    );
    expect(await inside('--name box-c', 'touch /x; chown 1:1 /x && stat -c %u /x')).toBe('1');
  });

  it('--privileged may mount, write settings, and sees the devices of the host', async () => {
    const line =
      'mount -t tmpfs none /tmp && echo mounted; echo 60 > /proc/sys/vm/swappiness && echo set; ls /dev/console /dev/kmsg';
    expect(await inside('--privileged', line)).toBe('mounted\nset\n/dev/console\n/dev/kmsg');
    expect(await inside('--name box-c', `${line} 2>&1`)).toMatch(
      /permission denied|Read-only|not permitted/i,
    );
  });

  it('of an exec are those of its container, and all with --privileged', async () => {
    await docker('run', '-d', '--name', 'box-e', '--cap-drop', 'ALL', 'busybox', 'sleep', '1000');
    const caps = (...flags: string[]) =>
      docker('exec', ...flags, 'box-e', 'sh', '-c', 'grep CapEff /proc/self/status | cut -f2');
    expect((await caps()).out).toBe('0000000000000000\n');
    expect((await caps('--privileged')).out).toBe('000001ffffffffff\n');
    await docker('rm', '-f', 'box-e');
  });
});

describe('limits', () => {
  it('stand in the cgroup of the container', async () => {
    await docker(
      ...'run -d --name box-l -m 20m --memory-reservation 10m --cpus 0.5 --pids-limit 9 -c 512 busybox sleep 1000'.split(
        ' ',
      ),
    );
    const line = 'cd /sys/fs/cgroup; cat memory.max memory.low cpu.max pids.max cpu.weight';
    expect((await docker('exec', 'box-l', 'sh', '-c', line)).out).toBe(
      '20971520\n10485760\n50000 100000\n9\n20\n',
    );
    expect(
      await inspect(
        'box-l',
        '{{with .HostConfig}}{{.Memory}} {{.MemorySwap}} {{.NanoCpus}} {{.PidsLimit}}{{end}}',
      ),
    ).toBe('20971520 41943040 500000000 9');
    expect((await docker(...'update -m 30m --cpus 0.25 --pids-limit 7 box-l'.split(' '))).out).toBe(
      'box-l\n',
    );
    expect((await docker('exec', 'box-l', 'sh', '-c', line)).out).toBe(
      '31457280\n10485760\n25000 100000\n7\n20\n',
    );
    expect((await docker('update', '-m', '100m', 'box-l')).err).toMatch(
      /^Error response from daemon: Cannot update container [0-9a-f]{64}: Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time\n$/,
    );
    await docker('rm', '-f', 'box-l');
    await docker(...'run -d --name box-p --cpu-period 50000 --cpu-quota 20000 busybox sleep 1000'.split(' '));
    expect((await docker('exec', 'box-p', 'cat', '/sys/fs/cgroup/cpu.max')).out).toBe('20000 50000\n');
    const more = 'update --cpu-period 40000 --cpu-quota 30000 -c 1024 --memory-reservation 8m box-p';
    expect(await docker(...more.split(' '))).toEqual({ code: 0, out: 'box-p\n', err: '' });
    const changed = 'cd /sys/fs/cgroup; cat cpu.max cpu.weight memory.low';
    expect((await docker('exec', 'box-p', 'sh', '-c', changed)).out).toBe('30000 40000\n39\n8388608\n');
    await docker('rm', '-f', 'box-p');
  });

  it('of memory end the program that goes beyond: 137, and inspect says why', async () => {
    const grow = ['sh', '-c', 'x=a; while :; do x=$x$x; done'];
    expect((await docker('run', '--name', 'oom', '-m', '8m', 'busybox', ...grow)).code).toBe(137);
    expect(await inspect('oom', '{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}')).toBe(
      'true 137 exited',
    );
    expect(sandbox.events.filter((e) => e.type === 'container' && e.action === 'oom')).toHaveLength(1);
    await docker('run', '--name', 'fine', '-m', '8m', 'busybox', 'true');
    expect(await inspect('fine', '{{.State.OOMKilled}}')).toBe('false');
    await docker('rm', 'oom', 'fine');
  }, 120_000);

  it('of processes refuse a fork', async () => {
    const line = 'for i in 1 2 3 4 5 6; do sleep 100 & done; wait';
    expect(await inside('--pids-limit 4', line)).toContain("can't fork");
    expect(await inside('--pids-limit 20', 'for i in 1 2 3 4 5 6; do sleep 0 & done; wait; echo all')).toBe(
      'all',
    );
  });

  it('of a processor slow the program down', async () => {
    const line = 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; grep nr_throttled /sys/fs/cgroup/cpu.stat';
    expect(Number((await inside('--cpus 0.1', line)).split(' ')[1])).toBeGreaterThan(0);
    expect(await inside('--name box-c', line)).toBe('nr_throttled 0');
  }, 120_000);

  it('of setrlimit hold, also for an exec', async () => {
    await docker(
      ...'run -d --name box-u --ulimit nofile=64:128 --ulimit core=-1 busybox sleep 1000'.split(' '),
    );
    const line = 'ulimit -Sn; ulimit -Hn; ulimit -c';
    expect((await docker('exec', 'box-u', 'sh', '-c', line)).out).toBe('64\n128\nunlimited\n');
    expect(await inside('--ulimit nofile=100', 'ulimit -Sn; ulimit -Hn')).toBe('100\n100');
    await docker('rm', '-f', 'box-u');
  });
});

describe('the root and the first process', () => {
  it('--read-only refuses writes to the image and leaves /dev', async () => {
    expect(await inside('--read-only', 'touch /x 2>&1; echo a > /dev/shm/x && cat /dev/shm/x')).toMatch(
      /Read-only file system\na$/,
    );
    expect(await inside('--name box-c', 'touch /x && echo made')).toBe('made');
  });

  it('--init is the first, hands on signals, reaps, and exits as its program', async () => {
    expect(await inside('--init', 'ps -o pid,args | sed -n 2,3p')).toMatch(
      /^1 \/sbin\/docker-init -- sh -c .*\n +\d+ sh -c/,
    );
    expect((await docker('run', '--rm', '--init', 'busybox', 'sh', '-c', 'exit 7')).code).toBe(7);
    expect((await docker('run', '--rm', '--init', 'busybox', 'nosuch')).code).toBe(127);
    await docker('run', '-d', '--name', 'box-i', '--init', 'busybox', 'sleep', '1000');
    // without an init the first process has no default action for SIGTERM, and would have to be killed
    expect((await docker('stop', '-t', '60', 'box-i')).code).toBe(0);
    expect(await inspect('box-i', '{{.State.ExitCode}} {{.HostConfig.Init}}')).toBe('143 true');
    await docker('rm', 'box-i');
    // an orphan that ends is reaped
    const orphan = '(sleep 0.1 & ) ; sleep 0.5; ps -o stat | grep -c Z';
    expect(await inside('--init', orphan)).toBe('0');
  });

  it('--group-add adds groups by name and number', async () => {
    expect(await inside('-u 1000:1000 --group-add 44 --group-add wheel', 'id -G')).toBe('1000 10 44');
    expect((await docker('run', '--rm', '--group-add', 'nope', 'busybox', 'id')).err).toContain(
      'unable to find group nope: no matching entries in group file',
    );
  });
});

describe('docker pause', () => {
  it('freezes all programs of a container until unpause', async () => {
    const count = 'i=0; while :; do i=$((i+1)); echo $i > /n; sleep 0.05; done';
    const id = (await docker('run', '-d', '--name', 'box-p', 'busybox', 'sh', '-c', count)).out.trim();
    await until('it counts', async () => (await docker('exec', 'box-p', 'test', '-e', '/n')).code === 0);
    expect(await docker('pause', 'box-p')).toEqual({ code: 0, out: 'box-p\n', err: '' });
    expect(await inspect('box-p', '{{.State.Status}} {{.State.Paused}} {{.State.Running}}')).toBe(
      'paused true true',
    );
    expect((await docker('ps', '--format', '{{.Status}}')).out).toMatch(/^Up .* \(Paused\)\n$/);
    expect(await docker('pause', 'box-p')).toMatchObject({
      code: 1,
      err: `Error response from daemon: Container ${id} is already paused\n`,
    });
    expect((await docker('exec', 'box-p', 'true')).err).toBe(
      `Error response from daemon: Container ${id} is paused, unpause the container before exec\n`,
    );
    expect((await docker('rm', 'box-p')).err).toBe(
      'Error response from daemon: cannot remove container "/box-p": container is paused and must be unpaused first\n',
    );
    expect((await docker('attach', 'box-p')).err).toBe(
      'You cannot attach to a paused container, unpause it first\n',
    );
    expect((await docker('start', 'box-p')).err).toContain(
      'cannot start a paused container, try unpause instead',
    );
    const read = async () => new TextDecoder().decode(await sandbox.engine.read('box-p', '/n'));
    const first = await read();
    await docker('top', 'box-p'); // takes longer than one turn of the loop
    expect(await read()).toBe(first);
    expect((await docker('unpause', 'box-p')).out).toBe('box-p\n');
    expect((await docker('unpause', 'box-p')).err).toBe(
      `Error response from daemon: Container ${id} is not paused\n`,
    );
    await until('it counts on', async () => (await read()) !== first);
    await docker('pause', 'box-p');
    expect((await docker('stop', '-t', '0', 'box-p')).code).toBe(0);
    expect(await inspect('box-p', '{{.State.Status}}')).toBe('exited');
    expect((await docker('pause', 'box-p')).err).toBe(
      `Error response from daemon: container ${id} is not running\n`,
    );
    await docker('rm', 'box-p');
  }, 60_000);
});

describe('what is seen of a container that runs', () => {
  it('docker top', async () => {
    await docker('run', '-d', '--name', 'box-t', '-u', '5', 'busybox', 'sh', '-c', 'sleep 1000; true');
    // the shell may not have started it yet
    await until('it sleeps', async () => /sleep 1000$/m.test((await docker('top', 'box-t')).out));
    const { out } = await docker('top', 'box-t');
    const [header = '', ...rows] = out.trimEnd().split('\n');
    expect(header.split(/ {2,}/)).toEqual(['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
    expect(header.indexOf('PID')).toBe(20);
    expect(rows.map((row) => row.split(/ {2,}/).at(-1))).toEqual(['sh -c sleep 1000; true', 'sleep 1000']);
    expect(rows.every((row) => row.startsWith('5 '))).toBe(true);
    expect((await docker('top', 'box-t', '-o', 'pid,comm')).out).toMatch(
      /^PID +COMMAND\n\d+ +sh\n\d+ +sleep\n$/,
    );
    expect((await docker('top', 'box-t', 'aux')).out).toMatch(
      /^USER +PID +%CPU +%MEM +VSZ +RSS +TTY +STAT +START +TIME +COMMAND\n/,
    );
    expect((await docker('top', 'box-t', '-o', 'comm')).err).toBe(
      "Error response from daemon: Couldn't find PID field in ps output\n",
    );
    expect((await docker('top', 'box-t', '--nope')).err).toContain('ps: the option --nope is not supported');
    await docker('rm', '-f', 'box-t');
  });

  it('docker stats', async () => {
    await docker('run', '-d', '--name', 'busy', '-m', '16m', 'busybox', 'sh', '-c', 'while :; do :; done');
    await docker('create', '--name', 'idle', 'busybox', 'true');
    const { out } = await docker('stats', '--no-stream');
    const [header = '', row = '', ...more] = out.split('\n');
    expect(header).toMatch(
      /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/,
    );
    expect(row).toMatch(
      /^[0-9a-f]{12} +busy +\d+\.\d\d% +[\d.]+[KM]iB \/ 16MiB +\d+\.\d\d% +[\d.]+k?B \/ [\d.]+k?B +0B \/ 0B +1$/,
    );
    expect(more).toEqual(['']);
    const format = '{{.Name}} {{.PIDs}}';
    const all = (await docker('stats', '-a', '--no-stream', '--format', format)).out;
    expect(all.trim().split('\n').sort()).toEqual(['busy 1', 'idle 0']);
    const cpu = (await docker('stats', '--no-stream', '--format', '{{.CPUPerc}}', 'busy')).out;
    expect(Number.parseFloat(cpu)).toBeGreaterThan(20);
    const traffic = async (name: string) =>
      (await docker('stats', '--no-stream', '--format', '{{.NetIO}}', name)).out;
    const before = await traffic('busy');
    const gateway = await inspect('busy', '{{.NetworkSettings.Networks.bridge.Gateway}}');
    // fifteen fragments each way, each with its headers
    expect((await docker('exec', 'busy', 'ping', '-c', '1', '-s', '20000', gateway)).code).toBe(0);
    const after = await traffic('busy');
    expect([before, after]).toEqual([
      expect.stringMatching(/^[\d.]+B \/ [\d.]+B\n$/),
      expect.stringMatching(/^2[01](\.\d)?kB \/ 2[01](\.\d)?kB\n$/),
    ]);
    await docker('run', '-d', '--name', 'on-host', '--network', 'host', 'busybox', 'sleep', '1000');
    expect(await traffic('on-host')).toBe('0B / 0B\n');
    const id = (await docker('ps', '-q', '--no-trunc', '-f', 'name=busy')).out;
    expect((await docker('stats', '--no-stream', '--no-trunc', '--format', '{{.ID}}', 'busy')).out).toBe(id);
    expect((await docker('stats', '--no-stream', 'nope')).err).toBe(
      'Error response from daemon: No such container: nope\n',
    );
    await docker('rm', '-f', 'busy', 'idle', 'on-host');
  }, 60_000);

  it('docker stats without --no-stream goes on until it is interrupted', async () => {
    await docker('run', '-d', '--name', 'box-s', 'busybox', 'sleep', '1000');
    const stop = new AbortController();
    let tables = 0;
    const { code } = await sandbox.docker(['stats', '--format', '{{.Name}}'], {
      signal: stop.signal,
      write: async () => {
        tables += 1;
        if (tables === 2) stop.abort();
      },
    });
    expect({ code, tables }).toEqual({ code: 130, tables: 2 });
    await docker('rm', '-f', 'box-s');
  }, 60_000);
});

describe('health checks', () => {
  it('are asked in the container, and tell when they change their mind', async () => {
    const flags = '--health-interval 100ms --health-timeout 30s --health-retries 2';
    await docker(
      'run',
      '-d',
      '--name',
      'box-h',
      ...flags.split(' '),
      '--health-cmd',
      'echo seen; test -e /ok',
      'busybox',
      'sleep',
      '1000',
    );
    expect((await docker('ps', '--format', '{{.Status}}')).out).toMatch(/\(health: starting\)|\(unhealthy\)/);
    const status = () => inspect('box-h', '{{.State.Health.Status}}');
    await until('it is unhealthy', async () => (await status()) === 'unhealthy');
    expect((await docker('ps', '--format', '{{.Status}}', '-f', 'health=unhealthy')).out).toMatch(
      /\(unhealthy\)\n$/,
    );
    await docker('exec', 'box-h', 'touch', '/ok');
    await until('it is healthy', async () => (await status()) === 'healthy');
    expect(
      await inspect('box-h', '{{.State.Health.FailingStreak}} {{(index .State.Health.Log 0).Output}}'),
    ).toBe('0 seen');
    expect(
      sandbox.events.flatMap((e) =>
        e.type === 'container' && e.action === 'health_status' ? [e.detail] : [],
      ),
    ).toEqual(['unhealthy', 'healthy']);
    await docker('rm', '-f', 'box-h');
  }, 60_000);

  it('that take too long fail', async () => {
    const flags = '--health-interval 100ms --health-timeout 200ms --health-retries 1';
    await docker(
      'run',
      '-d',
      '--name',
      'slow',
      ...flags.split(' '),
      '--health-cmd',
      'sleep 1000',
      'busybox',
      'sleep',
      '1000',
    );
    await until(
      'it is unhealthy',
      async () => (await inspect('slow', '{{.State.Health.Status}}')) === 'unhealthy',
    );
    expect(await inspect('slow', '{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}')).toBe(
      '-1 Health check exceeded timeout (0.2s)',
    );
    await docker('rm', '-f', 'slow');
  }, 60_000);
});

describe('a client that goes', () => {
  it('leaves the program of docker run running, as with Docker', async () => {
    expect(await sandbox.sh('docker run --name box-y busybox yes | head -1')).toBe('y\n0');
    expect(await inspect('box-y', '{{.State.Running}}')).toBe('true');
    expect((await docker('rm', '-f', 'box-y')).out).toBe('box-y\n');
  }, 60_000);
});

describe('files of the host', () => {
  it('--cidfile is written once, --label-file is read', async () => {
    const { out } = await docker(...'create --name cid --cidfile here.cid busybox true'.split(' '));
    expect(await sandbox.sh('cat here.cid')).toBe(`${out.trim()}0`);
    expect(await docker(...'create --cidfile here.cid busybox true'.split(' '))).toEqual({
      code: 1,
      out: '',
      err: "container ID file found, make sure the other container isn't running or delete here.cid\n",
    });
    expect((await docker(...'run --label-file /nope busybox true'.split(' '))).err).toContain(
      'docker: open /nope: no such file or directory\n',
    );
    expect(await sandbox.sh("printf '# none\\na=1\\nb\\n' > labels")).toBe('0');
    await docker(...'create --name lab --label-file labels -l a=2 busybox true'.split(' '));
    expect(await inspect('lab', '{{json .Config.Labels}}')).toContain('"a":"2","b":""');
    await docker('rm', 'cid', 'lab');
  });
});
