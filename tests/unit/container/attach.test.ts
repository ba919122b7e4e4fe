import { describe, expect, it } from 'vitest';
import { FakeClient } from './fake-client.ts';
import type { ProgramCode } from './fake-machine.ts';
import { openWithBusybox, until } from './sandbox.ts';

const programs: Record<string, ProgramCode> = {
  /** Says what is typed, and its terminal's sizes at `size`. */
  sh: async (program) => {
    await program.out('$ ');
    for (let text = await program.read(); text !== undefined; text = await program.read()) {
      if (text === 'exit') return 7;
      const sizes = program.sizes.map(({ rows, columns }) => `${rows}x${columns}`).join(' ');
      await program.out(text === 'size' ? sizes : `[${text}]`);
    }
    return 0;
  },
  wait: async (program) => {
    await program.out('waiting\n');
    return 128 + (await program.killed);
  },
  flood: async (program) => {
    for (let line = 1; line <= 1000; line += 1) await program.out(`${line}\n`);
    return 0;
  },
};

describe('a terminal', () => {
  it('is raw, sees the program from its first byte, follows resizes and exits as the program', async () => {
    const { machine } = await openWithBusybox({ programs });
    const client = new FakeClient('run -it --rm busybox sh', true);
    machine.connect(client);
    await until('the prompt', () => client.out === '$ ');
    expect(client.attached).toEqual({ stdin: true, raw: true, signals: false });
    expect(machine.spawned.at(-1)).toMatchObject({ tty: { rows: 30, columns: 120 } });
    expect(machine.spawned.at(-1)?.env).toContain('TERM=xterm');
    client.resize({ rows: 50, columns: 132 });
    client.type('size');
    await until('the sizes', () => client.out === '$ 30x120 50x132');
    client.type('exit');
    expect(await client.exited).toBe(7);
    expect(client.err).toBe('');
  });

  it('lets go with ctrl-p ctrl-q, the container runs on and can be attached again', async () => {
    const { machine, docker } = await openWithBusybox({ programs });
    const client = new FakeClient('run -it --name web busybox sh', true);
    machine.connect(client);
    await until('the prompt', () => client.out === '$ ');
    client.type('a\x10b');
    await until(
      'a lone ctrl-p is passed on with what follows',
      () => client.out === '$ [a][\x10b]' || client.out === '$ [a\x10b]',
    );
    client.type('\x10');
    client.type('\x11');
    expect(await client.exited).toBe(0);
    expect((await docker('ps --format {{.Names}}')).out).toBe('web\n');
    const again = new FakeClient('start -ai web', true);
    machine.connect(again);
    await until('it is attached', () => again.attached !== undefined);
    again.type('exit');
    expect(await again.exited).toBe(7);
  });

  it('detaches with keys of its own', async () => {
    const { machine } = await openWithBusybox({ programs });
    const client = new FakeClient('run -it --detach-keys ctrl-x,d busybox sh', true);
    machine.connect(client);
    await until('the prompt', () => client.out === '$ ');
    client.type('\x18d');
    expect(await client.exited).toBe(0);
    const bad = new FakeClient('run -it --detach-keys ctrl-1 busybox sh', true);
    machine.connect(bad);
    expect(await bad.exited).toBe(125);
    expect(bad.err).toContain("Unknown character: 'ctrl-1'");
  });
});

describe('signals', () => {
  it('go to the program of a run without a terminal', async () => {
    const { machine } = await openWithBusybox({ programs });
    const client = new FakeClient('run busybox wait', false);
    machine.connect(client);
    await until('it runs', () => client.out === 'waiting\n');
    expect(client.attached).toEqual({ stdin: false, raw: false, signals: true });
    client.signal(28); // a window that changed is the client's own affair
    client.signal(2);
    expect(await client.exited).toBe(130);
  });

  it('with --sig-proxy=false end the client and not the container', async () => {
    const { machine, docker } = await openWithBusybox({ programs });
    const client = new FakeClient('run --name web --sig-proxy=false busybox wait', false);
    machine.connect(client);
    await until('it runs', () => client.out === 'waiting\n');
    client.leave();
    expect(await client.exited).toBe(130);
    expect((await docker('ps --format {{.Names}}')).out).toBe('web\n');
  });

  it('a client that is killed does not stop the program that it looked at', async () => {
    const { machine, docker } = await openWithBusybox({ programs });
    const client = new FakeClient('run --name web busybox flood', false);
    let lines = 0;
    client.write = () => {
      lines += 1;
      return lines < 5 ? Promise.resolve() : new Promise(() => undefined); // its reader is stuck
    };
    machine.connect(client);
    await until('it is stuck', () => lines === 5);
    client.leave();
    await until('the program ends', () => machine.running === 0);
    expect((await docker('logs --tail 1 web')).out).toBe('1000\n');
  });
});

describe('docker exec', () => {
  it('runs in the namespaces of the container, with its environment and another user', async () => {
    const { machine, docker } = await openWithBusybox({ programs });
    await docker('run -d --name web -e A=1 -w /tmp busybox wait');
    const client = new FakeClient('exec -it -e FROM_HOST -e B=2 -w /etc -u 5 web sh', true);
    machine.connect(client);
    await until('the prompt', () => client.out === '$ ');
    const { env, inside, ...spec } = machine.spawned.at(-1) ?? { env: [], inside: undefined };
    expect(inside).toBeDefined();
    expect(spec).toEqual({
      argv: ['sh'],
      cwd: '/etc',
      capabilities: 'a80425fb',
      uid: 5,
      gid: 0,
      groups: [0],
      tty: { rows: 30, columns: 120 },
    });
    expect(env).toEqual(expect.arrayContaining(['A=1', 'B=2', 'FROM_HOST=yes', 'TERM=xterm', 'HOME=/']));
    client.type('exit');
    expect(await client.exited).toBe(7);
  });

  it('tells of what cannot be started, 127, and what does not run', async () => {
    const { docker } = await openWithBusybox({ programs });
    await docker('run -d --name web busybox wait');
    expect(await docker('exec web nosuch')).toEqual({
      code: 127,
      out: '',
      err: 'OCI runtime exec failed: exec failed: exec: "nosuch": executable file not found in $PATH: unknown\n',
    });
    expect(await docker('exec nosuch sh')).toEqual({
      code: 1,
      out: '',
      err: 'Error response from daemon: No such container: nosuch\n',
    });
  });

  it('in the background returns at once', async () => {
    const { docker, machine } = await openWithBusybox({ programs });
    await docker('run -d --name web busybox wait');
    expect(await docker('exec -d web flood')).toEqual({ code: 0, out: '', err: '' });
    // nobody reads its output, and it comes to its end all the same
    await until('it ends', () => machine.running === 1);
  });
});
