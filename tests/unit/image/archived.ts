/** Sandboxes whose images are saved and loaded. */

import { expect } from 'vitest';
import type { ProgramCode } from '../container/fake-machine.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

/** Programs of the images: one that writes a file of 400,000 bytes, one that does nothing. */
export const programs: Record<string, ProgramCode> = {
  write: async ({ root }) => {
    if (root === undefined) return 1;
    const ino = root.create(root.root, 'new', 0o644, { uid: 0, gid: 0 });
    root.write(ino, 0, new TextEncoder().encode('new\n'.repeat(100_000)));
    return 0;
  },
  true: async () => 0,
};

/** What the command printed; it must succeed. */
export async function ok(sandbox: TestSandbox, ...argv: string[]): Promise<string> {
  const { code, out, err } = await sandbox.docker(argv);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

/** What a command writes to standard output, as bytes. */
export async function bytesOf(sandbox: TestSandbox, ...argv: string[]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const { code, err } = await sandbox.docker(argv, {
    write: async (stream, bytes) => {
      if (stream === 'out') pieces.push(Uint8Array.from(bytes));
    },
  });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return Buffer.concat(pieces);
}

export async function* inPieces(bytes: Uint8Array, length = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** `docker load` of an archive. */
export const load = (sandbox: TestSandbox, bytes: Uint8Array, ...flags: string[]) =>
  sandbox.docker(['load', ...flags], { input: inPieces(bytes) });

/** The record of an image that is there. */
export async function image(sandbox: TestSandbox, id: string) {
  const found = await sandbox.stores.records.get('images', id);
  if (found === undefined) throw new Error(`no image ${id}: ${await sandbox.stores.records.ids('images')}`);
  return found;
}

/** With `busybox:latest` and `mine:1`, which has a second layer, made here. */
export async function withTwoLayers(): Promise<TestSandbox> {
  const sandbox = await openWithBusybox({ programs });
  await ok(sandbox, 'run', '--name', 'web', 'busybox', 'write');
  await ok(sandbox, 'commit', 'web', 'mine:1');
  return sandbox;
}
