/**
 * A layer's tar read into its LayerIndex as it arrives: the rules of
 * image-spec, layer.md, on top of the tar reader's.
 *
 *     const layer = new LayerFromTar();
 *     for await (const chunk of tar) layer.push(chunk);
 *     const index = layer.finish(diffID);
 */

import { type TarEntry, TarReader } from '../archive/tar-reader.ts';
import { CorruptLayerError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { DiffID } from '../oci/digest.ts';
import type { LayerIndex } from './layer-index.ts';
import { LayerIndexBuilder } from './layer-index-builder.ts';
import { maxDepth, maxEntries } from './layer-limits.ts';
import { aufsLinkOf, checkSymlink, cleanLink, readLayerPath } from './layer-path.ts';

const maxAufsLength = 32 << 20;

export interface LayerLimits {
  /** Entries, parents that the tar does not name included. Default: `maxEntries` of layer-limits.ts. */
  readonly limit?: number;
  /** Bytes of the tar. Default: no limit; who knows the compressed size should set one. */
  readonly maxSize?: number;
}

export class LayerFromTar {
  readonly #builder: LayerIndexBuilder;
  readonly #reader: TarReader;
  /** Files of AUFS's own directory of hard links, by name. */
  readonly #aufsFiles = new Map<string, TarEntry>();
  /** Bytes that those take. */
  #aufsLength = 0;

  /** Refuses layers that are larger than their limits. */
  constructor(options: LayerLimits = {}) {
    const { limit = maxEntries, maxSize } = options;
    this.#builder = new LayerIndexBuilder({ limit, maxDepth });
    this.#reader = new TarReader((entry) => this.#add(entry), maxSize === undefined ? {} : { maxSize });
  }

  /** Bytes of the tar so far: against those of the compressed layer they tell a bomb. */
  get size(): number {
    return this.#reader.size;
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
    if (place.kind === 'ignored') {
      this.#keepAufsFile(entry);
      return;
    }
    if (place.kind === 'opaque') {
      this.#builder.addOpaque(place.path);
      return;
    }
    const { path } = place;
    const { mode, uid, gid, mtimeNs } = entry;
    if (place.kind === 'whiteout') {
      this.#builder.add({ path, type: 'whiteout', mode, uid, gid, mtimeNs });
      return;
    }
    const link = entry.link ?? '';
    if (entry.type === 'symlink') checkSymlink(path, link);
    if (entry.type !== 'hardlink') this.#builder.add({ ...entry, path });
    else this.#addHardLink(entry, path, link);
  }

  #addHardLink(entry: TarEntry, path: string, link: string): void {
    const aufsName = aufsLinkOf(link);
    if (aufsName === undefined) {
      this.#builder.add({ ...entry, path, link: cleanLink(link) });
      return;
    }
    // as containerd has it: the file itself under another name
    const file = this.#aufsFiles.get(aufsName);
    if (file === undefined) {
      throw new CorruptLayerError(
        `${JSON.stringify(printableName(path))} is a hard link to ${JSON.stringify(printableName(link))}, which the layer does not have`,
        { path },
      );
    }
    this.#builder.add({ ...file, path });
  }

  #keepAufsFile(entry: TarEntry): void {
    const name = entry.type === 'file' ? aufsLinkOf(entry.path) : undefined;
    if (name === undefined) return;
    this.#aufsLength += 512 + (entry.extents?.length ?? 0) * 16;
    for (const value of entry.xattrs?.values() ?? []) this.#aufsLength += value.length;
    if (this.#aufsLength > maxAufsLength) throw new CorruptLayerError('it has too many hard links of AUFS');
    this.#aufsFiles.set(name, entry);
  }
}
