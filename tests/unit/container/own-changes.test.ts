import { describe, expect, it } from 'vitest';
import { ownChanges } from '../../../src/engine/container/own-changes.ts';
import type { Union } from '../../../src/engine/unionfs/union.ts';
import { bytesOf, lowerOf, ROOT_OWNER, unionOver } from '../unionfs/fixture.ts';

interface Places {
  readonly union: Union;
  readonly etc: number;
  write(name: string): void;
}

const cases: readonly (readonly [string, (places: Places) => void, readonly string[]])[] = [
  ['nothing', () => undefined, []],
  [
    'the three network files, and nothing else below /etc',
    ({ write }) => ['hosts', 'hostname', 'resolv.conf'].forEach(write),
    [],
  ],
  ['a network file and another', ({ write }) => ['hosts', 'motd'].forEach(write), ['C /etc', 'C /etc/motd']],
  [
    'a network file, and the mode of /etc',
    ({ union, etc, write }) => {
      write('hosts');
      union.setattr(etc, { mode: 0o700 });
    },
    ['C /etc'],
  ],
  [
    'a network file that was removed: /etc itself has another time',
    ({ union, etc }) => union.unlink(etc, 'hosts'),
    ['C /etc'],
  ],
  [
    'files of these names in other places',
    ({ union }) => void union.create(union.root, 'hosts', 0o644, ROOT_OWNER),
    ['A /hosts'],
  ],
  ['/etc away', ({ union }) => union.rename(union.root, 'etc', union.root, 'gone'), ['D /etc', 'A /gone']],
];

describe('what docker diff shows of a container that changed', () => {
  it.each(cases)('%s', async (_, change, want) => {
    const union = await unionOver([
      lowerOf(1, ['etc/motd = hello', 'etc/']),
      lowerOf(2, ['etc/hosts = h', 'etc/hostname = n', 'etc/resolv.conf = r']),
    ]);
    const etc = union.lookup(union.root, 'etc');
    const write = (name: string) => void union.write(union.lookup(etc, name), 0, bytesOf('changed'));
    change({ union, etc, write });
    const shown = ownChanges(union).map(({ kind, path }) => `${kind} ${path}`);
    expect(shown.filter((line) => !/^A \/gone\//.test(line))).toEqual(want);
    await union.close();
  });
});
