/** An image of real programs that the machine cannot run: Debian's static busybox for amd64. Kept in .cache/fixtures. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Registry, sha256 } from './registry.ts';
import { run } from './run.ts';

/** The layout of the image, under the tag `foreign`; made when it is not there, which needs root. */
export async function makeForeignImage(): Promise<string> {
  const key = createHash('sha256').update(await readFile(import.meta.filename));
  const folder = join(
    import.meta.dirname,
    '../../.cache/fixtures',
    `foreign-${key.digest('hex').slice(0, 12)}`,
  );
  if (!existsSync(folder)) {
    const work = `${folder}.making`;
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    await makeIn(work);
    await rename(work, folder);
  }
  return join(folder, 'layout');
}

async function makeIn(work: string): Promise<void> {
  const layout = join(work, 'layout');
  const image = `${layout}:foreign`;
  const tar = join(work, 'busybox.tar');
  const sources = '/etc/apt/sources.list.d/debian.sources';
  const suite = /^VERSION_CODENAME=(.+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  if (suite === undefined) throw new Error('/etc/os-release names no VERSION_CODENAME: is this Debian?');
  await run('mmdebstrap', [
    '--quiet',
    '--mode=root',
    '--variant=extract',
    '--architectures=amd64',
    '--include=busybox-static',
    suite,
    tar,
    existsSync(sources) ? sources : '/etc/apt/sources.list',
  ]);
  await run('umoci', ['init', '--layout', layout]);
  await run('umoci', ['new', '--image', image]);
  await run('umoci', [
    'config',
    '--no-history',
    '--image',
    image,
    '--os=linux',
    '--architecture=amd64',
    '--config.cmd=/bin/busybox',
    '--config.cmd=ash',
    '--config.env=PATH=/usr/bin:/bin',
    '--config.env=FLAVOUR=foreign',
  ]);
  await run('umoci', ['raw', 'add-layer', '--image', image, tar]);
  await rm(tar);
  const bundle = join(work, 'bundle');
  await run('umoci', ['unpack', '--image', image, bundle]);
  const root = join(bundle, 'rootfs');
  await symlink('busybox', join(root, 'bin/ls'));
  await writeFile(join(root, 'etc/motd'), 'of another platform\n');
  await run('umoci', ['repack', '--image', image, bundle]);
  await rm(bundle, { recursive: true });
}

const INDEX = 'application/vnd.oci.image.index.v1+json';

/** Stores an index under a tag whose one entry is a manifest that the repository has, offered as linux/amd64. */
export async function putForeignIndex(registry: Registry, repository: string, of: string, tag: string) {
  const base = `http://${registry.host}/v2/${repository}/manifests`;
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const response = await fetch(`${base}/${of}`, { headers: { Accept: mediaType } });
  if (!response.ok) throw new Error(`${repository}:${of}: ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const entry = {
    mediaType,
    digest: sha256(bytes),
    size: bytes.length,
    platform: { os: 'linux', architecture: 'amd64' },
  };
  const put = await fetch(`${base}/${tag}`, {
    method: 'PUT',
    headers: { 'Content-Type': INDEX },
    body: JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [entry] }),
  });
  if (put.status !== 201) throw new Error(`PUT ${repository}:${tag}: ${put.status} ${await put.text()}`);
}
