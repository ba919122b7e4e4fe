/** The command as a test runs it: in this process, with streams that are kept, and a home of its own. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LayerboxError } from '../../../src/engine/errors.ts';
import { type CommandPlace, mirrorCommand } from '../../../src/mirror/mirror-command.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder under the system's temporary one, and how to be rid of it. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'layerbox-mirror-'));
  return { path, remove: () => rm(path, { recursive: true }) };
}

/** Errors of the words and of the folder are thrown by the command: here they are code 1 and the message. */
export async function mirror(
  argv: readonly string[],
  place: Partial<CommandPlace> & { readonly input?: string } = {},
): Promise<Ran> {
  const text = { out: '', err: '' };
  const { input, ...rest } = place;
  const keep = (name: 'out' | 'err', isTTY = false) => ({
    isTTY,
    columns: 80,
    write: (piece: string) => {
      text[name] += piece;
    },
  });
  async function* stdin() {
    if (input !== undefined) yield input;
  }
  const code = await mirrorCommand(argv, {
    stdout: keep('out'),
    stderr: keep('err'),
    stdin: stdin(),
    env: { DOCKER_CONFIG: '/nonexistent' },
    fetch: (url, init) => fetch(url, init),
    now: Date.now,
    signal: new AbortController().signal,
    ...rest,
  }).catch((error: unknown) => {
    if (!(error instanceof LayerboxError)) throw error;
    text.err += `${error.message}\n`;
    return 1;
  });
  return { code, stdout: text.out, stderr: text.err };
}

/** Paths in a folder, relative, files alone, with their content. */
export async function filesIn(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), await readFile(path));
  }
  return files;
}

/** The blobs' names, without what may be half-done: which is nothing. */
export async function blobsIn(folder: string): Promise<readonly string[]> {
  return [...(await filesIn(folder)).keys()].filter((path) => path.startsWith('blobs/')).sort();
}

/** Entries of index.json by name, with the digest that each stands for. */
export async function namesIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const { manifests } = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'));
  return Object.fromEntries(
    manifests.map((entry: { digest: string; annotations?: Record<string, string> }) => [
      entry.annotations?.['org.opencontainers.image.ref.name'] ?? '',
      entry.digest,
    ]),
  );
}
