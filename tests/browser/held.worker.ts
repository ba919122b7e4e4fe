/// <reference lib="webworker" />
/**
 * Asks files and directories one after the other while everything that nothing refers to is collected; answers with the
 * names of what came.
 */

import { ContentFiles, deleteContentFiles } from '../../src/storage/content-files.ts';
import { held } from '../../src/storage/held.ts';
import { ReserveFile } from '../../src/storage/reserve-file.ts';

/** V8's, with --expose-gc. */
declare const gc: (options: { execution: 'async'; type: 'major' }) => Promise<void>;

/** Milliseconds that an answer is waited for, which comes at once or never. */
const PATIENCE = 5000;

/** Nothing here refers to the file's handle when this returns. */
async function openFile(
  directory: FileSystemDirectoryHandle,
  name: string,
): Promise<FileSystemSyncAccessHandle> {
  const file = await directory.getFileHandle(name, { create: true });
  return held(file, () => file.createSyncAccessHandle());
}

/** True when the work ends though everything is collected all the time. */
async function ends(work: () => Promise<unknown>): Promise<boolean> {
  let isOver = false;
  work().then(() => {
    isOver = true;
  });
  const start = performance.now();
  while (!isOver && performance.now() - start < PATIENCE) {
    await new Promise((resolve) => setTimeout(resolve));
    await gc({ execution: 'async', type: 'major' });
  }
  return isOver;
}

/** What nothing refers to once it was asked. */
async function files(sandbox: string): Promise<ContentFiles> {
  const opened = await ContentFiles.open(sandbox);
  if (opened === undefined) throw new Error('no files');
  return opened;
}

async function reserve(sandbox: string): Promise<ReserveFile> {
  const opened = await ReserveFile.open(sandbox);
  if (opened === undefined) throw new Error('no reserve');
  return opened;
}

self.onmessage = async ({ data: { name, count } }) => {
  const root = await navigator.storage.getDirectory();
  const directory = await root.getDirectoryHandle(name, { create: true });
  const asked: readonly (readonly [string, (number: number) => Promise<unknown>])[] = [
    ['open', async (number) => (await openFile(directory, `file-${number}`)).close()],
    ['create', async (number) => (await (await files(name)).create(`file-${number}`)).close()],
    ['read', async (number) => (await files(name)).read(`file-${number}`)],
    ['names', async () => (await files(name)).names()],
    ['remove', async (number) => (await files(name)).remove(`file-${number}`)],
    ['hold', async (number) => (await reserve(name)).hold(1000 + number)],
    ['release', async () => (await reserve(name)).release()],
    ['delete', () => deleteContentFiles(name)],
  ];
  const answered: Record<string, number> = {};
  for (const [what, ask] of asked) {
    answered[what] = 0;
    for (let number = 0; number < count; number += 1) {
      if (!(await ends(() => ask(number)))) break;
      answered[what] += 1;
    }
  }
  await root.removeEntry(name, { recursive: true });
  self.postMessage(answered);
};
