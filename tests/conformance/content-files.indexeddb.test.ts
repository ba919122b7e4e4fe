import { type Remote, wrap } from 'comlink';
import { expect, it } from 'vitest';
import { errorFromJSON } from '../../src/engine/errors.ts';
import { digestOf } from '../../src/engine/oci/digest.ts';
import type { ContentStore } from '../../src/engine/store/content.ts';
import { deleteSandboxDatabase, SandboxDatabase } from '../../src/storage/database.ts';
import { IndexedDBContentStore } from '../../src/storage/indexeddb-content.ts';
import { countingBytes } from './bytes.ts';
import { describeContentStore } from './content.ts';
import type { Answer, ContentWorker } from './content.worker.ts';
import { freshSandbox } from './sandbox-name.ts';

async function value<T>(call: Promise<Answer<T>>): Promise<T> {
  const answer = await call;
  if ('error' in answer) throw errorFromJSON(answer.error);
  return answer.value;
}

/** The store of a worker, as one of this thread. */
function storeOf(remote: Remote<ContentWorker>): ContentStore {
  return {
    stat: (digest) => value(remote.stat(digest)),
    read: (digest, offset, length) => value(remote.read(digest, offset, length)),
    list: () => value(remote.list()),
    delete: (digest) => value(remote.delete(digest)),
    pendingIngests: () => value(remote.pendingIngests()),
    abortIngest: (id) => value(remote.abortIngest(id)),
    ingest: async (id) => {
      const writer = await value(remote.ingest(id));
      let size = 0;
      return {
        get size() {
          return size;
        },
        write: async (chunk) => {
          size += chunk.byteLength;
          await value(remote.write(writer, chunk));
        },
        finish: () => void remote.finish(writer),
        commit: (digest) => value(remote.commit(writer, digest)),
        abort: () => value(remote.abort(writer)),
      };
    },
  };
}

interface Opened {
  readonly worker: Worker;
  readonly store: ContentStore;
}

async function openIn(sandbox: string): Promise<Opened> {
  const worker = new Worker(new URL('./content.worker.ts', import.meta.url), { type: 'module' });
  const remote = wrap<ContentWorker>(worker);
  await remote.open(sandbox);
  return { worker, store: storeOf(remote) };
}

describeContentStore('on files, in a worker', async () => {
  const sandbox = freshSandbox('files');
  const workers: Worker[] = [];
  const open = async () => {
    const { worker, store } = await openIn(sandbox);
    workers.push(worker);
    return store;
  };
  return {
    store: await open(),
    reopen: open,
    close: async () => {
      for (const worker of workers) worker.terminate();
      await deleteSandboxDatabase(sandbox);
    },
  };
});

/** Sizes of the sandbox's files. */
async function files(sandbox: string): Promise<readonly number[]> {
  const root = await navigator.storage.getDirectory();
  const all = await root.getDirectoryHandle('layerbox');
  const directory = await all.getDirectoryHandle(`sandbox-${encodeURIComponent(sandbox)}`);
  const sizes: number[] = [];
  for await (const entry of directory.values()) {
    if (entry instanceof FileSystemFileHandle) sizes.push((await entry.getFile()).size);
  }
  return sizes;
}

it('what a worker left that was ended in the middle is found, and given back', async () => {
  const sandbox = freshSandbox('ended');
  const { worker, store } = await openIn(sandbox);
  const kept = countingBytes(70_000, 2);
  const first = await store.ingest('kept');
  await first.write(kept);
  await first.commit(await digestOf(kept));
  const left = await store.ingest('left');
  await left.write(countingBytes(3_000_000));
  worker.terminate();

  const next = await openIn(sandbox);
  expect((await files(sandbox)).toSorted((a, b) => a - b)).toEqual([70_000, 3_000_000]);
  expect(await next.store.pendingIngests()).toEqual(['left']);
  await next.store.abortIngest('left');
  expect(await next.store.pendingIngests()).toEqual([]);
  expect(await files(sandbox)).toEqual([70_000]);

  // a thread that cannot write files reads and removes them
  const database = await SandboxDatabase.open(sandbox);
  const here = new IndexedDBContentStore(database);
  await expect(here.read(await digestOf(kept))).rejects.toThrow('content');
  const content = await IndexedDBContentStore.open(sandbox);
  expect(await digestOf(await content.read(await digestOf(kept)))).toBe(await digestOf(kept));
  await content.delete(await digestOf(kept));
  expect(await files(sandbox)).toEqual([]);
  next.worker.terminate();
  database.close();
  await deleteSandboxDatabase(sandbox);
});

it('drops the file of an ingest that is begun anew once its writer lets go', async () => {
  const sandbox = freshSandbox('anew');
  const { worker, store } = await openIn(sandbox);
  const first = await store.ingest('same');
  await first.write(countingBytes(2_000_000));
  const second = await store.ingest('same');
  await first.abort();
  expect(await files(sandbox)).toEqual([]);
  expect(await store.pendingIngests()).toEqual(['same']);
  const bytes = countingBytes(100_000);
  await second.write(bytes);
  await second.commit(await digestOf(bytes));
  expect(await files(sandbox)).toEqual([100_000]);
  expect(await store.pendingIngests()).toEqual([]);
  worker.terminate();
  await deleteSandboxDatabase(sandbox);
});

it('a file that nobody names is found, and given back', async () => {
  const sandbox = freshSandbox('unnamed');
  const { worker, store } = await openIn(sandbox);
  const left = await store.ingest('left');
  await left.write(countingBytes(100_000));
  worker.terminate();
  const database = await SandboxDatabase.open(sandbox);
  await database.transact('forgetting', ['ingests'], 'readwrite', (transaction) =>
    transaction.objectStore('ingests').clear(),
  );
  database.close();
  const content = await IndexedDBContentStore.open(sandbox);
  const pending = await content.pendingIngests();
  expect(pending).toEqual([expect.stringMatching(/^file\/[0-9a-f]{32}$/)]);
  for (const id of pending) await content.abortIngest(id);
  expect(await files(sandbox)).toEqual([]);
  await deleteSandboxDatabase(sandbox);
});
