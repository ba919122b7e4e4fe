import type { Journal, JournalStore } from '../../src/engine/store/journal.ts';
import { MemoryJournalStore } from '../../src/engine/store/memory-journal.ts';
import { describeJournalStore } from './journal.ts';

describeJournalStore('in memory', async () => {
  const store = new MemoryJournalStore();
  const opened: Journal[] = [];
  // Memory has no tab that dies: whoever has a journal open lets go of it when it is reopened.
  const view: JournalStore = {
    open: async (name) => {
      const journal = await store.open(name);
      opened.push(journal);
      return journal;
    },
    delete: (name) => store.delete(name),
    list: () => store.list(),
  };
  return {
    store: view,
    reopen: async () => {
      for (const journal of opened.splice(0)) await journal.close();
      return view;
    },
    close: async () => undefined,
  };
});
