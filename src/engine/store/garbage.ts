/**
 * Garbage collection: mark from what has a name, sweep the rest.
 *
 * Roots: images (index or manifest they point to, the manifest chosen, config,
 * compressed layers, unpacked layers, what else of the index is here), containers (their unpacked layers) and
 * leases. An unpacked layer is its record and its tar, which the content store
 * has under the diffID.
 */

import type { ContentStore } from './content.ts';
import type { JournalStore } from './journal.ts';
import type { Leases } from './leases.ts';
import type { Change, RecordStore } from './records.ts';

export interface CollectedStores {
  readonly content: ContentStore;
  readonly records: RecordStore;
  readonly journals: JournalStore;
  readonly leases: Leases;
}

/** Where the upper of a container is; `volume/...` and `host` are not the collector's. */
const containerJournal = 'container/';

/**
 * Removes content, layer records, uppers and logs that nothing refers to.
 * With `atStart`, when nobody else is at work yet, ingests that were left
 * half-done and ephemeral leases go first. Returns the bytes that were given
 * back, those of half-done ingests not counted: nobody knows their size.
 */
export async function collectGarbage(
  stores: CollectedStores,
  options: { readonly atStart?: boolean } = {},
): Promise<number> {
  const { content, leases } = stores;
  if (options.atStart === true) {
    await leases.dropEphemeral();
    for (const id of await content.pendingIngests()) await content.abortIngest(id);
  }
  return leases.whileStill(async () => {
    const live = await mark(stores.records);
    // Records before the bytes they point to: a tab killed in between leaves bytes
    // without a record, which the next collection takes, never a record without bytes.
    const records = await sweepLayers(stores.records, live.layers);
    const blobs = await sweepContent(content, live.content);
    const logs = await sweepLogs(stores.records, live.containers);
    const uppers = await sweepJournals(stores.journals, live.containers);
    return records + blobs + logs + uppers;
  });
}

interface Live {
  readonly content: ReadonlySet<string>;
  readonly layers: ReadonlySet<string>;
  readonly containers: ReadonlySet<string>;
}

async function mark(records: RecordStore): Promise<Live> {
  const content = new Set<string>();
  const layers = new Set<string>();
  const keepLayer = (diffID: string) => {
    layers.add(diffID);
    content.add(diffID);
  };
  for (const image of await records.list('images')) {
    content.add(image.target.digest).add(image.manifest.digest).add(image.imageID);
    for (const digest of image.more ?? []) content.add(digest);
    for (const layer of image.layers) {
      content.add(layer.blob.digest);
      keepLayer(layer.diffID);
    }
  }
  const containers = await records.list('containers');
  for (const container of containers) container.layers.forEach(keepLayer);
  for (const lease of await records.list('leases')) {
    for (const digest of lease.content) content.add(digest);
    lease.layers.forEach(keepLayer);
  }
  return { content, layers, containers: new Set(containers.map((container) => container.id)) };
}

async function sweepLayers(records: RecordStore, live: ReadonlySet<string>): Promise<number> {
  let bytes = 0;
  const changes: Change[] = [];
  for (const id of await records.ids('layers')) {
    if (live.has(id)) continue;
    bytes += (await records.get('layers', id))?.index.byteLength ?? 0;
    changes.push({ kind: 'layers', delete: id });
  }
  await records.commit(changes);
  return bytes;
}

async function sweepContent(content: ContentStore, live: ReadonlySet<string>): Promise<number> {
  let bytes = 0;
  for (const blob of await content.list()) {
    if (live.has(blob.digest)) continue;
    await content.delete(blob.digest);
    bytes += blob.size;
  }
  return bytes;
}

async function sweepLogs(records: RecordStore, containers: ReadonlySet<string>): Promise<number> {
  let bytes = 0;
  const changes: Change[] = [];
  for (const id of await records.ids('logs')) {
    if (containers.has(id.slice(0, id.lastIndexOf('/')))) continue;
    bytes += (await records.get('logs', id))?.bytes.byteLength ?? 0;
    changes.push({ kind: 'logs', delete: id });
  }
  await records.commit(changes);
  return bytes;
}

async function sweepJournals(journals: JournalStore, containers: ReadonlySet<string>): Promise<number> {
  let bytes = 0;
  for (const name of await journals.list()) {
    if (!name.startsWith(containerJournal) || containers.has(name.slice(containerJournal.length))) continue;
    const journal = await journals.open(name);
    for (const segment of journal.segments) bytes += segment.size;
    await journal.close();
    await journals.delete(name);
  }
  return bytes;
}
