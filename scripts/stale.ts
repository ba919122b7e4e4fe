/** Whether something built is older than what it is made of: by a digest of the content, not by dates. */

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { projectRoot } from './project-root.ts';

/** Files and folders, relative to the project's root. What is missing counts as missing, and is no error. */
export async function digestOf(inputs: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const input of inputs) {
    for (const file of await filesOf(join(projectRoot, input))) {
      const content = await readFile(file);
      hash.update(`${relative(projectRoot, file)}\0${content.length}\0`).update(content);
    }
    hash.update('\0');
  }
  return hash.digest('hex');
}

async function filesOf(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ENOTDIR') return [path];
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

const stampOf = (product: string) => join(projectRoot, '.cache', `${product}.digest`);

/** The digest that the product was last built from, or undefined. */
export async function builtFrom(product: string): Promise<string | undefined> {
  try {
    return await readFile(stampOf(product), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Call it once the product is whole. */
export async function recordBuilt(product: string, digest: string): Promise<void> {
  await mkdir(dirname(stampOf(product)), { recursive: true });
  await writeFile(stampOf(product), digest);
}
