/** `pull` of a 40 MB image: against the real tools, and against what a page would usually do. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { startChromium } from '../tests/support/chromium.ts';
import { readManifest } from '../tests/support/registry.ts';
import { run } from '../tests/support/run.ts';
import { dockerOk, openSandbox, shows } from '../tests/support/sandbox-page.ts';
import { compared, median, milliseconds, type Row } from './report.ts';
import type { Setting } from './setting.ts';

async function pullHere(setting: Setting): Promise<number> {
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  await shows(page, /host:~[$#]$/);
  const spent = await milliseconds(() =>
    dockerOk(page, 'pull', '-q', `${setting.registry.host}/test/debian`),
  );
  await chromium.close();
  return spent;
}

async function pullWithTools(setting: Setting): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'layerbox-bench-'));
  const spent = await milliseconds(async () => {
    await run('skopeo', [
      'copy',
      '--quiet',
      '--insecure-policy',
      '--src-tls-verify=false',
      `docker://${setting.registry.host}/test/debian`,
      `oci:${folder}/layout:debian`,
    ]);
    await run('umoci', ['unpack', '--image', `${folder}/layout:debian`, `${folder}/bundle`]);
  });
  await rm(folder, { recursive: true });
  return spent;
}

/** The page of bench/usual-way.ts, served with nothing around it. */
async function pullTheUsualWay(setting: Setting): Promise<number> {
  const out = await mkdtemp(join(tmpdir(), 'layerbox-usual-'));
  await build({
    configFile: false,
    logLevel: 'error',
    define: { global: 'globalThis' },
    build: {
      outDir: out,
      emptyOutDir: true,
      lib: { entry: join(import.meta.dirname, 'usual-way.ts'), formats: ['es'], fileName: 'usual-way' },
    },
  });
  const script = await readFile(join(out, 'usual-way.js'), 'utf8');
  await rm(out, { recursive: true });
  const server = createServer((request, response) => {
    const isScript = request.url === '/usual-way.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script type="module" src="/usual-way.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  const manifest = await readManifest(setting.registry, 'test/debian', 'latest');
  const chromium = await startChromium();
  const page = await chromium.newPage();
  await page.goto(`http://127.0.0.1:${address.port}/`);
  await page.waitForFunction(() => 'pullTheUsualWay' in window);
  const spent = await page.evaluate(
    (urls) => window.pullTheUsualWay(urls),
    manifest.layers.map((layer) => `http://${setting.registry.host}/v2/test/debian/blobs/${layer.digest}`),
  );
  await chromium.close();
  server.closeAllConnections();
  server.close();
  return spent;
}

export async function pullRows(setting: Setting): Promise<Row[]> {
  const here = await median(3, () => pullHere(setting));
  const tools = await median(3, () => pullWithTools(setting));
  const usual = await pullTheUsualWay(setting);
  const name = 'pull of a 43 MB image (141 MB, 6,100 files)';
  return [
    compared({ name, here, unit: 'ms', against: 'skopeo copy + umoci unpack', there: tools, atLeast: 2 }),
    compared({ name, here, unit: 'ms', against: 'pako + nanotar + lightning-fs', there: usual, atLeast: 4 }),
  ];
}
