import { mkdir, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { buildLibrary } from '../../scripts/build-lib.ts';
import { projectRoot } from '../../scripts/project-root.ts';
import { run } from '../support/run.ts';
import { blobsIn } from '../unit/mirror/place.ts';

let folder: string;
let installed: string;
let manifest: {
  name: string;
  version: string;
  bin: Record<string, string>;
  dependencies: Record<string, string>;
};

/** As npm installs it, without asking a package registry: packed, unpacked, with what it depends on beside it. */
beforeAll(async () => {
  await buildLibrary();
  folder = await mkdtemp(join(tmpdir(), 'layerbox-package-'));
  const packed = await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
    cwd: projectRoot,
  });
  installed = join(folder, 'node_modules', 'layerbox');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, packed.trim()), '-C', installed, '--strip-components=1']);
  manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(projectRoot, 'node_modules', name), link);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the command of the package', () => {
  const command = () => join(installed, manifest.bin.layerbox ?? '');
  const layerbox = (...words: string[]) => run(process.execPath, [command(), ...words], { cwd: folder });

  it('is a program of node', async () => {
    expect((await stat(command())).isFile()).toBe(true);
    expect(await readFile(command(), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('tells its version and its help', async () => {
    expect(await layerbox('--version')).toBe(`${manifest.version}\n`);
    expect(await layerbox('mirror', '--help')).toContain('Usage:  layerbox mirror [OPTIONS] --to DIR IMAGE');
  });

  it('copies an image', async () => {
    const image = `${inject('closedRegistry')}/test/busybox:latest`;
    expect(await layerbox('mirror', image, '--to', 'images')).toBe(`${image}: copied\n`);
    expect(await blobsIn(join(folder, 'images'))).toHaveLength(5);
  });
});

describe('the library of the package', () => {
  it('opens in Node, with the images that come with it', async () => {
    const { createSandbox }: typeof import('../../src/index.ts') = await import(
      join(installed, 'dist-lib/src/index.js')
    );
    const sandbox = await createSandbox({ machine: false });
    expect(await sandbox.docker(['pull', '-q', 'busybox'])).toMatchObject({ exitCode: 0 });
    await sandbox.close();
  });
});
