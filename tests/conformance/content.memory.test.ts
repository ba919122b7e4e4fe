import { MemoryContentStore } from '../../src/engine/store/memory-content.ts';
import { describeContentStore } from './content.ts';

describeContentStore('in memory', async () => {
  const store = new MemoryContentStore();
  return { store, reopen: async () => store, close: async () => undefined };
});
