import { describe, expect, it } from 'vitest';
import { stackLayers } from '../../../src/engine/layer/stack.ts';
import { resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import type { Union } from '../../../src/engine/unionfs/union.ts';
import { walk } from '../../../src/engine/unionfs/walk.ts';
import { bytesOf, diffIDOf, lowerOf, put, ROOT_OWNER, unionOver } from './fixture.ts';

const LOWER = [
  'etc/ 755',
  'etc/motd = hello',
  'etc/apt/ 755',
  'etc/apt/list = deb',
  'var/log/a = 1',
  'bin/x = elf',
  'bin/y => bin/x',
];

interface Row {
  readonly what: string;
  readonly act: (union: Union, at: (path: string) => number) => unknown;
  /** As `docker diff` prints it. */
  readonly diff: readonly string[];
  /** As `docker ps --size` counts it. */
  readonly used: number;
  /** Entries of the snapshot: path, type, and what it says besides. */
  readonly layer: readonly string[];
}

const rows: readonly Row[] = [
  { what: 'nothing', act: () => undefined, diff: [], used: 0, layer: [] },
  {
    what: 'a new file in a lower directory',
    act: (u, at) => put(u, at('/var/log'), 'b', 'new'),
    diff: ['C /var', 'C /var/log', 'A /var/log/b'],
    used: 3,
    layer: ['var dir implicit', 'var/log dir', 'var/log/b file'],
  },
  {
    what: 'a file made and removed',
    act: (u, at) => {
      put(u, at('/var/log'), 'b', 'new');
      u.unlink(at('/var/log'), 'b');
    },
    diff: ['C /var', 'C /var/log'],
    used: 0,
    layer: ['var dir implicit', 'var/log dir'],
  },
  {
    what: 'one byte more in a lower file: the whole file counts',
    act: (u, at) => u.write(at('/etc/motd'), 5, bytesOf('!')),
    diff: ['C /etc', 'C /etc/motd'],
    used: 6,
    layer: ['etc dir implicit', 'etc/motd file'],
  },
  {
    what: 'a change of a file with two names',
    act: (u, at) => u.setattr(at('/bin/y'), { mode: 0o700 }),
    diff: ['C /bin', 'C /bin/x', 'C /bin/y'],
    used: 3,
    layer: ['bin dir implicit', 'bin/x file', 'bin/y hardlink bin/x'],
  },
  {
    what: 'a file removed',
    act: (u, at) => u.unlink(at('/etc'), 'motd'),
    diff: ['C /etc', 'D /etc/motd'],
    used: 0,
    layer: ['etc dir', 'etc/motd whiteout'],
  },
  {
    what: 'a whole directory removed: its topmost path',
    act: (u, at) => {
      u.unlink(at('/etc/apt'), 'list');
      u.rmdir(at('/etc'), 'apt');
    },
    diff: ['C /etc', 'D /etc/apt'],
    used: 0,
    layer: ['etc dir', 'etc/apt whiteout'],
  },
  {
    what: 'a directory removed and made again',
    act: (u, at) => {
      u.unlink(at('/etc/apt'), 'list');
      u.rmdir(at('/etc'), 'apt');
      put(u, u.mkdir(at('/etc'), 'apt', 0o755, ROOT_OWNER), 'conf', 'xx');
    },
    diff: ['C /etc', 'C /etc/apt', 'A /etc/apt/conf', 'D /etc/apt/list'],
    used: 2,
    layer: ['etc dir', 'etc/apt dir opaque', 'etc/apt/conf file'],
  },
  {
    what: 'a directory where a file was',
    act: (u, at) => {
      u.unlink(at('/etc'), 'motd');
      put(u, u.mkdir(at('/etc'), 'motd', 0o755, ROOT_OWNER), 'x', '1');
    },
    diff: ['C /etc', 'C /etc/motd', 'A /etc/motd/x'],
    used: 1,
    layer: ['etc dir', 'etc/motd dir', 'etc/motd/x file'],
  },
  {
    what: 'a lower directory moved: gone there, all new here',
    act: (u, at) => u.rename(at('/etc'), 'apt', u.root, 'apt-2'),
    diff: ['A /apt-2', 'A /apt-2/list', 'C /etc', 'D /etc/apt'],
    used: 3,
    layer: [' dir', 'apt-2 dir', 'apt-2/list file', 'etc dir', 'etc/apt whiteout'],
  },
  {
    what: 'a lower directory moved onto the place of another',
    act: (u, at) => {
      u.unlink(at('/var/log'), 'a');
      u.rename(at('/etc'), 'apt', at('/var'), 'log');
    },
    diff: ['C /etc', 'D /etc/apt', 'C /var', 'C /var/log', 'D /var/log/a', 'A /var/log/list'],
    used: 3,
    layer: ['etc dir', 'etc/apt whiteout', 'var dir', 'var/log dir opaque', 'var/log/list file'],
  },
  {
    what: 'a hard link to a lower file',
    act: (u, at) => u.link(at('/etc/motd'), at('/etc'), 'copy'),
    diff: ['C /etc', 'A /etc/copy', 'C /etc/motd'],
    used: 5,
    layer: ['etc dir', 'etc/copy file', 'etc/motd hardlink etc/copy'],
  },
  {
    what: 'names in the order of a walk, not of whole paths',
    act: (u) => {
      put(u, u.mkdir(u.root, 'a', 0o755, ROOT_OWNER), 'b', '1');
      put(u, u.root, 'a-b', '1');
    },
    diff: ['A /a', 'A /a/b', 'A /a-b'],
    used: 2,
    layer: [' dir', 'a dir', 'a-b file', 'a/b file'],
  },
  {
    what: 'a socket, which no layer can hold',
    act: (u) => u.mknod(u.root, 's', 'socket', 0o600, [0, 0], ROOT_OWNER),
    diff: ['A /s'],
    used: 0,
    layer: [' dir'],
  },
];

describe('after', () => {
  it.each(rows)('$what: changes, size and snapshot', async ({ act, diff, used, layer }) => {
    const lower = lowerOf(1, LOWER);
    const union = await unionOver([lower]);
    act(union, (path) => resolvePath(union, path));
    expect(union.changes().map(({ kind, path }) => `${kind} ${path}`)).toEqual(diff);
    expect(union.usedBytes()).toBe(used);

    const snapshot = union.snapshot(diffIDOf(9));
    const lines: string[] = [];
    for (let number = 0; number < snapshot.count; number++) {
      const { type, implicit, opaque, link } = snapshot.entry(number);
      if (number === 0 && implicit) continue;
      const said = [
        type,
        implicit ? 'implicit' : '',
        opaque ? 'opaque' : '',
        type === 'hardlink' ? link : '',
      ];
      lines.push(`${snapshot.path(number)} ${said.filter(Boolean).join(' ')}`);
    }
    expect(lines.sort()).toEqual([...layer].sort());

    // over the same lower it is the same tree
    const stack = stackLayers([lower.index, snapshot]);
    const paths = Array.from({ length: stack.count }, (_, n) => `/${stack.path(n)} ${stack.type(n)}`).slice(
      1,
    );
    const seen = [...walk(union)]
      .filter(({ stat }) => stat.type !== 'socket')
      .map(({ path, stat }) => `${path} ${stat.type}`);
    expect(paths.sort()).toEqual(seen.slice(1).sort());
    for (let number = 0; number < snapshot.count; number++) {
      const { type, offset } = snapshot.entry(number);
      if (type === 'file') expect(offset).toBe(resolvePath(union, snapshot.path(number)));
    }
  });
});
