/**
 * The record store in memory. Records are cloned on their way in and out, so
 * that nobody shares mutable state and what cannot be stored fails here as it
 * does in a database.
 */

import type { Change, RecordKind, RecordStore, Records } from './records.ts';

type Kinds = { readonly [K in RecordKind]: Map<string, Records[K]> };

export class MemoryRecordStore implements RecordStore {
  readonly #kinds: Kinds = {
    layers: new Map(),
    images: new Map(),
    leases: new Map(),
    containers: new Map(),
    logs: new Map(),
    meta: new Map(),
    volumes: new Map(),
    networks: new Map(),
  };

  async get<K extends RecordKind>(kind: K, id: string): Promise<Records[K] | undefined> {
    const record = this.#kinds[kind].get(id);
    return record === undefined ? undefined : structuredClone(record);
  }

  async list<K extends RecordKind>(kind: K, prefix = ''): Promise<readonly Records[K][]> {
    const records = this.#kinds[kind];
    return this.#sorted(records.keys(), prefix).flatMap((id) => {
      const record = records.get(id);
      return record === undefined ? [] : [structuredClone(record)];
    });
  }

  async ids(kind: RecordKind, prefix = ''): Promise<readonly string[]> {
    return this.#sorted(this.#kinds[kind].keys(), prefix);
  }

  async commit(changes: readonly Change[]): Promise<void> {
    // Every clone is made before the first change is applied: one that fails leaves all as it was.
    const cloned = structuredClone(changes);
    for (const change of cloned) this.#apply(change);
  }

  #apply(change: Change): void {
    if ('delete' in change) {
      this.#kinds[change.kind].delete(change.delete);
      return;
    }
    switch (change.kind) {
      case 'layers':
        this.#kinds.layers.set(change.put.id, change.put);
        break;
      case 'images':
        this.#kinds.images.set(change.put.id, change.put);
        break;
      case 'leases':
        this.#kinds.leases.set(change.put.id, change.put);
        break;
      case 'containers':
        this.#kinds.containers.set(change.put.id, change.put);
        break;
      case 'logs':
        this.#kinds.logs.set(change.put.id, change.put);
        break;
      case 'meta':
        this.#kinds.meta.set(change.put.id, change.put);
        break;
      case 'volumes':
        this.#kinds.volumes.set(change.put.id, change.put);
        break;
    }
  }

  /** JavaScript's own order of strings is by code units, as the port asks. */
  #sorted(ids: Iterable<string>, prefix: string): string[] {
    return [...ids].filter((id) => id.startsWith(prefix)).sort();
  }
}
