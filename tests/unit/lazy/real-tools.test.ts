/** zstd:chunked as skopeo writes it, read in ranges from the real CNCF Distribution. */

import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Unpackers } from '../../../src/engine/archive/unpackers.ts';
import { RegistryRanges } from '../../../src/engine/lazy/blob-ranges.ts';
import { CannotBeLazy } from '../../../src/engine/lazy/cannot-be-lazy.ts';
import { unpackStart } from '../../../src/engine/lazy/decode-chunk.ts';
import type { LazyLayer } from '../../../src/engine/lazy/lazy-layer.ts';
import { openLazyLayer } from '../../../src/engine/lazy/open-lazy-layer.ts';
import type { Descriptor } from '../../../src/engine/oci/descriptor.ts';
import { parseManifest } from '../../../src/engine/oci/manifest.ts';
import { startFaultyRegistry } from '../../support/faulty-registry.ts';
import { type Registry, readBlob, sha256, startRegistry } from '../../support/registry.ts';
import { run } from '../../support/run.ts';
import { codecsModule } from '../archive/unpacking.ts';
import { openSandbox, until } from '../container/sandbox.ts';
import { described, indexOfTar, MemoryRanges, never, noise } from './fixture.ts';

const decodeZstd = unpackStart(new Unpackers(async () => codecsModule), 'zstd');
const zeros = (length: number) => Buffer.alloc(length);
let work: string;
let registry: Registry;
let blob: Descriptor;
let tar: Buffer;
let whole: Buffer;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'layerbox-lazy-'));
  registry = await startRegistry();
  const image = `${join(work, 'layout')}:image`;
  await run('umoci', ['init', '--layout', join(work, 'layout')]);
  await run('umoci', ['new', '--image', image]);
  await run('umoci', ['unpack', '--rootless', '--image', image, join(work, 'bundle')]);
  const root = join(work, 'bundle/rootfs');
  await mkdir(join(root, 'etc'));
  await writeFile(join(root, 'etc/motd'), 'hello\n');
  await writeFile(join(root, 'etc/empty'), '');
  await writeFile(join(root, 'etc/größe'), 'a name that is not ASCII');
  await symlink('../etc/motd', join(root, 'etc/link'));
  const holes = Buffer.concat([noise(200_000, 1), zeros(300_000), noise(700_000, 2), zeros(5000)]);
  await writeFile(join(root, 'holes'), holes);
  await writeFile(join(root, 'zeros'), zeros(100_000));
  await writeFile(join(root, 'noise'), noise(900_000, 3));
  await writeFile(join(root, 'text'), 'All work and no play\n'.repeat(50_000));
  await run('ln', [join(root, 'holes'), join(root, 'etc/hard')]);
  await run('umoci', ['repack', '--image', image, join(work, 'bundle')]);
  await run('skopeo', [
    ...['copy', '--quiet', '--insecure-policy', '--dest-tls-verify=false'],
    ...['--dest-compress-format', 'zstd:chunked', `oci:${image}`, `docker://${registry.host}/lazy:chunked`],
  ]);
  const answer = await fetch(`http://${registry.host}/v2/lazy/manifests/chunked`, {
    headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  const [layer] = parseManifest(new Uint8Array(await answer.arrayBuffer()), 'manifest').layers;
  if (layer === undefined) throw new Error('no layer');
  blob = layer;
  whole = await readBlob(registry, 'lazy', blob.digest);
  tar = spawnSync('zstd', ['-dc'], { input: whole, maxBuffer: 1 << 30 }).stdout;
}, 60_000);

afterAll(async () => {
  await registry?.close();
  await rm(work, { recursive: true, force: true });
});

const diffID = () => sha256(tar) as `sha256:${string}`;

function rangesOf(host: string, statuses: number[] = []) {
  return new RegistryRanges({
    address: { url: `http://${host}/v2/lazy/blobs/${blob.digest}`, headers: {} },
    size: blob.size,
    what: 'layer L',
    fetch,
    onRequest: ({ status }) => statuses.push(status),
  });
}

const open = async (ranges = rangesOf(registry.host), of: Descriptor = blob): Promise<LazyLayer> => {
  const lazy = await openLazyLayer(
    { blob: of, diffID: diffID(), ranges, decodeZstd, what: 'layer L' },
    never,
  );
  if (lazy === undefined) throw new Error('no table of contents');
  return lazy;
};

