/**
 * The tree that layers are merged into, bottom first, before `stack.ts` packs it: nodes as columns of numbers, and
 * for each directory the list of its children, bytewise by name as each layer has them. So a layer of a hundred
 * thousand entries makes no object per entry, and names stay where they are packed.
 *
 * Rules (image-spec, layer.md, "Applying Changesets" and "Whiteouts"):
 * whiteouts and opaque markers of a layer hide what lower layers have, never
 * what the layer itself brings, wherever in the tar they stand; so each layer
 * is applied in two passes, hide then add. A directory that the layer does not
 * name itself (`implicit`) leaves a lower directory as it is and is looked for
 * through a lower symbolic link, inside the root, as umoci unpacks it.
 * Everything walks with a stack of its own: a hostile layer may nest deeper
 * than calls can.
 */

import { CorruptLayerError } from '../errors.ts';
import { printableName } from '../names.ts';
import { compareEntryNames, compareToName } from './entry-names.ts';
import type { LayerIndex } from './layer-index.ts';
import { maxSteps } from './layer-limits.ts';
import { findOrdered, OrderedSearch } from './ordered-search.ts';
import { type Columns, entryTypes, flagImplicit, flagOpaque, unnamedRoot } from './packed-layout.ts';

/** Linux's own limit (path_resolution(7)). */
const MAX_SYMLINKS = 40;

export const DIRECTORY = entryTypes.indexOf('dir');
const SYMLINK = entryTypes.indexOf('symlink');
const HARD_LINK = entryTypes.indexOf('hardlink');
const WHITEOUT = entryTypes.indexOf('whiteout');
const ROOT = 0;
const NOTHING: readonly number[] = [];

/** A name of a hard-linked file, so that another has the same layer and entry. */
const SHARED = 1;
/** Whited out; its directory's list has it until the layer's pass through it ends. */
const GONE = 2;

/** The merged tree; nodes that were hidden or replaced are in no list. The root is node 0. */
export class StackTree {
  readonly #lowers: readonly LayerIndex[];
  readonly #columns: readonly Columns[];
  /** Who says what a node is and where its content is: the target's for a hard link. Layer -1: nobody. */
  readonly #layers: Int16Array;
  readonly #entries: Uint32Array;
  /** Where its name is. */
  readonly #nameLayers: Int16Array;
  readonly #nameEntries: Uint32Array;
  readonly #parents: Uint32Array;
  readonly #flags: Uint8Array;
  readonly #children = new Map<number, readonly number[]>();
  #count = 0;
  /** The directory that a layer is being added to, and the names it has more, in order. */
  #filling = -1;
  #fresh: number[] = [];
  /** Names looked up for the links of the layer that is being merged. */
  #steps = 0;
  #index: LayerIndex | undefined;

  /**
   * Merges them. Throws CorruptLayerError when a hard link leads to nothing, to a directory or to itself, or when links
   * lead through more names than layer-limits.ts allows.
   */
  constructor(lowers: readonly LayerIndex[]) {
    this.#lowers = lowers;
    this.#columns = [unnamedRoot, ...lowers.map((index) => index.columns)];
    const bound = lowers.reduce((sum, index) => sum + index.count, 1);
    this.#layers = new Int16Array(bound);
    this.#entries = new Uint32Array(bound);
    this.#nameLayers = new Int16Array(bound);
    this.#nameEntries = new Uint32Array(bound);
    this.#parents = new Uint32Array(bound);
    this.#flags = new Uint8Array(bound);
    this.#make(ROOT, -1, 0);
    lowers.forEach((index, layer) => {
      this.#steps = 0;
      this.#index = index;
      if (layer > 0 && hidesAnything(index)) this.#hideLowers(index);
      this.#addEntries(index, layer);
    });
  }

  layer(node: number): number {
    return this.#layers[node] ?? -1;
  }

  entry(node: number): number {
    return this.#entries[node] ?? 0;
  }

  nameLayer(node: number): number {
    return this.#nameLayers[node] ?? -1;
  }

  nameEntry(node: number): number {
    return this.#nameEntries[node] ?? 0;
  }

  isShared(node: number): boolean {
    return ((this.#flags[node] ?? 0) & SHARED) !== 0;
  }

  /** Bytewise by name; none of what is no directory. */
  children(node: number): readonly number[] {
    return this.#children.get(node) ?? NOTHING;
  }

  // -- nodes -----------------------------------------------------------------------

  #columnsOf(layer: number): Columns {
    return this.#columns[layer + 1] ?? unnamedRoot;
  }

  #make(parent: number, layer: number, entry: number): number {
    const node = this.#count;
    this.#count += 1;
    this.#parents[node] = parent;
    this.#layers[node] = layer;
    this.#nameLayers[node] = layer;
    this.#entries[node] = entry;
    this.#nameEntries[node] = entry;
    if (this.#type(node) === DIRECTORY) this.#children.set(node, NOTHING);
    return node;
  }

  #type(node: number): number {
    return this.#columnsOf(this.layer(node)).type[this.entry(node)] ?? 0;
  }

