/**
 * StackIndex: what a container sees of its image. The merge of any number of
 * layers into one immutable view, computed once, so that a lookup costs the
 * same over one layer and over 127. Packed columns; no object per entry. Names
 * are here, side by side, so that a lookup asks no layer; what else a layer's own
 * columns say is not copied: an entry takes 26 bytes and its name.
 *
 * Entries are numbered as in a LayerIndex: the root is 0, the children of each
 * directory are one run, sorted bytewise. Hard links of one file have the same
 * canonical number, the lowest of them.
 */

import { decodeName } from '../names.ts';
import type { DiffID } from '../oci/digest.ts';
import { compareBytesToName } from './entry-names.ts';
import type { EntryType, LayerIndex, SparseExtent } from './layer-index.ts';
import { type Columns, flagImplicit, flagSparse, unnamedRoot } from './packed-layout.ts';
import { DIRECTORY, StackTree } from './stack-tree.ts';

export type StackType = Exclude<EntryType, 'hardlink' | 'whiteout'>;

export interface StackIndex {
  /** The merged layers, bottom first. */
  readonly layers: readonly LayerIndex[];
  readonly diffIDs: readonly DiffID[];
  /** Number of names, the root included. */
  readonly count: number;
  /** Number of files, hard links counted once. */
  readonly files: number;
  parent(number: number): number;
  name(number: number): string;
  type(number: number): StackType;
  isDirectory(number: number): boolean;
  mode(number: number): number;
  uid(number: number): number;
  gid(number: number): number;
  mtimeNs(number: number): bigint;
  size(number: number): number;
  /** Where the content starts in the uncompressed tar of its layer. */
  offset(number: number): number;
  /** Pieces of content of a sparse file, one after another from `offset`; undefined when all of it is there. */
  extents(number: number): readonly SparseExtent[] | undefined;
  /** Layer that the entry and its content come from; -1 for the root of no layers. */
  layer(number: number): number;
  source(number: number): { readonly layer: number; readonly entry: number };
  canonical(number: number): number;
  /** Of a directory 2 and its subdirectories, else its names. */
  nlink(number: number): number;
  /** Target of a symlink. */
  link(number: number): string | undefined;
  rdev(number: number): readonly [number, number];
  xattrs(number: number): ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined;
  /** `[first, end)`; empty for what is no directory. */
  firstChild(number: number): number;
  endChild(number: number): number;
  child(directory: number, name: string): number | undefined;
  /** Entry at a path without leading slash, following no links. */
  find(path: string): number | undefined;
  /** Without a leading slash. */
  path(number: number): string;
  /** All names of the file whose canonical number this is. */
  names(canonical: number): readonly number[];
}

const TYPES: readonly StackType[] = ['file', 'dir', 'symlink', 'char', 'block', 'fifo'];
const NO_DEVICE = [0, 0] as const;
/** A directory that no layer names: 0755 root:root, 1970. */
const UNNAMED_MODE = 0o755;

/**
 * The view of the layers, bottom first; of none, an empty root (0755, root, 1970).
 * Throws CorruptLayerError for a hard link that leads nowhere.
 */
export function stackLayers(lowers: readonly LayerIndex[]): StackIndex {
  return new PackedStack(lowers, new StackTree(lowers));
}

const EARLIEST = -(2n ** 63n);
const LATEST = 2n ** 63n - 1n;

/** A tar may name years that 64 bits of nanoseconds cannot. */
function withinInt64(timeNs: bigint): bigint {
  if (timeNs < EARLIEST) return EARLIEST;
  return timeNs > LATEST ? LATEST : timeNs;
}

