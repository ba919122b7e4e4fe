/**
 * The images that the benchmarks pull: two Debian systems of about 40 MB and
 * 150 MB (compressed), each as one layer and as several, with gzip and with
 * zstd. Made once from the distribution's packages and kept in .cache/bench.
 */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDebianTar } from '../tests/support/debian-root.ts';
import { stargzFromTar } from '../tests/support/estargz.ts';
import { run } from '../tests/support/run.ts';

export type Compression = 'gzip' | 'zstd';

export interface BenchImage {
  readonly tag: string;
  readonly size: 'small' | 'large';
  readonly compression: Compression;
  readonly layers: 'one layer' | 'several layers';
}

export const BENCH_IMAGES: readonly BenchImage[] = (['small', 'large'] as const).flatMap((size) =>
  (['gzip', 'zstd'] as const).flatMap((compression) =>
    (['one layer', 'several layers'] as const).map((layers) => ({
      tag: `${size}-${compression}-${layers.replace(' ', '-')}`,
      size,
      compression,
      layers,
    })),
  ),
);

/** The larger image once more, as one layer that can be read before it is whole. */
export const STARGZ_TAG = 'large-stargz';

/** What is installed beside the base system to make the larger image. */
const LARGE_PACKAGES = ['build-essential', 'python3-minimal'];

/** Folders that become layers of their own where an image has several; the rest is the first. */
const PARTS = ['./usr/lib', './usr/share', './usr/bin'];

/** Path of an OCI layout that holds all of BENCH_IMAGES and STARGZ_TAG as tags; needs root. */
export async function makeBenchImages(): Promise<string> {
  const key = createHash('sha256')
    .update(await readFile(import.meta.filename))
    .digest('hex')
    .slice(0, 12);
  const folder = join(import.meta.dirname, '../.cache/bench', key);
  if (existsSync(folder)) return folder;
  const work = `${folder}.making`;
  await rm(work, { recursive: true, force: true });
  await mkdir(join(work, 'blobs/sha256'), { recursive: true });
  await writeFile(join(work, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const manifests: object[] = [];
  for (const size of ['small', 'large'] as const) {
    const whole = join(work, 'whole.tar');
    await makeDebianTar(whole, size === 'large' ? LARGE_PACKAGES : []);
    const parts = await split(work, whole);
    for (const image of BENCH_IMAGES.filter((one) => one.size === size)) {
      const tars = image.layers === 'one layer' ? [whole] : parts;
      const layers = [];
      for (const tar of tars) layers.push(await addLayer(work, tar, image.compression));
      manifests.push(await addManifest(work, image.tag, layers));
    }
    if (size === 'large') manifests.push(await addManifest(work, STARGZ_TAG, [await addStargz(work, whole)]));
    for (const tar of [whole, ...parts]) await rm(tar);
  }
  await writeFile(join(work, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  await rename(work, folder);
  return folder;
}

async function split(work: string, whole: string): Promise<string[]> {
  const root = join(work, 'root');
  await mkdir(root);
  await run('tar', ['-xf', whole, '-C', root, '--numeric-owner']);
  const tars: string[] = [];
  const pack = async (options: readonly string[]) => {
    const tar = join(work, `part-${tars.length}.tar`);
    await run('tar', ['-cf', tar, '-C', root, '--numeric-owner', '--sort=name', ...options]);
    tars.push(tar);
  };
  await pack([...PARTS.map((part) => `--exclude=${part}`), '.']);
  for (const part of PARTS) await pack([part]);
  await rm(root, { recursive: true });
  return tars;
}

interface Layer {
  readonly diffID: string;
  readonly descriptor: object;
}

const LAYER = 'application/vnd.oci.image.layer.v1.tar';

async function addLayer(work: string, tar: string, compression: Compression): Promise<Layer> {
  const blob = `${tar}.compressed`;
  const program = compression === 'gzip' ? 'gzip -n -6' : 'zstd -q -3 -T1';
  await run('sh', ['-c', `${program} -c < "$1" > "$2"`, 'sh', tar, blob]);
  const diffID = `sha256:${await sha256(tar)}`;
  return { diffID, descriptor: { mediaType: `${LAYER}+${compression}`, ...(await keep(work, blob)) } };
}

async function addStargz(work: string, tar: string): Promise<Layer> {
  const { blob, diffID, annotations } = stargzFromTar(await readFile(tar), { level: 6 });
  const path = `${tar}.stargz`;
  await writeFile(path, blob);
  return { diffID, descriptor: { mediaType: `${LAYER}+gzip`, ...(await keep(work, path)), annotations } };
}

async function addManifest(work: string, tag: string, layers: readonly Layer[]): Promise<object> {
  const config = await keepJSON(work, {
    architecture: '386',
    os: 'linux',
    config: { Cmd: ['bash'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) },
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await keepJSON(work, {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: layers.map(({ descriptor }) => descriptor),
  });
  return { mediaType, ...manifest, annotations: { 'org.opencontainers.image.ref.name': tag } };
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** Moves a file among the blobs. */
async function keep(work: string, path: string): Promise<{ digest: string; size: number }> {
  const hex = await sha256(path);
  const { size } = await stat(path);
  await rename(path, join(work, 'blobs/sha256', hex));
  return { digest: `sha256:${hex}`, size };
}

async function keepJSON(work: string, document: object): Promise<{ digest: string; size: number }> {
  const path = join(work, 'document.json');
  await writeFile(path, JSON.stringify(document));
  return keep(work, path);
}