  #link(node: number): string {
    return this.#lowers[this.layer(node)]?.entry(this.entry(node)).link ?? '';
  }

  #name(node: number): string {
    return this.#lowers[this.nameLayer(node)]?.entry(this.nameEntry(node)).name ?? '';
  }

  #path(node: number): string {
    const names: string[] = [];
    for (let at = node; at !== ROOT; at = this.#parents[at] ?? ROOT) names.push(this.#name(at));
    return names.reverse().join('/');
  }

  // -- one layer -------------------------------------------------------------------

  #hideLowers(index: LayerIndex): void {
    const { columns } = index;
    const walk: number[] = [0, ROOT];
    for (let node = walk.pop(); node !== undefined; node = walk.pop()) {
      const directory = walk.pop() ?? 0;
      const list = this.#children.get(node);
      if (list === undefined) continue;
      if (((columns.flags[directory] ?? 0) & flagOpaque) !== 0) {
        this.#children.set(node, NOTHING);
        continue;
      }
      const [first, end] = index.children(directory);
      const search = new OrderedSearch(list, this.#compareWith(columns));
      let hidden = false;
      for (let number = first; number < end; number++) {
        const type = columns.type[number];
        if (type !== WHITEOUT && type !== DIRECTORY) continue;
        const at = search.find(number);
        const lower = at < 0 ? undefined : list[at];
        if (lower === undefined) continue;
        if (type === WHITEOUT) {
          this.#flags[lower] = (this.#flags[lower] ?? 0) | GONE;
          hidden = true;
        } else {
          const below = this.#lowerDirectory(columns, number, lower);
          if (below !== undefined) walk.push(number, below);
        }
      }
      if (hidden) {
        this.#children.set(
          node,
          list.filter((child) => !this.#isGone(child)),
        );
      }
    }
  }

  #isGone(node: number): boolean {
    return ((this.#flags[node] ?? 0) & GONE) !== 0;
  }

  /** The lower node that a directory entry goes on with: itself, or where a link leads when the layer did not name it. */
  #lowerDirectory(columns: Columns, number: number, lower: number): number | undefined {
    const isImplicit = ((columns.flags[number] ?? 0) & flagImplicit) !== 0;
    if (!isImplicit || this.#type(lower) !== SYMLINK) return lower;
    return this.#find(this.#path(lower), true);
  }

  #addEntries(index: LayerIndex, layer: number): void {
    const { columns } = index;
    const links: number[] = [];
    if (((columns.flags[0] ?? 0) & flagImplicit) === 0 || layer === 0) {
      this.#layers[ROOT] = layer;
      this.#entries[ROOT] = 0;
    }
    const walk: number[] = [0, ROOT];
    for (let node = walk.pop(); node !== undefined; node = walk.pop()) {
      const directory = walk.pop() ?? 0;
      const [first, end] = index.children(directory);
      const list = this.#children.get(node);
      if (list === undefined || first === end) continue;
      // its own from here on: what is replaced is replaced where it is
      const own = [...list];
      this.#children.set(node, own);
      const search = new OrderedSearch(own, this.#compareWith(columns));
      this.#filling = node;
      this.#fresh = [];
      for (let number = first; number < end; number++) {
        const type = columns.type[number];
        if (type === WHITEOUT) continue;
        const at = search.find(number);
        const lower = at < 0 ? undefined : own[at];
        let child = lower;
        if (type === DIRECTORY && lower !== undefined) child = this.#kept(columns, number, layer, lower);
        else child = undefined;
        if (child === undefined) {
          child = this.#make(node, layer, number);
          if (at < 0) this.#fresh.push(child);
          else own[at] = child;
          if (type === HARD_LINK) links.push(child);
        }
        if (type === DIRECTORY) walk.push(number, child);
      }
      if (this.#fresh.length > 0) this.#children.set(node, this.#merged(own, this.#fresh));
      this.#filling = -1;
      this.#fresh = [];
    }
    for (const link of links) this.#settle(link);
  }

  /** The lower directory that the entry describes anew, or leaves as it is; undefined when there is none to keep. */
  #kept(columns: Columns, number: number, layer: number, lower: number): number | undefined {
    const existing = this.#lowerDirectory(columns, number, lower);
    if (existing === undefined || !this.#children.has(existing)) return undefined;
    if (((columns.flags[number] ?? 0) & flagImplicit) === 0) {
      this.#layers[existing] = layer;
      this.#entries[existing] = number;
    }
    return existing;
  }

  #merged(old: readonly number[], fresh: readonly number[]): readonly number[] {
    if (old.length === 0) return fresh;
    const list: number[] = [];
    let next = 0;
    for (const node of fresh) {
      for (; next < old.length; next++) {
        const before = old[next];
        if (before === undefined || this.#compareNodes(before, node) > 0) break;
        list.push(before);
      }
      list.push(node);
    }
    for (; next < old.length; next++) list.push(old[next] ?? ROOT);
    return list;
  }

  // -- names -----------------------------------------------------------------------

  #compareNodes(a: number, b: number): number {
    return compareEntryNames(
      this.#columnsOf(this.nameLayer(a)),
      this.nameEntry(a),
      this.#columnsOf(this.nameLayer(b)),
      this.nameEntry(b),
    );
  }

  #compareWith(columns: Columns): (node: number, entry: number) => number {
    return (node, entry) =>
      compareEntryNames(this.#columnsOf(this.nameLayer(node)), this.nameEntry(node), columns, entry);
  }

  #child(directory: number, name: string): number | undefined {
    const order = (node: number) =>
      compareToName(this.#columnsOf(this.nameLayer(node)), this.nameEntry(node), name);
    const found = findOrdered(this.children(directory), order);
    if (found !== undefined) return this.#isGone(found) ? undefined : found;
    return directory === this.#filling ? findOrdered(this.#fresh, order) : undefined;
  }

  /** The node at a path; links on the way are followed inside the root, the last one only when asked. */
  #find(path: string, followLast: boolean): number | undefined {
    const todo = path.split('/').reverse();
    this.#step(todo.length);
    let followed = 0;
    let node = ROOT;
    while (todo.length > 0) {
      const name = todo.pop();
      if (name === undefined || name === '' || name === '.') continue;
      if (name === '..') {
        node = this.#parents[node] ?? ROOT;
        continue;
      }
      const child = this.#child(node, name);
      if (child === undefined) return undefined;
      if (this.#type(child) === SYMLINK && (followLast || todo.length > 0)) {
        followed += 1;
        if (followed > MAX_SYMLINKS) return undefined;
        const target = this.#link(child);
        if (target.startsWith('/')) node = ROOT;
        const names = target.split('/').reverse();
        this.#step(names.length);
        todo.push(...names);
        continue;
      }
      node = child;
    }
    return node;
  }

  /** In a hostile layer each link may lead through thousands of names. */
  #step(count: number): void {
    this.#steps += count;
    if (this.#steps <= maxSteps) return;
    const diffID = this.#index?.diffID ?? '';
    throw new CorruptLayerError(
      `layer ${diffID} cannot be used: its links lead through more than ${maxSteps} names`,
      { diffID },
    );
  }

  /** Gives the link, and the links between it and the file, the file's own entry. */
  #settle(link: number): void {
    const chain: number[] = [];
    let target = link;
    while (this.#type(target) === HARD_LINK) {
      if (chain.length > 1 && target === chain[chain.length >> 1]) throw this.#badLink(link, 'to itself');
      chain.push(target);
      const next = this.#find(this.#link(target), false);
      if (next === undefined) throw this.#badLink(link, 'to what is not there');
      if (next === target) throw this.#badLink(link, 'to itself');
      target = next;
    }
    if (this.#type(target) === DIRECTORY) throw this.#badLink(link, 'to a directory');
    this.#flags[target] = (this.#flags[target] ?? 0) | SHARED;
    for (const node of chain) {
      this.#layers[node] = this.layer(target);
      this.#entries[node] = this.entry(target);
      this.#flags[node] = (this.#flags[node] ?? 0) | SHARED;
    }
  }

  #badLink(link: number, what: string): Error {
    const diffID = this.#index?.diffID ?? '';
    const path = printableName(this.#path(link));
    const target = printableName(this.#link(link));
    return new CorruptLayerError(
      `layer ${diffID} is damaged: the hard link "${path}" to "${target}" leads ${what}; build or pull the image again`,
      { diffID, path, target },
    );
  }
}

function hidesAnything({ count, columns }: LayerIndex): boolean {
  for (let number = 0; number < count; number++) {
    if (columns.type[number] === WHITEOUT || ((columns.flags[number] ?? 0) & flagOpaque) !== 0) return true;
  }
  return false;
}
