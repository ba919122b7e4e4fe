/** What `docker events` tells of what is done to containers, in the actions and attributes of Docker's daemon. */

import { beforeAll, describe, expect, it } from 'vitest';
import { FakeClient } from './fake-client.ts';
import type { ProgramCode } from './fake-machine.ts';
import { openWithBusybox, type TestSandbox, until } from './sandbox.ts';

const programs: Record<string, ProgramCode> = {
  sleep: async (program) => 128 + (await program.killed),
  true: async () => 0,
  sh: async (program) => {
    await program.out('$ ');
    while ((await program.read()) !== undefined);
    return 0;
  },
};

/** `action {attributes}` of each event of the container since it was asked last, its image and name left out. */
function follow(sandbox: TestSandbox, container: string): () => Promise<readonly string[]> {
  let told = 0;
  return async () => {
    const { code, out } = await sandbox.docker([
      ...['events', '--since', '1h', '--until', '0s', '-f', 'type=container', '-f', `container=${container}`],
      ...['--format', '{{.Action}} {{json .Actor.Attributes}}'],
    ]);
    expect(code).toBe(0);
    const lines = out.split('\n').filter((line) => line !== '');
    const fresh = lines.slice(told);
    told = lines.length;
    return fresh.map((line) => {
      const brace = line.indexOf('{');
      const { image: _, name, ...rest } = JSON.parse(line.slice(brace));
      expect(name).toBe(container);
      return `${line.slice(0, brace)}${JSON.stringify(rest)}`;
    });
  };
}

describe('of the files of a container', () => {
  let sandbox: TestSandbox;
  let fresh: () => Promise<readonly string[]>;
  beforeAll(async () => {
    sandbox = await openWithBusybox({ withoutMachine: true });
    await sandbox.docker('create --name web busybox true');
    fresh = follow(sandbox, 'web');
    expect(await fresh()).toEqual(['create {}']);
  });

  it('commit names the image', async () => {
    const { out } = await sandbox.docker(['commit', '-m', 'as it was', 'web', 'mine']);
    const named = { comment: 'as it was', imageID: out.trim(), imageRef: 'mine:latest' };
    expect(await fresh()).toEqual([`commit ${JSON.stringify(named)}`]);
    const second = (await sandbox.docker('commit web')).out.trim();
    expect(await fresh()).toEqual([
      `commit ${JSON.stringify({ comment: '', imageID: second, imageRef: '' })}`,
    ]);
  });

  it('export', async () => {
    expect((await sandbox.docker('export web')).code).toBe(0);
    expect(await fresh()).toEqual(['export {}']);
  });

  it('cp is archive-path out of it and extract-to-dir into it; what fails is not told', async () => {
    const chunks: Uint8Array[] = [];
    await sandbox.docker('cp web:/etc/passwd -', {
      write: async (_, bytes) => {
        chunks.push(bytes.slice());
      },
    });
    expect(await fresh()).toEqual(['archive-path {}']);
    expect((await sandbox.docker('cp web:/nope -')).code).toBe(1);
    expect(await fresh()).toEqual([]);
    const input = async function* () {
      yield* chunks;
    };
    expect((await sandbox.docker('cp - web:/tmp', { input: input() })).code).toBe(0);
    expect(await fresh()).toEqual(['extract-to-dir {}']);
    expect((await sandbox.docker('cp - web:/nope', { input: input() })).code).toBe(1);
    expect(await fresh()).toEqual([]);
  });
});

