/** The one layer of `busybox`. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LayerTree } from '../layer-tree.ts';

const DIRECTORIES = [
  '.',
  'bin',
  'dev',
  'etc',
  'home',
  'proc',
  'sbin',
  'sys',
  'usr',
  'usr/bin',
  'usr/local',
  'usr/local/bin',
  'usr/local/sbin',
  'usr/sbin',
  'usr/share',
  'usr/share/doc',
  'usr/share/doc/busybox-static',
  'usr/share/doc/busybox-static/examples',
  'var',
  'var/log',
  'var/mail',
  'var/spool',
  'var/www',
];
const DOCUMENTS = 'usr/share/doc/busybox-static';
/** For the first program of a system; here it would only lie about in the root. */
const LEFT_OUT = new Set(['bin/busybox', 'linuxrc']);

/** `unpacked`: where the package was unpacked; `root`: the files of our own. */
export function busyboxLayer(unpacked: string, root: string): LayerTree {
  const tree = new LayerTree();
  for (const path of DIRECTORIES) tree.dir(path);
  tree.dir('root', { mode: 0o700 });
  tree.dir('tmp', { mode: 0o1777 });
  tree.dir('var/tmp', { mode: 0o1777 });
  const binary = join(unpacked, 'bin/busybox');
  tree.file('bin/busybox', readFileSync(binary), { mode: 0o755 });
  for (const applet of applets(binary)) tree.hardlink(applet, 'bin/busybox');
  for (const name of readdirSync(join(root, 'etc'))) {
    const mode = name === 'shadow' ? 0o640 : 0o644;
    tree.file(`etc/${name}`, readFileSync(join(root, 'etc', name)), { mode });
  }
  for (const name of ['copyright', 'changelog.Debian.gz']) {
    tree.file(`${DOCUMENTS}/${name}`, readFileSync(join(unpacked, DOCUMENTS, name)));
  }
  for (const name of ['mdev.conf', 'mdev_fat.conf']) {
    tree.file(`${DOCUMENTS}/examples/${name}`, readFileSync(join(unpacked, DOCUMENTS, 'examples', name)));
  }
  return tree;
}

function applets(binary: string): readonly string[] {
  let listed: string;
  try {
    listed = execFileSync(binary, ['--list-full'], { encoding: 'utf8' });
  } catch (cause) {
    throw new Error('the i386 busybox must run here to tell its applets: is this an x86 kernel?', { cause });
  }
  return listed.split('\n').filter((path) => path !== '' && !LEFT_OUT.has(path));
}
