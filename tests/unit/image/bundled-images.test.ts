import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { dockerfileSteps } from '../../../images/dockerfile-steps.ts';
import type { LayerIndex } from '../../../src/engine/layer/layer-index.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import { MadeUpWeb } from '../registry/made-up-registry.ts';
import { madeUpSandbox } from './made-up-sandbox.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const registry = join(root, 'public/registry');

/** A sandbox whose docker.io is the bundled folder, served as a static host would. */
function bundled() {
  const web = new MadeUpWeb().host('https://page.example/assets/registry/', ({ url }) => {
    const file = join(registry, new URL(url).pathname.slice('/assets/registry/'.length));
    return existsSync(file)
      ? new Response(new Uint8Array(readFileSync(file)))
      : new Response('', { status: 404 });
  });
  return madeUpSandbox({ web, mirrors: { 'docker.io': 'layout:https://page.example/assets/registry/' } });
}

describe('the bundled images', () => {
  it('are the files that SHA256SUMS lists, and no others', () => {
    const lines = readFileSync(join(root, 'images/SHA256SUMS'), 'utf8').trimEnd().split('\n');
    const listed = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
    const files = readdirSync(registry, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const found = files.map((entry) => join(entry.parentPath, entry.name));
    const sums = found.map((file) => [
      file.slice(root.length),
      createHash('sha256').update(readFileSync(file)).digest('hex'),
    ]);
    expect(Object.fromEntries(sums)).toEqual(Object.fromEntries(listed));
  });

  it('come from the layout, share busybox’s layer, and say what their Dockerfiles say', async () => {
    const { pull, images, ingested, web } = bundled();
    const busybox = (await pull('busybox')).record;
    expect((await pull('busybox:1.35')).record.imageID).toBe(busybox.imageID);
    const site = (await pull('layerbox/site')).record;
    const changed = (await pull('layerbox/changed')).record;
    expect(ingested).toHaveLength(4);
    expect(web.requests.every(({ url }) => url.startsWith('https://page.example/'))).toBe(true);
    const steps = (name: string) =>
      dockerfileSteps(join(root, 'images', name, 'Dockerfile')).map(({ instruction }) => instruction);
    const said = async (record: typeof site) =>
      (await images.config(record)).history.map(({ createdBy }) => createdBy);
    expect(await said(busybox)).toEqual(steps('busybox'));
    expect(await said(site)).toEqual([...steps('busybox'), ...steps('site')]);
    expect(await said(changed)).toEqual([...steps('busybox'), ...steps('changed')]);
    for (const record of [site, changed]) expect(record.layers[0]).toEqual(busybox.layers[0]);
  });

  it('have in their configs what their Dockerfiles set', async () => {
    const { pull, images } = bundled();
    const { config } = await images.config((await pull('layerbox/site')).record);
    const dockerfile = readFileSync(join(root, 'images/site/Dockerfile'), 'utf8');
    const line = (name: string) => new RegExp(`^${name} (.+)$`, 'm').exec(dockerfile)?.[1] ?? '';
    expect(config).toMatchObject({
      entrypoint: JSON.parse(line('ENTRYPOINT')),
      cmd: JSON.parse(line('CMD')),
      user: line('USER'),
      workingDir: line('WORKDIR'),
      stopSignal: line('STOPSIGNAL'),
      exposedPorts: [`${line('EXPOSE')}/tcp`],
    });
  });

  it('have in layerbox/changed one of everything that a layer can do', async () => {
    const { pull, images } = bundled();
    const [, layer] = await images.layerIndexes((await pull('layerbox/changed')).record);
    if (layer === undefined) throw new Error('a second layer expected');
    const entry = (path: string) => at(layer, path);
    expect(entry('bin/vi').type).toBe('whiteout');
    expect(entry('var/www').type).toBe('whiteout');
    expect(entry('usr/share/doc/busybox-static').opaque).toBe(true);
    expect(entry('etc/shells').type).toBe('dir');
    expect(entry('srv/ledger.again')).toMatchObject({ type: 'hardlink', link: 'srv/ledger' });
    expect(entry('srv/fine').mtimeNs).toBe(1_700_000_000_123_456_789n);
    expect(entry('srv/old').mtimeNs).toBe(915_148_799_999_999_999n);
    expect(entry('srv/releases').mode).toBe(0o2775);
    expect(entry('usr/local/bin/who-am-i').mode).toBe(0o4755);
    expect(entry('srv/current')).toMatchObject({ type: 'symlink', link: 'releases/2', uid: 1000, gid: 1000 });
    expect(entry('srv/pipe').type).toBe('fifo');
    expect(new TextDecoder().decode(entry('srv/labelled').xattrs?.get('user.comment'))).toBe(
      'from the layer',
    );
    expect(entry('srv/naïve ✓').size).toBe(26);
  });

  it('are few enough to be carried by a page', () => {
    const bytes = execFileSync('du', ['-sb', registry], { encoding: 'utf8' });
    expect(Number.parseInt(bytes, 10)).toBeLessThan(3_000_000);
  });

  it('are found by the names that Docker’s short names mean', () => {
    const registries = new Registries({
      mirrors: { 'docker.io': 'layout:https://page.example/assets/registry/' },
      fetch: () => Promise.reject(new TypeError('nothing is asked for')),
      events: { emit: () => undefined },
      now: () => 0,
    });
    const [first] = registries.sources(parseReference('busybox'));
    expect(first?.name).toBe('layout https://page.example/assets/registry/');
  });
});

function at(layer: LayerIndex, path: string) {
  const number = layer.find(path);
  if (number === undefined) throw new Error(`no ${path} in the layer`);
  return layer.entry(number);
}
