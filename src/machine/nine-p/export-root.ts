/**
 * What the machine exports as its one 9P tree: a root directory with `c/`,
 * `v/` and `host`, and mounted under them the trees (`c/<container id>`,
 * `v/<volume>`, `host`). A virtio channel takes one mount, hence one root.
 *
 * A node is an inode in a tree. Tree 0 is the synthetic one. Numbers of trees
 * are never used again, so that what the guest still caches of a tree that was
 * withdrawn can never be taken for another's.
 */

import { encodeName } from '../../engine/names.ts';
import { FsError } from '../../engine/unionfs/errno.ts';
import type { Dirent, FileSystem, FileType, Stat } from '../../engine/unionfs/filesystem.ts';
import type { Qid } from './wire.ts';

export interface Tree {
  readonly number: number;
  /** `host`, `c/<id>` or `v/<name>`; empty for the synthetic root. */
  readonly path: string;
  readonly fs: FileSystem;
  /** False once the tree was withdrawn. */
  readonly isMounted: boolean;
}

export interface Node {
  readonly tree: Tree;
  readonly ino: number;
}

const ROOT = 1;
/** Directories of the root that hold trees, by name. */
const SHELVES = new Map([
  ['c', 2],
  ['v', 3],
]);
const PATH = /^(?:host|[cv]\/(?!\.{1,2}$)[^/\0]+)$/;
/** qid.path stays below 2^53 and so exact in a number. */
const MAX_TREES = 2 ** 21 - 1;

export class ExportRoot {
  readonly #mounted = new Map<string, MountedTree>();
  readonly #tree: MountedTree;
  #next = 1;

  constructor() {
    this.#tree = new MountedTree(0, '', new ShelfDirectories(() => this.#flush()));
  }

