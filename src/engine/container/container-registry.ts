/** The records of all containers, in memory and in the store; who is meant by a name or by the beginning of an ID. */

import { ContainerNameInUseError, LayerboxError, NoSuchContainerError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { ContainerNetwork } from '../store/container-network.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import type { Change, RecordStore } from '../store/records.ts';
import { LOST_EXIT_CODE } from './running.ts';

export class ContainerRegistry {
  readonly #store: RecordStore;
  readonly #records = new Map<string, ContainerRecord>();

  private constructor(store: RecordStore) {
    this.#store = store;
  }

  /**
   * All that is stored. A container that was running when the page went away is exited now, with the code that Docker
   * gives to one whose end its daemon did not see; one that was being removed is left to be removed.
   */
  static async open(store: RecordStore, now: () => number): Promise<ContainerRegistry> {
    const registry = new ContainerRegistry(store);
    for (const record of await store.list('containers')) {
      const { status, health } = record.state;
      registry.#records.set(record.id, record);
      if (status === 'running' || status === 'paused') {
        await registry.setState(record.id, {
          status: 'exited',
          pid: 0,
          exitCode: LOST_EXIT_CODE,
          finishedAt: now(),
          error: 'the page was closed while the container was running',
          ...(health !== undefined && { health: { ...health, status: 'unhealthy' as const } }),
        });
      }
      if (status === 'restarting') await registry.setState(record.id, { status: 'exited' });
    }
    return registry;
  }

  /** Newest first. */
  list(): readonly ContainerRecord[] {
    return [...this.#records.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  }

  get(id: string): ContainerRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw noSuchContainer(id);
    return record;
  }

  has(id: string): boolean {
    return this.#records.has(id);
  }

  isNameTaken(name: string): boolean {
    return [...this.#records.values()].some((record) => record.name === name);
  }

  /**
   * By whole ID, by name, by the beginning of an ID, in this order. NoSuchContainerError; LayerboxError when a
   * beginning fits several.
   */
  resolve(text: string): ContainerRecord {
    const exact = this.#records.get(text);
    if (exact !== undefined) return exact;
    const name = text.startsWith('/') ? text.slice(1) : text;
    const all = [...this.#records.values()];
    const named = all.find((record) => record.name === name);
    if (named !== undefined) return named;
    const matches = /^[0-9a-f]+$/.test(text) ? all.filter((record) => record.id.startsWith(text)) : [];
    const [first] = matches;
    if (first === undefined) throw noSuchContainer(text);
    if (matches.length === 1) return first;
    throw new LayerboxError(`multiple IDs found with provided prefix: ${text}`, { prefix: text });
  }

  /** Stores a new record, with `changes` in the same commit. ContainerNameInUseError in Docker's words. */
  async add(record: ContainerRecord, changes: readonly Change[]): Promise<void> {
    const holder = this.#holderOf(record.name);
    if (holder !== undefined) throw nameInUse(record.name, holder);
    // taken before the store answers, so that two of one name at the same time are one too many
    this.#records.set(record.id, record);
    try {
      await this.#store.commit([{ kind: 'containers', put: record }, ...changes]);
    } catch (error) {
      this.#records.delete(record.id);
      throw error;
    }
  }

  async setState(
    id: string,
    change: Partial<ContainerState>,
    more: Partial<Pick<ContainerRecord, 'restartCount' | 'isManuallyStopped'>> = {},
  ): Promise<ContainerRecord> {
    const record = this.get(id);
    return this.#put({ ...record, ...more, state: { ...record.state, ...change } });
  }

  /** What somebody did to it, or what its host grants it now. */
  async change(
    id: string,
    change: Partial<Pick<ContainerRecord, 'hostConfig' | 'isManuallyStopped'>>,
  ): Promise<ContainerRecord> {
    return this.#put({ ...this.get(id), ...change });
  }

  /** Another name. LayerboxError for its own, ContainerNameInUseError; both in Docker's words. */
  async rename(id: string, name: string): Promise<ContainerRecord> {
    const record = this.get(id);
    if (record.name === name) {
      throw new LayerboxError('Renaming a container with the same name as its current name', { name });
    }
    const holder = this.#holderOf(name);
    if (holder !== undefined) throw nameInUse(name, holder, 'Error when allocating new name: ');
    return this.#put({ ...record, name });
  }

  #holderOf(name: string): ContainerRecord | undefined {
    return [...this.#records.values()].find((record) => record.name === name);
  }

  async #put(record: ContainerRecord): Promise<ContainerRecord> {
    this.#records.set(record.id, record);
    await this.#store.commit([{ kind: 'containers', put: record }]);
    return record;
  }

  async setNetwork(id: string, network: ContainerNetwork): Promise<void> {
    const changed: ContainerRecord = { ...this.get(id), network };
    this.#records.set(id, changed);
    await this.#store.commit([{ kind: 'containers', put: changed }]);
  }

  /** The image of the container is here whole. */
  async settle(id: string): Promise<void> {
    const { isComing: _, ...record } = this.get(id);
    this.#records.set(id, record);
    await this.#store.commit([{ kind: 'containers', put: record }]);
  }

  /** Forgets the container and its log. */
  async delete(id: string): Promise<void> {
    const logs = await this.#store.ids('logs', `${id}/`);
    await this.#store.commit([
      { kind: 'containers', delete: id },
      ...logs.map((log): Change => ({ kind: 'logs', delete: log })),
    ]);
    this.#records.delete(id);
  }
}

function nameInUse(name: string, holder: ContainerRecord, prefix = ''): LayerboxError {
  return new ContainerNameInUseError(
    `${prefix}Conflict. The container name "/${name}" is already in use by container "${holder.id}". You have to remove (or rename) that container to be able to reuse that name.`,
    { name, container: holder.id },
  );
}

function noSuchContainer(text: string): LayerboxError {
  return new NoSuchContainerError(`No such container: ${printableName(text)}`, { container: text });
}
