/**
 * `npm run build:lib`: the library in dist-lib/, as modules with their types, the workers and the `layerbox` command
 * among them, and in dist-lib/public/ the machine and the bundled images. Folders are as in the source, so that a file finds another
 * there by the same relative URL.
 */

import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './project-root.ts';
import { ensureSnapshot } from './snapshot.ts';

const out = join(projectRoot, 'dist-lib');

/** Absolute path of the folder with the library. */
export async function buildLibrary(): Promise<string> {
  await ensureSnapshot();
  await rm(out, { recursive: true, force: true });
  await compile();
  await rewriteWorkerUrls();
  await cp(join(projectRoot, 'public', 'registry'), join(out, 'public', 'registry'), { recursive: true });
  await cp(join(projectRoot, 'public', 'machine'), join(out, 'public', 'machine'), { recursive: true });
  await cp(join(projectRoot, 'codecs', 'codecs.wasm'), join(out, 'codecs', 'codecs.wasm'));
  const emulator = createRequire(import.meta.url).resolve('v86/build/v86.wasm');
  await cp(emulator, join(out, 'public', 'machine', 'v86.wasm'));
  return out;
}

async function compile(): Promise<void> {
  const config = join(projectRoot, '.cache', 'tsconfig.lib.json');
  await mkdir(join(projectRoot, '.cache'), { recursive: true });
  await writeFile(
    config,
    JSON.stringify({
      extends: join(projectRoot, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        outDir: out,
        rootDir: projectRoot,
        typeRoots: [join(projectRoot, 'node_modules', '@types')],
        types: ['node'],
      },
      include: [],
      files: [
        'src/index.ts',
        'workers/engine.worker.ts',
        'workers/layer.worker.ts',
        'workers/stage.worker.ts',
        'src/mirror/layerbox.ts',
      ].map((file) => join(projectRoot, file)),
    }),
  );
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', config], {
    cwd: projectRoot,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('The library does not compile; the compiler has said why.');
}

/** tsc rewrites the endings of imports, and not that of the URL of a worker. */
async function rewriteWorkerUrls(): Promise<void> {
  for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
    const file = join(entry.parentPath, entry.name);
    const text = await readFile(file, 'utf8');
    const rewritten = text.replace(/(new URL\('[^']*\.worker)\.ts('\s*,\s*import\.meta\.url\))/g, '$1.js$2');
    if (rewritten !== text) await writeFile(file, rewritten);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(`The library is in ${await buildLibrary()}`);
}
