import { MemoryRecordStore } from '../../src/engine/store/memory-records.ts';
import { describeRecordStore } from './records.ts';

describeRecordStore('in memory', async () => {
  const store = new MemoryRecordStore();
  return { store, reopen: async () => store, close: async () => undefined };
});
