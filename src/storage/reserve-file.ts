/**
 * Space that is held for when there is no other: a file of the origin's private file system that has a size and no
 * content. It costs the page's share of the disk and nothing else, and is given back in a moment.
 */

import { held, patiently } from './held.ts';
import type { Reserve } from './storage-room.ts';

export class ReserveFile implements Reserve {
  readonly #sandbox: string;

  private constructor(sandbox: string) {
    this.#sandbox = sandbox;
  }

  /** The reserve of a sandbox, or undefined where this thread can make no such file. */
  static async open(sandbox: string): Promise<ReserveFile | undefined> {
    if (!('storage' in navigator) || !('getDirectory' in navigator.storage)) return undefined;
    if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return undefined;
    try {
      await navigator.storage.getDirectory();
    } catch {
      // a private window of some browsers
      return undefined;
    }
    return new ReserveFile(sandbox);
  }

  async hold(bytes: number): Promise<boolean> {
    try {
      const file = await this.#file();
      const { size } = await held(file, () => file.getFile());
      if (size === bytes) return true;
      await resize(file, bytes);
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'QuotaExceededError') return false;
      throw cause;
    }
    return true;
  }

  async release(): Promise<void> {
    await resize(await this.#file(), 0);
  }

  async #file(): Promise<FileSystemFileHandle> {
    const root = await navigator.storage.getDirectory();
    const all = await held(root, () => root.getDirectoryHandle('layerbox', { create: true }));
    return held(all, () => all.getFileHandle(reserveName(this.#sandbox), { create: true }));
  }
}

/** Beside the directory of the sandbox's files: whatever is in that and has no row is removed. */
export function reserveName(sandbox: string): string {
  return `reserve-${encodeURIComponent(sandbox)}`;
}

/** Not open for longer than this: another tab may be the next owner. */
async function resize(file: FileSystemFileHandle, bytes: number): Promise<void> {
  // the worker of the tab that had the sandbox before may be ending
  const handle = await patiently(() => held(file, () => file.createSyncAccessHandle()));
  try {
    handle.truncate(bytes);
    handle.flush();
  } finally {
    handle.close();
  }
}
