/** The host's side: its shell, `docker` typed in it, the engine's start and end. */

import { describe, expect, it } from 'vitest';
import { environment } from '../../../src/engine/cli/client-stdio.ts';
import { parseEnvFile } from '../../../src/engine/cli/environment.ts';
import { FakeClient } from '../container/fake-client.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { input, openSandbox, openWithBusybox, until } from '../container/sandbox.ts';

const programs: Record<string, ProgramCode> = {
  '/bin/bash': async (program) => {
    if (program.spec.argv[1] === '-l') await program.out('host# ');
    else await program.out(`${program.spec.argv[2]}\n`);
    for (let text = await program.read(); text !== undefined; text = await program.read()) {
      if (text === 'exit') return 4;
      await program.out(`<${text}>`);
    }
    return 0;
  },
  env: async ({ spec, out }) => {
    await out(spec.env.filter((entry) => /^[A-Z]_/.test(entry)).join(' '));
    return 0;
  },
  sleep: async (program) => 128 + (await program.killed),
};

const idle = () => new AbortController().signal;

describe('a line of the shell', () => {
  it('runs on the host with its input, and gives its exit code', async () => {
    const { engine, machine } = await openSandbox({ programs });
    let out = '';
    const write = async (_: string, bytes: Uint8Array) => {
      out += new TextDecoder().decode(bytes);
    };
    expect(await engine.sh('ls | wc', { input: input('a', 'b'), write, signal: idle() })).toBe(0);
    expect(out).toBe('ls | wc\n<a><b>');
    expect(await engine.sh('x', { input: input('exit'), write, signal: idle() })).toBe(4);
    expect(machine.spawned.at(-1)).toMatchObject({ argv: ['/bin/bash', '-c', 'x'], cwd: '/root', uid: 0 });
    expect(machine.spawned.at(-1)?.env).toContain('HOME=/root');
  });

  it('is killed with its signal', async () => {
    const { engine, machine } = await openSandbox({ programs });
    const control = new AbortController();
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    const running = engine.sh('x', { input: never, write: async () => undefined, signal: control.signal });
    await until('it runs', () => machine.running === 1);
    control.abort();
    expect(await running).toBe(137);
  });

  it('needs a machine', async () => {
    const { engine } = await openSandbox({ withoutMachine: true });
    const io = { input: undefined, write: async () => undefined, signal: idle() };
    await expect(engine.sh('ls', io)).rejects.toMatchObject({ code: 'MachineUnavailable' });
  });
});

describe('a terminal of the host', () => {
  it('is a login shell that can be resized, typed into and hung up', async () => {
    const { engine, machine } = await openSandbox({ programs });
    let screen = '';
    const terminal = await engine.terminal({ rows: 10, columns: 40 }, (bytes) => {
      screen += new TextDecoder().decode(bytes);
    });
    await until('the prompt', () => screen === 'host# ');
    expect(machine.spawned.at(-1)).toMatchObject({
      argv: ['/bin/bash', '-l'],
      tty: { rows: 10, columns: 40 },
    });
    expect(machine.spawned.at(-1)?.env).toEqual(
      expect.arrayContaining(['TERM=xterm-256color', 'LANG=C.UTF-8']),
    );
    await terminal.write(new TextEncoder().encode('ls'));
    await until('the echo', () => screen === 'host# <ls>');
    await terminal.write(new TextEncoder().encode('exit'));
    expect(await terminal.exit).toBe(4);
  });
});

describe('docker typed in the guest', () => {
  it('is served, takes variables from its environment and files from the home', async () => {
    const { machine } = await openWithBusybox({ programs });
    const home = machine.trees.get('host');
    if (home === undefined) throw new Error('no home');
    const ino = home.create(home.root, 'vars', 0o644, { uid: 0, gid: 0 });
    home.write(ino, 0, new TextEncoder().encode('# comment\nA_FILE=1\nFROM_HOST\n'));
    const client = new FakeClient('run --rm --env-file vars -e B_FLAG=2 -e FROM_HOST busybox env', false);
    machine.connect(client);
    expect(await client.exited).toBe(0);
    expect(client.out).toBe('A_FILE=1 B_FLAG=2');
    expect(machine.spawned.at(-1)?.env).toContain('FROM_HOST=yes');
  });

  it('that is killed lets its command go', async () => {
    const { machine, docker } = await openWithBusybox({ programs });
    await docker('run -d --name web busybox sleep');
    const client = new FakeClient('logs -f web', false);
    machine.connect(client);
    client.leave();
    expect(await client.exited).toBeGreaterThanOrEqual(0);
  });
});

describe('the engine', () => {
  it('closes what runs, and what it kept is whole', async () => {
    const { engine, machine, docker, stores, events } = await openWithBusybox({ programs });
    await docker('run -d --name web busybox sleep');
    await engine.close();
    await engine.close();
    expect(machine.running).toBe(0);
    expect(machine.state.status).toBe('closed');
    const [record] = await stores.records.list('containers');
    expect(record?.state).toMatchObject({ status: 'exited', exitCode: 137, error: '' });
    expect(events.some((event) => event.type === 'machine' && event.status === 'running')).toBe(true);
  });

  it('at its start reclaims what a killed page left', async () => {
    const first = await openWithBusybox({ programs });
    const { stores } = first;
    await (await stores.content.ingest('half-done')).write(new Uint8Array(10));
    await stores.records.commit([
      { kind: 'logs', put: { id: 'nobody/000000000000', bytes: new Uint8Array(5) } },
    ]);
    await first.page.kill();
    const second = await openSandbox({ stores });
    expect(await stores.content.pendingIngests()).toEqual([]);
    expect(await stores.records.ids('logs')).toEqual([]);
    expect(second.events.map((event) => event.type)).toContain('storage');
  });
});

describe('environments', () => {
  it('of a client: the first of a name counts', () => {
    expect(environment(['A=1', 'B=x=y', 'A=2', 'odd', '=x'])).toEqual({ A: '1', B: 'x=y' });
  });

  it('of a file', () => {
    expect(parseEnvFile('f', 'A=1\r\n\n  # no\n B=2 3\nC\nD\n', { C: 'c' })).toEqual(['A=1', 'B=2 3', 'C=c']);
    expect(() => parseEnvFile('f', 'A B=1', {})).toThrow(
      "invalid env file (f): variable 'A B' contains whitespaces",
    );
    expect(() => parseEnvFile('f', '=1', {})).toThrow("invalid env file (f): no variable name on line '=1'");
  });
});