class PackedStack implements StackIndex {
  readonly layers: readonly LayerIndex[];
  readonly diffIDs: readonly DiffID[];
  readonly count: number;
  readonly files: number;
  /** Of layer -1, then of each layer. */
  readonly #columns: readonly Columns[];
  readonly #parents: Uint32Array;
  /** The children of `n` are `[firsts[n], firsts[n + 1])`. */
  readonly #firsts: Uint32Array;
  readonly #layers: Int16Array;
  readonly #entries: Uint32Array;
  /** The name of `n` is `[nameStarts[n], nameStarts[n + 1])` of `names`. */
  readonly #nameStarts: Uint32Array;
  readonly #names: Uint8Array;
  readonly #canonicals: Uint32Array;
  readonly #nlinks: Uint32Array;
  #shared: Map<number, number[]> | undefined;

  constructor(lowers: readonly LayerIndex[], tree: StackTree) {
    this.layers = [...lowers];
    this.diffIDs = lowers.map((index) => index.diffID);
    this.#columns = [unnamedRoot, ...lowers.map((index) => index.columns)];
    const nodes = [0];
    for (let number = 0; number < nodes.length; number++) {
      for (const child of tree.children(nodes[number] ?? 0)) nodes.push(child);
    }
    const count = nodes.length;
    this.count = count;
    this.#parents = new Uint32Array(count);
    this.#firsts = new Uint32Array(count + 1);
    this.#layers = new Int16Array(count);
    this.#entries = new Uint32Array(count);
    this.#nameStarts = new Uint32Array(count + 1);
    this.#canonicals = new Uint32Array(count);
    this.#nlinks = new Uint32Array(count);
    let next = 1;
    let files = 0;
    const firstNames = new Map<number, number>();
    for (let number = 0; number < count; number++) {
      const node = nodes[number] ?? 0;
      this.#firsts[number] = next;
      const end = next + tree.children(node).length;
      this.#parents.fill(number, next, end);
      next = end;
      const layer = tree.layer(node);
      const entry = tree.entry(node);
      this.#layers[number] = layer;
      this.#entries[number] = entry;
      const named = this.#columns[tree.nameLayer(node) + 1] ?? unnamedRoot;
      this.#nameStarts[number + 1] =
        (this.#nameStarts[number] ?? 0) + (named.nameLength[tree.nameEntry(node)] ?? 0);
      let canonical = number;
      if (tree.isShared(node)) {
        const key = layer * 2 ** 32 + entry;
        canonical = firstNames.get(key) ?? number;
        firstNames.set(key, canonical);
      }
      if (canonical === number) files += 1;
      this.#canonicals[number] = canonical;
      if (this.isDirectory(number)) {
        this.#nlinks[number] = 2;
        if (number > 0) this.#nlinks[this.parent(number)] = this.nlink(this.parent(number)) + 1;
      } else this.#nlinks[canonical] = (this.#nlinks[canonical] ?? 0) + 1;
    }
    this.#firsts[count] = next;
    this.#names = new Uint8Array(this.#nameStarts[count] ?? 0);
    for (let number = 0; number < count; number++) {
      const node = nodes[number] ?? 0;
      const { bytes, nameOffset, nameLength } = this.#columns[tree.nameLayer(node) + 1] ?? unnamedRoot;
      const entry = tree.nameEntry(node);
      const start = nameOffset[entry] ?? 0;
      const to = this.#nameStarts[number] ?? 0;
      const length = nameLength[entry] ?? 0;
      // a loop: for some bytes it takes less than a view of them
      for (let i = 0; i < length; i++) this.#names[to + i] = bytes[start + i] ?? 0;
    }
    this.files = files;
  }

  /** Of the layer that says what it is. */
  #of(number: number): Columns {
    return this.#columns[(this.#layers[number] ?? -1) + 1] ?? unnamedRoot;
  }