describe('a layer that skopeo made', () => {
  it('says in its annotations where its table is', () => {
    expect(blob.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd');
    expect(Object.keys(blob.annotations ?? {}).join()).toMatch(/zstd-chunked\.manifest-position/);
  });

  it('has the index and the contents of its tar, chunks of zeros and all', async () => {
    const statuses: number[] = [];
    const lazy = await open(rangesOf(registry.host, statuses));
    const real = indexOfTar(tar, diffID());
    expect(described(lazy.index)).toEqual(described(real));
    let files = 0;
    for (let number = 0; number < real.count; number++) {
      const { type, offset, size } = real.entry(number);
      if (type !== 'file') continue;
      const content = await lazy.read(lazy.index.entry(number).offset, size);
      expect(Buffer.from(content).equals(tar.subarray(offset, offset + size))).toBe(true);
      files += 1;
    }
    expect(files).toBe(7);
    expect(new Set(statuses)).toEqual(new Set([206]));
  });

  it('is also read under the names that its annotations have today', async () => {
    const annotations = Object.fromEntries(
      Object.entries(blob.annotations ?? {}).map(([key, value]) => [
        key.replace(/^io\.containers\./, 'io.github.containers.'),
        value,
      ]),
    );
    expect((await open(undefined, { ...blob, annotations })).index.find('etc/motd')).toBeDefined();
  });

  it('is refused when its table was changed', async () => {
    const position = Object.entries(blob.annotations ?? {}).find(([key]) => key.endsWith('position'))?.[1];
    const changed = Buffer.from(whole);
    const at = Number(position?.split(':')[0]) + 20;
    changed[at] = (changed[at] ?? 0) ^ 4;
    await expect(
      openLazyLayer(
        { blob, diffID: diffID(), ranges: new MemoryRanges(changed), decodeZstd, what: 'layer L' },
        never,
      ),
    ).rejects.toThrow('layer L: its table of contents has the digest');
  });

  it('is to be pulled whole where a server gives no ranges', async () => {
    const proxy = await startFaultyRegistry(registry);
    proxy.faults.set(blob.digest, { kind: 'whole' });
    try {
      await expect(open(rangesOf(proxy.host))).rejects.toThrow(CannotBeLazy);
    } finally {
      await proxy.close();
    }
  });

  it('runs before it is here, in an engine of its own', async () => {
    const proxy = await startFaultyRegistry(registry);
    // what is read for later starts at the layer's first byte: it waits until the others are let go
    const held: (() => void)[] = [];
    const isLater = (range: string) => range.startsWith('bytes=0-');
    const sandbox = await openSandbox({
      fetch: async (url, init) => {
        const range = new Headers(init?.headers).get('range') ?? '';
        if (url.includes(blob.digest) && isLater(range)) await new Promise<void>((go) => held.push(go));
        return fetch(url, init);
      },
      programs: {
        read: async ({ root, out }) => {
          const ino = root === undefined ? 0 : root.lookup(root.root, 'noise');
          const bytes = (await root?.read(ino, 100_000, 200_000)) ?? new Uint8Array(0);
          await out(
            Buffer.from(bytes).equals(noise(900_000, 3).subarray(100_000, 300_000)) ? 'same' : 'other',
          );
          return 0;
        },
      },
    });
    try {
      const reference = `${proxy.host}/lazy:chunked`;
      const { code, out, err } = await sandbox.docker(`run ${reference} read`);
      expect({ code, out }).toEqual({ code: 0, out: 'same' });
      expect(err).toContain('while it is still being downloaded');
      expect(proxy.sent(blob.digest)).toBeLessThan(blob.size);
      await until('the rest is asked for', () => held.length > 0);
      for (const go of held) go();
      await until('it is whole', async () => (await sandbox.docker('images -q')).out !== '');
      expect(await sandbox.stores.content.stat(diffID())).toEqual({ size: tar.length });
    } finally {
      await sandbox.engine.close();
      await proxy.close();
    }
  });

  it('is read through a connection that is cut', async () => {
    const lazy = await open(
      new RegistryRanges({
        address: { url: `http://${registry.host}/v2/lazy/blobs/${blob.digest}`, headers: {} },
        size: blob.size,
        what: 'layer L',
        fetch: cutting(fetch),
      }),
    );
    expect(lazy.index.find('etc/motd')).toBeDefined();
  });
});

/** A fetch whose first answer breaks after 100 bytes. */
function cutting(real: typeof fetch): typeof fetch {
  let isFirst = true;
  return async (input, init) => {
    const response = await real(input, init);
    if (!isFirst || response.body === null) return response;
    isFirst = false;
    const reader = response.body.getReader();
    const body = new ReadableStream({
      async pull(controller) {
        const step = await reader.read();
        if (step.value !== undefined) controller.enqueue(step.value.subarray(0, 100));
        await reader.cancel();
        controller.error(new TypeError('terminated'));
      },
    });
    const { status, headers } = response;
    return new Response(body, { status, headers });
  };
}
