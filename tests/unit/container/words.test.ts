/** The small readers: users, signals, names, detach keys, the merge of configs. */

import { describe, expect, it } from 'vitest';
import { capabilityMask } from '../../../src/engine/container/capabilities.ts';
import {
  argvOf,
  containerConfig,
  mergeEnv,
  type RunOptions,
} from '../../../src/engine/container/container-config.ts';
import { checkName, generateID, generateName } from '../../../src/engine/container/container-name.ts';
import { DetachKeys, parseDetachKeys } from '../../../src/engine/container/detach-keys.ts';
import { parseSignal } from '../../../src/engine/container/signals.ts';
import { resolveUser } from '../../../src/engine/container/user.ts';
import { walkConfig } from '../../../src/engine/container/walk-shell.ts';
import type { RuntimeConfig } from '../../../src/engine/oci/config.ts';

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:33:34:www:/var/www:/bin/false\nnum:x:7:8:::\n';
const GROUP = 'root:x:0:\nweb:x:34:\nlog:x:50:other,web\nmail:x:51:web\n';

describe('resolveUser', () => {
  const rows: readonly (readonly [string, object])[] = [
    ['', { uid: 0, gid: 0, groups: [0], home: '/root' }],
    ['root', { uid: 0, gid: 0, groups: [0], home: '/root' }],
    ['web', { uid: 33, gid: 34, groups: [34, 50, 51], home: '/var/www' }],
    ['33', { uid: 33, gid: 34, groups: [34, 50, 51], home: '/var/www' }],
    ['num', { uid: 7, gid: 8, groups: [8], home: '/' }],
    ['1234', { uid: 1234, gid: 0, groups: [0], home: '/' }],
    ['web:log', { uid: 33, gid: 50, groups: [50], home: '/var/www' }],
    ['web:99', { uid: 33, gid: 99, groups: [99], home: '/var/www' }],
    [':50', { uid: 0, gid: 50, groups: [50], home: '/root' }],
  ];
  it.each(rows)('%j', (spec, want) => {
    expect(resolveUser(spec, PASSWD, GROUP)).toEqual(want);
  });

  const refused: readonly (readonly [string, string])[] = [
    ['nobody', 'unable to find user nobody: no matching entries in passwd file'],
    ['web:nope', 'unable to find group nope: no matching entries in group file'],
    ['2147483648', 'uids and gids must be in range 0-2147483647'],
    ['-1', 'unable to find user -1: no matching entries in passwd file'],
  ];
  it.each(refused)('%j is refused', (spec, message) => {
    expect(() => resolveUser(spec, PASSWD, GROUP)).toThrow(message);
  });

  it('without the files knows numbers', () => {
    expect(resolveUser('', '', '')).toEqual({ uid: 0, gid: 0, groups: [0], home: '/' });
  });
});

describe('parseSignal', () => {
  const rows: readonly (readonly [string, number])[] = [
    ['SIGTERM', 15],
    ['term', 15],
    ['Kill', 9],
    ['9', 9],
    ['SIGSYS', 31],
    ['RTMIN+3', 37],
    ['SIGRTMAX-1', 63],
    ['IOT', 6],
  ];
  it.each(rows)('%s is %i', (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });
  it.each(['', '0', '65', 'FOO', 'SIG', 'RTMIN+99', '9x', 'constructor'])('%j is none', (text) => {
    expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
  });
});

describe('names', () => {
  it('are generated until one is free', () => {
    let seed = 0;
    const random = (length: number) => Uint8Array.from({ length }, () => (seed++ * 37) % 256);
    const names = new Set<string>();
    for (let i = 0; i < 50; i += 1) names.add(generateName(random, (name) => names.has(name)));
    expect(names.size).toBe(50);
    for (const name of names) expect(name).toMatch(/^[a-z]+_[a-z]+[0-9]?$/);
    expect(generateName(random, (name) => name.includes('_') && !name.startsWith('container_'))).toMatch(
      /^container_[0-9a-f]{16}$/,
    );
  });

  it('of containers are those that Docker takes', () => {
    expect(checkName('/web-1.2_x')).toBe('web-1.2_x');
    for (const bad of ['a', '', '-a', 'a b', 'é1', 'a/b', '../x'])
      expect(() => checkName(bad)).toThrow('Invalid container name');
  });

  it('an ID is 64 digits and no host name of digits alone', () => {
    let calls = 0;
    const random = (length: number) => {
      calls += 1;
      return new Uint8Array(length).fill(calls === 1 ? 0x11 : 0xab);
    };
    expect(generateID(random)).toBe('ab'.repeat(32));
  });
});

