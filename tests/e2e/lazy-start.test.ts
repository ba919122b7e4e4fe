/** A container of Debian starts over a slow line before its image is here. */

import { gunzipSync } from 'node:zlib';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type StargzLayer, stargzFromTar } from '../support/estargz.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import { type NarrowLine, startNarrowLine } from '../support/narrow-line.ts';
import { listTree } from '../support/real-tree.ts';
import { putBlob, putManifest, readBlob, readManifest, sha256 } from '../support/registry.ts';
import { docker, dockerOk, listUnion, openSandbox, shows, type } from '../support/sandbox-page.ts';

/** 20 Mbit/s. */
const RATE = 2_500_000;
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

let chromium: Chromium;
let page: Page;
let proxy: FaultyRegistry;
let line: NarrowLine;
let layer: StargzLayer;
let reference: string;

/** Puts the Debian image into the registry with this layer in place of its own. */
async function push(name: string, put: StargzLayer): Promise<void> {
  const registry = { host: inject('registry'), close: async () => undefined };
  const manifest = await readManifest(registry, 'test/debian', 'latest');
  const config = JSON.parse((await readBlob(registry, 'test/debian', manifest.config.digest)).toString());
  config.rootfs.diff_ids = [put.diffID];
  const bytes = new TextEncoder().encode(JSON.stringify(config));
  const blob = Uint8Array.from(put.blob);
  await putManifest(registry, name, 'latest', {
    ...manifest,
    config: { ...manifest.config, digest: await putBlob(registry, name, bytes), size: bytes.length },
    layers: [
      {
        mediaType: LAYER,
        digest: await putBlob(registry, name, blob),
        size: blob.length,
        ...{ annotations: put.annotations },
      },
    ],
  });
}

