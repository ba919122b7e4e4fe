/** One package from the distribution, of the recorded version and digest. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LockedPackage {
  readonly name: string;
  readonly architecture: string;
  readonly version: string;
  readonly sha256: string;
}

/** The packages of a lock file: name, architecture, version and SHA-256, one a line. */
export function readLock(file: string): readonly LockedPackage[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [name, architecture, version, sha256] = line.split(' ');
    if (!name || !architecture || !version || !sha256) throw new Error(`${file}: cannot read ${line}`);
    return { name, architecture, version, sha256 };
  });
}

/**
 * Downloads and unpacks the package below `folder`; returns where. apt asks
 * where this machine's own asks, but keeps its state in the folder, so that
 * neither the architectures nor the lists of the machine change.
 */
export function unpackPackage(wanted: LockedPackage, folder: string): string {
  const { name, architecture, version, sha256 } = wanted;
  const downloads = join(folder, 'downloads');
  for (const path of ['state/lists/partial', 'cache/archives/partial', 'downloads']) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  writeFileSync(join(folder, 'status'), '');
  const configuration = join(folder, 'apt.conf');
  writeFileSync(
    configuration,
    [
      `Dir::State "${folder}/state";`,
      `Dir::State::status "${folder}/status";`,
      `Dir::Cache "${folder}/cache";`,
      `APT::Architecture "${architecture}";`,
      `APT::Architectures { "${architecture}"; };`,
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
      '',
    ].join('\n'),
  );
  const apt = (...args: string[]) =>
    execFileSync('apt-get', ['-qq', ...args], {
      cwd: downloads,
      env: { ...process.env, APT_CONFIG: configuration },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  try {
    apt('update');
  } catch {
    console.error(
      'images/build: some package lists could not be read; the download shows whether they are needed',
    );
  }
  apt('download', `${name}=${version}`);
  const [file] = readdirSync(downloads);
  if (file === undefined) throw new Error(`${name} ${version} could not be downloaded`);
  const deb = join(downloads, file);
  const digest = createHash('sha256').update(readFileSync(deb)).digest('hex');
  if (digest !== sha256)
    throw new Error(`${file} is not what packages.lock records: its SHA-256 is ${digest}`);
  const root = join(folder, name);
  execFileSync('dpkg-deb', ['-x', deb, root]);
  return root;
}
