/** The machine and the bundled images as files of this package, for Node. */

import type { Fetch } from '../src/engine/registry/request.ts';
import { fetchedFiles, type MachineFiles } from '../src/machine/assets.ts';

/**
 * Stands for the package's folder where a URL has to be one of http: the engine takes mirrors of no other kind. The
 * name can't be one of a host (RFC 6761, section 6.4), and is never looked up.
 */
const packageUrl = 'http://package.invalid/';

/** The folder, relative to this file in the source and in the built library alike. */
const folder = new URL('../public/', import.meta.url);

/** `assets` as given, or the package's own folder, with a fetch that reaches it. */
export function withPackageAssets(assets: string | undefined): { assets: string; fetch: Fetch } {
  if (assets !== undefined)
    return { assets: new URL('./', `${assets}/`).href, fetch: (url, init) => fetch(url, init) };
  return {
    assets: packageUrl,
    fetch: async (url, init) => {
      if (!url.startsWith(packageUrl)) return fetch(url, init);
      init?.signal?.throwIfAborted();
      const bytes = await readPackageFile(url.slice(packageUrl.length));
      return bytes === undefined ? new Response(null, { status: 404 }) : new Response(bytes);
    },
  };
}

/** The machine's files of these assets. */
export function packageAsset(assets: string, fetch: Fetch): MachineFiles {
  if (assets !== packageUrl) return fetchedFiles(`${assets}machine/`, `${assets}machine/v86.wasm`);
  return async (name) => {
    const response = await fetch(`${assets}machine/${name}`);
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : emulatorFile(name);
  };
}

/** v86.wasm comes with its own package; the built library and the site have a copy. */
async function emulatorFile(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (name !== 'v86.wasm') return undefined;
  const { createRequire } = process.getBuiltinModule('node:module');
  return read(createRequire(import.meta.url).resolve('v86/build/v86.wasm'));
}

async function readPackageFile(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const file = new URL(name, folder);
  return file.href.startsWith(folder.href) ? read(file) : undefined;
}

async function read(file: URL | string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // asked of the process, so that bundlers for browsers do not trip over an import
  const { readFile } = process.getBuiltinModule('node:fs/promises');
  try {
    return new Uint8Array(await readFile(file));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
