/** The real kernel, agent and programs, in Node. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Client } from '../../../src/engine/container/machine.ts';
import { CannotStartError } from '../../../src/engine/errors.ts';
import { decodeName } from '../../../src/engine/names.ts';
import { MemoryJournalStore } from '../../../src/engine/store/memory-journal.ts';
import type { FileSystem } from '../../../src/engine/unionfs/filesystem.ts';
import { openUnion } from '../../../src/engine/unionfs/union.ts';
import type { V86Machine } from '../../../src/machine/v86-machine.ts';
import { emptyTree, HOST_ENV, hostSpec, run, Terminal, testMachine } from '../../support/machine.ts';

let machine: V86Machine;
let host: FileSystem;

beforeAll(async () => {
  machine = testMachine({ useSnapshot: false });
  host = await emptyTree();
  machine.exportTree('host', host);
  await machine.start();
}, 120_000);

afterAll(() => machine.close());

const sh = (line: string, input?: string | Uint8Array) => run(machine, hostSpec(line), input);

/** The inode at a path below a tree's root. */
function at(fs: FileSystem, path: string): number {
  return path.split('/').reduce((ino, name) => fs.lookup(ino, name), fs.root);
}

async function content(fs: FileSystem, path: string): Promise<string> {
  const ino = at(fs, path);
  return Buffer.from(await fs.read(ino, 0, fs.stat(ino).size)).toString();
}

/** Makes `c/<id>` and fills it with a busybox root by running programs in the guest. */
async function containerTree(id: string): Promise<FileSystem> {
  const fs = await emptyTree();
  machine.exportTree(`c/${id}`, fs);
  const root = `/run/layerbox/export/c/${id}`;
  const filled = await sh(
    `mkdir -p ${root}/bin ${root}/etc ${root}/tmp && cp /bin/busybox ${root}/bin/ &&
     for name in sh cat ls id hostname sleep echo ps mount touch env stat kill pwd; do ln -s busybox ${root}/bin/$name; done &&
     echo root:x:0:0::/root:/bin/sh >${root}/etc/passwd`,
  );
  expect(filled).toEqual({ code: 0, out: '', err: '' });
  return fs;
}

const contained = (id: string, argv: readonly string[]) => ({
  argv,
  env: HOST_ENV,
  cwd: '/',
  uid: 0,
  gid: 0,
  container: { tree: `c/${id}`, hostname: `host-${id}`, cgroup: id },
});

describe('a machine that booted', () => {
  it('runs, and says how it came up', () => {
    expect(machine.state).toEqual({ status: 'running', how: 'boot' });
    expect(machine.stats().memoryBytes).toBe(128 * 1024 * 1024);
  });

  it('has the time of the engine', async () => {
    const before = Math.floor(Date.now() / 1000);
    const seconds = Number((await sh('date +%s')).out);
    expect(seconds).toBeGreaterThanOrEqual(before - 1);
    expect(seconds).toBeLessThanOrEqual(Date.now() / 1000 + 1);
  });

  it('has the tree `host` as its home', async () => {
    expect((await sh('cd; pwd; echo there >here')).out).toBe('/root\n');
    await vi.waitUntil(async () => (await content(host, 'here')) === 'there\n');
  });

  it('reads and writes controls, and says what is wrong with one', async () => {
    await machine.writeControl('/proc/sys/kernel/hostname', 'changed');
    expect(await machine.readControl('/proc/sys/kernel/hostname')).toBe('changed\n');
    await machine.writeControl('/proc/sys/kernel/hostname', 'host');
    expect((await machine.readControl('/proc/sys/vm/dirty_writeback_centisecs')).trim()).toBe('10');
    expect((await machine.readControl('/proc/sys/vm/dirty_expire_centisecs')).trim()).toBe('10');
    await expect(machine.readControl('/none')).rejects.toMatchObject({ errno: 'ENOENT' });
  });
});

