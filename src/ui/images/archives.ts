/** Archives of images between the page and the computer it is open on: `docker load` and `docker save` of files. */

import type { Sandbox } from '../../rpc/sandbox.ts';

/** Bytes that are handed to the browser at a time: it may keep them on the disk. */
const PART = 8 << 20;

/** What the command said, line by line; `failed`: why it did not work. */
export interface Loaded {
  readonly lines: readonly string[];
  readonly failed?: string;
}

/** Loads the archive of images that a file is, as it is read; of any size. */
export async function loadArchive(sandbox: Sandbox, file: Blob, signal?: AbortSignal): Promise<Loaded> {
  const { exitCode, stdout, stderr } = await sandbox.docker(['load', '-q'], {
    stdin: piecesOf(file),
    ...(signal !== undefined && { signal }),
  });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return exitCode === 0 ? { lines } : { lines, failed: reasonOf(stderr, exitCode) };
}

/** The archive of one image. Rejects with the words of the command when there is none. */
export async function savedArchive(sandbox: Sandbox, name: string, signal?: AbortSignal): Promise<Blob> {
  const parts: Blob[] = [];
  let pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const close = () => {
    parts.push(new Blob(pieces));
    pieces = [];
    size = 0;
  };
  const { exitCode, stderr } = await sandbox.docker(['save', name], {
    onStdout: (bytes) => {
      pieces.push(new Uint8Array(bytes));
      size += bytes.length;
      if (size >= PART) close();
    },
    ...(signal !== undefined && { signal }),
  });
  if (exitCode !== 0) throw new Error(reasonOf(stderr, exitCode));
  close();
  return new Blob(parts, { type: 'application/x-tar' });
}

/** A name for the archive of an image that every filesystem takes: `ghcr.io_org_app_1.0.tar`. */
export function archiveName(image: string): string {
  return `${image.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 150)}.tar`;
}

function reasonOf(stderr: string, exitCode: number): string {
  const said = stderr.trim().replace(/^Error response from daemon: /, '');
  return said === '' ? `the command ended with ${exitCode}` : said;
}

/** A browser's streams are no async iterables everywhere. */
async function* piecesOf(file: Blob): AsyncGenerator<Uint8Array> {
  const reader = file.stream().getReader();
  try {
    for (;;) {
      const step = await reader.read();
      if (step.done) return;
      yield step.value;
    }
  } finally {
    await reader.cancel();
  }
}
