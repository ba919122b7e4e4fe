/**
 * Makes the snapshot of the machine that the page restores instead of booting:
 * public/machine/state-<key>.bin.gz and machine.json. Does nothing when the one
 * that is there fits the kernel, v86 and the engine's settings.
 *
 *   npx tsx scripts/snapshot.ts
 */

import { createWriteStream, existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { gunzip, type MachineFiles, sha256 } from '../src/machine/assets.ts';
import {
  DEFAULT_MEMORY_MB,
  parseSnapshotRecord,
  type SnapshotRecord,
  snapshotKey,
} from '../src/machine/snapshot.ts';
import { createMachine } from '../src/machine/v86-machine.ts';
import { V86_VERSION } from '../src/machine/v86-module.ts';

const folder = fileURLToPath(new URL('../public/machine/', import.meta.url));
const wasmPath = createRequire(import.meta.url).resolve('v86/build/v86.wasm');

/** The machine's files where the build finds them. */
export const projectMachineFiles: MachineFiles = async (name) => {
  const path = name === 'v86.wasm' ? wasmPath : join(folder, name);
  return existsSync(path) ? new Uint8Array(await readFile(path)) : undefined;
};

async function read(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await projectMachineFiles(name);
  if (bytes === undefined) throw new Error(`${join(folder, name)} is missing; make it with guest/build.`);
  return bytes;
}

/** What the snapshot that fits now is made of, and its key. */
async function inputs() {
  const made = {
    vmlinux: await sha256(await gunzip(await read('vmlinux.gz'))),
    wasm: await sha256(await read('v86.wasm')),
    memoryMB: DEFAULT_MEMORY_MB,
  };
  return { ...made, key: await snapshotKey(made) };
}

/** The key of the snapshot that fits this kernel, v86 and engine; the build puts it into the page. */
export async function currentSnapshotKey(): Promise<string> {
  return (await inputs()).key;
}

async function existing(key: string): Promise<SnapshotRecord | undefined> {
  const bytes = await projectMachineFiles('machine.json');
  const record = bytes === undefined ? undefined : parseSnapshotRecord(bytes);
  if (record?.key !== key) return undefined;
  const state = join(folder, record.state);
  return existsSync(state) && (await stat(state)).size === record.compressedSize ? record : undefined;
}

/** Boots, warms up and saves. */
async function capture(): Promise<ArrayBuffer> {
  const machine = createMachine({ files: projectMachineFiles, useSnapshot: false });
  await machine.bootBare();
  // what every terminal and every command needs, once in the caches of the emulator and the guest
  for (const argv of [
    ['bash', '-c', 'true'],
    ['sh', '-c', 'ls / | cat >/dev/null'],
  ]) {
    const process = await machine.spawn({
      argv,
      env: ['PATH=/bin:/sbin:/usr/bin:/usr/sbin'],
      cwd: '/',
      uid: 0,
      gid: 0,
    });
    process.closeInput();
    for await (const { bytes } of process.output) console.error(Buffer.from(bytes).toString());
    const { code } = await process.exit;
    if (code !== 0) throw new Error(`${argv.join(' ')} ended with the exit code ${code} in the new machine.`);
  }
  const state = await machine.suspend();
  await machine.close();
  return state;
}

/** Makes the snapshot if the one that is there does not fit; `isNew` says whether it had to. */
export async function ensureSnapshot(): Promise<{ record: SnapshotRecord; isNew: boolean }> {
  const { key, vmlinux, wasm, memoryMB } = await inputs();
  const present = await existing(key);
  if (present !== undefined) return { record: present, isNew: false };

  const state = await capture();
  const name = `state-${key.slice(0, 12)}.bin.gz`;
  const temporary = join(folder, `${name}.${process.pid}`);
  await pipeline(
    Readable.from([new Uint8Array(state)]),
    createGzip({ level: 9 }),
    createWriteStream(temporary),
  );
  const record: SnapshotRecord = {
    key,
    state: name,
    compressedSize: (await stat(temporary)).size,
    size: state.byteLength,
    memoryMB,
    vmlinux,
    wasm,
    v86: V86_VERSION,
  };
  for (const old of await readdir(folder)) {
    if (/^state-[0-9a-f]{12}\.bin\.gz$/.test(old)) await rm(join(folder, old));
  }
  await rename(temporary, join(folder, name));
  // last, and in one piece: a reader finds the old record, none, or this one with its file
  await writeFile(join(folder, `machine.json.${process.pid}`), `${JSON.stringify(record, null, 2)}\n`);
  await rename(join(folder, `machine.json.${process.pid}`), join(folder, 'machine.json'));
  return { record, isNew: true };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { record, isNew } = await ensureSnapshot();
  const megabytes = (record.compressedSize / 1e6).toFixed(1);
  console.log(`${isNew ? 'made' : 'up to date'}: public/machine/${record.state}, ${megabytes} MB`);
}
