/** The real CNCF Distribution (Debian's `docker-registry`) on loopback, with CORS answered as its configuration allows. */

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { projectRoot } from '../../scripts/project-root.ts';
import { findProgram } from '../../scripts/system.ts';
import { freePort } from './free-port.ts';
import { run } from './run.ts';
import { startServer } from './server-process.ts';

export interface Registry {
  /** `127.0.0.1:port` */
  readonly host: string;
  close(): Promise<void>;
}

/** One whose store can be looked into. */
export interface ServedRegistry extends Registry {
  /** The folder of its store. */
  readonly store: string;
}

const CORS = `
  headers:
    X-Content-Type-Options: [nosniff]
    Access-Control-Allow-Origin: ['*']
    Access-Control-Allow-Methods: ['HEAD', 'GET', 'OPTIONS']
    Access-Control-Allow-Headers: ['Authorization', 'Accept', 'Cache-Control', 'Range']
    Access-Control-Expose-Headers: ['Docker-Content-Digest', 'WWW-Authenticate', 'Link', 'Content-Range']`;

/** Starts a registry with an empty store of its own. `cors: false` leaves the headers out. */
export async function startRegistry(options: { cors?: boolean } = {}): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), 'layerbox-registry-'));
  const config = join(folder, 'config.yml');
  await writeFile(
    config,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: /set/below }
  delete: { enabled: true }
http:
  addr: set-below${options.cors === false ? '' : CORS}
`,
  );
  const registry = await serveRegistry(config);
  return { ...registry, close: () => registry.close().then(() => rm(folder, { recursive: true })) };
}

/**
 * Starts CNCF Distribution with a configuration file (relative to the project) as it is, but for its address and the
 * folder of its store; `environment` sets more of it, as REGISTRY_<SECTION>_<NAME>.
 */
export async function serveRegistry(
  config: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServedRegistry> {
  const program = findProgram('docker-registry');
  if (program === undefined) throw new Error('docker-registry is not installed');
  const store = await mkdtemp(join(tmpdir(), 'layerbox-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const server = await startServer({
    program,
    args: ['serve', resolve(projectRoot, config)],
    env: {
      ...process.env,
      REGISTRY_HTTP_ADDR: host,
      REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: store,
      ...environment,
    },
    folder: store,
    url: `http://${host}/v2/`,
    statuses: [200, 401],
  });
  return { host, store, close: () => server.close() };
}

/** Copies a tag of an OCI layout into the registry, digests kept. */
export const pushLayout = (
  layout: string,
  tag: string,
  registry: { readonly host: string },
  name: string,
  account?: { readonly name: string; readonly password: string },
) =>
  run('skopeo', [
    'copy',
    '--quiet',
    '--insecure-policy',
    '--preserve-digests',
    '--dest-tls-verify=false',
    ...(account === undefined ? [] : ['--dest-creds', `${account.name}:${account.password}`]),
    `oci:${layout}:${tag}`,
    `docker://${registry.host}/${name}`,
  ]);

export interface PushedManifest {
  config: { mediaType: string; digest: string; size: number };
  layers: { mediaType: string; digest: string; size: number }[];
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** The parsed manifest of a tag. */
export async function readManifest(
  registry: Registry,
  repository: string,
  tag: string,
): Promise<PushedManifest> {
  const response = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, {
    headers: { Accept: MANIFEST },
  });
  if (!response.ok) throw new Error(`${repository}:${tag}: ${response.status}`);
  return JSON.parse(await response.text());
}

/** The bytes of a blob. */
export async function readBlob(registry: Registry, repository: string, digest: string): Promise<Buffer> {
  const response = await fetch(`http://${registry.host}/v2/${repository}/blobs/${digest}`);
  if (!response.ok) throw new Error(`${repository} ${digest}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

export const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Uploads a blob in one piece (distribution-spec, "Pushing a blob monolithically"). */
export async function putBlob(
  registry: Registry,
  repository: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const start = await fetch(`http://${registry.host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(start.headers.get('location') ?? '', `http://${registry.host}`);
  const digest = sha256(bytes);
  location.searchParams.set('digest', digest);
  const put = await fetch(location, { method: 'PUT', body: bytes });
  if (put.status !== 201) throw new Error(`PUT ${location}: ${put.status} ${await put.text()}`);
  return digest;
}

/** Stores a manifest as it is, right or wrong, under a tag. */
export async function putManifest(
  registry: Registry,
  repository: string,
  tag: string,
  manifest: PushedManifest,
): Promise<void> {
  const put = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'Content-Type': MANIFEST },
    body: JSON.stringify(manifest),
  });
  if (put.status !== 201) throw new Error(`PUT ${repository}:${tag}: ${put.status} ${await put.text()}`);
}
