/** Containers that were started from an image which then never came: what a killed page leaves of them is given up. */

import type { Change, RecordStore } from '../store/records.ts';

/**
 * At the start, before anybody works: of the containers whose images were still coming those stay whose layers are all
 * here. The others' records go; the next collection of garbage gives back the rest.
 */
export async function dropIncomplete(records: RecordStore): Promise<void> {
  const coming = (await records.list('containers')).filter((record) => record.isComing === true);
  if (coming.length === 0) return;
  const here = new Set<string>(await records.ids('layers'));
  const changes: Change[] = [];
  for (const { isComing: _, ...container } of coming) {
    const isWhole = container.layers.every((diffID) => here.has(diffID));
    changes.push(
      isWhole ? { kind: 'containers', put: container } : { kind: 'containers', delete: container.id },
    );
  }
  await records.commit(changes);
}
