/** What is listed and shown: columns, formats, filters, pulls. */

import { describe, expect, it } from 'vitest';
import { FakeClient } from '../container/fake-client.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { openSandbox, openWithBusybox, until } from '../container/sandbox.ts';

const programs: Record<string, ProgramCode> = {
  sh: async () => 0,
  sleep: async (program) => 128 + (await program.killed),
};

describe('docker images', () => {
  it('lists names, newest image first, in the columns of Docker', async () => {
    const { docker } = await openWithBusybox();
    await docker('pull -q layerbox/site');
    const { out } = await docker('images --format table');
    const [header, ...rows] = out.trimEnd().split('\n');
    expect(header).toBe('REPOSITORY      TAG       IMAGE ID       CREATED        SIZE');
    expect(rows.map((row) => row.split(/ {3,}/).slice(0, 2))).toEqual(
      expect.arrayContaining([
        ['layerbox/site', 'latest'],
        ['busybox', 'latest'],
      ]),
    );
    expect(rows[0]).toMatch(/^\S+ +latest {4}[0-9a-f]{12} {3}27 hours ago {3}2\.08MB$/);
  });

  const rows: readonly (readonly [string, string])[] = [
    ['images --format {{.Repository}}:{{.Tag}}', 'busybox:latest\n'],
    ['images -q', '6f90ae6bfde5\n'],
    ['images busybox:latest -q', '6f90ae6bfde5\n'],
    ['images busybox:other -q', ''],
    ['images nosuch -q', ''],
    ['images -q --filter reference=busy*', '6f90ae6bfde5\n'],
    ['images -q --filter reference=x*', ''],
    ['images -q --filter dangling=true', ''],
    ['image ls --format table\\t{{.Tag}}', '          TAG\n          latest\n'],
    ['image inspect -f {{.Architecture}}:{{.Config.Cmd}} busybox', '386:[sh]\n'],
    ['inspect -f {{.RepoTags}} 6f90ae6b', '[busybox:latest]\n'],
  ];
  it.each(rows)('docker %s', async (line, want) => {
    const { docker } = await openWithBusybox();
    expect(await docker(line)).toEqual({ code: 0, out: want, err: '' });
  });

  it('refuses filters that are none', async () => {
    const { docker } = await openWithBusybox();
    expect((await docker('images --filter nosuch=1')).err).toBe(
      "Error response from daemon: invalid filter 'nosuch'\n",
    );
  });
});

describe('docker ps', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['ps -a --format {{.Names}}', 'web\ndone\n'],
    ['ps --format {{.Names}}', 'web\n'],
    ['ps -l --format {{.Names}}', 'web\n'],
    ['ps -n 5 --format {{.Names}}', 'web\ndone\n'],
    ['ps --filter status=exited --format {{.Names}}', 'done\n'],
    ['ps -a --filter name=do --format {{.Names}}', 'done\n'],
    ['ps -a --filter exited=0 --format {{.Names}}', 'done\n'],
    ['ps -a --filter label=tier=front --format {{.Names}}:{{.Labels}}', 'web:tier=front\n'],
    ['ps -a --filter ancestor=busybox --filter status=running --format {{.Names}}', 'web\n'],
    ['ps -a --format {{.Command}}', '"sleep 1234567890123…"\n"sh"\n'],
    ['ps -a --no-trunc --format {{.Command}}', '"sleep 12345678901234567890"\n"sh"\n'],
    ['ps -s --format {{.Size}}', '0B (virtual 2.08MB)\n'],
    ['container ls -a --format {{.State}}', 'running\nexited\n'],
  ];
  it.each(rows)('docker %s', async (line, want) => {
    const { docker, clock } = await openWithBusybox({ programs });
    await docker('run --name done busybox sh');
    clock.now += 1000;
    await docker('run -d --name web -l tier=front busybox sleep 12345678901234567890');
    expect(await docker(line)).toEqual({ code: 0, out: want, err: '' });
  });
});

describe('docker inspect', () => {
  it('tells of what is there and what is not', async () => {
    const { docker } = await openWithBusybox({ programs });
    await docker('run --name web -e A=1 busybox sh');
    const { code, out, err } = await docker('inspect web nosuch');
    expect({ code, err }).toEqual({ code: 1, err: 'Error: No such object: nosuch\n' });
    const [document, ...others] = JSON.parse(out);
    expect(others).toEqual([]);
    expect(document).toMatchObject({
      Name: '/web',
      Path: 'sh',
      State: { Status: 'exited', ExitCode: 0, Running: false },
      Config: {
        Image: 'busybox',
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=1'],
      },
    });
    expect((await docker('inspect --type image web')).err).toBe(
      'Error response from daemon: No such image: web:latest\n',
    );
    expect((await docker('inspect -f {{.State.Nope}} web')).err).toContain('map has no entry for key "Nope"');
  });
});

