import { deleteSandboxDatabase, SandboxDatabase } from '../../src/storage/database.ts';
import { IndexedDBRecordStore } from '../../src/storage/indexeddb-records.ts';
import { describeRecordStore } from './records.ts';
import { freshSandbox } from './sandbox-name.ts';

describeRecordStore('on IndexedDB', async () => {
  const sandbox = freshSandbox('records');
  const databases: SandboxDatabase[] = [];
  const open = async () => {
    const database = await SandboxDatabase.open(sandbox);
    databases.push(database);
    return new IndexedDBRecordStore(database);
  };
  return {
    store: await open(),
    reopen: open,
    close: async () => {
      for (const database of databases) database.close();
      await deleteSandboxDatabase(sandbox);
    },
  };
});
