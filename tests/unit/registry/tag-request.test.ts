/** How many requests a tag takes, and which: of CNCF Distribution 2.8 as it is. */

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventStream } from '../../../src/engine/events.ts';
import type { Descriptor } from '../../../src/engine/oci/descriptor.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import { putBlob, type Registry, startRegistry } from '../../support/registry.ts';
import { AT_ONCE, digestOf, jsonBytes } from './made-up-registry.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const signal = new AbortController().signal;

let registry: Registry;
const documents = new Map<string, { readonly mediaType: string; readonly bytes: Uint8Array<ArrayBuffer> }>();

async function put(name: string, tag: string, document: { mediaType: string }): Promise<Descriptor> {
  const bytes = jsonBytes(document);
  const response = await fetch(`http://${registry.host}/v2/${name}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'Content-Type': document.mediaType },
    body: bytes,
  });
  if (response.status !== 201) throw new Error(`${tag}: ${response.status} ${await response.text()}`);
  documents.set(tag, { mediaType: document.mediaType, bytes });
  return { mediaType: document.mediaType, digest: digestOf(bytes), size: bytes.length };
}

beforeAll(async () => {
  registry = await startRegistry();
  const config = jsonBytes({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] },
    history: [{}],
  });
  const layer = new TextEncoder().encode('a layer');
  await putBlob(registry, 'app', config);
  await putBlob(registry, 'app', layer);
  const part = (mediaType: string, bytes: Uint8Array<ArrayBuffer>) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const platform = { os: 'linux', architecture: 'amd64' };
  const oci = await put('app', 'oci', {
    ...{ schemaVersion: 2, config: part('application/vnd.oci.image.config.v1+json', config) },
    ...{ layers: [part('application/vnd.oci.image.layer.v1.tar', layer)] },
    mediaType: OCI_MANIFEST,
  });
  const docker = await put('app', 'docker', {
    ...{ schemaVersion: 2, config: part('application/vnd.docker.container.image.v1+json', config) },
    ...{ layers: [part('application/vnd.docker.image.rootfs.diff.tar.gzip', layer)] },
    mediaType: DOCKER_MANIFEST,
  });
  await put('app', 'index', {
    ...{ schemaVersion: 2, manifests: [{ ...oci, platform }] },
    mediaType: OCI_INDEX,
  });
  await put('app', 'list', {
    ...{ schemaVersion: 2, manifests: [{ ...docker, platform }] },
    mediaType: LIST,
  });
});
afterAll(() => registry.close());

function client(local?: (digest: string) => Uint8Array<ArrayBuffer> | undefined) {
  const requests: { method: string; tag: string; accept: string }[] = [];
  const registries = new Registries({
    mirrors: {},
    fetch: (url, init) => {
      const tag = new URL(url).pathname.split('/').at(-1) ?? '';
      requests.push({
        method: init?.method ?? '',
        tag,
        accept: new Headers(init?.headers).get('accept') ?? '',
      });
      return fetch(url, init);
    },
    events: new EventStream(() => 0),
    now: () => 0,
    patience: AT_ONCE,
    ...(local !== undefined && {
      local: async (reference) => {
        const found = documents.get(reference.tag ?? '');
        return (
          found && {
            descriptor: {
              mediaType: found.mediaType,
              digest: digestOf(found.bytes),
              size: found.bytes.length,
            },
            read: async (digest) => local(digest),
          }
        );
      },
    }),
  });
  const resolve = (tag: string) =>
    registries.resolve(parseReference(`${registry.host}/app:${tag}`), { signal });
  return { requests, registries, resolve };
}

describe('a tag pulled for the first time', () => {
  it.each([
    ['oci', 1],
    ['index', 1],
    ['docker', 2],
    ['list', 2],
  ])('%s is what was pushed, in %i', async (tag, count) => {
    const { requests, resolve } = client();
    const { document } = await resolve(tag);
    expect(document.bytes).toEqual(documents.get(tag)?.bytes);
    expect(document.descriptor.mediaType).toBe(documents.get(tag)?.mediaType);
    expect(requests.map(({ method }) => method)).toEqual(Array(count).fill('GET'));
    // more would need a preflight (Fetch standard, "CORS-safelisted request-header")
    for (const { accept } of requests) expect(accept.length).toBeLessThanOrEqual(128);
  });

  it('is asked for by the types that the registry had last', async () => {
    const { requests, resolve } = client();
    const counts: (readonly [string, number])[] = [];
    for (const tag of ['docker', 'list', 'docker', 'oci', 'index']) {
      requests.length = 0;
      await resolve(tag);
      counts.push([tag, requests.length]);
    }
    expect(counts).toEqual([
      ['docker', 2],
      ['list', 1],
      ['docker', 1],
      ['oci', 2],
      ['index', 1],
    ]);
  });

  it('that is not there takes two', async () => {
    const { requests, resolve } = client();
    await expect(resolve('nothing')).rejects.toMatchObject({ code: 'ManifestUnknown' });
    expect(requests).toHaveLength(2);
  });
});

describe('a tag that is here', () => {
  const bytesOf = (digest: string) =>
    [...documents.values()].find(({ bytes }) => digestOf(bytes) === digest)?.bytes;

  it.each(['oci', 'index', 'docker', 'list'])('and has not moved is not fetched again: %s', async (tag) => {
    const { requests, resolve } = client(bytesOf);
    const { document } = await resolve(tag);
    expect(document).toMatchObject({
      bytes: documents.get(tag)?.bytes,
      descriptor: { mediaType: documents.get(tag)?.mediaType },
      kind: tag === 'index' || tag === 'list' ? 'index' : 'manifest',
    });
    expect(requests.map(({ method }) => method)).toEqual(['HEAD']);
  });

  it('and has moved to what is not here is fetched', async () => {
    const { requests, resolve } = client(() => undefined);
    expect((await resolve('oci')).document.bytes).toEqual(documents.get('oci')?.bytes);
    expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  it('but is damaged is fetched', async () => {
    const { requests, resolve } = client(() => new Uint8Array(3));
    expect((await resolve('oci')).document.bytes).toEqual(documents.get('oci')?.bytes);
    expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });
});

describe('a descriptor that carries its content', () => {
  it('needs no request, and is verified', async () => {
    const { requests, registries } = client();
    const [source] = registries.sources(parseReference(`${registry.host}/app:oci`));
    const { bytes, mediaType } = documents.get('oci') ?? { bytes: new Uint8Array(), mediaType: '' };
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    const data = Buffer.from(bytes).toString('base64');
    const document = await source?.document({ ...descriptor, data }, { signal });
    expect(document).toMatchObject({ bytes, descriptor });
    expect(document?.descriptor).not.toHaveProperty('data');
    expect(await source?.blob({ ...descriptor, data }, 'config', { signal })).toEqual(bytes);
    expect(requests).toEqual([]);
    const wrong = Buffer.from(bytes).fill(0x20, 0, 1).toString('base64');
    await expect(source?.document({ ...descriptor, data: wrong }, { signal })).rejects.toMatchObject({
      code: 'DigestMismatch',
    });
    await expect(
      source?.blob({ ...descriptor, data: data.slice(0, -4) }, 'config', { signal }),
    ).rejects.toMatchObject({
      code: 'SizeMismatch',
    });
  });
});

describe('sha512', () => {
  it('names a manifest and a blob as well as sha256', async () => {
    const { bytes, mediaType } = documents.get('oci') ?? { bytes: new Uint8Array(), mediaType: '' };
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as const;
    const { registries } = client();
    const [source] = registries.sources(parseReference(`${registry.host}/app:oci`));
    const data = Buffer.from(bytes).toString('base64');
    const descriptor = { mediaType, digest, size: bytes.length, data };
    expect((await source?.document(descriptor, { signal }))?.descriptor.digest).toBe(digest);
    await expect(
      source?.document({ ...descriptor, digest: `sha512:${'0'.repeat(128)}` }, { signal }),
    ).rejects.toMatchObject({ code: 'DigestMismatch' });
  });
});

describe('lists of the real registry', () => {
  it('have its tags and repositories', async () => {
    const { registries } = client();
    expect(await registries.tags(parseReference(`${registry.host}/app`), { signal })).toEqual(
      expect.arrayContaining(['oci', 'docker', 'index', 'list']),
    );
    const names: string[] = [];
    for await (const page of registries.catalog(registry.host, { signal })) names.push(...page);
    expect(names).toEqual(['app']);
    await expect(
      registries.tags(parseReference(`${registry.host}/nothing`), { signal }),
    ).rejects.toMatchObject({
      code: 'ManifestUnknown',
    });
  });

  it('of what refers to a manifest come from the tag that stands in for the API', async () => {
    const { registries } = client();
    const reference = parseReference(`${registry.host}/app`);
    const subject = digestOf(documents.get('oci')?.bytes ?? new Uint8Array());
    expect(await registries.referrers(reference, subject, { signal })).toEqual([]);
    const oci = documents.get('oci')?.bytes ?? new Uint8Array();
    const signature = {
      mediaType: OCI_MANIFEST,
      digest: digestOf(oci),
      size: oci.length,
      artifactType: 'application/vnd.example.signature',
    };
    await put('app', subject.replace(':', '-'), {
      ...{ schemaVersion: 2, manifests: [signature] },
      mediaType: OCI_INDEX,
    });
    expect(await registries.referrers(reference, subject, { signal })).toEqual([signature]);
    const typed = (artifactType: string) =>
      registries.referrers(reference, subject, { signal, artifactType });
    expect(await typed('application/vnd.example.signature')).toHaveLength(1);
    expect(await typed('application/vnd.example.sbom')).toEqual([]);
  });
});