describe('a process', () => {
  it.each([
    ['exit 0', 0],
    ['exit 7', 7],
    ['exit 255', 255],
    ['kill -9 $$', 137],
    ['kill -TERM $$', 143],
  ])('%s ends with %i', async (line, code) => {
    expect((await sh(line)).code).toBe(code);
  });

  it('keeps stdout and stderr apart and reads its input to the end', async () => {
    const input = new Uint8Array(300_000).map((_, i) => i % 251);
    expect(await sh('cat | md5sum; echo problem >&2', input)).toEqual({
      code: 0,
      out: `${await md5(input)}  -\n`,
      err: 'problem\n',
    });
  });

  it.each<[readonly string[], number, RegExp]>([
    [['no-such-program'], 127, /^exec: "no-such-program": executable file not found in \$PATH$/],
    [['/no/such'], 127, /^exec: "\/no\/such": stat \/no\/such: no such file or directory$/],
    [['/etc/passwd'], 126, /^exec: "\/etc\/passwd": permission denied$/],
    [['/bin'], 126, /permission denied/],
    [['echo', 'x'.repeat(20_000)], 126, /argument list too long/],
  ])('%j cannot start: %i', async (argv, exitCode, message) => {
    const error = await machine.spawn(hostSpec(argv)).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(CannotStartError);
    expect(error).toMatchObject({ data: { exitCode }, message: expect.stringMatching(message) });
  });

  it('has the arguments, environment, directory and user that it was given', async () => {
    const spec = {
      ...hostSpec(['sh', '-c', 'echo "$1|$V"; pwd; id -u; id -G', 'sh', 'a  b"\n']),
      cwd: '/tmp',
    };
    const done = await run(machine, {
      ...spec,
      env: [...HOST_ENV, 'V=é='],
      uid: 12,
      gid: 34,
      groups: [34, 56],
    });
    expect(done).toEqual({ code: 0, out: 'a  b"\n|é=\n/tmp\n12\n34 56\n', err: '' });
  });

  it('is signalled', async () => {
    const process = await machine.spawn(hostSpec(['sleep', '1000']));
    process.signal(15);
    expect(await process.exit).toEqual({ code: 143, signal: 15 });
    await process.write(new Uint8Array(100_000));
    process.closeInput();
  });

  it('whose output nobody reads waits, and the others do not', async () => {
    const flood = await machine.spawn(hostSpec('yes'));
    const started = performance.now();
    expect((await sh('echo prompt')).out).toBe('prompt\n');
    expect(performance.now() - started).toBeLessThan(5000);
    flood.signal(9);
    expect((await flood.exit).code).toBe(137);
  });

  it('that floods a reader leaves the others prompt', async () => {
    const flood = await machine.spawn(hostSpec('yes'));
    let bytes = 0;
    const reading = (async () => {
      for await (const chunk of flood.output) bytes += chunk.bytes.length;
    })();
    await vi.waitUntil(() => bytes > 1_000_000, { timeout: 20_000 });
    const started = performance.now();
    expect((await sh('echo prompt')).out).toBe('prompt\n');
    expect(performance.now() - started).toBeLessThan(5000);
    flood.signal(2);
    expect((await flood.exit).signal).toBe(2);
    await reading;
  });
});

describe('a process on a terminal', () => {
  const open = async (rows = 24, columns = 80, changes = {}) =>
    new Terminal(await machine.spawn(hostSpec(['sh', '-i'], { tty: { rows, columns }, ...changes })));

  it('has its size, and is told of another', async () => {
    const terminal = await open(33, 101);
    await terminal.type('stty size\n');
    await terminal.expect(/33 101\r\n/);
    await terminal.type("trap 'echo wi''nch' WINCH\n");
    terminal.process.resize({ rows: 50, columns: 132 });
    await terminal.type('stty size\n');
    await terminal.expect(/50 132\r\n/);
    await terminal.type('exit 3\n');
    expect((await terminal.process.exit).code).toBe(3);
  });

  it('is interrupted by Ctrl-C, typed or sent as a signal', async () => {
    const terminal = await open();
    // told by the program itself that it runs: before that the shell would get the signal
    const wait = 'sh -c \'echo g""o; exec sleep 1000\'\n';
    await terminal.type(wait);
    await terminal.expect(/[\r\n]go\r\n/);
    await terminal.type('\x03');
    await terminal.expect(/\^C/);
    await terminal.type(wait);
    await terminal.expect(/[\r\n]go\r\n/);
    terminal.process.signal(2, true);
    await terminal.type('echo still h""ere $?\n');
    await terminal.expect(/still here 130\r\n/);
    await terminal.type('exit\n');
    await terminal.process.exit;
  });

  it('stops a flood at Ctrl-C', async () => {
    const terminal = await open();
    await terminal.type('yes\n');
    await terminal.expect(/(y\r\n){10000}/);
    const started = performance.now();
    await terminal.type('\x03');
    await terminal.type('echo st"o"pped\n');
    await terminal.expect(/stopped\r\n/);
    expect(performance.now() - started).toBeLessThan(3000);
    await terminal.type('exit\n');
    await terminal.process.exit;
  });

  it('is told when the input ends', async () => {
    const spec = hostSpec('echo ready; cat', { tty: { rows: 24, columns: 80 } });
    const terminal = new Terminal(await machine.spawn(spec));
    await terminal.expect(/ready/);
    await terminal.type('line\n');
    terminal.process.closeInput();
    await terminal.expect(/line\r\nline\r\n/);
    expect((await terminal.process.exit).code).toBe(0);
  });
});

