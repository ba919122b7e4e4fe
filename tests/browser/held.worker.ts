/// <reference lib="webworker" />
/** Opens files one after the other while everything that nothing refers to is collected; answers with how many came. */

import { held } from '../../src/storage/held.ts';

/** V8's, with --expose-gc. */
declare const gc: (options: { execution: 'async'; type: 'major' }) => Promise<void>;

/** Milliseconds that a file is waited for, which comes at once or never. */
const PATIENCE = 5000;

/** Nothing here refers to the file's handle when this returns. */
async function openFile(
  directory: FileSystemDirectoryHandle,
  name: string,
): Promise<FileSystemSyncAccessHandle> {
  const file = await directory.getFileHandle(name, { create: true });
  return held(file, () => file.createSyncAccessHandle());
}

self.onmessage = async ({ data: { name, count } }) => {
  const root = await navigator.storage.getDirectory();
  const directory = await root.getDirectoryHandle(name, { create: true });
  let opened = 0;
  for (let number = 0; number < count; number += 1) {
    let isOpen = false;
    openFile(directory, `file-${number}`).then((file) => {
      file.close();
      isOpen = true;
    });
    const start = performance.now();
    while (!isOpen && performance.now() - start < PATIENCE) {
      await new Promise((resolve) => setTimeout(resolve));
      await gc({ execution: 'async', type: 'major' });
    }
    if (isOpen) opened += 1;
  }
  await root.removeEntry(name, { recursive: true });
  self.postMessage(opened);
};
