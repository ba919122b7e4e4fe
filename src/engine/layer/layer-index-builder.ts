/**
 * Builds a LayerIndex from entries in the order of a tar: what comes later
 * replaces what came earlier under the same path, as when a tar is unpacked.
 *
 *     const builder = new LayerIndexBuilder();
 *     builder.add({ path: 'etc', type: 'dir', mode: 0o755, ... });
 *     const index = builder.finish(diffID);
 *
 * Rules, with their sources:
 * - A whiteout hides lower layers only, whatever the order (image-spec,
 *   layer.md, "Whiteouts"). Beside an entry of its own name it therefore
 *   leaves only its effect: the directory becomes opaque, anything else hides
 *   the lower entry by itself.
 * - A directory that takes the place of something else in the same layer
 *   starts empty, so it is opaque as well.
 * - Parents that are symlinks of this layer are followed inside the root, as
 *   containerd and umoci do. A parent that is a file is an error, as it is to both.
 * - A hard link belongs to the file that its target names at that moment. When
 *   that path is replaced later, the content lives on under the first link.
 */

import { CorruptLayerError } from '../errors.ts';
import { compareNames, decodeName, encodeName, printableName } from '../names.ts';
import type { DiffID } from '../oci/digest.ts';
import { ByteTable } from './byte-table.ts';
import { EntryTable } from './entry-table.ts';
import type { LayerIndex } from './layer-index.ts';
import type { NewEntry } from './new-entry.ts';

export type { NewEntry } from './new-entry.ts';

import { maxEntries, maxSteps } from './layer-limits.ts';
import { openLayerIndex } from './packed-layer-index.ts';
import { columnsOf, flagImplicit, flagOpaque, headerLength, magic, packedLength } from './packed-layout.ts';

/** As Linux has it (path_resolution(7)). */
const maxSymlinks = 40;
/** Hard links through hard links that a lower layer would have to resolve: no tool makes even one. */
const maxLinks = 40;

/** Characters of paths whose directories are remembered. */
const maxRemembered = 4 << 20;

const quoted = (path: string) =>
  JSON.stringify(printableName(path.length > 300 ? `${path.slice(0, 300)}...` : path));

/** The index of all entries at once. Throws CorruptLayerError as `add` does. */
export function buildLayerIndex(diffID: DiffID, entries: Iterable<NewEntry>): LayerIndex {
  const builder = new LayerIndexBuilder();
  for (const entry of entries) builder.add(entry);
  return builder.finish(diffID);
}

/** The name in a path from `at`, which does not keep a long path in memory as a slice of it would. */
function nameIn(path: string, at: number): string {
  const name = path.slice(at);
  return path.length > 1024 ? decodeName(encodeName(name)) : name;
}

export class LayerIndexBuilder {
  readonly #entries: EntryTable;
  readonly #maxDepth: number;
  /** Of each directory: the entry under each name. Kept while building only. */
  readonly #children = new Map<number, Map<string, number>>();
  /** Of each directory: names from the root to it. */
  readonly #depths = new Map<number, number>([[0, 0]]);
  /** Directories by the path they were asked for under; emptied when a replacement makes it stale, and when it is large. */
  readonly #directories = new Map<string, number>();
  /** Characters of those paths. */
  #remembered = 0;
  /** Names looked up so far that `#directories` did not know. */
  #steps = 0;

  /** Refuses more than `limit` entries, parents that are not named included, and directories more than `maxDepth` deep. */
  constructor(options: { limit?: number; maxDepth?: number } = {}) {
    this.#maxDepth = options.maxDepth ?? Number.POSITIVE_INFINITY;
    this.#entries = new EntryTable(options.limit ?? maxEntries);
    this.#entries.append(0, '');
    this.#describeImplicit(0, flagImplicit);
    this.#children.set(0, new Map());
  }

  /** Throws CorruptLayerError, naming the path, when no unpacker could make such an entry there. */
  add(entry: NewEntry): void {
    const { path, type } = entry;
    if (path === '') {
      if (type !== 'dir') throw new CorruptLayerError(`the root of the layer is a ${type}, not a directory`);
      this.#entries.describe(0, entry);
      return;
    }
    const slash = path.lastIndexOf('/');
    const directory = this.#directory(path.slice(0, Math.max(slash, 0)), path);
    const name = nameIn(path, slash + 1);
    const siblings = this.#childrenOf(directory);
    const existing = siblings.get(name);
    const existingType = existing === undefined ? undefined : this.#entries.type(existing);

    if (existing !== undefined && type === 'dir' && existingType === 'dir') {
      this.#entries.describe(existing, entry);
      return;
    }
    if (existing !== undefined && type === 'whiteout' && existingType !== 'whiteout') {
      if (existingType === 'dir') this.#entries.hideLower(existing);
      return;
    }
    const target = type === 'hardlink' ? this.#linkTarget(entry.link ?? '', path) : undefined;
    if (target !== undefined && target === existing) return;

    const number = this.#entries.append(directory, name);
    this.#entries.describe(number, entry);
    if (typeof target === 'number') this.#entries.linkTo(number, target);
    else if (target !== undefined) this.#entries.setLink(number, target);
    if (type === 'dir') {
      this.#addDirectory(number, directory, path);
      if (existing !== undefined) this.#entries.hideLower(number);
    }
    siblings.set(name, number);
    if (existingType === 'dir' || existingType === 'symlink') this.#forgetDirectories();
  }