describe('files that the guest writes', () => {
  it('arrive in the tree within a second, with nothing synced', async () => {
    const line =
      'cd; printf "%s" "$(date)" >first; mkdir -p a/b; echo two >a/b/second; chmod 640 first; chown 5:6 first';
    expect((await sh(line)).code).toBe(0);
    const deadline = performance.now() + 1000;
    await vi.waitUntil(async () => (await content(host, 'a/b/second')) === 'two\n', { interval: 10 });
    await vi.waitUntil(async () => (await content(host, 'first')).length > 10, { interval: 10 });
    expect(performance.now()).toBeLessThan(deadline);
    expect(host.stat(at(host, 'first'))).toMatchObject({ mode: 0o640, uid: 5, gid: 6 });
  });

  it('so they do while a program computes without a pause, and the log has stored them within two', async () => {
    const journal = await new MemoryJournalStore().open('busy');
    const options = { lowers: [], now: () => BigInt(Date.now()) * 1_000_000n };
    const tree = await openUnion({ ...options, journal });
    machine.exportTree('c/busy', tree);
    /** What a page would find that is opened now. */
    const stored = async (name: string) => {
      const refused = () => Promise.reject(new Error('it is only looked at'));
      const { segments, next, read } = journal;
      const copy = { segments, next, read: read.bind(journal), append: refused, remove: refused };
      const replayed = await openUnion({ ...options, journal: { ...copy, close: async () => undefined } });
      return replayed.readdir(replayed.root).some((entry) => entry.name === name)
        ? await content(replayed, name)
        : undefined;
    };
    const busy = new Terminal(await machine.spawn(hostSpec('echo computing; while :; do :; done')));
    await busy.expect(/computing/);
    for (const turn of [1, 2, 3]) {
      const name = `turn-${turn}`;
      const text = `written in turn ${turn}\n`;
      expect((await sh(`cd /run/layerbox/export/c/busy; echo written in turn ${turn} >${name}`)).code).toBe(
        0,
      );
      const begun = performance.now();
      const within = (milliseconds: number, isThere: () => boolean | Promise<boolean>) =>
        vi.waitUntil(isThere, { interval: 20, timeout: begun + milliseconds - performance.now() });
      await within(1000, async () => (await content(tree, name)) === text);
      await within(2000, async () => (await stored(name)) === text);
    }
    busy.process.signal(9);
    expect((await busy.process.exit).code).toBe(137);
    await tree.close();
  });

  it('are there when sync resolves', async () => {
    await sh('cd; for i in 1 2 3 4 5 6 7 8; do head -c 100000 /dev/zero | tr "\\0" $i >s$i; done');
    await machine.sync();
    for (const i of [1, 2, 3, 4, 5, 6, 7, 8]) {
      expect(await content(host, `s${i}`)).toBe(String(i).repeat(100_000));
    }
  });

  it('keep their identity: rename, hard link, open and unlinked', async () => {
    const done = await sh(`cd; mkdir m; echo one >m/f; ln m/f m/g; mv m m2; echo two >>m2/g; cat m2/f
      stat -c %h m2/f; exec 3<>m2/f; rm m2/f m2/g; cat <&3; echo three >&3; cat /proc/self/fd/3; ls m2`);
    expect(done).toEqual({ code: 0, out: 'one\ntwo\n2\none\ntwo\none\ntwo\nthree\n', err: '' });
    await vi.waitUntil(() => host.readdir(at(host, 'm2')).length === 0);
  });

  it('are one file by all their names, also when the guest has forgotten them', async () => {
    await sh('cd; echo one >h1; ln h1 h2; sync; echo 2 >/proc/sys/vm/drop_caches');
    const done = await sh(
      'cd; cat h1; echo two >>h1; echo three >>h2; cat h1; stat -c %i h1 h2 | uniq | wc -l',
    );
    expect(done.out).toBe('one\none\ntwo\nthree\n1\n');
  });

  it('have names that are no UTF-8', async () => {
    await sh(`cd; mkdir bytes; cd bytes; echo x >"$(printf 'a\\377\\303')"; ln -s "$(printf '\\200')" link`);
    const name = decodeName(Uint8Array.of(0x61, 0xff, 0xc3));
    await machine.sync();
    expect(await content(host, `bytes/${name}`)).toBe('x\n');
    expect(host.readlink(at(host, 'bytes/link'))).toBe(decodeName(Uint8Array.of(0x80)));
    const again = await sh(
      `cd; cd bytes; cat "$(printf 'a\\377\\303')"; for f in a*; do printf %s "$f" | od -An -tx1; done`,
    );
    expect(again.out).toBe('x\n 61 ff c3\n');
  });

  it('are special: fifos, devices, sticky and setgid directories, times', async () => {
    const done =
      await sh(`cd; mkdir sp; cd sp; mkfifo p; mknod c c 1 3; mkdir t; chmod 1777 t; chgrp 7 . ; chmod 2755 .
      mkdir in; touch -d '1999-12-31 23:59:59' old; echo hi >c; (echo via fifo >p &); cat p`);
    expect(done).toMatchObject({ code: 0, out: 'via fifo\n' });
    expect(host.stat(at(host, 'sp/p')).type).toBe('fifo');
    expect(host.stat(at(host, 'sp/c'))).toMatchObject({ type: 'char', rdev: [1, 3] });
    expect(host.stat(at(host, 'sp/t')).mode).toBe(0o1777);
    expect(host.stat(at(host, 'sp/in'))).toMatchObject({ gid: 7, mode: 0o2755 });
    expect(host.stat(at(host, 'sp/old')).mtimeNs).toBe(946684799_000_000_000n);
  });

  it('may be large: 50 MB copied are 50 MB the same', async () => {
    const ino = host.create(host.root, 'large', 0o644, { uid: 0, gid: 0 });
    const chunk = new Uint8Array(1 << 20);
    for (let i = 0; i < 50; i++) {
      for (let k = 0; k < chunk.length; k += 64) chunk[k] = (i * 31 + (k >> 6)) & 0xff;
      host.write(ino, i << 20, chunk);
      await host.ready();
    }
    const done = await sh('cd; cp large copy && cmp large copy && stat -c %s copy && sync && rm copy large');
    expect(done).toEqual({ code: 0, out: `${50 << 20}\n`, err: '' });
  });

  it('are grown, cut and sparse', async () => {
    const done = await sh(
      'cd; truncate -s 5000000000 big; echo end >>big; stat -c %s big; truncate -s 3 big; od -An -c big; rm big',
    );
    expect(done.out.replaceAll(/ +/g, ' ')).toBe('5000000004\n \\0 \\0 \\0\n');
  });
});

