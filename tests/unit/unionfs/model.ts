/**
 * A filesystem as simple as can be, to hold the union against: objects and
 * maps, nothing shared with it. What it refuses and in which order is Linux's:
 * path_resolution(7), and do_renameat2, do_linkat and vfs_rename of fs/namei.c.
 */

import type { Errno } from '../../../src/engine/unionfs/errno.ts';
import type { FileType } from '../../../src/engine/unionfs/filesystem.ts';

export type Outcome = Errno | 'ok';

export interface ModelNode {
  readonly type: FileType;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
  /** Of a file its bytes as characters, of a symlink its target. */
  content: string;
  readonly rdev: string;
  readonly xattrs: Map<string, string>;
  readonly children: Map<string, ModelNode>;
}

/** When everything in the lowers was changed last. */
export const LOWER_TIME = 1_000_000_000n;
const MAX_SYMLINKS = 40;

export function modelNode(type: FileType, content = '', time = LOWER_TIME, rdev = '0,0'): ModelNode {
  const modes: Partial<Record<FileType, number>> = { dir: 0o755, symlink: 0o777 };
  return {
    type,
    mode: modes[type] ?? 0o644,
    uid: 0,
    gid: 0,
    nlink: type === 'dir' ? 2 : 1,
    atime: time,
    mtime: time,
    ctime: time,
    content,
    rdev,
    xattrs: new Map(),
    children: new Map(),
  };
}

interface Place {
  readonly directory: ModelNode;
  readonly name: string;
}

export interface Changes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atime?: bigint;
  readonly mtime?: bigint;
}

export class Model {
  readonly root = modelNode('dir', '', 0n);
  /** What an operation leaves as the time of what it changes. */
  now = LOWER_TIME;
  /** Open files and directories, in the order of their opening. */
  handles: ModelNode[] = [];

