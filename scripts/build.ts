/** `npm run build`: the static site, in dist/; with what it needs of the machine made first. */

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';
import { projectRoot } from './project-root.ts';
import { ensureSnapshot } from './snapshot.ts';
import { builtFrom, digestOf, recordBuilt } from './stale.ts';

const inputs = [
  'src',
  'workers',
  'public',
  'index.html',
  'vite.config.ts',
  'svelte.config.js',
  'scripts/content-security-policy.ts',
  'package.json',
  'package.json',
  'package-lock.json',
];

/** Absolute path of the folder with the site; builds only what is stale unless `force` says otherwise. */
export async function buildSite({ force = false }: { force?: boolean } = {}): Promise<string> {
  await ensureSnapshot();
  const folder = join(projectRoot, 'dist');
  const digest = await digestOf(inputs);
  if (!force && (await builtFrom('site')) === digest && (await isThere(join(folder, 'index.html'))))
    return folder;
  await build({ root: projectRoot, configFile: join(projectRoot, 'vite.config.ts'), logLevel: 'warn' });
  await recordBuilt('site', digest);
  return folder;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(`The site is in ${await buildSite({ force: true })}`);
}