  /** Marks a directory opaque, whether its own entry has come or not. Throws as `add` does. */
  addOpaque(path: string): void {
    this.#entries.setFlag(this.#directory(path, path), flagOpaque);
  }

  /** The index; the builder can't be used after it. Throws CorruptLayerError when hard links run in a circle. */
  finish(diffID: DiffID): LayerIndex {
    const { order, firstChild } = this.#numberBreadthFirst();
    const numberOf = new Map<number, number>();
    for (let number = 0; number < order.length; number++) numberOf.set(order[number] ?? 0, number);
    this.#settleHardLinks(order, numberOf);
    return openLayerIndex(this.#pack(diffID, order, firstChild, numberOf));
  }

  #childrenOf(directory: number): Map<string, number> {
    const children = this.#children.get(directory);
    if (children === undefined) throw new TypeError(`entry ${directory} is no directory`);
    return children;
  }

  /** Through symlinks a tree may become deeper than any path is long; what walks it shall not have to care. */
  #addDirectory(number: number, parent: number, path: string): void {
    const depth = (this.#depths.get(parent) ?? 0) + 1;
    if (depth > this.#maxDepth) {
      throw new CorruptLayerError(
        `${quoted(path)} cannot be unpacked: it is ${depth} directories deep, and ${this.#maxDepth} are allowed`,
        { path },
      );
    }
    this.#depths.set(number, depth);
    this.#children.set(number, new Map());
  }

