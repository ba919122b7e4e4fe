/** `pull`: against the real tools, and against what a page would usually do. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { startChromium } from '../tests/support/chromium.ts';
import { pushLayout, readManifest } from '../tests/support/registry.ts';
import { dockerOk, openSandbox, shows } from '../tests/support/sandbox-page.ts';
import { pullWithPipeline, pullWithTools } from './host-pull.ts';
import { BENCH_IMAGES } from './images.ts';
import { compared, median, milliseconds, type Row } from './report.ts';
import type { Setting } from './setting.ts';

async function pullHere(setting: Setting, repository: string): Promise<number> {
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  await shows(page, /host:~[$#]$/);
  const spent = await milliseconds(() =>
    dockerOk(page, 'pull', '-q', `${setting.registry.host}/${repository}`),
  );
  await chromium.close();
  return spent;
}

/** The page of bench/usual-way.ts, served with nothing around it. */
async function pullTheUsualWay(setting: Setting, repository: string): Promise<number> {
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
  const manifest = await readManifest(setting.registry, repository, 'latest');
  const chromium = await startChromium();
  const page = await chromium.newPage();
  await page.goto(`http://127.0.0.1:${address.port}/`);
  await page.waitForFunction(() => 'pullTheUsualWay' in window);
  const spent = await page.evaluate(
    (urls) => window.pullTheUsualWay(urls),
    manifest.layers.map((layer) => `http://${setting.registry.host}/v2/${repository}/blobs/${layer.digest}`),
  );
  await chromium.close();
  server.closeAllConnections();
  server.close();
  return spent;
}

/** Median of so many runs of each way. */
const RUNS = 3;

export async function pullRows(setting: Setting): Promise<Row[]> {
  const rows: Row[] = [];
  for (const image of BENCH_IMAGES) {
    const repository = `bench/${image.tag}`;
    await pushLayout(setting.images, image.tag, setting.registry, repository);
    const { layers } = await readManifest(setting.registry, repository, 'latest');
    const megabytes = Math.round(layers.reduce((sum, { size }) => sum + size, 0) / 1e6);
    const here = await median(RUNS, () => pullHere(setting, repository));
    const against = (name: string, there: number, atLeast: number) =>
      rows.push(
        compared({
          name: `pull of ${megabytes} MB, ${image.compression}, ${image.layers}`,
          here,
          unit: 'ms',
          against: name,
          there,
          atLeast,
        }),
      );
    const pipeline = await median(RUNS, () => pullWithPipeline(setting, repository, image.compression));
    against(`curl | tee | ${image.compression} | tee | tar`, pipeline, 1);
    // umoci 0.4.7 knows no zstd, and neither does pako
    if (image.compression === 'zstd') continue;
    against('skopeo copy + umoci unpack', await median(RUNS, () => pullWithTools(setting, repository)), 4);
    against('pako + nanotar + lightning-fs', await pullTheUsualWay(setting, repository), 5);
  }
  return rows;
}
