import { LightningJournalStore } from '../../src/storage/lightning-journal.ts';
import { deleteSegmentDatabase } from '../../src/storage/segment-database.ts';
import { describeJournalStore } from './journal.ts';
import { freshSandbox } from './sandbox-name.ts';

describeJournalStore('on lightning-fs', async () => {
  const sandbox = freshSandbox('journal');
  const stores: LightningJournalStore[] = [];
  const open = async () => {
    const store = await LightningJournalStore.open(sandbox);
    stores.push(store);
    return store;
  };
  return {
    store: await open(),
    reopen: open,
    close: async () => {
      for (const store of stores) await store.close();
      await deleteSegmentDatabase(sandbox);
    },
  };
});
