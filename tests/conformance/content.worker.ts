/// <reference lib="webworker" />
/** A content store of a worker, where large blobs are files; class and code of an error cross as JSON. */

import { expose } from 'comlink';
import { type ErrorJSON, LayerboxError } from '../../src/engine/errors.ts';
import type { Digest } from '../../src/engine/oci/digest.ts';
import type { ContentStore, ContentWriter } from '../../src/engine/store/content.ts';
import { IndexedDBContentStore } from '../../src/storage/indexeddb-content.ts';

export type Answer<T> = { readonly value: T } | { readonly error: ErrorJSON };

async function answer<T>(work: () => T | Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof LayerboxError) return { error: error.toJSON() };
    throw error;
  }
}

export type ContentWorker = typeof surface;

let store: ContentStore | undefined;

function opened(): ContentStore {
  if (store === undefined) throw new TypeError('not open');
  return store;
}

const writers: ContentWriter[] = [];

function writerOf(number: number): ContentWriter {
  const writer = writers[number];
  if (writer === undefined) throw new TypeError(`no writer ${number}`);
  return writer;
}

const surface = {
  open: async (sandbox: string) => {
    store = await IndexedDBContentStore.open(sandbox);
  },
  stat: (digest: Digest) => answer(() => opened().stat(digest)),
  read: (digest: Digest, offset?: number, length?: number) =>
    answer(() => opened().read(digest, offset, length)),
  list: () => answer(() => opened().list()),
  delete: (digest: Digest) => answer(() => opened().delete(digest)),
  pendingIngests: () => answer(() => opened().pendingIngests()),
  abortIngest: (id: string) => answer(() => opened().abortIngest(id)),
  /** The writer's number, for the calls below. */
  ingest: (id: string) =>
    answer(async () => {
      writers.push(await opened().ingest(id));
      return writers.length - 1;
    }),
  write: (writer: number, chunk: Uint8Array<ArrayBuffer>) => answer(() => writerOf(writer).write(chunk)),
  finish: (writer: number) => answer(() => writerOf(writer).finish()),
  commit: (writer: number, digest: Digest) => answer(() => writerOf(writer).commit(digest)),
  abort: (writer: number) => answer(() => writerOf(writer).abort()),
};

expose(surface);
