/** `pull`: against the real tools, and against what a page would usually do. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { build } from 'vite';
import { startChromium } from '../tests/support/chromium.ts';
import { pushLayout, readManifest } from '../tests/support/registry.ts';
import { dockerOk, openSandbox, shows } from '../tests/support/sandbox-page.ts';
import { pullWithPipeline, pullWithTools } from './host-pull.ts';
import { BENCH_IMAGES } from './images.ts';
import { compared, medians, milliseconds, type Row } from './report.ts';
import { type Setting, TYPING_MS } from './setting.ts';

async function pullHere(setting: Setting, repository: string): Promise<number> {
  const chromium = await startChromium();
  const page = await openSandbox(chromium, setting.site);
  await shows(page, /host:~[$#]$/);
  await after(TYPING_MS);
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

/** Runs of each way, in turn, as the computer is not equally fast all the time. */
const RUNS = 3;

const GZIP_WAYS = [
  { against: 'skopeo copy + umoci unpack', atLeast: 4, pull: pullWithTools },
  { against: 'pako + nanotar + lightning-fs', atLeast: 5, pull: pullTheUsualWay },
];

export async function pullRows(setting: Setting): Promise<Row[]> {
  const rows: Row[] = [];
  for (const image of BENCH_IMAGES) {
    const repository = `bench/${image.tag}`;
    await pushLayout(setting.images, image.tag, setting.registry, repository);
    const { layers } = await readManifest(setting.registry, repository, 'latest');
    const megabytes = Math.round(layers.reduce((sum, { size }) => sum + size, 0) / 1e6);
    const ways = [
      {
        against: `curl | tee | ${image.compression} | tee | tar`,
        atLeast: 1,
        pull: () => pullWithPipeline(setting, repository, image.compression),
      },
      // umoci 0.4.7 knows no zstd, and neither does pako
      ...(image.compression === 'zstd' ? [] : GZIP_WAYS),
    ];
    const [here = Number.NaN, ...times] = await medians(RUNS, [
      () => pullHere(setting, repository),
      ...ways.map(
        ({ pull }) =>
          () =>
            pull(setting, repository),
      ),
    ]);
    for (const [at, { against, atLeast }] of ways.entries()) {
      rows.push(
        compared({
          name: `pull of ${megabytes} MB, ${image.compression}, ${image.layers}`,
          here,
          unit: 'ms',
          against,
          there: times[at] ?? Number.NaN,
          atLeast,
        }),
      );
    }
  }
  return rows;
}
