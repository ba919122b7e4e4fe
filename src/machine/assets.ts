/** The files that a machine is made of, and how they are read. */

import { MachineUnavailableError } from '../engine/errors.ts';

/**
 * Reads one of `vmlinux.gz`, `v86.wasm`, `machine.json` and the snapshot that
 * machine.json names; undefined when it is not there.
 */
export type MachineFiles = (name: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/** Files of a static site: all in the folder `base` (a URL that ends in "/"), the emulator's where `wasm` says. */
export function fetchedFiles(base: string, wasm: string): MachineFiles {
  return async (name) => {
    const url = name === 'v86.wasm' ? wasm : new URL(name, base).href;
    const response = await fetch(url, { cache: name === 'machine.json' ? 'no-cache' : 'default' });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`${url} was answered with the status ${response.status}.`);
    return new Uint8Array(await response.arrayBuffer());
  };
}

/** The content of one that the machine cannot do without. MachineUnavailableError when it is not there. */
export async function readMachineFile(files: MachineFiles, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await files(name);
  if (bytes === undefined) {
    throw new MachineUnavailableError(
      `The machine's file ${name} is missing; build the site with npm run build.`,
    );
  }
  return bytes;
}

/**
 * The content of a gzip file. Some static hosts send `.gz` files with
 * Content-Encoding: gzip, and then the browser has already unpacked them.
 */
export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** SHA-256 as lower-case hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
