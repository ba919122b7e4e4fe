import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Fault, type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import { freePort } from '../support/free-port.ts';
import {
  type PushedManifest,
  putBlob,
  putManifest,
  type Registry,
  readBlob,
  readManifest,
  sha256,
} from '../support/registry.ts';
import { docker, openSandbox, storedRows } from '../support/sandbox-page.ts';

let chromium: Chromium;
let page: Page;
let faulty: FaultyRegistry;
let manifest: PushedManifest;
const upstream: Registry = { host: inject('registry'), close: async () => undefined };

beforeAll(async () => {
  chromium = await startChromium();
  page = await openSandbox(chromium, inject('site'));
  faulty = await startFaultyRegistry(upstream);
  manifest = await readManifest(upstream, 'test/busybox', 'latest');
});
afterAll(async () => {
  await chromium.close();
  await faulty.close();
});

/** No image; and after a reload no staged byte, and not even the layers that had arrived whole. */
async function expectNothingLeft(): Promise<void> {
  expect((await docker(page, 'images', '-aq')).stdout).toBe('');
  await page.reload();
  expect((await docker(page, 'images', '-aq')).stdout).toBe('');
  const rows = Object.entries(await storedRows(page)).filter(([, count]) => count > 0);
  expect(rows.filter(([name]) => /images|layers|leases|ingests|blobs|chunks|^files/.test(name))).toEqual([]);
}

const layerOf = (index: number) => manifest.layers[index]?.digest ?? '';

describe('a pull that fails says why and leaves nothing half-done', () => {
  const cases: readonly { name: string; at: () => string; fault: Fault; says: RegExp }[] = [
    {
      name: 'a flipped bit in a layer',
      at: () => layerOf(1),
      fault: { kind: 'flip' },
      says: /layer sha256:[0-9a-f]{12}.*(digest|corrupt|gzip)/is,
    },
    {
      name: 'a flipped bit in the config',
      at: () => manifest.config.digest,
      fault: { kind: 'flip' },
      says: /config.*digest/is,
    },
    {
      name: 'a flipped bit in the manifest',
      at: () => '/manifests/',
      fault: { kind: 'flip' },
      says: /manifest/i,
    },
    {
      name: 'a layer shorter than its manifest says',
      at: () => layerOf(1),
      fault: { kind: 'short', by: 100 },
      says: /layer sha256:[0-9a-f]{12}.*bytes/is,
    },
    {
      name: 'a layer longer than its manifest says',
      at: () => layerOf(1),
      fault: { kind: 'long', by: 100 },
      says: /layer sha256:[0-9a-f]{12}.*bytes/is,
    },
    {
      name: 'a connection cut in the middle of a layer',
      at: () => layerOf(0),
      fault: { kind: 'cut', after: 5000 },
      says: /layer sha256:[0-9a-f]{12}/i,
    },
    {
      name: 'a layer that is not there',
      at: () => layerOf(1),
      fault: { kind: 'status', status: 404 },
      says: /does not have layer sha256:[0-9a-f]{12}/,
    },
    {
      name: 'a server error for a layer',
      at: () => layerOf(1),
      fault: { kind: 'status', status: 500 },
      says: /500/,
    },
    {
      name: 'a server error for the manifest',
      at: () => '/manifests/',
      fault: { kind: 'status', status: 500 },
      says: /500/,
    },
    {
      name: 'a manifest that is not there',
      at: () => '/manifests/',
      fault: { kind: 'status', status: 404 },
      says: /manifest unknown|not found/i,
    },
  ];
  for (const { name, at, fault, says } of cases) {
    it(name, async () => {
      faulty.faults.clear();
      faulty.faults.set(at(), fault);
      const result = await docker(page, 'pull', `${faulty.host}/test/busybox`);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toMatch(says);
      await expectNothingLeft();
    });
  }

  it('a manifest with a wrong size for a layer', async () => {
    const wrong = structuredClone(manifest);
    const layer = wrong.layers[0];
    if (layer !== undefined) layer.size += 7;
    await putManifest(upstream, 'test/busybox', 'wrong-size', wrong);
    const result = await docker(page, 'pull', `${upstream.host}/test/busybox:wrong-size`);
    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/layer sha256:[0-9a-f]{12}.*bytes/is),
    });
    await expectNothingLeft();
  });

  it('a config with a wrong diffID', async () => {
    const config = JSON.parse((await readBlob(upstream, 'test/busybox', manifest.config.digest)).toString());
    config.rootfs.diff_ids[1] = sha256(new TextEncoder().encode('something else'));
    const bytes = new TextEncoder().encode(JSON.stringify(config));
    const digest = await putBlob(upstream, 'test/busybox', bytes);
    await putManifest(upstream, 'test/busybox', 'wrong-diffid', {
      ...manifest,
      config: { ...manifest.config, digest, size: bytes.length },
    });
    const result = await docker(page, 'pull', `${upstream.host}/test/busybox:wrong-diffid`);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/diffID|diff_id/i) });
    await expectNothingLeft();
  });

  it('a registry without CORS', async () => {
    const result = await docker(page, 'pull', `${inject('closedRegistry')}/test/busybox`);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/CORS/) });
    expect(result.stderr).toContain(inject('closedRegistry'));
    await expectNothingLeft();
  });

  it('a registry that is down', async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const result = await docker(page, 'pull', `${host}/test/busybox`);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(host);
    await expectNothingLeft();
  });

  it('cancelled in the middle of a layer', async () => {
    faulty.faults.clear();
    faulty.faults.set(layerOf(0), { kind: 'stall', after: 5000 });
    const reference = `${faulty.host}/test/busybox`;
    const result = await page.evaluate(async (name) => {
      const cancel = new AbortController();
      const stop = window.sandbox.events().subscribe((event) => {
        if (event.type === 'layer' && event.status === 'downloading' && event.bytes > 0) cancel.abort();
      });
      const done = await window.sandbox
        .docker(['pull', name], { signal: cancel.signal })
        .catch((error) => String(error));
      stop();
      return done;
    }, reference);
    faulty.release();
    expect(result).not.toMatchObject({ exitCode: 0 });
    await expectNothingLeft();
  });

  it('and a retry without the fault succeeds', async () => {
    faulty.faults.clear();
    const result = await docker(page, 'pull', `${faulty.host}/test/busybox`);
    expect(result).toMatchObject({ exitCode: 0 });
  });
});
