/** The snapshot that a machine starts from, if the site has one that fits it. */

import { gunzip, type MachineFiles, readMachineFile, sha256 } from './assets.ts';
import { parseSnapshotRecord, snapshotKey } from './snapshot.ts';

export interface SnapshotWanted {
  /** The content of v86.wasm. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly memoryMB: number;
  /** As `MachineOptions` has it: without it the kernel is read. */
  readonly key?: string | undefined;
}

/** Its unpacked state; undefined when there is none, or none for exactly this code and memory. */
export async function fittingSnapshot(
  files: MachineFiles,
  wanted: SnapshotWanted,
): Promise<ArrayBuffer | undefined> {
  const recordBytes = await files('machine.json');
  const record = recordBytes === undefined ? undefined : parseSnapshotRecord(recordBytes);
  if (record === undefined || record.memoryMB !== wanted.memoryMB) return undefined;
  const wasm = await sha256(wanted.wasm);
  if (record.wasm !== wasm) return undefined;
  const expected =
    wanted.key ??
    (await snapshotKey({
      vmlinux: await sha256(await gunzip(await readMachineFile(files, 'vmlinux.gz'))),
      wasm,
      memoryMB: wanted.memoryMB,
    }));
  if (record.key !== expected) return undefined;
  const packed = await files(record.state);
  if (packed === undefined) return undefined;
  const state = await gunzip(packed);
  return state.length === record.size ? state.buffer : undefined;
}