beforeAll(async () => {
  const registry = { host: inject('registry'), close: async () => undefined };
  const manifest = await readManifest(registry, 'test/debian', 'latest');
  const [first] = manifest.layers;
  expect(manifest.layers).toHaveLength(1);
  const tar = gunzipSync(await readBlob(registry, 'test/debian', first?.digest ?? ''), {
    maxOutputLength: 1 << 30,
  });
  layer = stargzFromTar(tar, { level: 5 });
  await push('test/lazy', layer);
  proxy = await startFaultyRegistry(registry);
  line = await startNarrowLine(proxy, RATE);
  reference = `${line.host}/test/lazy`;
  chromium = await startChromium();
  page = await openSandbox(chromium, inject('site'));
  await shows(page, /host:~[$#]$/m);
});
afterAll(async () => {
  await chromium?.close();
  await line?.close();
  await proxy?.close();
});

const blobPath = () => `/blobs/${layer.digest}`;
const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
const images = (of: Page) => dockerOk(of, 'images', '--format', '{{.Repository}}');

/** The image named `reference` is here whole. */
const whole = (of: Page, milliseconds = 120_000) =>
  expect.poll(() => images(of), { timeout: milliseconds, interval: 200 }).toContain(reference);

describe('docker run of an image that is not here', () => {
  it('comes to its prompt long before all bytes are here', async () => {
    const start = Date.now();
    await type(page, `docker run -it --name early ${reference} bash`);
    await shows(page, /root@[0-9a-f]{12}:\/#/, 120_000);
    const seconds = (Date.now() - start) / 1000;
    const here = line.bytes;
    expect(await images(page)).not.toContain(reference);
    expect(here).toBeLessThan(layer.blob.length / 2);
    const wholeSeconds = layer.blob.length / RATE;
    console.log(
      `prompt after ${seconds.toFixed(1)} s and ${(here / 1e6).toFixed(1)} MB of ${(layer.blob.length / 1e6).toFixed(1)} MB (${wholeSeconds.toFixed(1)} s on this line)`,
    );
  });

  it('asked for parts first, and for the whole behind them', () => {
    const requests = proxy.seen.filter(({ path }) => path.endsWith(blobPath()));
    // the whole is read from its start, a megabyte at a time
    const firstWhole = requests.findIndex(({ range }) => range?.startsWith('bytes=0-'));
    const parts = requests.slice(0, firstWhole === -1 ? requests.length : firstWhole);
    expect(parts.length).toBeGreaterThan(0);
    expect(requests.every(({ range }) => range !== undefined)).toBe(true);
    // the last one may be under way
    const answered = requests.filter(({ status }) => status !== 0);
    expect(answered.length).toBeGreaterThan(requests.length / 2);
    expect(answered.every(({ status }) => status === 206)).toBe(true);
    expect(requests.filter(({ range }) => range?.startsWith('bytes=0-')).length).toBeLessThanOrEqual(1);
  });

  it('the page tells what is here and what is not yet', async () => {
    await page.getByText('In use already').waitFor();
    await page.getByText(/can be read/).waitFor();
  });

  it('what is touched comes before the rest', async () => {
    line.setRate(RATE / 4);
    expect(await images(page)).not.toContain(reference);
    const start = Date.now();
    await type(page, 'md5sum /usr/share/common-licenses/GPL-3 && echo re""ad');
    await shows(page, /\nread\n/);
    const seconds = (Date.now() - start) / 1000;
    expect(await images(page)).not.toContain(reference);
    console.log(`a file that nobody had touched, at a quarter of the line: ${seconds.toFixed(1)} s`);
    expect(seconds).toBeLessThan(15);
    line.setRate(RATE * 20);
  });

  it('is in the end what a whole pull makes of it', async () => {
    await whole(page);
    const walked = (await listUnion(page, reference)).filter(({ path }) => path !== '/stargz.index.json');
    const real = listTree(inject('roots').debian);
    expect(walked.length).toBe(real.length);
    expect(walked.toSorted(byPath)).toEqual(real.toSorted(byPath));
    await type(page, 'md5sum /bin/bash | cut -c1-8; ex""it');
    await shows(page, /host:~[$#]$/);
    expect(await dockerOk(page, 'diff', 'early')).not.toContain('/bin');
    await dockerOk(page, 'rm', 'early');
    await dockerOk(page, 'rmi', reference);
  });
});

describe('a layer whose bytes were changed', () => {
  it('gives an input/output error for the file, and takes its container along when it is here whole', async () => {
    const entry = layer.entries.find(({ name }) => /usr\/share\/common-licenses\/GPL-3$/.test(String(name)));
    const blob = Buffer.from(layer.blob);
    const at = Number(entry?.offset) + 3000;
    blob[at] = (blob[at] ?? 0) ^ 1;
    await push('test/tampered', { ...layer, blob, digest: sha256(blob) as `sha256:${string}` });
    line.setRate(RATE);
    const tampered = `${line.host}/test/tampered`;
    await type(page, 'clear');
    await type(page, `docker run -it --name bad ${tampered} bash`);
    await shows(page, /root@[0-9a-f]{12}:\/#/, 120_000);
    await type(page, 'cat /usr/share/common-licenses/GPL-3 | head -c 10');
    await shows(page, /GPL-3: Input\/output error/);
    await page.getByText(/A file could not be read: layer .*GPL-3/).waitFor();
    line.setRate(RATE * 20);
    const text = await shows(page, /host:~[$#]$/, 120_000);
    expect(text).toMatch(/docker: Error response from daemon: layer sha256:/);
    expect(await images(page)).not.toContain(tampered);
    expect(await dockerOk(page, 'ps', '-aq')).toBe('');
  });
});

describe('a browser that is killed before all is here', () => {
  it('leaves neither image nor container, and starts over', async () => {
    line.setRate(RATE / 2);
    await type(page, 'clear');
    await type(page, `docker run -it ${reference} bash`);
    await shows(page, /root@[0-9a-f]{12}:\/#/, 240_000);
    await type(page, 'echo hi > /root/note; sync; echo wro""te');
    await shows(page, /\nwrote\n/);
    await chromium.kill();
    line.setRate(RATE * 20);

    const { profile } = chromium;
    chromium = await startChromium({ profile });
    page = await openSandbox(chromium, inject('site'));
    expect(await images(page)).not.toContain(reference);
    expect(await dockerOk(page, 'ps', '-aq')).toBe('');
    const { exitCode, stdout } = await docker(page, 'run', '--rm', reference, 'cat', '/etc/hostname');
    expect({ exitCode, isName: /^[0-9a-f]{12}\n$/.test(stdout) }).toEqual({ exitCode: 0, isName: true });
    await whole(page);
  });
});
