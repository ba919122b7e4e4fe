/**
 * A folder with an OCI image layout (image-spec, image-layout.md), written so that whoever reads it
 * meanwhile, or finds it after a crash, finds nothing half-done: a blob has its name when it is whole, and
 * index.json names an image when all of it is there.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InvalidDocumentError, StorageFailedError } from '../engine/errors.ts';
import type { Descriptor } from '../engine/oci/descriptor.ts';
import { type Digest, splitDigest } from '../engine/oci/digest.ts';
import { CONFIG_LIMIT, parseDocument } from '../engine/oci/document.ts';
import type { Reference } from '../engine/oci/reference.ts';
import type { LocalCopy } from '../engine/registry/source.ts';
import { EMPTY_INDEX, entryOf, nameInIndex, namesInIndex } from './layout-names.ts';
import { isVerified, onDisk, type VerifiedFileOptions, writeVerified } from './verified-file.ts';

const LAYOUT_VERSION = '1.0.0';
const LAYOUT_FILE_LIMIT = 64 * 1024;
/** What is being written, with the process that writes it: `.partial-1234-0a1b2c3d`. */
const PARTIAL = /^\.partial-(\d+)-[0-9a-f]+$/;

export class LayoutFolder {
  /** Absolute. */
  readonly path: string;
  readonly #partial: string;
  #partialCount = 0;
  #lastNaming: Promise<unknown> = Promise.resolve();

  private constructor(path: string) {
    this.path = path;
    this.#partial = join(path, `.partial-${process.pid}-${randomBytes(4).toString('hex')}`);
  }

  /**
   * The folder, which need not be there yet; nothing is written. StorageFailedError for a folder that holds other
   * things, InvalidDocumentError for a layout of another version or with a broken index.
   */
  static async open(folder: string): Promise<LayoutFolder> {
    const path = resolve(folder);
    const names = await onDisk(path, () => readdir(path).catch(absent));
    const others = names?.filter((name) => name !== 'blobs' && !PARTIAL.test(name)) ?? [];
    if (!others.includes('oci-layout') && others.length > 0) {
      throw new StorageFailedError(
        `${path} is no OCI image layout and holds other things (${others.slice(0, 3).join(', ')}): name a folder that is new or empty`,
        { path },
      );
    }
    const found = new LayoutFolder(path);
    if (others.includes('oci-layout')) {
      const what = join(path, 'oci-layout');
      const version = parseDocument(await readBytes(what), what, LAYOUT_FILE_LIMIT).required(
        'imageLayoutVersion',
      );
      if (version.string() !== LAYOUT_VERSION) version.fail(`must be ${JSON.stringify(LAYOUT_VERSION)}`);
      namesInIndex(await found.readIndex(), found.#indexPath);
    }
    return found;
  }

  /** Makes it a layout, of no images if it was none, and removes what a killed process left in it. */
  async prepare(): Promise<void> {
    await onDisk(this.path, async () => {
      await mkdir(join(this.path, 'blobs', 'sha256'), { recursive: true });
      for (const name of await readdir(this.path)) {
        const writer = PARTIAL.exec(name)?.[1];
        if (writer !== undefined && !isRunning(Number(writer)))
          await rm(join(this.path, name), { recursive: true, force: true });
      }
      await mkdir(this.#partial);
    });
    if ((await this.#readIfThere('oci-layout')) === undefined)
      await this.#replace('oci-layout', `${JSON.stringify({ imageLayoutVersion: LAYOUT_VERSION })}\n`);
    if ((await this.#readIfThere('index.json')) === undefined)
      await this.#replace('index.json', formatDocument(EMPTY_INDEX));
  }

  /** To be called in any case: removes what is no part of the layout. */
  async close(): Promise<void> {
    await this.#lastNaming;
    await rm(this.#partial, { recursive: true, force: true });
  }

  /** True when the blob is here and is what its name says: it is read and hashed. */
  holds(descriptor: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean> {
    return isVerified(this.blobPath(descriptor.digest), descriptor);
  }

  /** The bytes of a document or config that is here and right; undefined for what is not, or is too large to be one. */
  async read(descriptor: Pick<Descriptor, 'digest' | 'size'>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (descriptor.size > CONFIG_LIMIT || !(await this.holds(descriptor))) return undefined;
    return readBytes(this.blobPath(descriptor.digest));
  }

  /** What the reference stands for here, to ask the registry whether it still does; undefined when it is not here. */
  async local(reference: Reference): Promise<LocalCopy | undefined> {
    const bytes = await this.#readIfThere('index.json');
    const entry = bytes && entryOf(bytes, this.#indexPath, reference);
    if (entry === undefined) return undefined;
    return {
      descriptor: entry,
      // it is asked for by digest alone; another digest than the entry's is one that is not known here
      read: async (digest) => (digest === entry.digest ? this.read(entry) : undefined),
    };
  }

  blobPath(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return join(this.path, 'blobs', algorithm, hex);
  }

  /** Stores a blob; see `writeVerified`. */
  async write(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    options: Omit<VerifiedFileOptions, 'partial'>,
  ): Promise<void> {
    const path = this.blobPath(descriptor.digest);
    await onDisk(path, () => mkdir(dirname(path), { recursive: true }));
    await writeVerified(path, descriptor, stream, { ...options, partial: this.#nextPartial() });
  }

  /**
   * Lets the reference stand for a document that is here with all it points to. False when it did already. The rest
   * of index.json is kept as it is.
   */
  name(reference: Reference, descriptor: Descriptor): Promise<boolean> {
    const naming = this.#lastNaming.then(async () => {
      const { document, changed } = nameInIndex(
        await this.readIndex(),
        this.#indexPath,
        reference,
        descriptor,
      );
      if (changed) await this.#replace('index.json', formatDocument(document));
      return changed;
    });
    this.#lastNaming = naming.catch(() => undefined); // who asked has the error; who comes next only waits
    return naming;
  }

  /** The bytes of index.json. InvalidDocumentError when there is none, StorageFailedError. */
  async readIndex(): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.#readIfThere('index.json');
    if (bytes === undefined) {
      throw new InvalidDocumentError(`${this.path} is no OCI image layout: it has no index.json`, {
        what: this.#indexPath,
      });
    }
    return bytes;
  }

  get #indexPath(): string {
    return join(this.path, 'index.json');
  }

  #nextPartial(): string {
    this.#partialCount += 1;
    return join(this.#partial, String(this.#partialCount));
  }

  async #readIfThere(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const path = join(this.path, name);
    return onDisk(path, () => readFile(path).then((bytes) => new Uint8Array(bytes), absent));
  }

  /** Whoever reads the file sees the old or the new one, whole. */
  async #replace(name: string, text: string): Promise<void> {
    const path = join(this.path, name);
    const partial = this.#nextPartial();
    await onDisk(path, async () => {
      const file = await open(partial, 'wx');
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(partial, path);
    });
  }
}

function formatDocument(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return onDisk(path, async () => new Uint8Array(await readFile(path)));
}

function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

/** Another process has this number, whoever owns it. Ours has one folder, which is not yet there. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