  #at(number: number): number {
    return this.#entries[number] ?? 0;
  }

  #isImplicit(number: number): boolean {
    return ((this.#of(number).flags[this.#at(number)] ?? 0) & flagImplicit) !== 0;
  }

  parent(number: number): number {
    return this.#parents[number] ?? 0;
  }

  name(number: number): string {
    return decodeName(this.#names.subarray(this.#nameStarts[number], this.#nameStarts[number + 1]));
  }

  #typeCode(number: number): number {
    return this.#of(number).type[this.#at(number)] ?? 0;
  }

  type(number: number): StackType {
    return TYPES[this.#typeCode(number)] ?? 'file';
  }

  isDirectory(number: number): boolean {
    return this.#typeCode(number) === DIRECTORY;
  }

  mode(number: number): number {
    return this.#isImplicit(number) ? UNNAMED_MODE : (this.#of(number).mode[this.#at(number)] ?? 0);
  }

  uid(number: number): number {
    return this.#isImplicit(number) ? 0 : (this.#of(number).uid[this.#at(number)] ?? 0);
  }

  gid(number: number): number {
    return this.#isImplicit(number) ? 0 : (this.#of(number).gid[this.#at(number)] ?? 0);
  }

  mtimeNs(number: number): bigint {
    if (this.#isImplicit(number)) return 0n;
    const { mtimeSeconds, mtimeNanos } = this.#of(number);
    const at = this.#at(number);
    return withinInt64(BigInt(mtimeSeconds[at] ?? 0) * 1_000_000_000n + BigInt(mtimeNanos[at] ?? 0));
  }

  size(number: number): number {
    return this.#of(number).size[this.#at(number)] ?? 0;
  }

  offset(number: number): number {
    return this.#of(number).offset[this.#at(number)] ?? 0;
  }

  extents(number: number): readonly SparseExtent[] | undefined {
    if (((this.#of(number).flags[this.#at(number)] ?? 0) & flagSparse) === 0) return undefined;
    return this.layers[this.layer(number)]?.entry(this.#at(number)).extents;
  }

  layer(number: number): number {
    return this.#layers[number] ?? -1;
  }

  source(number: number): { readonly layer: number; readonly entry: number } {
    return { layer: this.layer(number), entry: this.#at(number) };
  }

  canonical(number: number): number {
    return this.#canonicals[number] ?? number;
  }

  nlink(number: number): number {
    return this.#nlinks[this.canonical(number)] ?? 0;
  }

  link(number: number): string | undefined {
    return this.layers[this.layer(number)]?.entry(this.#at(number)).link;
  }

  rdev(number: number): readonly [number, number] {
    const type = this.type(number);
    if (type !== 'char' && type !== 'block') return NO_DEVICE;
    return this.layers[this.layer(number)]?.entry(this.#at(number)).rdev ?? NO_DEVICE;
  }

  xattrs(number: number): ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined {
    if ((this.#of(number).xattrLength[this.#at(number)] ?? 0) === 0) return undefined;
    return this.layers[this.layer(number)]?.entry(this.#at(number)).xattrs;
  }

  firstChild(number: number): number {
    return this.#firsts[number] ?? 0;
  }

  endChild(number: number): number {
    return this.#firsts[number + 1] ?? 0;
  }

  child(directory: number, name: string): number | undefined {
    let low = this.firstChild(directory);
    let high = this.endChild(directory);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const start = this.#nameStarts[middle] ?? 0;
      const order = compareBytesToName(this.#names, start, (this.#nameStarts[middle + 1] ?? 0) - start, name);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  find(path: string): number | undefined {
    let number: number | undefined = 0;
    for (const name of path.split('/')) {
      if (name === '') continue;
      number = this.child(number, name);
      if (number === undefined) return undefined;
    }
    return number;
  }

  path(number: number): string {
    const names: string[] = [];
    for (let at = number; at !== 0; at = this.parent(at)) names.push(this.name(at));
    return names.reverse().join('/');
  }

  names(canonical: number): readonly number[] {
    if (this.isDirectory(canonical) || this.nlink(canonical) === 1) return [canonical];
    if (this.#shared === undefined) {
      this.#shared = new Map();
      for (let number = 0; number < this.count; number++) {
        const first = this.canonical(number);
        if (first === number) continue;
        const known = this.#shared.get(first);
        if (known === undefined) this.#shared.set(first, [first, number]);
        else known.push(number);
      }
    }
    return this.#shared.get(canonical) ?? [canonical];
  }
}
