import { ContentFiles } from '../src/storage/content-files.ts';
import { SandboxDatabase } from '../src/storage/database.ts';
import { IndexedDBContentStore } from '../src/storage/indexeddb-content.ts';
import { IndexedDBRecordStore } from '../src/storage/indexeddb-records.ts';
import { LayerPool } from '../src/storage/layer-pool.ts';
import { LightningJournalStore } from '../src/storage/lightning-journal.ts';
import { acquireSandbox } from '../src/storage/ownership.ts';
import { ReserveFile } from '../src/storage/reserve-file.ts';
import { StorageRoom } from '../src/storage/storage-room.ts';
import { loadCodecs } from './codecs.ts';
import type { SandboxStores } from './join-engine.ts';

/**
 * The durable stores of a sandbox, owned by this worker alone. SandboxInUseError unless it is to be taken over from
 * another tab, StorageNewerError, StorageFailedError.
 */
export async function indexedDBStores(
  sandbox: string,
  options: { readonly takeOver: boolean },
): Promise<SandboxStores> {
  const ownership = await acquireSandbox(sandbox, options);
  try {
    const database = await SandboxDatabase.open(sandbox);
    await database.own(ownership.token);
    let isLost = false;
    void ownership.lost.then(() => {
      isLost = true;
    });
    const room = new StorageRoom(async () => (await navigator.storage?.estimate?.()) ?? {}, {
      reserve: await ReserveFile.open(sandbox),
      isOwn: async () => !isLost && (await database.isOwned()),
    });
    await Promise.all([room.ask(), room.hold()]);
    const layers = new LayerPool({
      sandbox,
      spawn: () => new Worker(new URL('./layer.worker.ts', import.meta.url), { type: 'module' }),
      codecs: loadCodecs,
      room,
    });
    room.onShort = () => layers.refuse();
    return {
      ownership,
      room,
      content: new IndexedDBContentStore(database, await ContentFiles.open(sandbox), room),
      records: new IndexedDBRecordStore(database, room),
      journals: await LightningJournalStore.open(sandbox, { owner: ownership.token, room }),
      ingestor: layers,
      description: 'indexeddb',
      close: async () => {
        database.close();
        ownership.release();
      },
    };
  } catch (error) {
    ownership.release();
    throw error;
  }
}
