/** Root filesystems of real i386 programs, made from Debian's packages. */

import { existsSync, readFileSync } from 'node:fs';
import { run } from './run.ts';

/** The one-line source of this system's Debian release: from its own apt configuration. */
function mainSource(): { suite: string; line: string } {
  const release = readFileSync('/etc/os-release', 'utf8');
  const suite = /^VERSION_CODENAME=(.+)$/m.exec(release)?.[1];
  if (suite === undefined) throw new Error('/etc/os-release names no VERSION_CODENAME: is this Debian?');
  for (const path of ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']) {
    if (!existsSync(path)) continue;
    const text = readFileSync(path, 'utf8');
    const uri =
      /^URIs:\s*(\S+)/m.exec(text)?.[1] ??
      new RegExp(`^deb\\s+(?:\\[.*?\\]\\s+)?(\\S+)\\s+${suite}\\s`, 'm').exec(text)?.[1];
    if (uri !== undefined) return { suite, line: `deb ${uri} ${suite} main` };
  }
  throw new Error('no source of Debian packages found in /etc/apt');
}

/** Writes a tar of an i386 Debian system: dpkg, perl, bash, vi, ps, top and the packages named in it. */
export async function makeDebianTar(tar: string, packages: readonly string[] = []): Promise<void> {
  const { suite, line } = mainSource();
  await run('mmdebstrap', [
    '--quiet',
    '--mode=root',
    '--variant=minbase',
    '--architectures=i386',
    `--include=${['procps', 'vim-tiny', 'usr-is-merged', ...packages].join(',')}`,
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=APT::Install-Recommends "false"',
    // as the slim images of the distribution leave them out
    '--dpkgopt=path-exclude=/usr/share/locale/*',
    suite,
    tar,
    line,
  ]);
}

/** Writes a tar that holds i386 packages unpacked, and nothing else but device nodes and apt's own folders. */
export async function makePackageTar(tar: string, packages: readonly string[]): Promise<void> {
  const { suite, line } = mainSource();
  await run('mmdebstrap', [
    '--quiet',
    '--mode=root',
    '--variant=extract',
    '--architectures=i386',
    `--include=${packages.join(',')}`,
    suite,
    tar,
    line,
  ]);
}
