/**
 * What a sandbox has in the browser's storage, read past all of its code: rows and chunks of IndexedDB and private
 * files as they lie there. What nothing refers to is an orphan.
 */

import type { Page } from 'playwright';

export interface StoredState {
  /** Blobs, and those whose chunks are not what their digest says. */
  readonly blobs: number;
  readonly wrong: readonly string[];
  /** One line for each row or file that nothing needs: `file ...`, `chunk ...`, `ingest ...`, `lease ...`, `layer ...`, `journal ...`. */
  readonly orphans: readonly string[];
}

/** The sandbox may be open: it is read in transactions of its own. Databases that are not there are made by nobody. */
export const storedState = (page: Page, sandbox = 'default'): Promise<StoredState> =>
  page.evaluate(async (name) => {
    const finished = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const databases = new Set((await indexedDB.databases()).map((each) => each.name));
    const opened = async (database: string) =>
      databases.has(database) ? finished(indexedDB.open(database)) : undefined;
    const rows = (database: IDBDatabase, store: string) =>
      finished(database.transaction(store).objectStore(store).getAll());
    const orphans: string[] = [];
    const wrong: string[] = [];
    const main = await opened(`layerbox/${name}`);
    if (main === undefined) return { blobs: 0, wrong, orphans };

    const [blobs, ingests, leases, images, containers, layers, logs] = await Promise.all(
      ['blobs', 'ingests', 'leases', 'images', 'containers', 'layers', 'logs'].map((store) =>
        rows(main, store),
      ),
    );
    const lanes = [...main.objectStoreNames].filter((store) => store.startsWith('chunks')).sort();
    const stored = new Map<string, { lane: string; key: IDBValidKey }>();
    for (const lane of lanes) {
      for (const key of await finished(main.transaction(lane).objectStore(lane).getAllKeys())) {
        stored.set(String(key), { lane, key });
      }
    }
    const files = new Map<string, FileSystemFileHandle>();
    try {
      const all = await (await navigator.storage.getDirectory()).getDirectoryHandle('layerbox');
      const own = await all.getDirectoryHandle(`sandbox-${encodeURIComponent(name)}`);
      for await (const handle of own.values()) {
        if (handle instanceof FileSystemFileHandle) files.set(handle.name, handle);
      }
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
    }
    const hex = (bytes: ArrayBuffer) =>
      [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    for (const { digest, parts, size, chunks, isFile } of blobs ?? []) {
      const pieces: Blob[] = [];
      const file = isFile === true ? files.get(parts) : undefined;
      if (file !== undefined) pieces.push(await file.getFile());
      files.delete(parts);
      for (let chunk = 0; chunk < chunks; chunk += 1) {
        const place = stored.get(String([parts, chunk]));
        stored.delete(String([parts, chunk]));
        if (place === undefined) continue;
        const { lane, key } = place;
        pieces.push(new Blob([await finished(main.transaction(lane).objectStore(lane).get(key))]));
      }
      try {
        const bytes = await new Blob(pieces).arrayBuffer();
        const found = `sha256:${hex(await crypto.subtle.digest('SHA-256', bytes))}`;
        if (found !== digest) wrong.push(`${digest}: ${bytes.byteLength} of ${size} bytes, ${found}`);
      } catch (error) {
        wrong.push(`${digest}: ${error}`);
      }
    }
    for (const file of files.keys()) orphans.push(`file ${file}`);
    for (const key of stored.keys()) orphans.push(`chunk ${key}`);
    for (const { id } of ingests ?? []) orphans.push(`ingest ${id}`);
    for (const { owner, ephemeral } of leases ?? []) if (ephemeral) orphans.push(`lease of ${owner}`);

    const needed = new Set<string>();
    const neededLayers = new Set<string>();
    for (const { target, manifest, imageID, layers: parts } of images ?? []) {
      for (const digest of [target.digest, manifest.digest, imageID]) needed.add(digest);
      for (const { diffID, blob } of parts) {
        needed.add(blob.digest);
        neededLayers.add(diffID);
      }
    }
    const ids = new Set<string>();
    for (const { id, layers: parts } of containers ?? []) {
      ids.add(id);
      for (const diffID of parts) neededLayers.add(diffID);
    }
    const present = new Set((blobs ?? []).map(({ digest }) => digest));
    for (const digest of neededLayers) needed.add(digest);
    for (const digest of needed) if (!present.has(digest)) wrong.push(`${digest}: not here, and needed`);
    for (const digest of present) if (!needed.has(digest)) orphans.push(`blob ${digest}`);
    for (const { id } of layers ?? []) if (!neededLayers.has(id)) orphans.push(`layer ${id}`);
    for (const { id } of logs ?? []) {
      if (!ids.has(id.slice(0, id.lastIndexOf('/')))) orphans.push(`log ${id}`);
    }
    main.close();

    const journals = await opened(`layerbox-journals/${name}`);
    if (journals !== undefined) {
      // as lightning-fs keeps its tree: a Map by name, its own properties under the key 0
      const inodes = new Set<number>();
      const look = (node: Map<string | number, unknown>) => {
        for (const [key, value] of node) {
          if (value instanceof Map) look(value);
          else if (key === 0 && typeof value === 'object' && value !== null && 'ino' in value) {
            inodes.add(Number(value.ino));
          }
        }
      };
      for (const tree of await rows(journals, 'trees')) {
        if (!(tree instanceof Map)) continue; // the token of the owner
        look(tree);
        for (const entry of tree.get('/')?.keys() ?? []) {
          const container = /^container%002f(.*)$/.exec(String(entry))?.[1];
          if (container !== undefined && !ids.has(container)) orphans.push(`journal of ${container}`);
        }
      }
      for (const inode of await finished(journals.transaction('files').objectStore('files').getAllKeys())) {
        if (!inodes.has(Number(inode))) orphans.push(`segment in inode ${inode}`);
      }
      journals.close();
    }
    return { blobs: (blobs ?? []).length, wrong, orphans };
  }, sandbox);
