/** The library on a page of its own, bundled as an embedder would, so that a test can open a sandbox with its options. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { build } from 'vite';
import { projectRoot } from '../../scripts/project-root.ts';
import { type StaticServer, serveFolder } from '../../scripts/serve.ts';
import type { Sandbox, SandboxOptions } from '../../src/rpc/sandbox.ts';
import type { Chromium } from './chromium.ts';

declare global {
  interface Window {
    createSandbox(options: SandboxOptions): Promise<Sandbox>;
  }
}

/** `page` is a folder beside this file: `library-page` has the library and nothing else. */
export async function serveLibraryPage(page = 'library-page'): Promise<StaticServer> {
  const outDir = await mkdtemp(join(tmpdir(), 'layerbox-library-page-'));
  await build({
    root: join(projectRoot, 'tests/support', page),
    configFile: join(projectRoot, 'vite.config.ts'),
    publicDir: false,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true },
  });
  const server = await serveFolder(outDir, 0);
  return { ...server, close: () => server.close().then(() => rm(outDir, { recursive: true })) };
}

/** A new page whose `window.sandbox` is one with these options and without a machine. */
export async function openLibrary(
  chromium: Chromium,
  served: StaticServer,
  options: SandboxOptions,
): Promise<Page> {
  const page = await chromium.newPage();
  await page.goto(served.url, { waitUntil: 'load' });
  await page.evaluate(
    async (wanted) => {
      window.sandbox = await window.createSandbox(wanted);
    },
    { ...options, machine: false },
  );
  return page;
}
