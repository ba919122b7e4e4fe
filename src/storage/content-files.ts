/**
 * The bytes of large blobs: files of the origin's private file system (File
 * System Standard, "origin private file system"), one for each ingest, under a
 * name that no other ingest ever has. What they are is in the database: a file
 * counts for nothing until a row names it. Bytes go from the worker's memory to
 * the file, where a Blob in IndexedDB travels through the browser's process, which
 * costs two to three times as much processor time.
 */

import { StorageFullError } from '../engine/errors.ts';
import { storageFailure } from './failures.ts';
import { held, isHeldByOther, patiently } from './held.ts';
import { reserveName } from './reserve-file.ts';

/** A file that is being written; nobody else can open it meanwhile. */
export interface ContentFile {
  /** Appends all of the bytes. StorageFullError, StorageFailedError. */
  append(bytes: Uint8Array<ArrayBuffer>): void;
  /** Lets go of it. */
  close(): void;
}

export class ContentFiles {
  readonly #sandbox: string;
  #directory: Promise<FileSystemDirectoryHandle> | undefined;

  private constructor(sandbox: string) {
    this.#sandbox = sandbox;
  }

  /** The files of a sandbox, or undefined where the browser gives the page no file system. */
  static async open(sandbox: string): Promise<ContentFiles | undefined> {
    if (!('storage' in navigator) || !('getDirectory' in navigator.storage)) return undefined;
    try {
      await navigator.storage.getDirectory();
    } catch {
      // a private window of some browsers: blobs are kept in the database
      return undefined;
    }
    return new ContentFiles(sandbox);
  }

  /** Only workers may write, and not in every browser. */
  get areWritable(): boolean {
    return 'FileSystemFileHandle' in globalThis && 'createSyncAccessHandle' in FileSystemFileHandle.prototype;
  }

  /** A new file. */
  async create(name: string): Promise<ContentFile> {
    const doing = `making the file ${name}`;
    try {
      const directory = await this.#open();
      const file = await held(directory, () => directory.getFileHandle(name, { create: true }));
      return new OpenFile(await held(file, () => file.createSyncAccessHandle()), name);
    } catch (cause) {
      throw storageFailure(cause, doing);
    }
  }

  /** The file as it is, whose slices are read when they are asked for; undefined when there is none. */
  async read(name: string): Promise<Blob | undefined> {
    try {
      const directory = await this.#open();
      const file = await held(directory, () => directory.getFileHandle(name));
      return await held(file, () => file.getFile());
    } catch (cause) {
      if (isNamed(cause, 'NotFoundError')) return undefined;
      throw storageFailure(cause, `reading the file ${name}`);
    }
  }

  async names(): Promise<readonly string[]> {
    try {
      const directory = await this.#open();
      const names: string[] = [];
      await held(directory, async () => {
        for await (const name of directory.keys()) names.push(name);
      });
      return names;
    } catch (cause) {
      throw storageFailure(cause, 'listing files');
    }
  }

  /** Removes a file, if it is there. False when somebody holds it for longer than the end of a worker takes. */
  async remove(name: string): Promise<boolean> {
    try {
      const directory = await this.#open();
      await patiently(() => held(directory, () => directory.removeEntry(name)));
      return true;
    } catch (cause) {
      if (isNamed(cause, 'NotFoundError')) return true;
      if (isHeldByOther(cause)) return false;
      throw storageFailure(cause, `removing the file ${name}`);
    }
  }

  #open(): Promise<FileSystemDirectoryHandle> {
    this.#directory ??= directoryOf(this.#sandbox, { create: true }).catch((error: unknown) => {
      this.#directory = undefined;
      throw error;
    });
    return this.#directory;
  }
}

class OpenFile implements ContentFile {
  readonly #handle: FileSystemSyncAccessHandle;
  readonly #name: string;
  #end = 0;

  constructor(handle: FileSystemSyncAccessHandle, name: string) {
    this.#handle = handle;
    this.#name = name;
  }

  append(bytes: Uint8Array<ArrayBuffer>): void {
    const doing = `writing the file ${this.#name}`;
    for (let at = 0; at < bytes.length; ) {
      let written: number;
      try {
        written = this.#handle.write(bytes.subarray(at), { at: this.#end });
      } catch (cause) {
        throw storageFailure(cause, doing);
      }
      if (written <= 0) {
        throw new StorageFullError(`the browser's storage took no more bytes while ${doing}`, { doing });
      }
      at += written;
      this.#end += written;
    }
  }

  close(): void {
    this.#handle.close();
  }
}

/** Removes all files of a sandbox. */
export async function deleteContentFiles(sandbox: string): Promise<void> {
  if ((await ContentFiles.open(sandbox)) === undefined) return;
  for (const name of [directoryName(sandbox), reserveName(sandbox)]) {
    try {
      const root = await navigator.storage.getDirectory();
      const all = await held(root, () => root.getDirectoryHandle('layerbox'));
      await held(all, () => all.removeEntry(name, { recursive: true }));
    } catch (cause) {
      if (isNamed(cause, 'NotFoundError')) continue;
      throw storageFailure(cause, `removing the files of sandbox ${JSON.stringify(sandbox)}`);
    }
  }
}

async function directoryOf(
  sandbox: string,
  options: { readonly create: boolean },
): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const all = await held(root, () => root.getDirectoryHandle('layerbox', options));
  return held(all, () => all.getDirectoryHandle(directoryName(sandbox), options));
}

/** A sandbox's name may be any text, that of a directory neither `..` nor with a slash. */
function directoryName(sandbox: string): string {
  return `sandbox-${encodeURIComponent(sandbox)}`;
}

function isNamed(cause: unknown, name: string): boolean {
  return cause instanceof DOMException && cause.name === name;
}
