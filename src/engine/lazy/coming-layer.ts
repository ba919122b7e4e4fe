/**
 * A layer from the moment its table of contents is known until long after it is
 * here whole. Whoever opened it by its table goes on reading at the table's
 * addresses: first through the network, then from the tar in the store.
 */

import { CorruptLayerError } from '../errors.ts';
import type { LayerIndex } from '../layer/layer-index.ts';
import { type DiffID, digestOf } from '../oci/digest.ts';
import type { ContentReader } from '../store/content-reader.ts';
import { FileAddresses } from './file-addresses.ts';
import { requireSameEntries } from './index-comparison.ts';
import type { LazyLayer } from './lazy-layer.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Told once of a file whose content did not come or was not what it should be. */
export type OnUnreadable = (path: string, reason: unknown) => void;

export class ComingLayer {
  readonly diffID: DiffID;
  readonly #whole: ContentReader;
  readonly #what: string;
  /** Once it is not coming any more it has nothing of what the table said but where its files are. */
  #state:
    | { readonly kind: 'coming'; readonly lazy: LazyLayer }
    | { readonly kind: 'whole'; readonly index: LayerIndex; readonly files: FileAddresses }
    | { readonly kind: 'failed'; readonly reason: unknown };

  /** Pulls that bring it. */
  #pulls = 1;

  readonly #onUnreadable: OnUnreadable | undefined;
  /** Told already; a file that can be read again is told anew. */
  readonly #unreadable = new Set<string>();

  /** `whole` reads the tar once the layer is here. */
  constructor(lazy: LazyLayer, whole: ContentReader, what: string, onUnreadable?: OnUnreadable) {
    this.diffID = lazy.index.diffID;
    this.#state = { kind: 'coming', lazy };
    this.#whole = whole;
    this.#what = what;
    this.#onUnreadable = onUnreadable;
  }

  /** The index that the table of contents gave; undefined when the layer is not coming any more. */
  get index(): LayerIndex | undefined {
    return this.#state.kind === 'coming' ? this.#state.lazy.index : undefined;
  }

  get isComing(): boolean {
    return this.#state.kind === 'coming';
  }

  get isWhole(): boolean {
    return this.#state.kind === 'whole';
  }

  /** As LazyLayer has it, while it is coming. */
  async prefetch(): Promise<void> {
    if (this.#state.kind === 'coming') await this.#state.lazy.prefetch();
  }

  /** `length` bytes of one file, from an address of the table's index. Errors: those of `LazyLayer.read` and of the store. */
  read(address: number, length: number): Bytes | Promise<Bytes> {
    const state = this.#state;
    if (state.kind === 'failed') throw state.reason;
    if (state.kind === 'coming') {
      const bytes = state.lazy.read(address, length);
      return bytes instanceof Uint8Array ? bytes : this.#watched(bytes, state.lazy, address);
    }
    const file = state.files.find(address);
    if (file === undefined) throw new RangeError(`nothing is at ${address} of ${this.diffID}`);
    return this.#readTar(state.index, file.entry, file.within, length);
  }

  async #watched(reading: Promise<Bytes>, lazy: LazyLayer, address: number): Promise<Bytes> {
    try {
      const bytes = await reading;
      if (this.#unreadable.size > 0) this.#unreadable.delete(lazy.pathAt(address));
      return bytes;
    } catch (error) {
      const path = lazy.pathAt(address);
      if (this.isComing && !this.#unreadable.has(path)) this.#onUnreadable?.(path, error);
      this.#unreadable.add(path);
      throw error;
    }
  }

  /**
   * The layer is here, verified, with this index. Throws CorruptLayerError when its
   * table said something else, or content that was read already was other content.
   */
  async settle(index: LayerIndex): Promise<void> {
    if (this.#state.kind !== 'coming') return;
    const { lazy } = this.#state;
    requireSameEntries(lazy.index, index, this.#what);
    const files = new FileAddresses(lazy.index);
    for (const { address, size, digest } of lazy.delivered()) {
      const file = files.find(address);
      if (file === undefined) continue;
      const actual = await digestOf(
        Uint8Array.from(await this.#readTar(index, file.entry, file.within, size)),
      );
      if (actual === digest) continue;
      throw new CorruptLayerError(
        `${this.#what}: ${JSON.stringify(lazy.pathAt(address))} has other content in its tar than its table of contents says`,
        { what: this.#what, expected: digest, actual },
      );
    }
    this.#state = { kind: 'whole', index, files };
    lazy.retire();
  }

  /** Another pull brings it, too. */
  share(): void {
    this.#pulls += 1;
  }

  /** A pull that brought it failed; with the last one it will not come, and from then on every read fails with this. */
  fail(reason: unknown): void {
    this.#pulls -= 1;
    if (this.#pulls > 0 || this.#state.kind !== 'coming') return;
    const { lazy } = this.#state;
    this.#state = { kind: 'failed', reason };
    lazy.close();
  }

  #readTar(index: LayerIndex, entry: number, within: number, length: number): Bytes | Promise<Bytes> {
    const { diffID } = index;
    const { offset, extents } = index.entry(entry);
    if (extents === undefined) return this.#whole.read(diffID, offset + within, length);
    // of a sparse file the tar has the pieces only, one after the other
    const content = new Uint8Array(length);
    const reading: Promise<void>[] = [];
    let at = offset;
    for (const piece of extents) {
      const from = Math.max(piece.start, within);
      const end = Math.min(piece.start + piece.length, within + length);
      if (from < end) {
        const bytes = this.#whole.read(diffID, at + from - piece.start, end - from);
        reading.push(Promise.resolve(bytes).then((read) => content.set(read, from - within)));
      }
      at += piece.length;
    }
    return Promise.all(reading).then(() => content);
  }
}
