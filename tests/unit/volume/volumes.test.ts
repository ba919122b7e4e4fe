import { describe, expect, it } from 'vitest';
import { NoSuchVolumeError, VolumeInUseError } from '../../../src/engine/errors.ts';
import { EventStream, type StampedEvent } from '../../../src/engine/events.ts';
import { MemoryJournalStore } from '../../../src/engine/store/memory-journal.ts';
import { MemoryRecordStore } from '../../../src/engine/store/memory-records.ts';
import { FsError } from '../../../src/engine/unionfs/errno.ts';
import { readFile } from '../../../src/engine/unionfs/resolve.ts';
import type { Union } from '../../../src/engine/unionfs/union.ts';
import { checkVolumeDriver, Volumes } from '../../../src/engine/volume/volumes.ts';

const ROOT = { uid: 0, gid: 0 };

interface Setup {
  readonly records?: MemoryRecordStore;
  readonly journals?: MemoryJournalStore;
}

async function opened({
  records = new MemoryRecordStore(),
  journals = new MemoryJournalStore(),
}: Setup = {}) {
  const events: StampedEvent[] = [];
  const stream = new EventStream(() => 7);
  stream.subscribe((event) => events.push(event));
  const trees = new Map<string, unknown>();
  let seed = 0;
  const volumes = await Volumes.open({
    records,
    journals,
    machine: {
      exportTree: (path, tree) => void trees.set(path, tree),
      withdrawTree: async (path) => void trees.delete(path),
    },
    events: stream,
    now: () => 1234,
    random: (length) =>
      Uint8Array.from({ length }, () => {
        seed += 1;
        return seed;
      }),
    onFailure: (error) => {
      throw error;
    },
  });
  return { volumes, records, journals, events, trees };
}

async function put(union: Union, name: string, text: string): Promise<void> {
  union.write(union.create(union.root, name, 0o644, ROOT), 0, new TextEncoder().encode(text));
}

async function text(union: Union, path: string): Promise<string> {
  return new TextDecoder().decode(await readFile(union, path));
}

