/** Files as programs in the guest see them: what its kernel caches must be what the union has. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { StorageFullError } from '../../../src/engine/errors.ts';
import type { Journal } from '../../../src/engine/store/journal.ts';
import { MemoryJournalStore } from '../../../src/engine/store/memory-journal.ts';
import { openUnion, type Union } from '../../../src/engine/unionfs/union.ts';
import type { V86Machine } from '../../../src/machine/v86-machine.ts';
import { StorageRoom } from '../../../src/storage/storage-room.ts';
import { hostSpec, run, testMachine } from '../../support/machine.ts';

const ROOT = '/run/layerbox/export/c/files';
const journals = new MemoryJournalStore();
const now = () => BigInt(Date.now()) * 1_000_000n;

let machine: V86Machine;
let union: Union;
let journal: Journal;
/** Makes the journal refuse what it is given. */
let isFull = false;

/** A union whose journal is only flushed when somebody asks for it. */
async function open(): Promise<Union> {
  journal = await journals.open('files');
  const failing: Journal = new Proxy(journal, {
    get: (target, name) => {
      if (name === 'append' && isFull) return () => Promise.reject(new StorageFullError('a test'));
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return openUnion({ lowers: [], journal: failing, now, schedule: () => () => undefined });
}

beforeAll(async () => {
  machine = testMachine({ useSnapshot: false });
  union = await open();
  machine.exportTree('c/files', union);
  await machine.start();
}, 180_000);

afterAll(() => machine.close());

/** Runs in the tree's root; what it prints. */
async function sh(line: string, changes: Parameters<typeof hostSpec>[1] = {}): Promise<string> {
  const { code, out, err } = await run(machine, hostSpec(`cd ${ROOT} && ${line}`, changes));
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out.trimEnd();
}

/** Lets go of every name and inode that nobody uses. */
const FORGET = 'sync; echo 2 >/proc/sys/vm/drop_caches';

/** Messages that a line takes, by name. */
async function messages(line: string): Promise<Record<string, number>> {
  const before = machine.stats().requests;
  await sh(line);
  const after = machine.stats().requests;
  const spent: Record<string, number> = {};
  for (const [name, count] of Object.entries(after)) {
    const more = count - (before[name] ?? 0);
    if (more > 0) spent[name] = more;
  }
  return spent;
}

describe('what the guest keeps of a directory', () => {
  // the shell stands in the directory, so that its listing stays when what is in it is forgotten
  it.each([
    ['content', 'echo more >>f', 'stat -c %s f', '10'],
    [
      'content written later through an open file',
      '(echo more; sleep 0.3; echo again) >>f',
      'cat f | wc -c',
      '16',
    ],
    ['a size', 'truncate -s 100 f', 'stat -c %s f', '100'],
    ['a mode', 'chmod 4711 f', 'stat -c %a f', '4711'],
    ['an owner', 'chown 5:6 f', 'stat -c %u:%g f', '5:6'],
    ['a time', 'touch -d "2001-02-03 04:05:06" f', 'stat -c %y f | cut -c1-19', '2001-02-03 04:05:06'],
    ['a new name elsewhere', 'ln f ../elsewhere', 'stat -c %h f', '2'],
    ['a name elsewhere that went', 'rm ../twin', 'stat -c %h g', '1'],
    ['content, through a name elsewhere', 'echo more >>../twin', 'stat -c %s g', '10'],
    ['a new file', 'echo x >new', 'echo *', 'd f g l new'],
    ['a file that went', 'rm f', 'echo *; [ -e f ] || echo gone', 'd g l\ngone'],
    ['a new name', 'mv f z', 'echo *; cat z', 'd g l z\nfour'],
    ['a file that another replaced', 'mv g f', 'cat f; stat -c %h f', 'twin\n2'],
    ['a directory', 'mkdir d/e', 'stat -c %h d; ls d', '3\ne'],
    ['a directory that went', 'rmdir d', 'echo *', 'f g l'],
    ['a file moved in', 'mv ../outer .', 'echo *; cat outer', 'd f g l outer\nouter'],
    ['a symlink', 'ln -sfn other l', 'readlink l', 'other'],
  ])('%s: it is as it was changed', async (_what, change, look, wanted) => {
    const setUp = `rm -rf t && mkdir -p t/dir/d && cd t/dir && echo four >f && ln -s f l && echo twin >../twin &&
      ln ../twin g && echo outer >../outer`;
    const seen = await sh(
      `${setUp} && ${FORGET}; ls -l >/dev/null; { ${change}; } && { ${look}; } >../first && ${FORGET}; { ${look}; }; echo --; cat ../first`,
    );
    const [after = '', first = ''] = seen.split('\n--\n');
    expect({ after: after.trimEnd(), first: first.trimEnd() }).toEqual({ after: wanted, first: wanted });
  });

  it('mode and content: the time of a directory changes with its names only', async () => {
    const seen = await sh(
      'mkdir times && touch -d "2001-01-01 00:00:00" times && chmod 700 times && chown 1:1 times && stat -c %y times | cut -c1-19',
    );
    expect(seen).toBe('2001-01-01 00:00:00');
  });
});

describe('messages', () => {
  it('a tree is listed with one for each directory, and again with none', async () => {
    await sh(
      'mkdir -p tree/a/b tree/c && for d in tree tree/a tree/a/b tree/c; do for i in $(seq 50); do echo $i >$d/f$i; done; done',
    );
    await sh('ln -s f1 tree/link; for i in $(seq 50); do ln -s f$i tree/c/l$i; done');
    await sh(FORGET);
    const cold = await messages('ls -lR tree >/dev/null');
    expect(cold.list).toBe(4);
    expect(cold.getattr ?? 0).toBe(0);
    expect(cold.readlink ?? 0).toBe(0);
    expect(cold.xattrwalk ?? 0).toBe(0);
    // the way there, each name of it once
    expect(cold.lookup ?? 0).toBeLessThanOrEqual(4);
    expect(await messages('ls -lR tree >/dev/null; find tree >/dev/null')).toEqual({});
  });

  it('files that are in memory are read again with none', async () => {
    await sh('cat tree/a/f* >/dev/null');
    expect(await messages('cat tree/a/f* >/dev/null')).toEqual({});
  });

  it('a new file costs a lookup, itself, its content and, once removed, its end', async () => {
    await sh('mkdir made; echo x >made/kept');
    const spent = await messages('for i in $(seq 100); do echo $i >made/f$i; done; sync; rm made/f*');
    expect(spent).toMatchObject({ make: 100, unlinkat: 100, clunk: 100 });
    const total = Object.values(spent).reduce((sum, count) => sum + count, 0);
    expect(total).toBeLessThan(520);
  });

  it('names that do not exist are asked for a few times, then the directory is', async () => {
    await sh(FORGET);
    const spent = await messages('for i in $(seq 100); do [ ! -e tree/a/missing$i ] || exit 1; done');
    expect(spent.list).toBe(1);
    expect(spent.lookup ?? 0).toBeLessThan(20);
  });
});

describe('a directory', () => {
  it('too large for one message is read in pieces, whole, and removed while it is read', async () => {
    const made = 'mkdir many && cd many && i=0; while [ $i -lt 1500 ]; do i=$((i+1)); echo; done | ';
    await sh(`${made} awk '{ f = sprintf("%0100d", NR); printf "" >f; close(f) }'`);
    await sh(FORGET);
    expect(await sh('ls many | sort -u | wc -l; find many -type f | wc -l')).toBe('1500\n1500');
    await sh('rm -r many');
  });

  it.each([
    ['more names', 40, 1],
    ['longer ones', 14, 250],
  ])('is reached and listed below %s than a message takes', async (_what, depth, length) => {
    const name = 'n'.repeat(length);
    const path = Array(depth).fill(name).join('/');
    await sh(`mkdir -p deep/${path} && echo found >deep/${path}/file; ${FORGET}`);
    expect(await sh(`cd deep/${path}; ls; cat file`)).toBe('file\nfound');
    await sh(FORGET);
    expect(await sh('find deep -name file; rm -r deep')).toBe(`deep/${path}/file`);
  });

  it('that is gone is empty, and its end can be synced', async () => {
    expect(await sh('mkdir gone; cd gone; rmdir ../gone; ls; sync .; echo done')).toBe('done');
  });
});

describe('a file', () => {
  it('without a name is still the file that was opened', async () => {
    const seen = await sh(
      `echo one >open; exec 3<>open 4<open; rm open; echo two >&3; chmod 640 /proc/self/fd/3; ${FORGET};
       cat <&4; stat -L -c %a /proc/self/fd/4; stat -L -c %h /proc/self/fd/4`,
    );
    expect(seen).toBe('two\n640\n0');
  });

  it('is owned by who makes it, whoever looked first', async () => {
    await sh('mkdir -m 777 shared; ls shared');
    await sh('echo mine >shared/f; mkdir shared/d; ln -s f shared/l', { uid: 1000, gid: 1000 });
    expect(await sh('stat -c %u:%g shared/*')).toBe('1000:1000\n1000:1000\n1000:1000');
    const { code } = await run(machine, hostSpec(`echo >${ROOT}/tree/f1`, { uid: 1000, gid: 1000 }));
    expect(code).not.toBe(0);
  });

  it('opened by many at once is closed by each', async () => {
    const before = machine.open.fids;
    await sh(
      `echo x >many; for i in 1 2 3 4 5; do cat many many & done >/dev/null; wait; rm many; ${FORGET}`,
    );
    expect(machine.open.fids).toBeLessThanOrEqual(before + 3);
  });

  it('has a symlink whose target is too long for a lookup', async () => {
    const target = 't/'.repeat(1500);
    await sh(`ln -s ${target} long; ${FORGET}`);
    expect(await sh('readlink long')).toBe(target);
  });
});

describe('durability', () => {
  /** What a page would find that is opened now: the journal, replayed. */
  async function stored(path: string): Promise<string | undefined> {
    const refused = () => Promise.reject(new Error('the replayed union is only looked at'));
    const replayed = await openUnion({
      lowers: [],
      journal: {
        segments: journal.segments,
        next: journal.next,
        read: (number) => journal.read(number),
        append: refused,
        remove: refused,
        close: () => Promise.resolve(),
      },
      now,
      schedule: () => () => undefined,
    });
    try {
      let ino = replayed.root;
      for (const name of path.split('/')) ino = replayed.lookup(ino, name);
      return Buffer.from(await replayed.read(ino, 0, 1000)).toString();
    } catch {
      return undefined;
    }
  }

  it('what was written reaches the engine within a second, by itself', async () => {
    await sh('echo quick >quick');
    await vi.waitUntil(() => union.stat(union.lookup(union.root, 'quick')).size === 6, { timeout: 1000 });
    expect(await stored('quick')).toBeUndefined();
  });

  it.each([
    ['sync', 'sync'],
    ['sync of a filesystem', 'sync -f .'],
    ['sync of the file', 'sync written'],
    ['fsync by the writer', 'dd if=written of=written conv=notrunc,fsync 2>/dev/null'],
  ])('%s returns when it is durable', async (what, command) => {
    await sh(`echo "${what}" >written; ${command}`);
    expect(await stored('written')).toBe(`${what}\n`);
  });

  it('fsync of a directory returns when its names are', async () => {
    await sh('echo x >named; sync .');
    expect(await stored('named')).toBeDefined();
  });

  it("the engine's own sync is durable too", async () => {
    await sh('echo engine >engine');
    await machine.sync();
    expect(await stored('engine')).toBe('engine\n');
  });

  it('that cannot be had is an error of fsync, and none of the next', async () => {
    isFull = true;
    const failed = await run(machine, hostSpec(`cd ${ROOT}; echo full >full; sync full; echo $?`));
    isFull = false;
    expect(failed).toMatchObject({ out: '1\n', err: expect.stringContaining('No space left on device') });
    await sh('sync -f .');
    expect(await stored('full')).toBe('full\n');
  });
});

describe('a storage that gets full', () => {
  const MB = 1024 * 1024;
  /** What `seq 4000` prints. */
  const numbers = Array.from({ length: 4000 }, (_, i) => `${i + 1}\n`).join('');

  /** A tree on a disk that has so much room beside the reserve. */
  async function treeOnDisk(name: string, bytes: number) {
    let used = 0;
    let held = 0;
    let limit = Number.POSITIVE_INFINITY;
    const room = new StorageRoom(async () => ({}), {
      reserve: {
        hold: async (size) => {
          if (used + size > limit) return false;
          held = size;
          return true;
        },
        release: async () => {
          held = 0;
        },
      },
    });
    await room.hold();
    limit = held + bytes;
    const stored = new MemoryJournalStore();
    const inner = await stored.open(name);
    const fits = (size: number) => used + held + size <= limit;
    const limited: Journal = {
      get segments() {
        return inner.segments;
      },
      get next() {
        return inner.next;
      },
      get room() {
        return room.bytes;
      },
      get isShort() {
        return room.isShort;
      },
      read: (number) => inner.read(number),
      append: async (segment) => {
        if (!fits(segment.length) && !((await room.spend()) && fits(segment.length))) {
          room.refuse();
          throw new StorageFullError('a test');
        }
        used += segment.length;
        room.take(segment.length);
        return inner.append(segment);
      },
      remove: async (numbers) => {
        for (const { number, size } of inner.segments) if (numbers.includes(number)) used -= size;
        await inner.remove(numbers);
      },
      close: () => inner.close(),
    };
    const tree = await openUnion({ lowers: [], journal: limited, now });
    machine.exportTree(`c/${name}`, tree);
    /** The tree as it is opened the next time; what was accepted and is not stored is lost. */
    const reopened = async () => {
      await machine.withdrawTree(`c/${name}`);
      await tree.close();
      return openUnion({ lowers: [], journal: await stored.open(name), now });
    };
    return { tree, room, reopened };
  }

  /** Runs in that tree, with 20 files of 19 KB in `$S`; what it prints. */
  const inTree = (name: string, line: string) =>
    run(
      machine,
      hostSpec(
        `S=/tmp/source; [ -e $S ] || { mkdir $S; for i in $(seq 20); do seq 4000 >$S/$i; done; }
        cd ${ROOT.replace('files', name)} && ${line}`,
      ),
    );

  it.each<[string, string, (tree: Union, acknowledged: string) => Promise<void>]>([
    [
      'a shell that redirects',
      'i=0; while echo data $i >e$i && cat $S/* >c$i; do echo $i; i=$((i + 1)); done',
      async (tree, i) => {
        expect(await content(tree, `e${i}`)).toBe(`data ${i}\n`);
        expect(await content(tree, `c${i}`)).toBe(numbers.repeat(20));
      },
    ],
    [
      'cp -r',
      'i=0; while cp -r $S copy$i; do echo $i; i=$((i + 1)); done',
      async (tree, i) => {
        for (let file = 1; file <= 20; file++) {
          expect(await content(tree, `copy${i}/${file}`)).toBe(numbers);
        }
      },
    ],
    [
      'dd',
      'i=0; while dd if=/dev/zero of=d$i bs=64k count=5 2>$S.err; do echo $i; i=$((i + 1)); done; cat $S.err >&2',
      async (tree, i) => expect((await content(tree, `d${i}`)).length).toBe(5 * 65536),
    ],
  ])('is an error of %s, and what gave none is stored', async (what, line, check) => {
    const name = what.replaceAll(' ', '-');
    const { room, reopened } = await treeOnDisk(name, 3 * MB);
    const { out, err } = await inTree(name, line);
    expect(err).toContain('No space left on device');
    expect(room.isShort).toBe(true);
    const acknowledged = out.trimEnd().split('\n');
    expect(acknowledged.length).toBeGreaterThan(5);
    const tree = await reopened();
    for (const each of acknowledged) await check(tree, each);
    await tree.close();
  });

  it('is an error of fsync for a file that was open when it got full, nothing new is made and nothing old is emptied', async () => {
    const { tree: full, room, reopened } = await treeOnDisk('large', 6 * MB);
    const { out, err } = await inTree(
      'large',
      `echo old >old; dd if=/dev/zero of=large bs=64k count=2000 conv=fsync; echo $?; echo new >new; echo $?;
       echo new >old; echo $?; cat old`,
    );
    expect(err).toMatch(
      /dd: .*No space left on device[\s\S]* new: No space left on device[\s\S]* old: No space left on device/,
    );
    expect(out).toBe('1\n1\n1\nold\n');
    expect(full.space().free).toBe(0);
    expect(room.isShort).toBe(true);
    const tree = await reopened();
    expect(await content(tree, 'old')).toBe('old\n');
    expect(tree.storedBytes()).toBeGreaterThan(6 * MB);
    expect(tree.storedBytes()).toBeLessThanOrEqual(62 * MB);
    await tree.close();
  });

  it.each([
    [
      'write',
      'bs=64k count=2000',
      /^dd: error writing 'long': No space left on device\n(\d{1,3}|1[0-3]\d\d)\+0 records in/,
    ],
    // everything was taken by then, and is written behind
    ['close', 'bs=40M count=2', /^dd: long: No space left on device\n/],
  ])('is an error of %s for a long file that nobody syncs', async (call, operands, error) => {
    const { room, reopened } = await treeOnDisk(call, 6 * MB);
    const { out, err } = await inTree(call, `dd if=/dev/zero of=long ${operands}; echo $?`);
    expect(err).toMatch(error);
    expect(out).toBe('1\n');
    expect(room.isShort).toBe(true);
    await (await reopened()).close();
  });

  it('keeps the content of a file that is to be written anew, and lets it be cut', async () => {
    const { room, reopened } = await treeOnDisk('kept', 6 * MB);
    expect(await inTree('kept', 'echo old >old; seq 4000 >shorter; sync')).toMatchObject({ code: 0 });
    await room.spend();
    const { out, err } = await inTree(
      'kept',
      `echo new >old; echo $?; dd if=/dev/zero of=old bs=10 count=1; echo $?; truncate -s 8000000 old; echo $?; cat old;
       truncate -s 6 shorter; echo $?; cat shorter; sync`,
    );
    expect(out).toBe('1\n1\n1\nold\n0\n1\n2\n3\n');
    expect(err.match(/No space left on device/g)?.length).toBe(3);
    expect(room.isShort).toBe(true);
    const tree = await reopened();
    expect([await content(tree, 'old'), await content(tree, 'shorter')]).toEqual(['old\n', '1\n2\n3\n']);
    await tree.close();
  });

  it('is an error of the next write of who shares a file with a program that ended', async () => {
    const { reopened } = await treeOnDisk('shared', 6 * MB);
    const { out, err } = await inTree(
      'shared',
      'exec 3>shared; dd if=/dev/zero bs=40M count=2 >&3 2>/dev/null; echo more >&3; echo $?',
    );
    expect(err).toMatch(/No space left on device/);
    expect(out).toBe('1\n');
    await (await reopened()).close();
  });

  it('takes removals, and is writable again when they made room', async () => {
    const { tree, room, reopened } = await treeOnDisk('again', 6 * MB);
    await inTree('again', 'dd if=/dev/zero of=large bs=64k count=2000');
    expect(await inTree('again', 'echo no >no')).not.toMatchObject({ code: 0 });
    expect(await inTree('again', 'rm large && ls && sync')).toMatchObject({ code: 0, out: '', err: '' });
    await tree.compact();
    await room.hold();
    expect(await inTree('again', 'echo yes >yes && echo more >>yes')).toMatchObject({ code: 0, err: '' });
    const after = await reopened();
    expect(await content(after, 'yes')).toBe('yes\nmore\n');
    await after.close();
  });

  async function content(tree: Union, path: string): Promise<string> {
    let ino = tree.root;
    for (const name of path.split('/')) ino = tree.lookup(ino, name);
    return Buffer.from(await tree.read(ino, 0, tree.stat(ino).size)).toString();
  }
});
