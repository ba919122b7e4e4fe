/** What is refused is told in words that no terminal obeys, whatever was typed or answered. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { input, openSandbox, type TestSandbox } from '../container/sandbox.ts';
import { refuse } from '../registry/made-up-registry.ts';
import { DANGEROUS, HOSTILE, HOSTILE_WORD, hostileTar, LONG, openHostile } from './hostile-sandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await openHostile();
});
afterAll(() => sandbox.engine.close());

/** `H`: what is hostile. */
const REFUSED: readonly (readonly string[])[] = [
  ['H'],
  ['volume', 'H'],
  ['help', 'H'],
  ['ps', '--H'],
  ['ps', '-H'],
  ['ps', '--filter', 'H=1'],
  ['ps', '--filter', 'status=H'],
  ['ps', '--all=H'],
  ['ps', '-n', 'H'],
  ['inspect', 'H'],
  ['inspect', '--type', 'H', 'web'],
  ['image', 'inspect', 'H'],
  ['container', 'inspect', 'H'],
  ['volume', 'inspect', 'H'],
  ['network', 'inspect', 'H'],
  ['rm', 'H'],
  ['rmi', 'H'],
  ['start', 'H'],
  ['stop', 'H'],
  ['kill', '-s', 'H', 'web'],
  ['logs', 'H'],
  ['logs', '--since', 'H', 'web'],
  ['events', '--since', 'H'],
  ['top', 'web', 'H'],
  ['top', 'web', '-o', 'H'],
  ['port', 'web', 'H'],
  ['rename', 'web', 'H'],
  ['tag', 'localhost:5000/app', 'H'],
  ['history', 'H'],
  ['diff', 'H'],
  ['pull', 'H'],
  ['push', 'H'],
  ['create', 'H'],
  ['create', '--name', 'H', 'localhost:5000/app'],
  ['create', '-v', 'H:/a', 'localhost:5000/app'],
  ['create', '-v', 'a:b:H', 'localhost:5000/app'],
  ['create', '--mount', 'type=H', 'localhost:5000/app'],
  ['create', '-p', 'H', 'localhost:5000/app'],
  ['create', '-m', 'H', 'localhost:5000/app'],
  ['create', '--restart', 'H', 'localhost:5000/app'],
  ['create', '--cap-add', 'H', 'localhost:5000/app'],
  ['create', '--platform', 'H', 'localhost:5000/app'],
  ['create', '--add-host', 'H', 'localhost:5000/app'],
  ['create', '--ulimit', 'H', 'localhost:5000/app'],
  ['create', '--env-file', 'H', 'localhost:5000/app'],
  ['run', '--rm', '--entrypoint', 'H', 'localhost:5000/app'],
  ['run', '--rm', '-u', 'H', 'localhost:5000/app'],
  ['exec', 'H', 'true'],
  ['exec', 'web', 'H'],
  ['cp', 'web:/H', '-'],
  ['cp', 'H:/a', '-'],
  ['commit', '-c', 'H', 'web'],
  ['commit', 'web', 'H'],
  ['volume', 'create', 'H'],
  ['volume', 'create', '-d', 'H', 'a'],
  ['volume', 'rm', 'H'],
  ['network', 'create', '-d', 'H', 'other'],
  ['network', 'create', '--subnet', 'H', 'other'],
  ['network', 'rm', 'H'],
  ['network', 'connect', 'H', 'web'],
  ['network', 'connect', 'net', 'H'],
  ['update', '--restart', 'H', 'web'],
  ['system', 'prune', '-f', '--filter', 'H=1'],
  ['image', 'prune', '-f', '--filter', 'until=H'],
  ['search', '--filter', 'H=1', 'a'],
  ['manifest', 'inspect', 'H'],
  ['login', '-u', 'a', '-p', 'b', 'H'],
  ['save', 'H'],
];

describe('docker', () => {
  it.each(REFUSED)('%s %s %s %s is refused without harm', async (...pattern) => {
    for (const hostile of [HOSTILE, HOSTILE_WORD, '\x9b31m', `x${'y'.repeat(5000)}\x1b[2J`]) {
      const argv = pattern.filter((word) => word !== undefined).map((word) => word.replace('H', hostile));
      const { code, out, err } = await sandbox.docker(argv);
      expect({ argv: pattern, found: DANGEROUS.exec(out + err)?.[0] }).toEqual({
        argv: pattern,
        found: undefined,
      });
      expect(code).not.toBe(0);
      expect(err).not.toBe('');
    }
  });

  it('tells of what is not there to be removed with -f', async () => {
    const { code, out, err } = await sandbox.docker(['rm', '-f', HOSTILE]);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(/^Error response from daemon: No such container: a\?\[31mred/);
    expect(DANGEROUS.exec(err)?.[0]).toBe(undefined);
  });

  it('makes a container of a network that is not there, and shows and refuses it without harm', async () => {
    const made = await sandbox.docker([
      'create',
      '--name',
      'lost',
      '--network',
      HOSTILE,
      'localhost:5000/app',
    ]);
    expect(made.code).toBe(0);
    const shown = [
      await sandbox.docker('start lost'),
      await sandbox.docker('inspect lost'),
      await sandbox.docker(['ps', '-a', '--format', 'table {{.Names}}\\t{{.Networks}}']),
    ];
    expect(shown.map(({ code }) => code)).toEqual([1, 0, 0]);
    expect(shown[2]?.out).toContain('a?[31mred');
    for (const { out, err } of shown) expect(DANGEROUS.exec(out + err)?.[0]).toBe(undefined);
    await sandbox.docker('rm lost');
  });

  it('names a network only what no terminal obeys', async () => {
    const { out, err } = await sandbox.docker(['network', 'create', HOSTILE]);
    const { out: list } = await sandbox.docker('network ls');
    expect(DANGEROUS.exec(out + err + list)?.[0]).toBe(undefined);
    expect(list.split('\n').length - 1).toBe(out === '' ? 5 : 6);
    if (out !== '') await sandbox.docker(['network', 'rm', out.trim()]);
  });

  it('takes an archive whose files have such names, and tells of what is none', async () => {
    const pieces = async function* () {
      yield new Uint8Array(hostileTar());
    };
    const { code, out, err } = await sandbox.docker(['cp', '-', 'litterer:/'], { input: pieces() });
    expect({ code, out, err }).toEqual({ code: 0, out: '', err: '' });
    for (const argv of [['load'], ['import', '-']]) {
      const told = await sandbox.docker(argv, { input: input(HOSTILE) });
      expect(told.code).toBe(1);
      expect(DANGEROUS.exec(told.out + told.err)?.[0]).toBe(undefined);
    }
  });

  it('asks before it removes, with filters made harmless', async () => {
    const { out } = await sandbox.docker(['system', 'prune', '--filter', `label=${HOSTILE}`], {
      input: input('n\n'),
    });
    expect(out).toContain('Items to be pruned will be filtered with:');
    expect(DANGEROUS.exec(out)?.[0]).toBe(undefined);
  });

  it.each(['pull', 'run', 'manifest inspect'])(
    '%s tells what a registry says, without its controls',
    async (line) => {
      const { docker, engine } = await openSandbox({
        fetch: async () => refuse(403, `DENIED${HOSTILE_WORD}`, `${HOSTILE}${LONG}`),
      });
      const { code, out, err } = await docker([...line.split(' '), 'localhost:5000/app']);
      expect(code).not.toBe(0);
      expect(DANGEROUS.exec(out + err)?.[0]).toBe(undefined);
      await engine.close();
    },
  );
});