  get root(): Node {
    return { tree: this.#tree, ino: ROOT };
  }

  /** RangeError when the path is none that can be exported or is taken. */
  mount(path: string, fs: FileSystem): Tree {
    if (!PATH.test(path) || encodeName(path.slice(path.indexOf('/') + 1)).length > 255) {
      throw new RangeError(
        `"${path}" is no path for a tree; use host, c/<container id> or v/<volume> with a name of at most 255 bytes.`,
      );
    }
    if (this.#mounted.has(path)) {
      throw new RangeError(`A tree is already exported at "${path}"; withdraw it first.`);
    }
    if (this.#next > MAX_TREES)
      throw new RangeError('Too many trees were exported; start the machine again.');
    const tree = new MountedTree(this.#next, path, fs);
    this.#next += 1;
    this.#mounted.set(path, tree);
    return tree;
  }

  /** The tree that was mounted there, from now on stale; undefined when there was none. */
  unmount(path: string): Tree | undefined {
    const tree = this.#mounted.get(path);
    if (tree === undefined) return undefined;
    this.#mounted.delete(path);
    tree.isMounted = false;
    return tree;
  }

  tree(path: string): Tree | undefined {
    return this.#mounted.get(path);
  }

  /**
   * One step of a walk. ENOENT, ENOTDIR. What is not mounted is ESTALE and not
   * ENOENT: the guest caches that a name does not exist, and a tree may be
   * exported there later.
   */
  step(node: Node, name: string): Node {
    const { tree, ino } = node;
    if (name === '.' || name === '..') {
      if (tree.fs.stat(ino).type !== 'dir') throw new FsError('ENOTDIR');
      return name === '.' ? node : this.parent(node);
    }
    if (tree !== this.#tree) return { tree, ino: tree.fs.lookup(ino, name) };
    if (ino === ROOT) {
      const shelf = SHELVES.get(name);
      if (shelf !== undefined) return { tree, ino: shelf };
    }
    const mounted = this.#mounted.get(shelfPrefix(ino) + name);
    if (mounted === undefined) throw new FsError('ESTALE', name);
    return { tree: mounted, ino: mounted.fs.root };
  }

  /** All trees; rejects with the first failure once all are done. */
  async #flush(): Promise<void> {
    const flushes = [...this.#mounted.values()].map((tree) => tree.fs.flush());
    for (const result of await Promise.allSettled(flushes)) {
      if (result.status === 'rejected') throw result.reason;
    }
  }

  /** The directory that holds this one; the root's is the root. */
  parent(node: Node): Node {
    const { tree, ino } = node;
    if (tree === this.#tree) return this.root;
    if (ino !== tree.fs.root) return { tree, ino: tree.fs.parent(ino) };
    const shelf = SHELVES.get(tree.path.slice(0, Math.max(0, tree.path.indexOf('/'))));
    return { tree: this.#tree, ino: shelf ?? ROOT };
  }

  /** Names in a directory with the nodes behind them, without "." and "..". */
  list(node: Node): readonly { name: string; node: Node; type: FileType }[] {
    const { tree, ino } = node;
    if (tree !== this.#tree) {
      return tree.fs
        .readdir(ino)
        .map((entry) => ({ name: entry.name, node: { tree, ino: entry.ino }, type: entry.type }));
    }
    const list: { name: string; node: Node; type: FileType }[] = [];
    if (ino === ROOT) {
      for (const [name, shelf] of SHELVES) list.push({ name, node: { tree, ino: shelf }, type: 'dir' });
    }
    const prefix = shelfPrefix(ino);
    for (const [path, mounted] of this.#mounted) {
      const name = path.slice(prefix.length);
      if (!path.startsWith(prefix) || name.includes('/')) continue;
      list.push({ name, node: { tree: mounted, ino: mounted.fs.root }, type: 'dir' });
    }
    return list;
  }
}

/** The part of a tree's path that stands before its name in this directory of the root. */
function shelfPrefix(ino: number): string {
  for (const [name, shelf] of SHELVES) if (shelf === ino) return `${name}/`;
  return '';
}

class MountedTree implements Tree {
  readonly number: number;
  readonly path: string;
  readonly fs: FileSystem;
  isMounted = true;

  constructor(number: number, path: string, fs: FileSystem) {
    this.number = number;
    this.path = path;
    this.fs = fs;
  }
}

/** A node that stands for any of a tree that was withdrawn, and keeps nothing of it in memory. */
export function staleNode({ number, path }: Tree): Node {
  return { tree: { number, path, fs: new ShelfDirectories(), isMounted: false }, ino: ROOT };
}

/** qid.type: QTDIR and QTSYMLINK (9P2000.L has no more that the client looks at). */
function qidType(type: FileType): number {
  if (type === 'dir') return 0x80;
  if (type === 'symlink') return 0x02;
  return 0;
}

/**
 * The qid of a node, distinct among all trees. Its version never changes:
 * while a tree is exported only the guest writes it, and the guest's client
 * takes an inode with another version for another file. The two names of a hard
 * link would then have a page cache each, and one would not see the other's writes.
 *
 * A 32-bit guest folds the path into `(low + 2) ^ high` for d_ino and st_ino, and
 * libc's readdir skips an entry whose d_ino is 0. The bit at 2^31, which neither tree
 * numbers nor inode numbers reach, keeps that from being so.
 */
export function qidOf(node: Node, type: FileType): Qid {
  return { type: qidType(type), version: 0, path: node.tree.number * 2 ** 32 + 2 ** 31 + node.ino };
}

/** The synthetic directories as a FileSystem that cannot be changed; names are ExportRoot's affair. */
class ShelfDirectories implements FileSystem {
  readonly root = ROOT;
  /** sync(2) and syncfs(2) of the guest come as an fsync of the root. */
  readonly flush: () => Promise<void>;

  constructor(flush: () => Promise<void> = () => Promise.resolve()) {
    this.flush = flush;
  }

  stat(ino: number): Stat {
    return {
      ino,
      type: 'dir',
      mode: 0o755,
      uid: 0,
      gid: 0,
      nlink: 2,
      size: 0,
      blocks: 0,
      rdev: [0, 0],
      atimeNs: 0n,
      mtimeNs: 0n,
      ctimeNs: 0n,
      version: 0,
    };
  }

  lookup(_directory: number, name: string): number {
    throw new FsError('ENOENT', name);
  }

  parent(): number {
    return ROOT;
  }

  readdir(): readonly Dirent[] {
    return [];
  }

  readlink(): string {
    throw new FsError('EINVAL');
  }

  read(): Uint8Array {
    throw new FsError('EISDIR');
  }

  write(): number {
    throw new FsError('EISDIR');
  }

  ready(): undefined {
    return undefined;
  }

  setattr = readOnly;
  create = readOnly;
  mkdir = readOnly;
  symlink = readOnly;
  mknod = readOnly;
  link = readOnly;
  rename = readOnly;
  unlink = readOnly;
  rmdir = readOnly;
  setxattr = readOnly;
  removexattr = readOnly;

  listxattr(): readonly string[] {
    return [];
  }

  getxattr(): undefined {
    return undefined;
  }

  hold(): undefined {
    return undefined;
  }

  release(): undefined {
    return undefined;
  }

  space() {
    return { blockSize: 4096, blocks: 0, free: 0, files: 0 };
  }
}

function readOnly(): never {
  throw new FsError('EROFS');
}
