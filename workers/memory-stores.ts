import { Unpackers } from '../src/engine/archive/unpackers.ts';
import { InlineIngestor } from '../src/engine/image/inline-ingestor.ts';
import type { Fetch } from '../src/engine/registry/request.ts';
import { MemoryContentStore } from '../src/engine/store/memory-content.ts';
import { MemoryJournalStore } from '../src/engine/store/memory-journal.ts';
import { MemoryRecordStore } from '../src/engine/store/memory-records.ts';
import { loadCodecs } from './codecs.ts';
import type { SandboxStores } from './join-engine.ts';

/** Stores that end with the process or page. */
export function memoryStores(fetch: Fetch): SandboxStores {
  const content = new MemoryContentStore();
  return {
    content,
    records: new MemoryRecordStore(),
    journals: new MemoryJournalStore(),
    ingestor: new InlineIngestor({ content, fetch, unpackers: new Unpackers(loadCodecs) }),
    description: 'memory',
    close: async () => undefined,
  };
}
