import { describe, expect, it } from 'vitest';
import { MemoryJournalStore } from '../../../src/engine/store/memory-journal.ts';
import { MountedFileSystem } from '../../../src/engine/unionfs/mounted-filesystem.ts';
import { readFile, resolvePath } from '../../../src/engine/unionfs/resolve.ts';
import { openUnion, type Union } from '../../../src/engine/unionfs/union.ts';
import { walk } from '../../../src/engine/unionfs/walk.ts';

const ROOT = { uid: 0, gid: 0 };

async function tree(name: string): Promise<Union> {
  const journal = await new MemoryJournalStore().open(name);
  const union = await openUnion({ lowers: [], journal, now: () => 5n });
  union.write(union.create(union.root, name, 0o644, ROOT), 0, new TextEncoder().encode(name));
  return union;
}

describe('filesystems mounted in one another', () => {
  async function view() {
    const [root, a, b] = [await tree('root'), await tree('a'), await tree('b')];
    root.mkdir(root.root, 'mnt', 0o755, ROOT);
    const all = new MountedFileSystem(root);
    all.mount('/mnt', a, a.root, { readOnly: false });
    all.mount('/mnt/deep/er', b, b.root, { readOnly: true });
    return { all, root, a, b };
  }
  const at = (fs: MountedFileSystem, path: string) => resolvePath(fs, path);

  it('are one tree to walk', async () => {
    const { all } = await view();
    expect([...walk(all)].map(({ path }) => path)).toEqual([
      '/',
      '/mnt',
      '/mnt/a',
      '/mnt/deep',
      '/mnt/deep/er',
      '/mnt/deep/er/b',
      '/root',
    ]);
    expect(new TextDecoder().decode(await readFile(all, '/mnt/deep/er/b'))).toBe('b');
    expect(at(all, '/mnt/deep/er/../../../root')).toBe(at(all, '/root'));
  });

  it('follow links from one into another', async () => {
    const { all, a } = await view();
    a.symlink(a.root, 'out', '/root', ROOT);
    a.symlink(a.root, 'up', '../../../root', ROOT);
    expect(at(all, '/mnt/out')).toBe(at(all, '/root'));
    expect(at(all, '/mnt/up')).toBe(at(all, '/root'));
  });

  it('are written where they are, but for what is read-only', async () => {
    const { all, a } = await view();
    all.create(at(all, '/mnt'), 'new', 0o600, ROOT);
    expect(a.lookup(a.root, 'new')).toBeGreaterThan(1);
    const b = at(all, '/mnt/deep/er/b');
    expect(() => all.create(at(all, '/mnt/deep/er'), 'x', 0o600, ROOT)).toThrow('EROFS');
    expect(() => all.write(b, 0, Uint8Array.of(1))).toThrow('EROFS');
    expect(() => all.unlink(at(all, '/mnt/deep/er'), 'b')).toThrow('EROFS');
    expect(() => all.setattr(b, { mode: 0 })).toThrow('EROFS');
  });

  it('keep links and moves within one, and what is mounted on', async () => {
    const { all } = await view();
    expect(() => all.link(at(all, '/root'), at(all, '/mnt'), 'x')).toThrow('EXDEV');
    expect(() => all.rename(all.root, 'root', at(all, '/mnt'), 'x')).toThrow('EXDEV');
    expect(() => all.rmdir(all.root, 'mnt')).toThrow('EBUSY');
    expect(() => all.rename(all.root, 'mnt', all.root, 'x')).toThrow('EBUSY');
    all.rename(all.root, 'root', all.root, 'moved');
    all.link(at(all, '/moved'), all.root, 'again');
    expect(all.stat(at(all, '/again')).nlink).toBe(2);
  });
});