describe('of clients', () => {
  it('attach before the start, the size of their terminal behind it, resize and detach', async () => {
    const sandbox = await openWithBusybox({ programs });
    const { machine, docker } = sandbox;
    const client = new FakeClient('run -it --name box busybox sh', true);
    machine.connect(client);
    await until('the prompt', () => client.out === '$ ');
    const fresh = follow(sandbox, 'box');
    await until('it is told to run', async () =>
      (await docker('ps --format {{.Names}}')).out.includes('box'),
    );
    const size = (height: number, width: number) => `resize {"height":"${height}","width":"${width}"}`;
    expect(await fresh()).toEqual(['create {}', 'attach {}', 'start {}', size(30, 120)]);
    client.resize({ rows: 50, columns: 132 });
    expect(await fresh()).toEqual([size(50, 132)]);
    client.type('\x10\x11');
    expect(await client.exited).toBe(0);
    expect(await fresh()).toEqual(['detach {}']);
    const again = new FakeClient('attach box', true);
    machine.connect(again);
    await until('it is attached', () => again.attached !== undefined);
    // first another size, so that the program draws its screen
    expect(await fresh()).toEqual(['attach {}', size(31, 121), size(30, 120)]);
    const third = new FakeClient('start -a box', false);
    machine.connect(third);
    await until('it is attached too', () => third.attached !== undefined);
    expect(await fresh()).toEqual(['attach {}']);
    await docker('rm -f box');
    await Promise.all([again.exited, third.exited]);
    const actions = (await fresh()).map((line) => line.split(' ')[0]);
    expect(actions).toEqual(['kill', 'die', 'destroy']);
  });

  it('a pipe has no size, and a signal that is passed on is a kill', async () => {
    const sandbox = await openWithBusybox({ programs });
    const client = new FakeClient('run --name box busybox sleep', false);
    sandbox.machine.connect(client);
    const fresh = follow(sandbox, 'box');
    await until('it is attached', () => client.attached !== undefined);
    client.signal(28);
    client.signal(2);
    expect(await client.exited).toBe(130);
    const told = await fresh();
    expect(told.map((line) => line.split(' ')[0])).toEqual(['create', 'attach', 'start', 'kill', 'die']);
    expect(told[3]).toBe('kill {"signal":"2"}');
  });

  it('an exec has its command and its ID, and is detached from', async () => {
    const sandbox = await openWithBusybox({ programs });
    const { machine, docker } = sandbox;
    await docker('run -d --name box busybox sleep');
    const fresh = follow(sandbox, 'box');
    await fresh();
    await docker('exec box true -a b');
    const [create = '', start = '', die = '', ...more] = await fresh();
    expect(more).toEqual([]);
    const { execID } = JSON.parse(create.slice(create.indexOf('{')));
    expect(execID).toMatch(/^[0-9a-f]{64}$/);
    expect([create, start, die]).toEqual([
      `exec_create: true -a b {"execID":"${execID}"}`,
      `exec_start: true -a b {"execID":"${execID}"}`,
      `exec_die {"execID":"${execID}","exitCode":"0"}`,
    ]);
    const client = new FakeClient('exec -it box sh', true);
    machine.connect(client);
    await until('the prompt', () => client.out === '$ ');
    client.type('\x10\x11');
    expect(await client.exited).toBe(0);
    const told = await fresh();
    // the space that Docker's daemon leaves for arguments
    expect(told.map((line) => line.slice(0, line.indexOf('{')))).toEqual([
      'exec_create: sh  ',
      'exec_start: sh  ',
      'exec_detach ',
    ]);
    expect(told[2]?.slice('exec_detach '.length)).toBe(told[0]?.slice('exec_create: sh  '.length));
    await docker('rm -f box');
  });
});

describe('filters', () => {
  it('take labels together, and names by how they begin, of whatever is called so', async () => {
    const sandbox = await openWithBusybox({ withoutMachine: true });
    const { docker } = sandbox;
    await docker('create --name web-1 -l a=1 -l b=2 busybox');
    await docker('create --name web-2 -l a=1 -v web-data:/d busybox');
    await docker('tag busybox web:1');
    const told = async (...filters: string[]) =>
      (
        await docker([
          ...['events', '--since', '1h', '--until', '0s', '--format', '{{.Type}} {{.Action}} {{.Actor.ID}}'],
          ...filters.flatMap((filter) => ['-f', filter]),
        ])
      ).out
        .trim()
        .split('\n')
        .map((line) => line.replace(/[0-9a-f]{64}$/, 'ID'));
    expect(await told('label=a=1')).toHaveLength(2);
    expect(await told('label=a=1', 'label=b')).toHaveLength(1);
    expect(await told('label=a=1', 'label=b=3')).toEqual(['']);
    expect(await told('container=web', 'type=container')).toEqual([
      'container create ID',
      'container create ID',
    ]);
    expect(await told('container=web-2')).toEqual(['container create ID']);
    expect(await told('volume=web-d')).toEqual(['volume create web-data']);
    expect(await told('image=web', 'type=image')).toEqual(['image tag sha256:ID']);
    expect(await told('image=busybox', 'event=create', 'event=tag')).toHaveLength(2);
    await docker('network create lan');
    expect(await told('network=la')).toEqual(['network create ID']);
    expect(await told('network=wan')).toEqual(['']);
    // there are no events of these kinds, but names of others
    for (const kind of ['daemon', 'plugin']) {
      expect(await told(`${kind}=lan`), kind).toEqual(['network create ID']);
      expect(await told(`${kind}=wan`), kind).toEqual(['']);
    }
    expect(await told('scope=local', 'event=create')).toHaveLength(4);
    expect(await told('scope=swarm')).toEqual(['']);
    expect(await told('scope=swarm', 'scope=local', 'network=lan')).toHaveLength(1);
  });
});

describe('what nobody uses, when it is removed,', () => {
  it('is told of with the bytes that it gave back', async () => {
    const { docker } = await openWithBusybox({ withoutMachine: true });
    await docker('create --name web busybox');
    await docker('volume create web');
    const prunes = async () =>
      (await docker('events --since 1h --until 0s -f event=prune')).out.replace(/^\S+ /gm, '');
    await docker('container prune -f');
    await docker('volume prune -af');
    await docker('network prune -f');
    const image = await docker('image prune -af');
    const [before] = (await prunes()).split('image');
    expect(before).toBe(
      'container prune  (reclaimed=0)\nvolume prune  (reclaimed=0)\nnetwork prune  (reclaimed=0)\n',
    );
    expect(image.out).toContain('Total reclaimed space: ');
    expect((await prunes()).split('\n')[3]).toMatch(/^image prune {2}\(reclaimed=[1-9]\d{5,}\)$/);
    await docker('system prune -f --volumes');
    expect((await prunes()).trimEnd().split('\n').slice(4)).toEqual(
      ['container', 'network', 'volume', 'image'].map((type) => `${type} prune  (reclaimed=0)`),
    );
  });
});