  #makeDirectory(parent: number, name: string, flags: number, path: string): number {
    const number = this.#entries.append(parent, name);
    this.#describeImplicit(number, flags);
    this.#addDirectory(number, parent, path);
    this.#childrenOf(parent).set(name, number);
    return number;
  }

  #describeImplicit(number: number, flags: number): void {
    this.#entries.describe(number, { path: '', type: 'dir', mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n });
    this.#entries.setFlag(number, flags);
  }

  #forgetDirectories(): void {
    this.#directories.clear();
    this.#remembered = 0;
  }

  /** The directory at a path, made with its parents where it is missing. `path` is for the message. */
  #directory(directoryPath: string, path: string): number {
    const number = this.#walk(directoryPath, path, true);
    if (number === undefined) throw new TypeError(directoryPath);
    return number;
  }

  /** Walks to a directory through symlinks of this layer; a missing one is made or gives undefined. */
  #walk(directoryPath: string, path: string, make: boolean): number | undefined {
    if (directoryPath === '') return 0;
    const known = this.#directories.get(directoryPath);
    if (known !== undefined) return known;
    // its parent is known more often than not: then it costs one name
    const slash = directoryPath.lastIndexOf('/');
    const parent = slash < 0 ? undefined : this.#directories.get(directoryPath.slice(0, slash));
    const number =
      parent === undefined
        ? this.#walkFrom(0, directoryPath, path, make)
        : this.#walkFrom(parent, directoryPath.slice(slash + 1), path, make);
    if (number === undefined) return undefined;
    this.#remembered += directoryPath.length;
    if (this.#remembered > maxRemembered) this.#forgetDirectories();
    this.#directories.set(directoryPath, number);
    return number;
  }

  #walkFrom(from: number, relativePath: string, path: string, make: boolean): number | undefined {
    const refuse = (reason: string) =>
      new CorruptLayerError(`${quoted(path)} cannot be unpacked: ${reason}`, { path });
    const pending = relativePath.split('/').reverse();
    let directory = from;
    let symlinks = 0;
    this.#step(pending.length, path);
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        directory = this.#entries.parent(directory);
        continue;
      }
      const child = this.#childrenOf(directory).get(name);
      const type = child === undefined ? undefined : this.#entries.type(child);
      if (child === undefined || type === undefined || type === 'whiteout') {
        if (!make) return undefined;
        // where the whiteout hides the lower directory, this one starts anew and takes nothing over from it
        const flags = type === 'whiteout' ? flagOpaque : flagImplicit;
        directory = this.#makeDirectory(directory, nameIn(name, 0), flags, path);
      } else if (type === 'dir') {
        directory = child;
      } else if (type === 'symlink') {
        symlinks += 1;
        if (symlinks > maxSymlinks) throw refuse('its parents are symlinks that lead in a circle');
        const link = this.#entries.link(child);
        if (link.startsWith('/')) directory = 0;
        const names = link.split('/').reverse();
        this.#step(names.length, path);
        pending.push(...names);
      } else {
        throw refuse(`its parent ${quoted(name)} is a ${type} of the same layer, not a directory`);
      }
    }
    return directory;
  }

  /** Counts names that are looked up: in a hostile layer each entry may lead through thousands of them. */
  #step(count: number, path: string): void {
    this.#steps += count;
    if (this.#steps <= maxSteps) return;
    throw new CorruptLayerError(
      `${quoted(path)} cannot be unpacked: the paths and links of its layer lead through more than ${maxSteps} names`,
      { path },
    );
  }

  /** The entry that a path names in this layer, or undefined. */
  #lookup(path: string): number | undefined {
    if (path === '') return 0;
    // to look for a long path among the known ones is work as well
    this.#step(1 + (path.length >> 3), path);
    const slash = path.lastIndexOf('/');
    const directory = this.#walk(path.slice(0, Math.max(slash, 0)), path, false);
    return directory === undefined ? undefined : this.#childrenOf(directory).get(path.slice(slash + 1));
  }

  /**
   * What a hard link to `link` shares, through other hard links: an entry of this
   * layer, or a path when that names nothing here and so belongs to a lower layer.
   */
  #linkTarget(link: string, path: string): number | string {
    let at = link;
    for (let hops = 0; hops <= maxLinks; hops++) {
      const target = this.#lookup(at);
      const type = target === undefined ? undefined : this.#entries.type(target);
      if (target === undefined || type === 'whiteout') {
        if (at === path) break;
        return at;
      }
      if (type === 'dir') {
        throw new CorruptLayerError(`${quoted(path)} is a hard link to the directory ${quoted(`/${at}`)}`, {
          path,
        });
      }
      if (type !== 'hardlink') return target;
      const shared = this.#entries.target(target);
      if (shared !== undefined) return shared;
      at = this.#entries.link(target);
    }
    throw new CorruptLayerError(`${quoted(path)} is a hard link that leads to itself`, { path });
  }

  #numberBreadthFirst(): { order: number[]; firstChild: number[] } {
    const order = [0];
    const firstChild: number[] = [];
    for (let number = 0; number < order.length; number++) {
      firstChild.push(order.length);
      const children = this.#children.get(order[number] ?? 0);
      if (children === undefined || children.size === 0) continue;
      const names = [...children.keys()].sort(compareNames);
      for (const name of names) order.push(children.get(name) ?? 0);
    }
    firstChild.push(order.length);
    return { order, firstChild };
  }

  /** Gives each hard link the path its content now lives under; see the rules above. */
  #settleHardLinks(order: readonly number[], numberOf: ReadonlyMap<number, number>): void {
    const heirs = new Map<number, number>();
    for (const entry of order) {
      if (this.#entries.type(entry) !== 'hardlink') continue;
      // what seemed to be in a lower layer may have come later in this one
      const target =
        this.#entries.target(entry) ?? this.#linkTarget(this.#entries.link(entry), this.#path(entry));
      if (typeof target === 'string') {
        this.#entries.setLink(entry, target);
        continue;
      }
      const home = numberOf.has(target) ? target : heirs.get(target);
      if (home !== undefined) {
        this.#entries.setLink(entry, this.#path(home));
      } else {
        this.#entries.takeOver(entry, target);
        heirs.set(target, entry);
      }
    }
  }

  #path(entry: number): string {
    const names: string[] = [];
    for (let at = entry; at !== 0; at = this.#entries.parent(at)) names.push(this.#entries.name(at));
    const path = names.reverse().join('/');
    this.#step(names.length, path);
    return path;
  }

  #pack(
    diffID: DiffID,
    order: readonly number[],
    firstChild: readonly number[],
    numberOf: ReadonlyMap<number, number>,
  ): ArrayBuffer {
    const strings = new ByteTable();
    const diffIDLength = strings.appendName(diffID);
    const spans = this.#entries.writeStrings(order, strings);
    const buffer = new ArrayBuffer(packedLength(order.length, strings.length));
    new Uint8Array(buffer).set(magic);
    const header = new DataView(buffer, 0, headerLength);
    header.setUint32(8, order.length, true);
    header.setUint32(12, strings.length, true);
    header.setUint32(16, diffIDLength, true);
    const columns = columnsOf(buffer, order.length, strings.length);
    columns.bytes.set(strings.bytes);
    columns.firstChild.set(firstChild);
    this.#entries.writeColumns(order, columns);
    columns.nameOffset.set(spans.nameOffset);
    columns.nameLength.set(spans.nameLength);
    columns.linkOffset.set(spans.linkOffset);
    columns.linkLength.set(spans.linkLength);
    columns.xattrOffset.set(spans.xattrOffset);
    columns.xattrLength.set(spans.xattrLength);
    for (let number = 0; number < order.length; number++) {
      columns.parent[number] = numberOf.get(this.#entries.parent(order[number] ?? 0)) ?? 0;
    }
    return buffer;
  }
}