describe('volumes', () => {
  it.each([
    ['x', 'create x: volume name is too short, names should be at least two alphanumeric characters'],
    [
      'a/b',
      'create a/b: "a/b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    ],
    ['-ab', 'includes invalid characters'],
    ['', 'includes invalid characters'],
    ['ab\n', 'includes invalid characters'],
    ['a'.repeat(256), 'file name too long'],
  ])('the name %j is refused in Docker’s words', async (name, words) => {
    const { volumes, records } = await opened();
    await expect(volumes.create({ name })).rejects.toThrow(words);
    expect(await records.list('volumes')).toEqual([]);
  });

  it('are made once, listed by name, and told of', async () => {
    const { volumes, events } = await opened();
    const made = await volumes.create({ name: 'zoo', labels: { a: 'b' } });
    await volumes.create({ name: 'Data' });
    expect(await volumes.create({ name: 'zoo', labels: { other: '' } })).toBe(made);
    expect(volumes.list().map(({ id }) => id)).toEqual(['Data', 'zoo']);
    expect(made).toEqual({ id: 'zoo', createdAt: 1234, labels: { a: 'b' }, isAnonymous: false });
    expect(events).toMatchObject([
      { type: 'volume', action: 'create', name: 'zoo', attributes: { driver: 'local' } },
      { type: 'volume', action: 'create', name: 'Data' },
    ]);
  });

  it('without a name have one of 64 digits and Docker’s label', async () => {
    const { volumes } = await opened();
    const { id, labels, isAnonymous } = await volumes.create({ labels: { a: '' } });
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect({ labels, isAnonymous }).toEqual({
      labels: { a: '', 'com.docker.volume.anonymous': '' },
      isAnonymous: true,
    });
  });

  it('keep their files over a reload, and lose them when removed', async () => {
    const first = await opened();
    await first.volumes.create({ name: 'data' });
    const tree = await first.volumes.tree('data');
    await put(tree, 'a', 'kept');
    await first.volumes.close();
    const second = await opened(first);
    expect(await text(await second.volumes.tree('data'), '/a')).toBe('kept');
    await second.volumes.remove('data');
    expect(await second.journals.list()).toEqual([]);
    expect(await second.records.list('volumes')).toEqual([]);
    expect(second.events.at(-1)).toMatchObject({ action: 'destroy', name: 'data' });
    await second.volumes.create({ name: 'data' });
    const again = await second.volumes.tree('data');
    expect(again.readdir(again.root)).toEqual([]);
  });

  it('that are not there are told of in Docker’s words', async () => {
    const { volumes } = await opened();
    expect(() => volumes.get('nope')).toThrow(NoSuchVolumeError);
    await expect(volumes.remove('nope')).rejects.toThrow('get nope: no such volume');
  });

  it('stay while a container has them, or somebody holds them', async () => {
    const { volumes } = await opened();
    await volumes.create({ name: 'data' });
    volumes.claim('c1', ['data', 'other']);
    volumes.claim('c2', ['data']);
    volumes.claim('c2', ['data']);
    await expect(volumes.remove('data')).rejects.toThrow(VolumeInUseError);
    await expect(volumes.remove('data')).rejects.toThrow('remove data: volume is in use - [c1, c2]');
    volumes.disclaim('c1');
    expect(volumes.usedBy('data')).toEqual(['c2']);
    volumes.disclaim('c2');
    const release = volumes.hold('data');
    const other = volumes.hold('data');
    other();
    other();
    await expect(volumes.remove('data')).rejects.toThrow(VolumeInUseError);
    release();
    await volumes.remove('data');
    expect(volumes.list()).toEqual([]);
  });

  it('are exported once and withdrawn when removed', async () => {
    const { volumes, trees } = await opened();
    await volumes.create({ name: 'data' });
    expect(volumes.isMounted('data')).toBe(false);
    await volumes.mount('data');
    await volumes.mount('data');
    expect([...trees.keys()]).toEqual(['v/data']);
    expect(trees.get('v/data')).toBe(await volumes.tree('data'));
    expect(volumes.isMounted('data')).toBe(true);
    await volumes.unmount('data');
    expect({ trees: trees.size, isMounted: volumes.isMounted('data') }).toEqual({
      trees: 0,
      isMounted: false,
    });
    await volumes.mount('data');
    await volumes.remove('data');
    expect(trees.size).toBe(0);
  });

  it('are filled when they are empty, and only then', async () => {
    const { volumes } = await opened();
    await volumes.create({ name: 'data' });
    await volumes.fill('data', (tree) => put(tree, 'a', 'one'));
    await volumes.fill('data', (tree) => put(tree, 'b', 'two'));
    const tree = await volumes.tree('data');
    expect(tree.readdir(tree.root).map(({ name }) => name)).toEqual(['a']);
  });

  it('are as empty as before when filling fails', async () => {
    const first = await opened();
    await first.volumes.create({ name: 'data' });
    const failing = first.volumes.fill('data', async (tree) => {
      await put(tree, 'a', 'one');
      await tree.flush();
      throw new FsError('EIO');
    });
    await expect(failing).rejects.toThrow('EIO');
    const tree = await first.volumes.tree('data');
    expect(tree.readdir(tree.root)).toEqual([]);
    expect(await first.records.get('volumes', 'data')).not.toHaveProperty('isFilling');
  });

  it('are as empty as before when the page goes away while they are filled', async () => {
    const { volumes, records, journals } = await opened();
    await volumes.create({ name: 'data' });
    const filling = await new Promise<Union>((resolve) => {
      void volumes.fill('data', async (tree) => {
        await put(tree, 'a', 'half');
        await tree.flush();
        resolve(tree);
        await new Promise(() => undefined);
      });
    });
    await filling.close();
    const next = await opened({ records, journals });
    const tree = await next.volumes.tree('data');
    expect(tree.readdir(tree.root)).toEqual([]);
    expect(await records.get('volumes', 'data')).toEqual(next.volumes.get('data'));
  });

  it('leave no files behind when the page goes away while they are removed', async () => {
    const { volumes, records, journals } = await opened();
    await volumes.create({ name: 'data' });
    await put(await volumes.tree('data'), 'a', 'old');
    await volumes.close();
    await records.commit([{ kind: 'volumes', delete: 'data' }]);
    const next = await opened({ records, journals });
    await next.volumes.create({ name: 'data' });
    const tree = await next.volumes.tree('data');
    expect(tree.readdir(tree.root)).toEqual([]);
  });

  it('have the driver local and no other', () => {
    checkVolumeDriver('', 'x');
    checkVolumeDriver('local', 'x');
    expect(() => checkVolumeDriver('nfs', 'data')).toThrow(
      'create data: error looking up volume plugin nfs: plugin "nfs" not found',
    );
  });
});
