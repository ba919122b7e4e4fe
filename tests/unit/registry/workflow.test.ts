/**
 * The distribution workflow (distribution-spec, "Workflows": pull, push, discovery, deletion, referrers) against CNCF
 * Distribution as `deploy/` configures it: for everybody, with Basic and with Bearer auth.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../../scripts/project-root.ts';
import { digestOf, isDigest } from '../../../src/engine/oci/digest.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { passwordCredential } from '../../../src/engine/registry/credentials.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import { type PushedArtifact, pushReferrers } from '../../support/artifact.ts';
import { type Deployment, startBasic, startBearer, startPlain } from '../../support/deployment.ts';
import { type ReferrersApi, startReferrersApi } from '../../support/referrers-api.ts';
import { pushLayout } from '../../support/registry.ts';
import { run } from '../../support/run.ts';
import type { TokenService } from '../../support/token-service.ts';
import { input, openSandbox, type TestSandbox } from '../container/sandbox.ts';

const learner = { name: 'learner', password: 'correct horse: ünd battery' };
const accounts = { [learner.name]: learner.password };
const signal = new AbortController().signal;

const SBOM = 'application/spdx+json';
const PROVENANCE = 'application/vnd.in-toto.provenance+json';
const artifacts = [
  {
    artifactType: SBOM,
    predicateType: 'https://spdx.dev/Document',
    predicate: { spdxVersion: 'SPDX-2.3', packages: [{ name: 'busybox', versionInfo: '1.35' }] },
  },
  {
    artifactType: PROVENANCE,
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: { buildDefinition: {}, runDetails: { builder: { id: 'https://ci.example/run/9' } } },
  },
];

interface Started extends Deployment {
  readonly tokens?: TokenService;
}
const kinds: readonly (readonly [string, boolean, () => Promise<Started>])[] = [
  ['for everybody', false, startPlain],
  ['with Basic auth', true, () => startBasic(accounts)],
  ['with Bearer auth', true, () => startBearer(accounts)],
];

describe.each(kinds)('a registry %s', (_, isGuarded, start) => {
  const creds = isGuarded ? `${learner.name}:${learner.password}` : undefined;
  let server: Started;
  let api: ReferrersApi;
  let subject: { mediaType: string; digest: string; size: number };
  let pushed: readonly PushedArtifact[];

  beforeAll(async () => {
    server = await start();
    api = await startReferrersApi(server);
    await pushLayout(
      join(projectRoot, 'public/registry'),
      'busybox:latest',
      server,
      'flow/base:latest',
      isGuarded ? learner : undefined,
    );
    const bytes = await raw('flow/base');
    const digest = await skopeo('inspect', '--format', '{{.Digest}}', `docker://${server.host}/flow/base`);
    subject = {
      mediaType: JSON.parse(bytes).mediaType,
      digest: digest.trim(),
      size: Buffer.byteLength(bytes),
    };
    pushed = await pushReferrers(
      { host: server.host, repository: 'flow/base', ...(creds !== undefined && { creds }) },
      subject,
      artifacts,
      async (tag, mediaType, bytes) => {
        const { registries, of } = await client();
        const descriptor = { mediaType, digest: await digestOf(bytes), size: bytes.length };
        await registries.pushTarget(of('flow/base'), []).putManifest(tag, descriptor, bytes, { signal });
      },
    );
  }, 60_000);
  afterAll(async () => {
    await api.close();
    await server.close();
  }, 60_000);

  const skopeo = (command: string, ...args: string[]) =>
    run('skopeo', [
      ...['--override-arch', '386', command, '--tls-verify=false'],
      ...(creds === undefined ? [] : ['--creds', creds]),
      ...args,
    ]);
  const raw = (repository: string) => skopeo('inspect', '--raw', `docker://${server.host}/${repository}`);

  const open = () => openSandbox({ fetch: (url, init) => fetch(url, init) });
  async function loggedIn(host = server.host): Promise<TestSandbox> {
    const sandbox = await open();
    if (!isGuarded) return sandbox;
    const argv = ['login', '-u', learner.name, '--password-stdin', host];
    expect(await sandbox.docker(argv, { input: input(learner.password) })).toMatchObject({
      code: 0,
      err: '',
    });
    return sandbox;
  }
  async function ok(sandbox: TestSandbox, line: string): Promise<string> {
    const { code, out, err } = await sandbox.docker(line);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return out;
  }

  async function client(host = server.host, isKnown = isGuarded) {
    const registries = new Registries({
      mirrors: {},
      fetch: (url, init) => fetch(url, init),
      now: Date.now,
      events: { emit: () => undefined },
    });
    if (isKnown) {
      const credential = passwordCredential(learner.name, learner.password);
      await registries.login(host, credential, { signal, keep: false });
    }
    const of = (repository: string) => parseReference(`${host}/${repository}`);
    return { registries, of };
  }

  it('takes an image, and gives it back to the byte', async () => {
    const sandbox = await loggedIn();
    const source = `${server.host}/flow/base`;
    await ok(sandbox, `pull ${source}`);
    for (const tag of ['1', '2']) await ok(sandbox, `tag ${source} ${server.host}/flow/copy:${tag}`);
    const out = await ok(sandbox, `push -a ${server.host}/flow/copy`);
    const line = `digest: ${subject.digest} size: ${subject.size}\n`;
    expect(out).toContain(`1: ${line}`);
    expect(out).toContain(`2: ${line}`);
    expect(await raw('flow/copy:1')).toBe(await raw('flow/base'));
    const other = await loggedIn();
    const pulled = await ok(other, `pull ${server.host}/flow/copy:2`);
    expect(pulled).toContain(`Digest: ${subject.digest}\n`);
  });

  it('is read by those alone who may', async () => {
    const sandbox = await open();
    const { code, err } = await sandbox.docker(`pull ${server.host}/private/none`);
    expect(code).toBe(1);
    // of a token that is for less Docker says what it says of a denial
    const denied = `pull access denied for ${server.host}/private/none, repository does not exist or may require 'docker login': denied: requested access to the resource is denied\n`;
    if (server.tokens !== undefined) expect(err).toBe(`Error response from daemon: ${denied}`);
    else {
      expect(err).toMatch(
        isGuarded ? /denies access to .*: authentication required/ : /not found: manifest unknown/,
      );
    }
  });

  it('lists its tags', async () => {
    const { registries, of } = await client();
    expect((await registries.tags(of('flow/base'), { signal })).toSorted()).toEqual([
      'latest',
      'referrer-0',
      'referrer-1',
      subject.digest.replace(':', '-'),
    ]);
    expect((await registries.tags(of('flow/copy'), { signal })).toSorted()).toEqual(['1', '2']);
    await expect(registries.tags(of('flow/none'), { signal })).rejects.toMatchObject({
      code: 'ManifestUnknown',
    });
  });

  it('lists its repositories, page after page', async () => {
    const own = ['flow/base', 'flow/copy'];
    // a page has 1,000; with tokens, where each of them must have one, there are more
    const many = server.tokens === undefined ? 0 : 1005;
    const names = Array.from({ length: many }, (_, i) => `many/r${String(i).padStart(4, '0')}`);
    // what the registry makes of a repository first
    const root = join(server.direct.store, 'docker/registry/v2/repositories');
    for (const name of names) await mkdir(join(root, name, '_layers'), { recursive: true });
    const { registries } = await client();
    const pages: (readonly string[])[] = [];
    for await (const page of registries.catalog(server.host, { signal })) pages.push(page);
    expect(pages.map((page) => page.length)).toEqual(many === 0 ? [2] : [1000, 7]);
    expect(pages.flat()).toEqual([...own, ...names]);
    const asked = (await server.requests()).filter(
      ({ path, status }) => path.startsWith('/v2/_catalog') && status === 200,
    );
    expect(asked.map(({ path }) => new URL(path, 'http://x').searchParams.get('last'))).toEqual(
      many === 0 ? [null] : [null, 'many/r0997'],
    );
    if (!isGuarded) return;
    const stranger = await client(server.host, false);
    const first = stranger.registries.catalog(server.host, { signal }).next();
    await expect(first).rejects.toMatchObject({ code: 'RegistryDenied' });
  });

  const listed = () => pushed.map(({ blob: _, ...descriptor }) => descriptor);
  const digest = () => {
    if (!isDigest(subject.digest)) throw new Error(subject.digest);
    return subject.digest;
  };

  it('lists what refers to a manifest, by the tag that stands in for the API it lacks', async () => {
    const direct = await fetch(`http://${server.direct.host}/v2/flow/base/referrers/${subject.digest}`);
    expect(direct.status).toBe(404);
    const { registries, of } = await client();
    const base = of('flow/base');
    expect(await registries.referrers(base, digest(), { signal })).toEqual(listed());
    const [sbom, provenance] = listed();
    const only = (artifactType: string) => registries.referrers(base, digest(), { signal, artifactType });
    expect(await only(SBOM)).toEqual([sbom]);
    expect(await only(PROVENANCE)).toEqual([provenance]);
    expect(await only('application/none')).toEqual([]);
    // what refers to it there does not here
    expect(await registries.referrers(of('flow/copy'), digest(), { signal })).toEqual([]);
  });

  it('lists it by the API where there is one', async () => {
    const { registries, of } = await client(api.host);
    const base = of('flow/base');
    api.lists.length = 0;
    expect(await registries.referrers(base, digest(), { signal })).toEqual(listed());
    const path = `/v2/flow/base/referrers/${subject.digest}`;
    expect(api.lists).toEqual([path, `${path}?page=1`]);
    expect(await registries.referrers(base, digest(), { signal, artifactType: PROVENANCE })).toEqual(
      listed().slice(1),
    );
  });

  it.each([
    ['the tag', () => server.host],
    ['the API', () => api.host],
  ])('shows what it says in tables, by %s', async (_, host) => {
    const sandbox = await loggedIn(host());
    const out = await ok(sandbox, `scout attestation list ${host()}/flow/base`);
    const rows = out.split('\n').map((line) => line.split(/ {2,}/).filter((cell) => cell !== ''));
    for (const [i, { digest, blob }] of pushed.entries()) {
      const size = expect.stringMatching(/B$/);
      expect(rows).toContainEqual([artifacts[i]?.predicateType, 'referrer', digest, blob.digest, size]);
    }
    expect(rows).toContainEqual(['Builder', 'https://ci.example/run/9']);
    const packages = await ok(sandbox, `scout sbom ${host()}/flow/base`);
    expect(packages).toMatch(/\nbusybox +1\.35/);
  });

  it('deletes a manifest with its tags, for those alone who may', async () => {
    const { registries, of } = await client();
    const reference = of('flow/copy');
    if (isGuarded) {
      const stranger = await client(server.host, false);
      const target = stranger.registries.pushTarget(reference, []);
      await expect(target.deleteManifest(digest(), { signal })).rejects.toMatchObject({
        code: 'RegistryDenied',
        message: expect.stringMatching(
          /^unauthorized: authentication required: nothing may be deleted from \S+\/flow\/copy without an account that may/,
        ),
      });
    }
    const target = registries.pushTarget(reference, []);
    if (server.tokens !== undefined) server.tokens.requests.length = 0;
    await target.deleteManifest(digest(), { signal });
    // a token that allows as much as is needed for it
    expect(server.tokens?.requests.at(-1)?.scopes ?? ['repository:flow/copy:delete']).toEqual([
      'repository:flow/copy:delete',
    ]);
    for (const tag of ['1', '2']) {
      await expect(registries.resolve({ ...reference, tag }, { signal })).rejects.toMatchObject({
        code: 'ManifestUnknown',
      });
    }
    await expect(target.deleteManifest(digest(), { signal })).rejects.toMatchObject({
      code: 'ManifestUnknown',
    });
    // the repository that it was copied from has it still
    expect(JSON.parse(await raw('flow/base')).mediaType).toBe(subject.mediaType);
  });
});