describe('detach keys', () => {
  it('are read as Docker reads them', () => {
    expect([...parseDetachKeys('ctrl-p,ctrl-q')]).toEqual([16, 17]);
    expect([...parseDetachKeys('ctrl-@,a,ctrl-[')]).toEqual([0, 97, 27]);
    for (const bad of ['ctrl-1', 'ab', '', 'ctrl-'])
      expect(() => parseDetachKeys(bad)).toThrow('Unknown character');
  });

  /** What is typed, piece by piece, and what passes. */
  const rows: readonly (readonly [readonly string[], string, boolean])[] = [
    [['abc'], 'abc', false],
    [['a\x10\x11b'], 'a', true],
    [['\x10', '\x11'], '', true],
    [['\x10', 'x'], '\x10x', false],
    [['\x10\x10\x11'], '\x10', true],
    [['\x10\x10', 'x'], '\x10\x10x', false],
  ];
  it.each(rows)('%j', (pieces, passed, detached) => {
    const keys = new DetachKeys(parseDetachKeys('ctrl-p,ctrl-q'));
    const results = pieces.map((piece) => keys.pass(new TextEncoder().encode(piece)));
    expect(results.map(({ bytes }) => new TextDecoder().decode(bytes)).join('')).toBe(passed);
    expect(results.at(-1)?.detached).toBe(detached);
  });
});

const IMAGE: RuntimeConfig = {
  user: 'web',
  exposedPorts: [],
  env: ['PATH=/bin', 'A=1'],
  entrypoint: ['/entry'],
  cmd: ['default'],
  volumes: [],
  workingDir: 'srv',
  labels: { one: '1' },
  stopSignal: 'SIGQUIT',
  shell: [],
  onBuild: [],
};
const RUN: RunOptions = {
  command: [],
  env: [],
  tty: false,
  openStdin: false,
  attachStdin: false,
  autoRemove: false,
};
const ID = 'ab'.repeat(32);

describe('containerConfig', () => {
  const rows: readonly (readonly [Partial<RunOptions>, readonly string[]])[] = [
    [{}, ['/entry', 'default']],
    [{ command: ['ls', '-l'] }, ['/entry', 'ls', '-l']],
    [{ entrypoint: '/bin/sh' }, ['/bin/sh']],
    [{ entrypoint: '/bin/sh', command: ['-c', 'x'] }, ['/bin/sh', '-c', 'x']],
    [{ entrypoint: '', command: ['ls'] }, ['ls']],
  ];
  it.each(rows)('%j runs %j', (run, argv) => {
    expect(argvOf(containerConfig(ID, IMAGE, { ...RUN, ...run }))).toEqual(argv);
  });

  it('takes from the image what the command line does not say', () => {
    expect(containerConfig(ID, IMAGE, RUN)).toMatchObject({
      hostname: 'abababababab',
      user: 'web',
      env: ['PATH=/bin', 'A=1'],
      workingDir: '/srv',
      labels: { one: '1' },
      stopSignal: 'SIGQUIT',
    });
    const run = {
      ...RUN,
      user: '',
      workingDir: '/',
      env: ['A', 'B=2'],
      labels: { one: '2' },
      stopSignal: 'INT',
    };
    expect(containerConfig(ID, IMAGE, run)).toMatchObject({
      user: '',
      workingDir: '/',
      env: ['PATH=/bin', 'B=2'],
      labels: { one: '2' },
      stopSignal: 'INT',
    });
  });

  it('refuses a host name that would reach further than the name', () => {
    for (const hostname of ['a b', 'a\n127.0.0.1 evil', '', 'x'.repeat(64)]) {
      expect(() => containerConfig(ID, IMAGE, { ...RUN, hostname })).toThrow('invalid hostname format');
    }
  });

  it('sets, keeps in place and removes variables', () => {
    expect(mergeEnv(['A=1', 'B=2', 'C=3'], ['B=x', 'D=4', 'A', 'E='])).toEqual(['B=x', 'C=3', 'D=4', 'E=']);
  });

  it('has the capabilities that Docker gives by default', () => {
    expect(capabilityMask({ privileged: false, capAdd: [], capDrop: [] })).toBe('a80425fb');
  });
});

describe('an image that cannot run', () => {
  const arm = { os: 'linux', architecture: 'arm64' };
  const rows: readonly (readonly [readonly string[], readonly string[]])[] = [
    [['/bin/bash'], ['/.layerbox/bin/sh']],
    [
      ['sh', '-c', 'ls'],
      ['/.layerbox/bin/sh', '-c', 'ls'],
    ],
    [
      ['node', 'x'],
      ['/entry', 'node', 'x'],
    ],
  ];
  it.each(rows)('%j', (command, argv) => {
    const isShell = argv[0] !== '/entry';
    const config = containerConfig(ID, IMAGE, { ...RUN, command, ...(isShell && { entrypoint: '' }) });
    expect(argvOf(walkConfig(config, arm, false))).toEqual(argv);
  });

  it('runs the walk shell by default, and one that runs is left as it is', () => {
    const config = containerConfig(ID, IMAGE, RUN);
    expect(argvOf(walkConfig(config, arm, true))).toEqual(['/.layerbox/bin/sh']);
    expect(walkConfig(config, { os: 'linux', architecture: '386' }, true)).toBe(config);
  });
});
