import { deleteSandboxDatabase, SandboxDatabase } from '../../src/storage/database.ts';
import { IndexedDBContentStore } from '../../src/storage/indexeddb-content.ts';
import { describeContentStore } from './content.ts';
import { freshSandbox } from './sandbox-name.ts';

describeContentStore('on IndexedDB', async () => {
  const sandbox = freshSandbox('content');
  const databases: SandboxDatabase[] = [];
  const open = async () => {
    const database = await SandboxDatabase.open(sandbox);
    databases.push(database);
    return new IndexedDBContentStore(database);
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
