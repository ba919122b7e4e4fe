/** `docker push` to the real CNCF Distribution: what is sent, what is not, and what is said. */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../../scripts/project-root.ts';
import { formatReference, parseReference } from '../../../src/engine/oci/reference.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry.ts';
import { pushLayout, type Registry, startRegistry } from '../../support/registry.ts';
import type { ProgramCode } from '../container/fake-machine.ts';
import { openSandbox, type TestSandbox } from '../container/sandbox.ts';
import { getDocument, makeLayout, pushIndex } from '../mirror/images.ts';

const programs: Record<string, ProgramCode> = {
  write: async ({ root, spec }) => {
    const [, name = 'x'] = spec.argv;
    if (root === undefined) return 1;
    const ino = root.create(root.root, name, 0o644, { uid: 0, gid: 0 });
    root.write(ino, 0, new TextEncoder().encode(`${name}\n`.repeat(1000)));
    return 0;
  },
};

let registry: Registry;
let proxy: FaultyRegistry;
let other: Registry;
let made: Awaited<ReturnType<typeof makeLayout>>;
beforeAll(async () => {
  [registry, other, made] = await Promise.all([
    startRegistry(),
    startRegistry(),
    makeLayout(['linux/386', 'linux/amd64']),
  ]);
  proxy = await startFaultyRegistry(registry);
  await pushLayout(join(projectRoot, 'public/registry'), 'busybox:latest', registry, 'test/busybox:latest');
  await pushIndex(made.path, registry, 'test/multi', ['linux/386', 'linux/amd64']);
});
afterAll(async () => {
  await proxy.close();
  await Promise.all([registry.close(), other.close(), made.remove()]);
});

const open = () => openSandbox({ programs, fetch: (url, init) => fetch(url, init) });

