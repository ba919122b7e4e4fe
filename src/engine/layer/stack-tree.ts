/**
 * The tree that layers are merged into, bottom first: nodes that can still
 * change, made once and thrown away when `stack.ts` has packed them.
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
import type { LayerEntry, LayerIndex } from './layer-index.ts';
import { maxSteps } from './layer-limits.ts';

/** Linux's own limit (path_resolution(7)). */
const MAX_SYMLINKS = 40;

export class StackNode {
  readonly name: string;
  readonly parent: StackNode | undefined;
  /** Present for directories only. */
  readonly children: Map<string, StackNode> | undefined;
  /** Who says what it is and where its content is: the target's for a hard link. */
  layer: number;
  entry: LayerEntry;
  /** True when another name has the same layer and entry. */
  shared = false;

  constructor(name: string, parent: StackNode | undefined, layer: number, entry: LayerEntry) {
    this.name = name;
    this.parent = parent;
    this.layer = layer;
    this.entry = entry;
    this.children = entry.type === 'dir' ? new Map() : undefined;
  }
}

/** The tree so far, and what the layer being merged has cost. */
interface Merge {
  readonly root: StackNode;
  readonly index: LayerIndex;
  /** Names looked up for its links. */
  steps: number;
}

/** A directory that no layer names: 0755 root:root, 1970. */
const UNNAMED: LayerEntry = {
  number: 0,
  parent: 0,
  name: '',
  type: 'dir',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtimeNs: 0n,
  size: 0,
  offset: 0,
  extents: undefined,
  link: undefined,
  rdev: undefined,
  xattrs: undefined,
  opaque: false,
  implicit: true,
};

/**
 * The root of the merged tree. Throws CorruptLayerError when a hard link leads to nothing,
 * to a directory or to itself.
 */
export function mergeLayers(lowers: readonly LayerIndex[]): StackNode {
  const root = new StackNode('', undefined, -1, UNNAMED);
  lowers.forEach((index, layer) => {
    const entries: LayerEntry[] = [];
    let hides = false;
    for (let number = 0; number < index.count; number++) {
      const entry = index.entry(number);
      entries.push(entry);
      hides ||= entry.type === 'whiteout' || entry.opaque;
    }
    const merge: Merge = { root, index, steps: 0 };
    if (hides && layer > 0) hideLowers(merge, entries);
    addEntries(merge, entries, layer);
  });
  return root;
}

function hideLowers(merge: Merge, entries: readonly LayerEntry[]): void {
  const { root, index } = merge;
  const walk: { number: number; node: StackNode }[] = [{ number: 0, node: root }];
  for (let at = walk.pop(); at !== undefined; at = walk.pop()) {
    const children = at.node.children;
    if (children === undefined) continue;
    if (entries[at.number]?.opaque === true) {
      children.clear();
      continue;
    }
    const [first, end] = index.children(at.number);
    for (let number = first; number < end; number++) {
      const entry = entries[number];
      if (entry?.type === 'whiteout') children.delete(entry.name);
      else if (entry?.type === 'dir') {
        const lower = children.get(entry.name);
        if (lower === undefined) continue;
        const node = entry.implicit ? throughLink(merge, lower) : lower;
        if (node !== undefined) walk.push({ number, node });
      }
    }
  }
}

function addEntries(merge: Merge, entries: readonly LayerEntry[], layer: number): void {
  const { root, index } = merge;
  const links: StackNode[] = [];
  const top = entries[0];
  if (top !== undefined && (!top.implicit || layer === 0)) {
    root.entry = top;
    root.layer = layer;
  }
  const walk: { number: number; node: StackNode }[] = [{ number: 0, node: root }];
  for (let at = walk.pop(); at !== undefined; at = walk.pop()) {
    const { node: directory } = at;
    const [first, end] = index.children(at.number);
    for (let number = first; number < end; number++) {
      const entry = entries[number];
      if (entry === undefined || entry.type === 'whiteout' || directory.children === undefined) continue;
      if (entry.type === 'dir') {
        walk.push({ number, node: addDirectory(merge, directory, directory.children, entry, layer) });
        continue;
      }
      const node = new StackNode(entry.name, directory, layer, entry);
      directory.children.set(entry.name, node);
      if (entry.type === 'hardlink') links.push(node);
    }
  }
  for (const link of links) settleLink(merge, link);
}