  /** The node at a path without leading slash, symlinks on the way followed; or why there is none. */
  find(path: string, followLast: boolean): ModelNode | Errno {
    const todo = path.split('/').filter((name) => name !== '');
    let node = this.root;
    let followed = 0;
    for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
      if (node.type !== 'dir') return 'ENOTDIR';
      const child = node.children.get(name);
      if (child === undefined) return 'ENOENT';
      if (child.type === 'symlink' && (followLast || todo.length > 0)) {
        followed += 1;
        if (followed > MAX_SYMLINKS) return 'ELOOP';
        todo.unshift(...child.content.split('/'));
      } else node = child;
    }
    return node;
  }

  #place(path: string): Place | Errno {
    const slash = path.lastIndexOf('/');
    const directory = this.find(path.slice(0, Math.max(slash, 0)), true);
    if (typeof directory === 'string') return directory;
    if (directory.type !== 'dir') return 'ENOTDIR';
    return { directory, name: path.slice(slash + 1) };
  }

  #changed(directory: ModelNode, subdirectories = 0): void {
    directory.mtime = this.now;
    directory.ctime = this.now;
    directory.nlink += subdirectories;
  }

  add(path: string, node: ModelNode): Outcome {
    const place = this.#place(path);
    return typeof place === 'string' ? place : this.addTo(place.directory, place.name, node);
  }

  addTo(directory: ModelNode, name: string, node: ModelNode): Outcome {
    if (directory.type !== 'dir') return 'ENOTDIR';
    if (directory.nlink === 0) return 'ENOENT';
    if (directory.children.has(name)) return 'EEXIST';
    directory.children.set(name, node);
    this.#changed(directory, node.type === 'dir' ? 1 : 0);
    return 'ok';
  }

  open(path: string, wanted: 'file' | 'dir'): Outcome {
    const node = this.find(path, true);
    if (typeof node === 'string') return node;
    if (wanted === 'dir' && node.type !== 'dir') return 'ENOTDIR';
    if (wanted === 'file' && node.type !== 'file') return node.type === 'dir' ? 'EISDIR' : 'EINVAL';
    this.handles.push(node);
    return 'ok';
  }

  write(node: ModelNode, offset: number, text: string): Outcome {
    if (node.type !== 'file') return node.type === 'dir' ? 'EISDIR' : 'EINVAL';
    const padded = node.content.padEnd(offset, '\0');
    node.content = padded.slice(0, offset) + text + padded.slice(offset + text.length);
    node.mtime = this.now;
    node.ctime = this.now;
    return 'ok';
  }

  change(node: ModelNode, { size, ...changes }: Changes): Outcome {
    if (size !== undefined) {
      if (node.type !== 'file') return node.type === 'dir' ? 'EISDIR' : 'EINVAL';
      node.content = node.content.padEnd(size, '\0').slice(0, size);
      node.mtime = this.now;
    }
    node.ctime = this.now;
    Object.assign(node, changes);
    return 'ok';
  }

  setXattr(node: ModelNode, name: string, value: string, flags: number): Outcome {
    const known = node.xattrs.has(name);
    if (known && flags === 1) return 'EEXIST';
    if (!known && flags === 2) return 'ENODATA';
    node.xattrs.set(name, value);
    node.ctime = this.now;
    return 'ok';
  }

  removeXattr(node: ModelNode, name: string): Outcome {
    if (!node.xattrs.delete(name)) return 'ENODATA';
    node.ctime = this.now;
    return 'ok';
  }

  link(target: string, path: string): Outcome {
    const node = this.find(target, false);
    if (typeof node === 'string') return node;
    const place = this.#place(path);
    if (typeof place === 'string') return place;
    if (place.directory.children.has(place.name)) return 'EEXIST';
    if (node.type === 'dir') return 'EPERM';
    place.directory.children.set(place.name, node);
    node.nlink += 1;
    node.ctime = this.now;
    this.#changed(place.directory);
    return 'ok';
  }

  remove(path: string, kind: 'unlink' | 'rmdir'): Outcome {
    const place = this.#place(path);
    if (typeof place === 'string') return place;
    const node = place.directory.children.get(place.name);
    if (node === undefined) return 'ENOENT';
    if (kind === 'unlink' && node.type === 'dir') return 'EISDIR';
    if (kind === 'rmdir' && node.type !== 'dir') return 'ENOTDIR';
    if (node.children.size > 0) return 'ENOTEMPTY';
    place.directory.children.delete(place.name);
    this.#dropName(node);
    this.#changed(place.directory, node.type === 'dir' ? -1 : 0);
    return 'ok';
  }

  #dropName(node: ModelNode): void {
    node.nlink = node.type === 'dir' ? 0 : node.nlink - 1;
    node.ctime = this.now;
  }

  rename(from: string, to: string): Outcome {
    const source = this.#place(from);
    if (typeof source === 'string') return source;
    const target = this.#place(to);
    if (typeof target === 'string') return target;
    const node = source.directory.children.get(source.name);
    if (node === undefined) return 'ENOENT';
    if (node.type === 'dir' && this.#isWithin(target.directory, node)) return 'EINVAL';
    const replaced = target.directory.children.get(target.name);
    if (replaced?.type === 'dir' && this.#isWithin(source.directory, replaced)) return 'ENOTEMPTY';
    if (replaced === node) return 'ok';
    if (replaced !== undefined) {
      if (node.type === 'dir' && replaced.type !== 'dir') return 'ENOTDIR';
      if (node.type !== 'dir' && replaced.type === 'dir') return 'EISDIR';
      if (replaced.children.size > 0) return 'ENOTEMPTY';
      this.#dropName(replaced);
      if (replaced.type === 'dir') target.directory.nlink -= 1;
    }
    source.directory.children.delete(source.name);
    target.directory.children.set(target.name, node);
    node.ctime = this.now;
    const moved = node.type === 'dir' ? 1 : 0;
    this.#changed(source.directory, -moved);
    this.#changed(target.directory, moved);
    return 'ok';
  }

  /** True when `ancestor` is the directory or holds it at any depth. */
  #isWithin(directory: ModelNode, ancestor: ModelNode): boolean {
    if (ancestor === directory) return true;
    return [...ancestor.children.values()].some((child) => this.#isWithin(directory, child));
  }

  /** The same tree of other nodes, with nothing open. */
  copy(): Model {
    const copy = new Model();
    Object.assign(copy, { root: structuredClone(this.root), now: this.now });
    return copy;
  }

  /** What stays of it when it is made a layer: one time each, and no sockets. */
  commit(): void {
    this.handles = [];
    for (const { node } of this.entries()) {
      for (const [name, child] of node.children) if (child.type === 'socket') node.children.delete(name);
      node.atime = node.mtime;
      node.ctime = node.mtime;
    }
  }

  /** Every name below the root with its node, and the root as "". */
  entries(node: ModelNode = this.root, path = ''): { path: string; node: ModelNode }[] {
    const below = [...node.children].flatMap(([name, child]) => this.entries(child, `${path}/${name}`));
    return [{ path, node }, ...below];
  }

  /** Inodes, those included that are only held open. */
  get files(): number {
    return new Set([...this.entries().map(({ node }) => node), ...this.handles]).size;
  }
}
