/** Makes public/registry/ from one Debian package and what lies beside this file. */

import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { busyboxLayer } from './busybox/layer.ts';
import { changesLayer } from './changed/layer.ts';
import { readLock, unpackPackage } from './debian-package.ts';
import { dockerfileSteps } from './dockerfile-steps.ts';
import { BUILD_TIME } from './layer-tree.ts';
import { type ImageContent, LayoutFolder } from './layout-folder.ts';
import { logLayer, pagesLayer } from './site/layers.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const registry = join(here, '../public/registry');
const sums = join(here, 'SHA256SUMS');
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function buildInto(folder: string, workdir: string): void {
  const [busyboxPackage] = readLock(join(here, 'packages.lock'));
  if (busyboxPackage === undefined) throw new Error('packages.lock is empty');
  const unpacked = unpackPackage(busyboxPackage, workdir);
  const layout = new LayoutFolder(folder, new Date(BUILD_TIME * 1000).toISOString().replace('.000Z', 'Z'));
  const steps = (image: string) => dockerfileSteps(join(here, image, 'Dockerfile'));

  const busybox: ImageContent = {
    config: { Env: [PATH], Cmd: ['sh'] },
    layers: [layout.layer(busyboxLayer(unpacked, join(here, 'busybox/root')))],
    history: steps('busybox'),
  };
  layout.image(busybox, ['busybox:latest', 'busybox:1.35', 'busybox:1.35.0']);

  layout.image(
    {
      config: {
        User: 'www-data',
        ExposedPorts: { '8080/tcp': {} },
        Env: [PATH],
        Entrypoint: ['busybox', 'httpd'],
        Cmd: ['-f', '-v', '-p', '8080', '-h', '/var/www'],
        WorkingDir: '/var/www',
        Labels: { 'org.opencontainers.image.title': 'A site in a layer' },
        StopSignal: 'SIGKILL',
      },
      layers: [...busybox.layers, layout.layer(pagesLayer(join(here, 'site/www'))), layout.layer(logLayer())],
      history: [...busybox.history, ...steps('site')],
    },
    ['layerbox/site:latest'],
  );

  layout.image(
    {
      config: {
        Env: [PATH, 'CHANGED=yes'],
        Cmd: ['sh'],
        Labels: { 'org.opencontainers.image.title': 'Base files changed and deleted' },
      },
      layers: [...busybox.layers, layout.layer(changesLayer())],
      history: [...busybox.history, ...steps('changed')],
    },
    ['layerbox/changed:latest'],
  );
  layout.finish();
}

/** Digests of every file below, in the form that `sha256sum --check` reads in the repository's root. */
function digestsOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  return files
    .map((file) => {
      const digest = createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex');
      return `${digest}  public/registry/${file}\n`;
    })
    .join('');
}

const isVerify = process.argv.includes('--verify');
const workdir = mkdtempSync(join(tmpdir(), isVerify ? 'layerbox-images-verify-' : 'layerbox-images-'));
try {
  const built = join(workdir, 'registry');
  buildInto(built, workdir);
  const digests = digestsOf(built);
  if (isVerify) {
    if (digests !== readFileSync(sums, 'utf8') || digests !== digestsOf(registry)) {
      throw new Error('images/build: the build differs from public/registry or SHA256SUMS');
    }
    console.log('images/build: the same, byte for byte');
  } else {
    rmSync(registry, { recursive: true, force: true });
    cpSync(built, registry, { recursive: true });
    writeFileSync(sums, digests);
  }
} finally {
  rmSync(workdir, { recursive: true, force: true });
}
