/** The reserve of a sandbox in a worker, as the engine has it: only there files can be resized. */

import { expose } from 'comlink';
import { LayerboxError } from '../../src/engine/errors.ts';
import { ContentFiles } from '../../src/storage/content-files.ts';
import { SandboxDatabase } from '../../src/storage/database.ts';
import { IndexedDBContentStore } from '../../src/storage/indexeddb-content.ts';
import { ReserveFile, reserveName } from '../../src/storage/reserve-file.ts';
import { countingBytes } from '../conformance/bytes.ts';

const opened = async (sandbox: string) => {
  const reserve = await ReserveFile.open(sandbox);
  if (reserve === undefined) throw new Error('this worker has no private files');
  return reserve;
};

/** What comes of a file that is being written when room gets short. */
async function writtenWhenShort(sandbox: string) {
  const database = await SandboxDatabase.open(sandbox);
  const files = await ContentFiles.open(sandbox);
  const room = { isShort: false, give: () => undefined };
  const content = new IndexedDBContentStore(database, files, room);
  const writer = await content.ingest('under way');
  await writer.write(countingBytes(100_000));
  const written = (await files?.names())?.length;
  room.isShort = true;
  const failure = await writer.write(countingBytes(1)).catch((error: unknown) => error);
  await writer.abort();
  const left = [...(await content.pendingIngests())];
  database.close();
  return { written, failure: failure instanceof LayerboxError ? failure.code : failure, left };
}

const surface = {
  writtenWhenShort,
  hold: async (sandbox: string, bytes: number) => (await opened(sandbox)).hold(bytes),
  /** As `hold`, while this thread has the file open for a moment longer. */
  holdWhileOpen: async (sandbox: string, bytes: number) => {
    const reserve = await opened(sandbox);
    await reserve.release();
    const all = await (await navigator.storage.getDirectory()).getDirectoryHandle('layerbox');
    const open = await (await all.getFileHandle(reserveName(sandbox))).createSyncAccessHandle();
    const isHeld = reserve.hold(bytes);
    setTimeout(() => open.close(), 20);
    return isHeld;
  },
  release: async (sandbox: string) => (await opened(sandbox)).release(),
};
export type ReserveWorker = typeof surface;

expose(surface);
