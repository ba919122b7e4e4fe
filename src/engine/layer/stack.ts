/**
 * StackIndex: what a container sees of its image. The merge of any number of
 * layers into one immutable view, computed once, so that a lookup costs the
 * same over one layer and over 127. Packed columns; no object per entry.
 *
 * Entries are numbered as in a LayerIndex: the root is 0, the children of each
 * directory are one run, sorted bytewise. Hard links of one file have the same
 * canonical number, the lowest of them.
 */

import { compareNames, decodeName, encodeName } from '../names.ts';
import type { DiffID } from '../oci/digest.ts';
import type { EntryType, LayerIndex, SparseExtent } from './layer-index.ts';
import { mergeLayers, type StackNode } from './stack-tree.ts';

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
/** The same, for a search by what may not be one of them. */
const CODES: readonly EntryType[] = TYPES;
const DIRECTORY = TYPES.indexOf('dir');
const NO_DEVICE = [0, 0] as const;
/** What of an entry must be asked of its layer. */
const HAS_XATTRS = 1;
const HAS_EXTENTS = 2;

/**
 * The view of the layers, bottom first; of none, an empty root (0755, root, 1970).
 * Throws CorruptLayerError for a hard link that leads nowhere.
 */
export function stackLayers(lowers: readonly LayerIndex[]): StackIndex {
  return new PackedStack(lowers, mergeLayers(lowers));
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
  readonly #parents: Uint32Array;
  readonly #types: Uint8Array;
  readonly #modes: Uint16Array;
  readonly #uids: Uint32Array;
  readonly #gids: Uint32Array;
  readonly #mtimes: BigInt64Array;
  readonly #sizes: Float64Array;
  readonly #offsets: Float64Array;
  readonly #layers: Int16Array;
  readonly #entries: Uint32Array;
  readonly #canonicals: Uint32Array;
  readonly #nlinks: Uint32Array;
  readonly #firsts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #has: Uint8Array;
  readonly #nameStarts: Uint32Array;
  readonly #names: Uint8Array;
  #shared: Map<number, number[]> | undefined;

  constructor(lowers: readonly LayerIndex[], root: StackNode) {
    this.layers = [...lowers];
    this.diffIDs = lowers.map((index) => index.diffID);
    const nodes: StackNode[] = [root];
    const parents: number[] = [0];
    const firsts: number[] = [];
    const ends: number[] = [];
    for (let number = 0; number < nodes.length; number++) {
      const children = nodes[number]?.children;
      firsts.push(nodes.length);
      if (children !== undefined) {
        const sorted = [...children.values()].sort((a, b) => compareNames(a.name, b.name));
        for (const child of sorted) {
          nodes.push(child);
          parents.push(number);
        }
      }
      ends.push(nodes.length);
    }
    const count = nodes.length;
    this.count = count;
    this.#parents = Uint32Array.from(parents);
    this.#firsts = Uint32Array.from(firsts);
    this.#ends = Uint32Array.from(ends);
    this.#types = new Uint8Array(count);
    this.#modes = new Uint16Array(count);
    this.#uids = new Uint32Array(count);
    this.#gids = new Uint32Array(count);
    this.#mtimes = new BigInt64Array(count);
    this.#sizes = new Float64Array(count);
    this.#offsets = new Float64Array(count);
    this.#layers = new Int16Array(count);
    this.#entries = new Uint32Array(count);
    this.#canonicals = new Uint32Array(count);
    this.#nlinks = new Uint32Array(count);
    this.#has = new Uint8Array(count);
    this.#nameStarts = new Uint32Array(count + 1);

    const names = nodes.map((node) => encodeName(node.name));
    this.#names = new Uint8Array(names.reduce((sum, name) => sum + name.length, 0));
    let nameStart = 0;
    const firstNames = new Map<string, number>();
    let files = 0;
    nodes.forEach((node, number) => {
      const { entry } = node;
      const name = names[number];
      this.#nameStarts[number] = nameStart;
      if (name !== undefined) {
        this.#names.set(name, nameStart);
        nameStart += name.length;
      }
      const type = CODES.indexOf(entry.type);
      this.#types[number] = type;
      this.#layers[number] = node.layer;
      this.#entries[number] = entry.number;
      this.#modes[number] = entry.implicit ? 0o755 : entry.mode;
      if (!entry.implicit) {
        this.#uids[number] = entry.uid;
        this.#gids[number] = entry.gid;
        this.#mtimes[number] = withinInt64(entry.mtimeNs);
      }
      this.#sizes[number] = entry.size;
      this.#offsets[number] = entry.offset;
      this.#has[number] =
        (entry.xattrs !== undefined && entry.xattrs.size > 0 ? HAS_XATTRS : 0) |
        (entry.extents === undefined ? 0 : HAS_EXTENTS);
      let canonical = number;
      if (node.shared) {
        const key = `${node.layer}:${entry.number}`;
        canonical = firstNames.get(key) ?? number;
        firstNames.set(key, canonical);
      }
      if (canonical === number) files += 1;
      this.#canonicals[number] = canonical;
      if (type === DIRECTORY) {
        this.#nlinks[number] = 2;
        if (number > 0) this.#nlinks[parents[number] ?? 0] = this.nlink(parents[number] ?? 0) + 1;
      } else this.#nlinks[canonical] = (this.#nlinks[canonical] ?? 0) + 1;
    });
    this.#nameStarts[count] = nameStart;
    this.files = files;
  }

  parent(number: number): number {
    return this.#parents[number] ?? 0;
  }

  name(number: number): string {
    return decodeName(this.#names.subarray(this.#nameStarts[number], this.#nameStarts[number + 1]));
  }

  type(number: number): StackType {
    return TYPES[this.#types[number] ?? 0] ?? 'file';
  }

  isDirectory(number: number): boolean {
    return this.#types[number] === DIRECTORY;
  }

  mode(number: number): number {
    return this.#modes[number] ?? 0;
  }

  uid(number: number): number {
    return this.#uids[number] ?? 0;
  }

  gid(number: number): number {
    return this.#gids[number] ?? 0;
  }

  mtimeNs(number: number): bigint {
    return this.#mtimes[number] ?? 0n;
  }

  size(number: number): number {
    return this.#sizes[number] ?? 0;
  }

  offset(number: number): number {
    return this.#offsets[number] ?? 0;
  }

  extents(number: number): readonly SparseExtent[] | undefined {
    if (((this.#has[number] ?? 0) & HAS_EXTENTS) === 0) return undefined;
    return this.layers[this.layer(number)]?.entry(this.#entries[number] ?? 0).extents;
  }

  layer(number: number): number {
    return this.#layers[number] ?? -1;
  }

  source(number: number): { readonly layer: number; readonly entry: number } {
    return { layer: this.layer(number), entry: this.#entries[number] ?? 0 };
  }

  canonical(number: number): number {
    return this.#canonicals[number] ?? number;
  }

  nlink(number: number): number {
    return this.#nlinks[this.canonical(number)] ?? 0;
  }

  link(number: number): string | undefined {
    return this.layers[this.layer(number)]?.entry(this.#entries[number] ?? 0).link;
  }

  rdev(number: number): readonly [number, number] {
    const type = this.type(number);
    if (type !== 'char' && type !== 'block') return NO_DEVICE;
    return this.layers[this.layer(number)]?.entry(this.#entries[number] ?? 0).rdev ?? NO_DEVICE;
  }

  xattrs(number: number): ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined {
    if (((this.#has[number] ?? 0) & HAS_XATTRS) === 0) return undefined;
    return this.layers[this.layer(number)]?.entry(this.#entries[number] ?? 0).xattrs;
  }

  firstChild(number: number): number {
    return this.#firsts[number] ?? 0;
  }

  endChild(number: number): number {
    return this.#ends[number] ?? 0;
  }

  child(directory: number, name: string): number | undefined {
    let low = this.firstChild(directory);
    let high = this.endChild(directory);
    if (low === high) return undefined;
    const wanted = encodeName(name);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(middle, wanted);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  #compare(number: number, wanted: Uint8Array): number {
    const start = this.#nameStarts[number] ?? 0;
    const length = (this.#nameStarts[number + 1] ?? 0) - start;
    const shorter = Math.min(length, wanted.length);
    for (let i = 0; i < shorter; i++) {
      const difference = (this.#names[start + i] ?? 0) - (wanted[i] ?? 0);
      if (difference !== 0) return difference;
    }
    return length - wanted.length;
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
