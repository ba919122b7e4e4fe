import { describe, expect, it } from 'vitest';
import { resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import { bytesOf, lowerOf, memoryJournal, put, ROOT_OWNER, textOf, treeOf, unionOver } from './fixture.ts';

const BASE = [
  'etc/ 755',
  'etc/motd = hello',
  'etc/passwd = root',
  'bin/ 755',
  'bin/busybox = elf',
  'bin/sh => bin/busybox',
];

describe('a union', () => {
  it('shows its lowers as one tree', async () => {
    const union = await unionOver([lowerOf(1, BASE), lowerOf(2, ['-etc/motd', 'etc/os = x', 'srv/a = 1'])]);
    expect(await treeOf(union)).toEqual([
      '/bin/',
      '/bin/busybox = elf',
      '/bin/sh = elf',
      '/etc/',
      '/etc/os = x',
      '/etc/passwd = root',
      '/srv/',
      '/srv/a = 1',
    ]);
    const sh = union.stat(resolvePath(union, '/bin/sh'));
    expect([sh.ino, sh.nlink]).toEqual([resolvePath(union, '/bin/busybox'), 2]);
  });

  it('is there again after reopening', async () => {
    const journal = await memoryJournal();
    const lowers = [lowerOf(1, BASE)];
    const union = await unionOver(lowers, { journal });
    const etc = resolvePath(union, '/etc');
    const motd = resolvePath(union, '/etc/motd');
    expect(union.write(motd, 5, bytesOf(', world'))).toBe(7);
    union.rename(union.root, 'etc', union.root, 'conf');
    put(union, etc, 'new', 'n');
    union.unlink(etc, 'passwd');
    union.mkdir(union.root, 'etc', 0o755, ROOT_OWNER);
    const tree = await treeOf(union);
    expect(tree).toEqual([
      '/bin/',
      '/bin/busybox = elf',
      '/bin/sh = elf',
      '/conf/',
      '/conf/motd = hello, world',
      '/conf/new = n',
      '/etc/',
    ]);
    await union.flush();
    const again = await unionOver(lowers, { journal });
    expect(await treeOf(again)).toEqual(tree);
    expect(textOf(await again.read(motd, 0, 100))).toBe('hello, world');
    expect(union.changes().map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'A /conf',
      'A /conf/motd',
      'A /conf/new',
      'C /etc',
      'D /etc/motd',
      'D /etc/passwd',
    ]);
  });
});
