/** Images of many layers with content that does not compress, so that a test knows how many bytes each has to fetch. */

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type PushedManifest, putBlob, putManifest, type Registry, sha256 } from './registry.ts';
import { run } from './run.ts';

export interface MadeImage {
  readonly manifest: PushedManifest;
  /** The file that each layer brings, and the digest of its content in hex. */
  readonly files: readonly { readonly path: string; readonly digest: string }[];
  /** In bytes, as served. */
  readonly size: number;
}

/** Bytes that look random and are the same for the same seed. */
export function noise(seed: number, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at * 32 < length; at += 1) {
    blocks.push(createHash('sha256').update(`${seed} ${at}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** Numbers from 0 to below what is asked, the same for the same seed. */
export function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Pushes an image whose layers have one file each, of so many bytes; different seeds share no layer. */
export async function pushMade(
  registry: Registry,
  repository: string,
  seed: number,
  sizes: readonly number[],
): Promise<MadeImage> {
  const folder = await mkdtemp(join(tmpdir(), 'layerbox-made-'));
  const layers: PushedManifest['layers'] = [];
  const diffIDs: string[] = [];
  const files: { path: string; digest: string }[] = [];
  for (const [at, size] of sizes.entries()) {
    const root = join(folder, `${at}`);
    await mkdir(root);
    const content = noise(seed * 1000 + at, size);
    await writeFile(join(root, `noise-${at}`), content);
    await run('tar', ['-C', root, '-cf', `${root}.tar`, `noise-${at}`]);
    const tar = await readFile(`${root}.tar`);
    const bytes = new Uint8Array(gzipSync(tar));
    layers.push({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: await putBlob(registry, repository, bytes),
      size: bytes.length,
    });
    diffIDs.push(sha256(tar));
    files.push({ path: `/noise-${at}`, digest: createHash('sha256').update(content).digest('hex') });
  }
  await rm(folder, { recursive: true });
  const config = new TextEncoder().encode(
    JSON.stringify({
      architecture: '386',
      os: 'linux',
      config: { Cmd: ['/bin/true'] },
      rootfs: { type: 'layers', diff_ids: diffIDs },
    }),
  );
  const manifest: PushedManifest = {
    ...{ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json' },
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: await putBlob(registry, repository, config),
      size: config.length,
    },
    layers,
  };
  await putManifest(registry, repository, 'latest', manifest);
  return { manifest, files, size: layers.reduce((sum, { size }) => sum + size, 0) };
}
