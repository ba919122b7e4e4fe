/** Answers what the page reads while the engine's worker is busy; wiring only. */

import './global-scope.ts';
import { exposeQueries } from '../src/rpc/query-surface.ts';
import { SandboxDatabase } from '../src/storage/database.ts';
import { IndexedDBRecordStore } from '../src/storage/indexeddb-records.ts';

let database: Promise<SandboxDatabase> | undefined;

/** A database that cannot be opened here is no harm: the engine has what is in it. */
const openOnce = (sandbox: string) => {
  database ??= SandboxDatabase.open(sandbox);
  return database.catch(() => {
    database = undefined;
    return undefined;
  });
};

exposeQueries(self, async (sandbox, diffID) => {
  const opened = await openOnce(sandbox);
  if (opened === undefined) return undefined;
  return (await new IndexedDBRecordStore(opened).get('layers', diffID))?.index;
});