describe('a container', () => {
  it('has its own root, pids, hostname and mounts', async () => {
    const fs = await containerTree('own');
    const done = await run(
      machine,
      contained('own', ['sh', '-c', 'echo $$; hostname; ls /; echo x >/made; id -u']),
    );
    expect(done.err).toBe('');
    expect(done.out).toMatch(/^1\nhost-own\n/);
    expect(done.out).toMatch(/\nbin\n(.*\n)*etc\n/);
    await vi.waitUntil(async () => (await content(fs, 'made')) === 'x\n');
    await machine.removeCgroup('own');
    await machine.withdrawTree('c/own');
  });

  it('is joined by exec, and stopped with its init', async () => {
    await containerTree('joined');
    const init = await machine.spawn(contained('joined', ['sleep', '1000']));
    const inside = (argv: readonly string[]) => ({ ...hostSpec(argv), inside: init });
    expect((await run(machine, inside(['sh', '-c', 'hostname; ls /bin/busybox; echo >/by-exec']))).out).toBe(
      'host-joined\n/bin/busybox\n',
    );
    const second = await machine.spawn(inside(['sleep', '1000']));
    init.signal(9);
    expect((await init.exit).code).toBe(137);
    expect((await second.exit).code).toBe(137);
    await expect(machine.spawn(inside(['true']))).rejects.toMatchObject({ data: { exitCode: 125 } });
    await machine.removeCgroup('joined');
    await machine.withdrawTree('c/joined');
  });

  it('is frozen and thawed', async () => {
    await containerTree('frozen');
    const init = await machine.spawn(
      contained('frozen', ['sh', '-c', 'while echo tick; do sleep 0.05; done']),
    );
    const ticks = init.output[Symbol.asyncIterator]();
    await ticks.next();
    await machine.freeze('frozen', true);
    expect(await machine.readControl('/sys/fs/cgroup/layerbox/frozen/cgroup.events')).toContain('frozen 1');
    await machine.freeze('frozen', false);
    await ticks.next();
    init.signal(9);
    await init.exit;
    await machine.removeCgroup('frozen');
    await machine.withdrawTree('c/frozen');
  });

  it('can be withdrawn and exported again with another tree', async () => {
    const first = await containerTree('again');
    first.create(first.root, 'first', 0o644, { uid: 0, gid: 0 });
    await machine.withdrawTree('c/again');
    await expect(machine.spawn(contained('again', ['sh']))).rejects.toMatchObject({
      data: { exitCode: 125 },
    });
    await containerTree('again');
    expect((await run(machine, contained('again', ['ls', '/']))).out).not.toContain('first');
    await machine.withdrawTree('c/again');
  });

  it('has only the capabilities and the writes that it was given', async () => {
    await containerTree('limited');
    const spec = contained('limited', [
      'sh',
      '-c',
      'mount -t tmpfs x /tmp || echo no mount; touch /x || echo no write',
    ]);
    const limits = { ...spec.container, capabilities: '0', readOnly: true };
    const done = await run(machine, { ...spec, container: limits });
    expect(done.out).toBe('no mount\nno write\n');
    await machine.removeCgroup('limited');
    await machine.withdrawTree('c/limited');
  });

  it('sees what is bound into it', async () => {
    await containerTree('bound');
    await sh('cd; mkdir shared; echo shared >shared/f');
    const spec = contained('bound', ['sh', '-c', 'cat /mnt/f; echo y >/mnt/g || echo no write']);
    const binds = [{ source: '/root/shared', target: '/mnt', readOnly: true }];
    expect((await run(machine, { ...spec, container: { ...spec.container, binds } })).out).toBe(
      'shared\nno write\n',
    );
    await machine.removeCgroup('bound');
    await machine.withdrawTree('c/bound');
  });

  it('has extended attributes on its files', async () => {
    const fs = await containerTree('xattr');
    const ino = fs.create(fs.root, 'f', 0o755, { uid: 0, gid: 0 });
    fs.write(ino, 0, new TextEncoder().encode('#!/bin/sh\necho ran\n'));
    fs.setxattr(ino, 'user.note', new TextEncoder().encode('kept'), 0);
    expect((await run(machine, contained('xattr', ['/f']))).out).toBe('ran\n');
    await run(machine, contained('xattr', ['sh', '-c', 'cat /f >/g; echo >>/f']));
    expect(Buffer.from(fs.getxattr(ino, 'user.note') ?? []).toString()).toBe('kept');
    expect(machine.stats().requests.xattrwalk).toBeGreaterThan(0);
    await machine.removeCgroup('xattr');
    await machine.withdrawTree('c/xattr');
  });
});