function addDirectory(
  merge: Merge,
  parent: StackNode,
  siblings: Map<string, StackNode>,
  entry: LayerEntry,
  layer: number,
): StackNode {
  const lower = siblings.get(entry.name);
  if (lower !== undefined) {
    const existing = entry.implicit ? throughLink(merge, lower) : lower;
    if (existing?.children !== undefined) {
      if (!entry.implicit) {
        existing.entry = entry;
        existing.layer = layer;
      }
      return existing;
    }
  }
  const node = new StackNode(entry.name, parent, layer, entry);
  siblings.set(entry.name, node);
  return node;
}

/** The node itself, or the directory that a symbolic link leads to inside the root. */
function throughLink(merge: Merge, node: StackNode): StackNode | undefined {
  if (node.entry.type !== 'symlink') return node;
  return findNode(merge, pathOf(node), true);
}

function pathOf(node: StackNode): string {
  const names: string[] = [];
  for (let at: StackNode | undefined = node; at?.parent !== undefined; at = at.parent) names.push(at.name);
  return names.reverse().join('/');
}

/** The node at a path; links on the way are followed inside the root, the last one only when asked. */
function findNode(merge: Merge, path: string, followLast: boolean): StackNode | undefined {
  const { root } = merge;
  const todo = path.split('/').reverse();
  step(merge, todo.length);
  let followed = 0;
  let node = root;
  while (todo.length > 0) {
    const name = todo.pop();
    if (name === undefined || name === '' || name === '.') continue;
    if (name === '..') {
      node = node.parent ?? root;
      continue;
    }
    const child = node.children?.get(name);
    if (child === undefined) return undefined;
    if (child.entry.type === 'symlink' && (followLast || todo.length > 0)) {
      followed += 1;
      if (followed > MAX_SYMLINKS) return undefined;
      const target = child.entry.link ?? '';
      if (target.startsWith('/')) node = root;
      const names = target.split('/').reverse();
      step(merge, names.length);
      todo.push(...names);
      continue;
    }
    node = child;
  }
  return node;
}

/** In a hostile layer each link may lead through thousands of names. */
function step(merge: Merge, count: number): void {
  merge.steps += count;
  if (merge.steps <= maxSteps) return;
  const { diffID } = merge.index;
  throw new CorruptLayerError(
    `layer ${diffID} cannot be used: its links lead through more than ${maxSteps} names`,
    { diffID },
  );
}

/** Gives the link, and the links between it and the file, the file's own entry. */
function settleLink(merge: Merge, link: StackNode): void {
  const { index } = merge;
  const chain: StackNode[] = [];
  let target = link;
  while (target.entry.type === 'hardlink') {
    if (chain.length > 1 && target === chain[chain.length >> 1]) throw badLink(link, index, 'to itself');
    chain.push(target);
    const next = findNode(merge, target.entry.link ?? '', false);
    if (next === undefined) throw badLink(link, index, 'to what is not there');
    if (next === target) throw badLink(link, index, 'to itself');
    target = next;
  }
  if (target.entry.type === 'dir') throw badLink(link, index, 'to a directory');
  target.shared = true;
  for (const node of chain) {
    node.entry = target.entry;
    node.layer = target.layer;
    node.shared = true;
  }
}

function badLink(link: StackNode, index: LayerIndex, what: string): Error {
  const path = printableName(pathOf(link));
  const target = printableName(link.entry.link ?? '');
  return new CorruptLayerError(
    `layer ${index.diffID} is damaged: the hard link "${path}" to "${target}" leads ${what}; build or pull the image again`,
    { diffID: index.diffID, path, target },
  );
}
