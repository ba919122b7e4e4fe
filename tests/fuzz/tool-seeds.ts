/** What real tools write of a small tree: streams, archives, an image, and one that can be read before it is here. */

import { spawnSync } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lazyFormat } from '../../src/engine/lazy/lazy-format.ts';
import { parseManifest } from '../../src/engine/oci/manifest.ts';
import { type Registry, readBlob } from '../support/registry.ts';
import { run } from '../support/run.ts';
import { noise } from '../unit/lazy/fixture.ts';

type Seeds = Readonly<Record<string, Uint8Array>>;

/** Runs a line of shell in a folder; what it wrote to `out`. */
async function made(folder: string, line: string): Promise<Uint8Array> {
  await run('sh', ['-ec', line], { cwd: folder });
  return readFile(join(folder, 'out'));
}

async function each(folder: string, lines: Readonly<Record<string, string>>): Promise<Seeds> {
  const seeds: Record<string, Uint8Array> = {};
  for (const [name, line] of Object.entries(lines)) seeds[name] = await made(folder, line);
  return seeds;
}

/** Fills the folder: a text, what does not compress, a hole, links. */
export async function makeTree(folder: string): Promise<void> {
  await mkdir(join(folder, 'tree/etc'), { recursive: true });
  await writeFile(join(folder, 'tree/etc/motd'), 'All work and no play\n'.repeat(40));
  await writeFile(join(folder, 'tree/noise'), noise(700, 1));
  await writeFile(
    join(folder, 'tree/hole'),
    Buffer.concat([noise(100, 2), Buffer.alloc(20_000), noise(100, 3)]),
  );
  await symlink('etc/motd', join(folder, 'tree/link'));
  await run('ln', [join(folder, 'tree/noise'), join(folder, 'tree/hard')]);
}

export const gzipStreams = (folder: string) =>
  each(folder, {
    'gzip-9': 'gzip -9c tree/etc/motd > out',
    'gzip-named': 'gzip -kfN tree/etc/motd && mv tree/etc/motd.gz out',
    // blocks that do not look back, each ending at a byte
    pigz: 'for i in 1 2 3 4 5 6; do cat tree/hole; done | pigz -p 2 -b 128 -i > out',
    python: `python3 -c 'import gzip; gzip.open("out", "wb").write(b"by python")'`,
  });

export const zstdStreams = (folder: string) =>
  each(folder, {
    'zstd-1': 'zstd -1 --no-check -qc tree/etc/motd > out',
    'zstd-19': 'zstd -19 --check -qc tree/hole > out',
    'no-size': 'cat tree/noise | zstd -qc > out',
    'two-frames': '(zstd -qc tree/etc/motd; zstd -qc tree/noise) > out',
    'refused-long-window': 'cat tree/hole | zstd --long=27 -qc > out',
  });

export const archives = (folder: string) =>
  each(folder, {
    plain: 'bsdtar -cf out tree',
    gzip: 'bsdtar -czf out tree',
    zstd: 'tar -c tree | zstd -qc > out',
    'refused-bzip2': 'bsdtar -cjf out tree',
    'refused-xz': 'bsdtar -cJf out tree',
  });

export const tarsOfTools = (folder: string) =>
  each(folder, {
    gnu: 'tar --format=gnu --numeric-owner -cf out tree',
    'gnu-sparse-in-pax': 'tar --format=posix --sparse --numeric-owner -cf out tree',
    bsdtar: 'bsdtar --numeric-owner -cf out tree',
  });

export interface ImageSeeds {
  readonly manifests: Seeds;
  readonly indexes: Seeds;
  readonly configs: Seeds;
  /** An OCI layout with it as `image`. */
  readonly layout: string;
}

/** An image by umoci, and as skopeo makes it one of Docker's. */
export async function makeImage(folder: string): Promise<ImageSeeds> {
  const layout = join(folder, 'layout');
  const image = `${layout}:image`;
  await run('umoci', ['init', '--layout', layout]);
  await run('umoci', ['new', '--image', image]);
  // what `umoci insert` adds, skopeo never ends to make zstd:chunked
  const bundle = join(folder, 'bundle');
  await run('umoci', ['unpack', '--rootless', '--image', image, bundle]);
  await run('cp', ['-a', join(folder, 'tree/.'), join(bundle, 'rootfs')]);
  await run('umoci', ['repack', '--image', image, bundle]);
  await run('umoci', [
    'config',
    '--image',
    image,
    '--config.cmd',
    'sh',
    '--config.env',
    'A=1',
    '--architecture',
    '386',
  ]);
  await run('skopeo', [
    'copy',
    '--quiet',
    '--insecure-policy',
    '--format',
    'v2s2',
    `oci:${image}`,
    `dir:${folder}/dir`,
  ]);
  const index = await readFile(join(layout, 'index.json'));
  const blob = (digest: string) => readFile(join(layout, 'blobs', digest.replace(':', '/')));
  const [entry] = JSON.parse(index.toString()).manifests;
  const manifest = await blob(entry.digest);
  const config = await blob(parseManifest(manifest, 'manifest').config.digest);
  return {
    manifests: { umoci: manifest, skopeo: await readFile(join(folder, 'dir/manifest.json')) },
    indexes: { layout: index },
    configs: { umoci: config },
    layout,
  };
}

/** The layer as skopeo makes it zstd:chunked: its descriptor on a line, the blob, and the table of contents by itself. */
export async function chunkedLayer(
  registry: Registry,
  layout: string,
): Promise<{ readonly descriptor: Uint8Array; readonly layer: Uint8Array; readonly toc: Uint8Array }> {
  await run('skopeo', [
    ...['copy', '--quiet', '--insecure-policy', '--dest-tls-verify=false'],
    ...[
      '--dest-compress-format',
      'zstd:chunked',
      `oci:${layout}:image`,
      `docker://${registry.host}/chunked:1`,
    ],
  ]);
  const answer = await fetch(`http://${registry.host}/v2/chunked/manifests/1`, {
    headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  const [described] = parseManifest(new Uint8Array(await answer.arrayBuffer()), 'manifest').layers;
  if (described === undefined) throw new Error('skopeo made no layer');
  const blob = await readBlob(registry, 'chunked', described.digest);
  const descriptor = Buffer.from(JSON.stringify(described));
  const format = lazyFormat(described);
  if (format?.kind !== 'zstd:chunked') throw new Error('skopeo wrote no table of contents');
  const { offset, length } = format;
  const toc = spawnSync('zstd', ['-dc'], { input: blob.subarray(offset, offset + length) }).stdout;
  return { descriptor, layer: Buffer.concat([descriptor, Buffer.from('\n'), blob]), toc };
}