describe('a `docker` program', () => {
  const served = new Map<string, (client: Client) => void>();

  beforeAll(() => {
    machine.onClient((client) => {
      const serve = served.get(client.argv[1] ?? '');
      if (serve === undefined) client.exit(99);
      else serve(client);
    });
  });

  it('hands over its words, and is told what to print and how to end', async () => {
    const clients: Client[] = [];
    served.set('words', (client) => {
      clients.push(client);
      void client.write('out', new TextEncoder().encode('to out\n'));
      void client.write('err', new TextEncoder().encode('to err\n'));
      client.exit(5);
    });
    const done = await sh('cd /tmp; DOCKER_A=1 B=2 docker words "two words" -x');
    expect(done).toEqual({ code: 5, out: 'to out\n', err: 'to err\n' });
    expect(clients[0]).toMatchObject({ argv: ['docker', 'words', 'two words', '-x'], cwd: '/tmp', uid: 0 });
    expect(clients[0]?.env).toEqual(expect.arrayContaining(['DOCKER_A=1', 'B=2']));
    expect(clients[0]?.terminal).toMatchObject({ stdin: false, stdout: false, stderr: false });
    // a variable larger than a request is left out, and docker runs
    expect((await sh('export LARGE=$(printf %020000d 0); AFTER=1 docker words')).code).toBe(5);
    expect(clients[1]?.env).toContain('AFTER=1');
    expect(clients[1]?.env.some((word) => word.startsWith('LARGE='))).toBe(false);
  });

  it('forwards its input once attached, and takes a flood', async () => {
    served.set('echo', (client) => {
      client.attach({ stdin: true, raw: false, signals: false });
      void (async () => {
        for await (const bytes of client.input) await client.write('out', bytes);
        client.exit(0);
      })();
    });
    const input = new Uint8Array(500_000).map((_, i) => (i * 7) % 253);
    expect((await sh('docker echo | md5sum', input)).out).toBe(`${await md5(input)}  -\n`);
  });

  it('that dies takes its request with it', async () => {
    const clients: Client[] = [];
    served.set('wait', (client) => clients.push(client));
    const process = await machine.spawn(hostSpec(['docker', 'wait']));
    await vi.waitUntil(() => clients.length > 0);
    process.signal(9);
    await process.exit;
    await vi.waitUntil(() => clients[0]?.gone.aborted);
  });

  it('on a terminal tells its size', async () => {
    const clients: Client[] = [];
    served.set('size', (client) => {
      clients.push(client);
      client.attach({ stdin: false, raw: false, signals: true });
      client.onResize(({ rows, columns }) => {
        void client.write('out', new TextEncoder().encode(`now ${rows}x${columns}\n`));
        client.exit(0);
      });
    });
    const spec = hostSpec(['docker', 'size'], { tty: { rows: 20, columns: 70 } });
    const terminal = new Terminal(await machine.spawn(spec));
    await vi.waitUntil(() => clients.length > 0);
    expect(clients[0]?.terminal).toEqual({
      stdin: true,
      stdout: true,
      stderr: true,
      size: { rows: 20, columns: 70 },
    });
    terminal.process.resize({ rows: 21, columns: 71 });
    await terminal.expect(/now 21x71/);
  });
});

describe('two hundred programs', () => {
  it('leave no channel, no handle and no process behind', async () => {
    await containerTree('many');
    const spec = contained('many', ['echo', 'x']);
    for (let i = 0; i < 10; i++) await run(machine, spec);
    const before = { ...machine.open, processes: await processes() };
    for (let i = 0; i < 100; i++) expect((await run(machine, spec)).out).toBe('x\n');
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        expect((await sh(`echo ${i}`)).out).toBe(`${i}\n`);
      }),
    );
    const after = { ...machine.open, processes: await processes() };
    expect(after.channels).toBe(0);
    expect(after.processes).toBe(before.processes);
    expect(after.fids).toBeLessThanOrEqual(before.fids + 5);
  });

  async function processes(): Promise<number> {
    return Number((await sh('ls -d /proc/[0-9]* | wc -l')).out);
  }
});

async function md5(bytes: Uint8Array): Promise<string> {
  const { createHash } = await import('node:crypto');
  return createHash('md5').update(bytes).digest('hex');
}
