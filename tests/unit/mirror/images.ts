/** Small images for the tests of mirrors, made by umoci and pushed by skopeo, and indexes over them. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pushLayout, type Registry, sha256 } from '../../support/registry.ts';
import { run } from '../../support/run.ts';

export const INDEX = 'application/vnd.oci.image.index.v1+json';
export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** A layout with one image per platform, each under the tag `os-arch-variant`: a layer that all share and one of their own. */
export async function makeLayout(
  platforms: readonly string[],
): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'layerbox-images-'));
  const path = join(folder, 'layout');
  await run('umoci', ['init', '--layout', path]);
  const root = join(folder, 'root');
  await mkdir(root);
  const add = async (image: string, name: string, text: string) => {
    await writeFile(join(root, name), text);
    const tar = join(folder, `${name}.tar`);
    await run('tar', ['-C', root, '--mtime=@0', '-cf', tar, name]);
    await run('umoci', ['raw', 'add-layer', '--history.created=2026-01-01T00:00:00Z', '--image', image, tar]);
  };
  for (const platform of platforms) {
    const image = `${path}:${tagOf(platform)}`;
    const [os = '', architecture = ''] = platform.split('/');
    await run('umoci', ['new', '--image', image]);
    await run('umoci', [
      'config',
      '--no-history',
      '--image',
      image,
      `--os=${os}`,
      `--architecture=${architecture}`,
    ]);
    await add(image, 'shared', 'the same for all\n'.repeat(20_000));
    await add(image, `own-${tagOf(platform)}`, `${platform}\n`.repeat(1000));
  }
  return { path, remove: () => rm(folder, { recursive: true }) };
}

export const tagOf = (platform: string) => platform.replaceAll('/', '-');

export interface PushedDocument {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
}

export async function getDocument(
  registry: Registry,
  repository: string,
  name: string,
): Promise<PushedDocument> {
  const response = await fetch(`http://${registry.host}/v2/${repository}/manifests/${name}`, {
    headers: { Accept: `${INDEX},${MANIFEST}` },
  });
  if (!response.ok) throw new Error(`${repository} ${name}: ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const mediaType = response.headers.get('content-type') ?? '';
  return { bytes, digest: sha256(bytes), mediaType, size: bytes.length };
}

/** Stores a manifest or index, under a tag or, without one, under its digest. */
export async function putDocument(
  registry: Registry,
  repository: string,
  document: { readonly mediaType: string },
  tag?: string,
): Promise<PushedDocument> {
  // with white space of its own, so that whoever writes it anew is found out
  const bytes = new TextEncoder().encode(`${JSON.stringify(document, undefined, 3)}\n`);
  const digest = sha256(bytes);
  const put = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag ?? digest}`, {
    method: 'PUT',
    headers: { 'Content-Type': document.mediaType },
    body: bytes,
  });
  if (put.status !== 201) throw new Error(`PUT ${repository} ${tag}: ${put.status} ${await put.text()}`);
  return { bytes, digest, mediaType: document.mediaType, size: bytes.length };
}

const entryOf = ({ mediaType, digest, size }: PushedDocument, platform?: string) => {
  const [os, architecture, variant] = platform?.split('/') ?? [];
  return {
    mediaType,
    digest,
    size,
    ...(platform !== undefined && { platform: { os, architecture, variant } }),
  };
};

/** Pushes each platform's image, and an index over them under `latest`. */
export async function pushIndex(
  layout: string,
  registry: Registry,
  repository: string,
  platforms: readonly string[],
): Promise<PushedDocument> {
  const entries = [];
  for (const platform of platforms) {
    await pushLayout(layout, tagOf(platform), registry, `${repository}:${tagOf(platform)}`);
    entries.push(entryOf(await getDocument(registry, repository, tagOf(platform)), platform));
  }
  const index = { schemaVersion: 2, mediaType: INDEX, manifests: entries };
  return putDocument(registry, repository, index, 'latest');
}

/** An index whose one entry is an index. */
export async function pushNested(registry: Registry, repository: string, tag: string, inner: PushedDocument) {
  return putDocument(
    registry,
    repository,
    Object.assign({ schemaVersion: 2, mediaType: INDEX }, { manifests: [entryOf(inner)] }),
    tag,
  );
}
