/**
 * A layer's tar read into its LayerIndex as it arrives: the rules of
 * image-spec, layer.md, on top of the tar reader's.
 *
 *     const layer = new LayerFromTar();
 *     for await (const chunk of tar) layer.push(chunk);
 *     const index = layer.finish(diffID);
 */

import { type TarEntry, TarReader } from '../archive/tar-reader.ts';
import type { DiffID } from '../oci/digest.ts';
import type { LayerIndex } from './layer-index.ts';
import { LayerIndexBuilder } from './layer-index-builder.ts';
import { checkSymlink, cleanPath, readLayerPath } from './layer-path.ts';

export class LayerFromTar {
  readonly #builder: LayerIndexBuilder;
  readonly #reader: TarReader;

  /** Refuses layers of more than `limit` entries. */
  constructor(options: { limit?: number } = {}) {
    this.#builder = new LayerIndexBuilder(options);
    this.#reader = new TarReader((entry) => this.#add(entry));
  }

  /** Takes the next bytes of the tar. Throws CorruptLayerError naming the entry. */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** The index of the whole tar. Throws CorruptLayerError when the tar ends in the middle of something. */
  finish(diffID: DiffID): LayerIndex {
    this.#reader.end();
    return this.#builder.finish(diffID);
  }

  #add(entry: TarEntry): void {
    const place = readLayerPath(entry.path);
    if (place.kind === 'ignored') return;
    if (place.kind === 'opaque') {
      this.#builder.addOpaque(place.path);
      return;
    }
    const { mode, uid, gid, mtimeNs } = entry;
    if (place.kind === 'whiteout') {
      this.#builder.add({ path: place.path, type: 'whiteout', mode, uid, gid, mtimeNs });
      return;
    }
    let link = entry.link;
    if (entry.type === 'symlink') checkSymlink(place.path, link ?? '');
    if (entry.type === 'hardlink') link = cleanPath(link ?? '');
    this.#builder.add({ ...entry, path: place.path, link });
  }
}
