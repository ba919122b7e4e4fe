/**
 * The real images that the tests pull: i386 root filesystems from Debian's
 * packages, assembled by umoci into one OCI layout, and what `umoci unpack`
 * makes of each. Made once and kept in .cache/fixtures.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  link,
  lutimes,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { makeDebianTar, makePackageTar } from './debian-root.ts';
import { run } from './run.ts';

export interface Fixtures {
  /** An OCI layout with the images below as tags. */
  readonly layout: string;
  /** tag -> folder with the tree that umoci unpacked. */
  readonly roots: Readonly<Record<'busybox' | 'debian' | 'big', string>>;
}

const SOURCES = ['fixtures.ts', 'debian-root.ts'];

async function fixtureKey(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) hash.update(await readFile(join(import.meta.dirname, source)));
  return hash.digest('hex').slice(0, 12);
}

/** The fixtures, made when they are not there; needs root. */
export async function makeFixtures(): Promise<Fixtures> {
  const folder = join(import.meta.dirname, '../../.cache/fixtures', await fixtureKey());
  if (!existsSync(folder)) {
    const work = `${folder}.making`;
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    await makeAll(work);
    await rename(work, folder);
  }
  const root = (tag: string) => join(folder, tag, 'rootfs');
  return {
    layout: join(folder, 'layout'),
    roots: { busybox: root('busybox'), debian: root('debian'), big: root('big') },
  };
}

async function makeAll(work: string): Promise<void> {
  const layout = join(work, 'layout');
  await run('umoci', ['init', '--layout', layout]);
  await makeBusybox(work, layout);
  await makeDebian(work, layout);
  await makeBig(work, layout);
}

async function addImage(layout: string, tag: string, config: readonly string[]): Promise<void> {
  await run('umoci', ['new', '--image', `${layout}:${tag}`]);
  await configure(layout, tag, ['--os=linux', '--architecture=386', ...config]);
}

const configure = (layout: string, tag: string, config: readonly string[]) =>
  run('umoci', ['config', '--no-history', '--image', `${layout}:${tag}`, ...config]);

/** Three layers; the second and third change, delete, link and replace what is below, through `umoci repack`. */
async function makeBusybox(work: string, layout: string): Promise<void> {
  const tar = join(work, 'busybox.tar');
  await makePackageTar(tar, ['busybox-static']);
  await addImage(layout, 'busybox', [
    '--config.cmd=sh',
    '--config.env=PATH=/usr/bin:/bin',
    '--config.env=FLAVOUR=plain',
  ]);
  await run('umoci', ['raw', 'add-layer', '--image', `${layout}:busybox`, tar]);
  await rm(tar);

  const first = join(work, 'busybox-1');
  await run('umoci', ['unpack', '--image', `${layout}:busybox`, first]);
  const root = join(first, 'rootfs');
  for (const applet of [
    'sh',
    'ls',
    'cat',
    'echo',
    'ps',
    'id',
    'mv',
    'rm',
    'sleep',
    'stat',
    'ln',
    'mkdir',
    'hostname',
    'yes',
    'true',
    'false',
    'grep',
    'dd',
    'wc',
    'kill',
    'env',
    'pwd',
    'seq',
    'printf',
    'head',
    'sync',
    'touch',
    'find',
  ]) {
    await symlink('busybox', join(root, 'bin', applet));
  }
  await mkdir(join(root, 'data/old/deep'), { recursive: true });
  await writeFile(join(root, 'data/old/deep/one'), 'one\n');
  await writeFile(join(root, 'data/old/two'), 'two\n');
  await writeFile(join(root, 'data/gone'), 'gone\n');
  await writeFile(join(root, 'data/kept'), 'kept\n');
  await writeFile(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nlearner:x:1000:1000::/home/learner:/bin/sh\n',
  );
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nlearner:x:1000:\nstaff:x:50:learner\n');
  await mkdir(join(root, 'home/learner'), { recursive: true });
  await run('chown', ['1000:1000', join(root, 'home/learner')]);
  await run('umoci', ['repack', '--image', `${layout}:busybox`, first]);
  await rm(first, { recursive: true });

  const second = join(work, 'busybox-2');
  await run('umoci', ['unpack', '--image', `${layout}:busybox`, second]);
  const top = join(second, 'rootfs');
  await rm(join(top, 'data/gone'));
  await rm(join(top, 'data/old'), { recursive: true });
  await mkdir(join(top, 'data/old'));
  await writeFile(join(top, 'data/old/new'), 'new\n');
  await writeFile(join(top, 'data/kept'), 'kept, and changed\n');
  await link(join(top, 'data/kept'), join(top, 'data/linked'));
  await symlink('/data/kept', join(top, 'data/absolute'));
  await symlink('missing', join(top, 'data/dangling'));
  await writeFile(join(top, 'data/setuid'), '#!/bin/sh\nid\n');
  await chmod(join(top, 'data/setuid'), 0o4755);
  await run('mkfifo', ['-m', '0640', join(top, 'data/fifo')]);
  await run('mknod', ['-m', '0600', join(top, 'data/disk'), 'b', '8', '1']);
  await run('mknod', [join(top, 'data/null'), 'c', '1', '3']);
  await run('setfattr', ['-n', 'user.colour', '-v', 'green', join(top, 'data/kept')]);
  // a name that is not UTF-8
  await writeFile(Buffer.concat([Buffer.from(`${top}/data/caf`), Buffer.from([0xe9])]), 'latin-1\n');
  await writeFile(join(top, 'data', 'n'.repeat(180)), 'a long name\n');
  await utimes(join(top, 'data/setuid'), 1_600_000_000.123, 1_600_000_000.123);
  await lutimes(join(top, 'data/dangling'), 1_500_000_000, 1_500_000_000);
  await run('umoci', ['repack', '--image', `${layout}:busybox`, second]);
  await rm(second, { recursive: true });
  await run('umoci', ['unpack', '--image', `${layout}:busybox`, join(work, 'busybox')]);
}

async function makeDebian(work: string, layout: string): Promise<void> {
  const tar = join(work, 'debian.tar');
  await makeDebianTar(tar);
  await addImage(layout, 'debian', [
    '--config.cmd=bash',
    '--config.env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ]);
  await run('umoci', ['raw', 'add-layer', '--image', `${layout}:debian`, tar]);
  await rm(tar);
  await run('umoci', ['unpack', '--image', `${layout}:debian`, join(work, 'debian')]);
}

/** The busybox image with one file of 200 MB of repeated lines in a layer of its own. */
async function makeBig(work: string, layout: string): Promise<void> {
  await run('umoci', ['tag', '--image', `${layout}:busybox`, 'big']);
  const bundle = join(work, 'big-1');
  await run('umoci', ['unpack', '--image', `${layout}:big`, bundle]);
  await run('sh', [
    '-c',
    `yes 0123456789abcde | head -c 209715200 > "$1"`,
    'sh',
    join(bundle, 'rootfs/big.txt'),
  ]);
  await run('umoci', ['repack', '--image', `${layout}:big`, bundle]);
  await rm(bundle, { recursive: true });
  await run('umoci', ['unpack', '--image', `${layout}:big`, join(work, 'big')]);
}
