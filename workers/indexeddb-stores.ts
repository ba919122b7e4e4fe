import { SandboxDatabase } from '../src/storage/database.ts';
import { IndexedDBContentStore } from '../src/storage/indexeddb-content.ts';
import { IndexedDBRecordStore } from '../src/storage/indexeddb-records.ts';
import { LayerPool } from '../src/storage/layer-pool.ts';
import { LightningJournalStore } from '../src/storage/lightning-journal.ts';
import { acquireSandbox } from '../src/storage/ownership.ts';
import type { SandboxStores } from './join-engine.ts';

/** The durable stores of a sandbox, owned by this worker alone. SandboxInUseError, StorageFailedError. */
export async function indexedDBStores(sandbox: string): Promise<SandboxStores> {
  const ownership = await acquireSandbox(sandbox);
  try {
    const database = await SandboxDatabase.open(sandbox);
    return {
      content: new IndexedDBContentStore(database),
      records: new IndexedDBRecordStore(database),
      journals: await LightningJournalStore.open(sandbox),
      ingestor: new LayerPool({
        sandbox,
        spawn: () => new Worker(new URL('./layer.worker.ts', import.meta.url), { type: 'module' }),
      }),
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
