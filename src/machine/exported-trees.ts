/** The trees that the guest sees: exported under names, and withdrawn again. */

import type { FileSystem } from '../engine/unionfs/filesystem.ts';
import type { Multiplexer } from './multiplexer.ts';
import type { NinePServer } from './nine-p/server.ts';

/** drop_caches: 2 is names and inodes, and with an inode its pages. */
const DROP_INODES = '2';

export class ExportedTrees {
  readonly #server: NinePServer;
  readonly #guest: () => Multiplexer | undefined;
  /** Names that the guest may still connect with a tree that is gone. */
  readonly #withdrawn = new Set<string>();
  #forgetting: Promise<unknown> | undefined;

  /** `guest`: while it runs, and may know of trees. */
  constructor(server: NinePServer, guest: () => Multiplexer | undefined) {
    this.#server = server;
    this.#guest = guest;
  }

  /** Resolves when the guest knows of no other tree under a name that is exported; rejects when that could not be. */
  get settled(): Promise<unknown> | undefined {
    return this.#forgetting;
  }

  has(path: string): boolean {
    return this.#server.isMounted(path);
  }

  export(path: string, tree: FileSystem): void {
    this.#server.mount(path, tree);
    if (!this.#withdrawn.delete(path)) return;
    const guest = this.#guest();
    if (guest === undefined) return;
    this.#forgetting = guest.control('drop', ['level', DROP_INODES]);
    // told to whoever spawns next; nobody else depends on it
    this.#forgetting.catch(() => undefined);
  }

  /**
   * The guest keeps what it knows of the tree until it needs the memory: that
   * is stale and told from any other by its number. Only a name that is
   * exported again must be forgotten first, and with it goes all the guest
   * has cached, also of other containers.
   */
  async withdraw(path: string): Promise<void> {
    if (!this.has(path)) return;
    const guest = this.#guest();
    if (guest !== undefined) {
      await guest.control('sync');
      this.#withdrawn.add(path);
    }
    this.#server.unmount(path);
  }
}
