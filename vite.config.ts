import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { createLogger, defineConfig, type Plugin, type UserConfig } from 'vite';
import { headerPolicy, pagePolicy } from './scripts/content-security-policy.ts';
import { currentSnapshotKey } from './scripts/snapshot.ts';

/** v86's WebAssembly beside the machine's other files, as `machine/v86.wasm`, straight from its package. */
function emulator(): Plugin {
  const file = createRequire(import.meta.url).resolve('v86/build/v86.wasm');
  return {
    name: 'layerbox:emulator',
    configureServer(server) {
      server.middlewares.use('/machine/v86.wasm', (_request, response) => {
        response.setHeader('Content-Type', 'application/wasm');
        response.end(readFileSync(file));
      });
    },
    generateBundle() {
      // a worker is a bundle of its own within this build, and must not bring a second copy
      if (this.environment.config.isWorker) return;
      this.emitFile({ type: 'asset', fileName: 'machine/v86.wasm', source: readFileSync(file) });
    },
  };
}

/** The policy in the built page; the development server sends it as a header, with its own socket allowed. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'layerbox:content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: pagePolicy() },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** The console without the note that v86's way of reading files in Node is left out: that is what we want. */
const logger = createLogger();
const { warn } = logger;
logger.warn = (message, options) => {
  if (!/externalized for browser compatibility, imported by "[^"]*libv86\.mjs"/.test(message))
    warn(message, options);
};

export default defineConfig(
  async (): Promise<UserConfig> => ({
    // with it the engine knows the snapshot that fits without reading the kernel (workers/engine.worker.ts)
    define: { LAYERBOX_SNAPSHOT_KEY: JSON.stringify(await currentSnapshotKey()) },
    // relative: the site works from any sub-path
    base: './',
    customLogger: logger,
    plugins: [svelte(), emulator(), contentSecurityPolicy()],
    worker: { format: 'es', plugins: () => [] },
    build: {
      target: 'es2023',
      outDir: 'dist',
      // nothing as data: URLs, which the policy would refuse for fonts and scripts
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      // the engine with its emulator is one file, and loaded beside the page
      chunkSizeWarningLimit: 1200,
    },
    server: {
      headers: { 'Content-Security-Policy': headerPolicy({ 'connect-src': ['ws:'] }) },
      watch: { ignored: ['**/dist/**', '**/dist-lib/**', '**/guest/**', '**/public/**', '**/.cache/**'] },
    },
  }),
);