async function ok(sandbox: TestSandbox, ...argv: string[]): Promise<string> {
  const { code, out, err } = await sandbox.docker(argv);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

/** Another name for an image that is here. */
async function tag({ stores }: TestSandbox, from: string, to: string): Promise<void> {
  const image = await stores.records.get('images', formatReference(parseReference(from)));
  if (image === undefined) throw new Error(`no image ${from}`);
  const id = formatReference(parseReference(to));
  await stores.records.commit([{ kind: 'images', put: { ...image, id } }]);
}

const document = (where: Registry, repository: string, tag = 'latest') => getDocument(where, repository, tag);
const layerLines = (out: string) =>
  out.split('\n').flatMap((line) => /^([0-9a-f]{12}): (.*)$/.exec(line)?.slice(1, 3).join(' ') ?? []);
const asked = () => proxy.seen.map(({ method, path }) => `${method} ${path.replace(/[?].*/, '')}`);

describe('docker push', () => {
  it('sends a pulled image to another registry as it came, and says so as docker does', async () => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${registry.host}/test/busybox`);
    await tag(sandbox, `${registry.host}/test/busybox`, `${other.host}/mine/box:1`);
    const out = await ok(sandbox, 'push', `${other.host}/mine/box:1`);
    const from = await document(registry, 'test/busybox');
    const to = await document(other, 'mine/box', '1');
    expect(to).toEqual(from);
    const [image] = await sandbox.stores.records.list('images');
    const id = image?.layers[0]?.diffID.slice(7, 19);
    expect(out).toBe(
      `The push refers to repository [${other.host}/mine/box]\n` +
        `${id}: Preparing\n${id}: Pushed\n` +
        `1: digest: ${from.digest} size: ${from.size}\n`,
    );
    expect(sandbox.events.at(-1)).toMatchObject({ type: 'image', action: 'push' });
  });

  it('asks first: what is there is not sent again', async () => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${proxy.host}/test/busybox`);
    await ok(sandbox, 'run', '--name', 'web', `${proxy.host}/test/busybox`, 'write', 'first');
    await ok(sandbox, 'commit', 'web', `${proxy.host}/test/busybox:first`);
    proxy.forget();
    const out = await ok(sandbox, 'push', `${proxy.host}/test/busybox:first`);
    expect(
      layerLines(out)
        .map((line) => line.slice(13))
        .sort(),
    ).toEqual(['Layer already exists', 'Preparing', 'Preparing', 'Pushed']);
    const sent = proxy.seen.filter(({ method }) => method === 'PUT').map(({ path }) => path);
    // the new layer, the config, the manifest
    expect(sent).toHaveLength(3);
    expect(sent.at(-1)).toBe('/v2/test/busybox/manifests/first');
    // all that is sent was asked for before
    expect(asked().filter((line) => line.startsWith('HEAD')).length).toBe(4);

    proxy.forget();
    const again = await ok(sandbox, 'push', `${proxy.host}/test/busybox:first`);
    expect(asked()).toEqual(['HEAD /v2/test/busybox/manifests/first']);
    expect(again.split('\n').at(-2)).toBe(out.split('\n').at(-2));
    expect(layerLines(again).filter((line) => line.endsWith('Layer already exists'))).toHaveLength(2);

    // what was made here has a repo digest once it is there
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(out)?.[1];
    const repository = `${proxy.host}/test/busybox`;
    expect(await ok(sandbox, 'rmi', `${repository}:first`)).toContain(
      `Untagged: ${repository}:first\nUntagged: ${repository}@${digest}\nDeleted: `,
    );
  });

  it('has layers mounted from another repository of the registry', async () => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${proxy.host}/test/busybox`);
    await tag(sandbox, `${proxy.host}/test/busybox`, `${proxy.host}/copy/box`);
    proxy.forget();
    const out = await ok(sandbox, 'push', `${proxy.host}/copy/box`);
    expect(out).toMatch(/^Using default tag: latest\nThe push refers to repository/);
    expect(layerLines(out).at(-1)).toMatch(/ Mounted from test\/busybox$/);
    expect(proxy.seen.filter(({ method, path }) => method === 'PUT' && path.includes('/blobs/'))).toEqual([]);
    expect(await document(registry, 'copy/box')).toEqual(await document(registry, 'test/busybox'));
  });

  it('-q says nothing but the name', async () => {
    const sandbox = await open();
    await ok(sandbox, 'pull', '-q', `${registry.host}/test/busybox`);
    await tag(sandbox, `${registry.host}/test/busybox`, `${other.host}/quiet/box`);
    expect(await ok(sandbox, 'push', '-q', `${other.host}/quiet/box`)).toBe(
      `${other.host}/quiet/box:latest\n`,
    );
    expect((await document(other, 'quiet/box')).digest).toBe(
      (await document(registry, 'test/busybox')).digest,
    );
  });

  it('-a pushes every tag of the repository and of no other', async () => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${registry.host}/test/busybox`);
    for (const name of ['all/box:1', 'all/box:2', 'all/boxes:3']) {
      await tag(sandbox, `${registry.host}/test/busybox`, `${other.host}/${name}`);
    }
    const out = await ok(sandbox, 'push', '-a', `${other.host}/all/box`);
    expect(out.match(/^\d: digest: /gm)).toEqual(['1: digest: ', '2: digest: ']);
    const tags = await fetch(`http://${other.host}/v2/all/box/tags/list`);
    // CNCF Distribution 2.8 does not sort them
    expect((await tags.json()).tags.toSorted()).toEqual(['1', '2']);
    expect((await fetch(`http://${other.host}/v2/all/boxes/tags/list`)).status).toBe(404);
    expect(await sandbox.docker(`push -a ${other.host}/all/box:1`)).toEqual({
      code: 1,
      out: '',
      err: "tag can't be used with --all-tags/-a\n",
    });
  });

  it('pushes the manifest of an index of which not all is here, with a note', async () => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${registry.host}/test/multi`);
    await tag(sandbox, `${registry.host}/test/multi`, `${other.host}/multi/part`);
    const out = await ok(sandbox, 'push', `${other.host}/multi/part`);
    const index = await document(registry, 'test/multi');
    const manifest = await document(registry, 'test/multi', 'linux-386');
    expect(await document(other, 'multi/part')).toEqual(manifest);
    expect(out.split('\n').slice(-5)).toEqual([
      `latest: digest: ${manifest.digest} size: ${manifest.size}`,
      '',
      ' Info -> Not all multiplatform-content is present and only the available single-platform image was pushed',
      `         ${index.digest} -> ${manifest.digest}`,
      '',
    ]);
  });

  it('--platform pushes that manifest alone, and says so; of another one it has none', async () => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${registry.host}/test/multi`);
    await tag(sandbox, `${registry.host}/test/multi`, `${other.host}/multi/one`);
    const out = await ok(sandbox, 'push', '--platform', 'linux/386', `${other.host}/multi/one`);
    expect(out).toMatch(/^\n Info -> Using --platform pushes only the specified platform manifest/);
    expect(out).not.toContain('Not all multiplatform-content');
    expect(await document(other, 'multi/one')).toEqual(await document(registry, 'test/multi', 'linux-386'));
    const refused = await sandbox.docker(`push --platform linux/amd64 ${other.host}/multi/one`);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/was found but does not provide the specified platform \(linux\/amd64\)\n$/);
    expect((await sandbox.docker(`push --platform a/b/c/d ${other.host}/multi/one`)).code).toBe(1);
  });

  it.each([
    ['of nothing', 'push none/such', 'An image does not exist locally with the tag: none/such\n'],
    [
      'of a tag that is not there',
      'push HOST/test/busybox:none',
      'tag does not exist: HOST/test/busybox:none\n',
    ],
    ['of a digest', `push HOST/test/busybox@sha256:${'0'.repeat(64)}`, 'cannot push a digest reference\n'],
    [
      'of all tags of nothing',
      'push -a none/such',
      'An image does not exist locally with the tag: none/such\n',
    ],
  ])('%s is refused in the words of docker', async (_, line, err) => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${registry.host}/test/busybox`);
    const refused = await sandbox.docker(line.replace('HOST', registry.host));
    expect({ code: refused.code, err: refused.err }).toEqual({
      code: 1,
      err: err.replace('HOST', registry.host),
    });
    expect(await sandbox.stores.records.ids('leases')).toEqual([]);
  });

  it('tells of what the registry does not take', async () => {
    const sandbox = await open();
    await ok(sandbox, 'pull', `${registry.host}/test/busybox`);
    await tag(sandbox, `${registry.host}/test/busybox`, `${proxy.host}/full/box`);
    proxy.faults.set('/blobs/uploads/', { kind: 'status', status: 507 });
    const refused = await sandbox.docker(`push ${proxy.host}/full/box`);
    proxy.faults.clear();
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/answered 507 for (?:layer|blob) sha256:[0-9a-f]{64}: made to fail/);
  });
});

describe('the distribution workflow', () => {
  const signal = new AbortController().signal;

  it('push, discovery, referrers and deletion', async () => {
    const sandbox = await open();
    const host = await sandbox.docker(`pull ${registry.host}/test/busybox`);
    expect(host.code).toBe(0);
    for (const name of ['1', '2']) {
      await tag(sandbox, `${registry.host}/test/busybox`, `${other.host}/flow/box:${name}`);
    }
    await ok(sandbox, 'push', '-a', `${other.host}/flow/box`);
    const { Registries } = await import('../../../src/engine/registry/registries.ts');
    const registries = new Registries({
      mirrors: {},
      fetch: (url, init) => fetch(url, init),
      now: Date.now,
      events: { emit: () => undefined },
    });
    const reference = parseReference(`${other.host}/flow/box`);
    expect((await registries.tags(reference, { signal })).toSorted()).toEqual(['1', '2']);
    const { document: found } = await registries.resolve({ ...reference, tag: '1' }, { signal });
    const { digest } = found.descriptor;
    expect(await registries.referrers(reference, digest, { signal })).toEqual([]);
    const target = registries.pushTarget(reference, []);
    await target.deleteManifest(digest, { signal });
    await expect(registries.resolve({ ...reference, tag: '2' }, { signal })).rejects.toMatchObject({
      code: 'ManifestUnknown',
    });
    await expect(target.deleteManifest(digest, { signal })).rejects.toMatchObject({
      code: 'ManifestUnknown',
    });
  });
});