describe('docker rmi', () => {
  it('refuses an image that a container is of, and removes it after that', async () => {
    const { docker, stores } = await openWithBusybox({ programs });
    await docker('run -d --name web busybox sleep');
    const refused = await docker('rmi busybox');
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^Error response from daemon: conflict: unable to /);
    await docker('rm -f web');
    const { code, out } = await docker('rmi busybox');
    expect(code).toBe(0);
    expect(out).toMatch(/^Untagged: busybox:latest\n(?:.*\n)*Deleted: sha256:6f90ae6b/);
    expect(await stores.content.list()).toEqual([]);
  });
});

describe('docker pull', () => {
  it('in a pipe tells each step once, and a second time that all is here', async () => {
    const { docker } = await openSandbox();
    const { out } = await docker('pull busybox');
    expect(out.split('\n')).toEqual([
      'Using default tag: latest',
      'latest: Pulling from library/busybox',
      '709bd7fcea30: Pulling fs layer',
      '709bd7fcea30: Verifying Checksum',
      '709bd7fcea30: Download complete',
      '709bd7fcea30: Pull complete',
      expect.stringMatching(/^Digest: sha256:[0-9a-f]{64}$/),
      'Status: Downloaded newer image for busybox:latest',
      'docker.io/library/busybox:latest',
      '',
    ]);
    expect((await docker('pull busybox:latest')).out).toMatch(
      /^latest: Pulling from library\/busybox\n709bd7fcea30: Already exists\nDigest: .*\nStatus: Image is up to date for busybox:latest\n/,
    );
    expect((await docker('pull -q busybox')).out).toBe('docker.io/library/busybox:latest\n');
  });

  it('of what is nowhere says why, and nothing before', async () => {
    const { docker } = await openSandbox();
    const { code, out, err } = await docker('pull nosuch');
    expect({ code, out }).toEqual({ code: 1, out: 'Using default tag: latest\n' });
    expect(err).toMatch(/^Error response from daemon: .*nosuch:latest/);
  });

  it.each([
    [130, true],
    [60, false],
    [24, false],
  ])('on a terminal of %i columns redraws one line per layer', async (columns, hasBar) => {
    const { machine } = await openSandbox();
    await until('the machine runs', () => machine.state.status === 'running');
    const client = new FakeClient('pull layerbox/site', true, { rows: 24, columns });
    machine.connect(client);
    expect(await client.exited).toBe(0);
    const screen = drawn(client.out);
    const last = screen.slice(2, 5).map((line) => line.slice(14));
    expect(last).toEqual(
      ['Pull complete', 'Pull complete', 'Pull complete'].map((text) =>
        columns === 24 ? 'Pull com…' : text,
      ),
    );
    expect(client.out.includes('=>')).toBe(hasBar);
    const lines = client.out.split(/\r\n|\n|\r/).map((line) => line.replaceAll(ESCAPES, ''));
    for (const line of lines.filter((text) => /^[0-9a-f]{12}: /.test(text)))
      expect(line.length).toBeLessThan(columns);
  });
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told
const ESCAPES = /\x1b\[(\d*)([A-Z])/g;

/** The lines as a terminal would show them after all cursor movement. */
function drawn(output: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  for (let at = 0; at < output.length; ) {
    ESCAPES.lastIndex = at;
    const sequence = ESCAPES.exec(output);
    if (sequence !== null && sequence.index === at) {
      const count = Number(sequence[1] || 1);
      if (sequence[2] === 'A') row = Math.max(0, row - count);
      if (sequence[2] === 'B') row += count;
      if (sequence[2] === 'K') lines[row] = '';
      at += sequence[0].length;
      continue;
    }
    const character = output[at] ?? '';
    if (character === '\r') column = 0;
    else if (character === '\n') {
      row += 1;
      column = 0;
    } else {
      const line = (lines[row] ?? '').padEnd(column);
      lines[row] = line.slice(0, column) + character + line.slice(column + 1);
      column += 1;
    }
    at += 1;
  }
  return lines;
}

describe('docker logs', () => {
  it('tells the lines, their times, the last ones, and those to come', async () => {
    const { docker, machine } = await openWithBusybox({
      programs: {
        say: async ({ out, err, read }) => {
          await out('one\n');
          await err('bad\n');
          await out('two\n');
          await read();
          await out('three\n');
          return 0;
        },
      },
    });
    await docker('run -di --name web busybox say');
    await until('it has spoken', async () => (await docker('logs web')).out === 'one\ntwo\n');
    expect(await docker('logs web')).toEqual({ code: 0, out: 'one\ntwo\n', err: 'bad\n' });
    expect((await docker('logs -t --tail 1 web')).out).toBe('2026-01-02T03:04:05.000000000Z two\n');
    expect((await docker('logs --since 2030-01-01T00:00:00Z web')).out).toBe('');
    expect((await docker('logs --since 1h --until 0s web')).out).toBe('one\ntwo\n');
    expect((await docker('logs --since nonsense web')).code).toBe(1);
    const following = docker('logs -f web');
    const client = new FakeClient('start -ai web', false);
    machine.connect(client);
    client.type('go');
    expect(await client.exited).toBe(0);
    expect((await following).out).toBe('one\ntwo\nthree\n');
  });
});
