/**
 * What the tests and the benchmarks need from the system: programs of Debian
 * packages. They are looked for first; what is missing is named, installed when
 * that can be done without asking (root on Debian or Ubuntu), and otherwise the
 * command to type is printed.
 */

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface SystemProgram {
  /** Its name; or, for what is no program, an absolute path. */
  readonly program: string;
  readonly package: string;
}

export const TEST_PROGRAMS: readonly SystemProgram[] = [
  { program: 'chromium', package: 'chromium' },
  { program: 'docker-registry', package: 'docker-registry' },
  { program: 'skopeo', package: 'skopeo' },
  { program: 'umoci', package: 'umoci' },
  { program: 'podman', package: 'podman' },
  { program: 'dig', package: 'bind9-dnsutils' },
  { program: 'nginx', package: 'nginx-light' },
  { program: 'mmdebstrap', package: 'mmdebstrap' },
  { program: 'arch-test', package: 'arch-test' },
  { program: 'python3', package: 'python3' },
  { program: 'perl', package: 'perl-base' },
  { program: 'openssl', package: 'openssl' },
  { program: 'setfattr', package: 'attr' },
  { program: 'bsdtar', package: 'libarchive-tools' },
  { program: 'cpio', package: 'cpio' },
  { program: 'git', package: 'git' },
  { program: 'gcc', package: 'gcc' },
  { program: '/usr/include/linux/stat.h', package: 'linux-libc-dev' },
  { program: 'zstd', package: 'zstd' },
  { program: 'pigz', package: 'pigz' },
];

/** Full path of a program, or undefined. Looks in sbin too, where a user's PATH often does not. */
export function findProgram(name: string): string | undefined {
  if (name.startsWith('/')) return existsSync(name) ? name : undefined;
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  for (const folder of folders) {
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return undefined;
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EACCES')
  );
}

function isDebian(): boolean {
  if (!existsSync('/etc/os-release')) return false;
  return /^ID(?:_LIKE)?=.*\b(?:debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
}

function apt(...args: string[]): void {
  const run = spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (run.status !== 0) throw new Error(`apt-get ${args.join(' ')} failed with exit code ${run.status}`);
}

/** Returns when every program is there; exits with 1 and the command to type when it can't bring them. */
export function ensurePrograms(programs: readonly SystemProgram[]): void {
  const missing = programs.filter(({ program }) => findProgram(program) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((one) => one.package))];
  console.log(`Missing on this system: ${missing.map(({ program }) => program).join(', ')}.`);
  if (process.getuid?.() !== 0 || !isDebian()) {
    console.error(`Install them and try again:\n\n  sudo apt-get install ${packages.join(' ')}\n`);
    process.exit(1);
  }
  console.log(`Installing ${packages.join(' ')} ...`);
  apt('update', '-q');
  apt('install', '-y', '-q', '--no-install-recommends', ...packages);
  const still = programs.filter(({ program }) => findProgram(program) === undefined);
  if (still.length > 0) {
    throw new Error(
      `still missing after the installation: ${still.map(({ program }) => program).join(', ')}`,
    );
  }
}
