/**
 * What a page would usually do with a layer: fetch it, inflate it with pako,
 * split it with a tar library, and write file by file with lightning-fs. No
 * digest is verified, and what lightning-fs cannot hold (devices, hard links,
 * owners) is left out.
 */

import FS from '@isomorphic-git/lightning-fs';
import { parseTar } from 'nanotar';
import { ungzip } from 'pako';

declare global {
  interface Window {
    pullTheUsualWay(urls: readonly string[]): Promise<number>;
  }
}

window.pullTheUsualWay = async (urls) => {
  const start = performance.now();
  const fs = new FS('usual-way', { wipe: true }).promises;
  const made = new Set<string>(['']);
  const makeFolder = async (path: string): Promise<void> => {
    if (made.has(path)) return;
    await makeFolder(path.slice(0, path.lastIndexOf('/')));
    made.add(path);
    await fs.mkdir(path);
  };
  for (const url of urls) {
    const response = await fetch(url);
    const tar = ungzip(new Uint8Array(await response.arrayBuffer()));
    for (const file of parseTar(tar)) {
      const path = `/${file.name.replace(/^\.?\/+/, '').replace(/\/+$/, '')}`;
      if (path === '/') continue;
      if (file.type === 'directory') await makeFolder(path);
      else if (file.data !== undefined) {
        await makeFolder(path.slice(0, path.lastIndexOf('/')));
        // a view of the whole tar would be cloned with all of the tar behind it
        await fs.writeFile(path, file.data.slice());
      }
    }
  }
  await fs.flush();
  return performance.now() - start;
};
