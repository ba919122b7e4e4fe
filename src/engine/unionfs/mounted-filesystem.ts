/**
 * Filesystems mounted in one another, as a container sees its root with its volumes: one tree to walk, read and write.
 *
 * An inode number here is that of its tree and 2^31 times the tree's place in the list: the trees' own stay below that.
 */

import { FsError } from './errno.ts';
import type { Attributes, Dirent, FileSystem, Owner, SpaceUse, Stat } from './filesystem.ts';
import { resolvePath } from './resolve.ts';
import { makeDirectories, namesBelow } from './write-pieces.ts';

const TREE = 2 ** 31;

interface Mounted {
  readonly fs: FileSystem;
  readonly readOnly: boolean;
  /** Its root and the place that it is mounted on, in numbers of this filesystem; of the first tree both are the root. */
  readonly root: number;
  readonly place: number;
}

export class MountedFileSystem implements FileSystem {
  readonly root: number;
  readonly #trees: Mounted[] = [];
  /** What is mounted on an inode. */
  readonly #on = new Map<number, number>();

  constructor(fs: FileSystem) {
    this.root = fs.root;
    this.#trees.push({ fs, readOnly: false, root: fs.root, place: fs.root });
  }

  /**
   * Mounts `ino` of a filesystem at a path, links followed. Where there is nothing, directories are made. Throws as
   * `resolvePath` and the filesystem do.
   */
  mount(path: string, fs: FileSystem, ino: number, options: { readonly readOnly: boolean }): void {
    const root = this.#trees.length * TREE + ino;
    let place: number;
    try {
      place = resolvePath(this, path);
    } catch (error) {
      if (!(error instanceof FsError && error.errno === 'ENOENT')) throw error;
      place = makeDirectories(this, this.root, namesBelow(path));
    }
    this.#trees.push({ fs, readOnly: options.readOnly, root, place });
    this.#on.set(place, root);
  }

  /** The place in the list of the tree that an inode is in: 0 for the first, 1 for what was mounted first. */
  treeOf(ino: number): number {
    return Math.trunc(ino / TREE);
  }

  isReadOnly(ino: number): boolean {
    return this.#tree(ino).readOnly;
  }

  #tree(ino: number): Mounted {
    const tree = this.#trees[this.treeOf(ino)];
    if (tree === undefined) throw new FsError('ESTALE', `inode ${ino}`);
    return tree;
  }

  /** The tree and the inode's number in it. */
  #at(ino: number): [FileSystem, number] {
    return [this.#tree(ino).fs, ino % TREE];
  }

  #changing(ino: number): [FileSystem, number] {
    if (this.isReadOnly(ino)) throw new FsError('EROFS', `inode ${ino}`);
    return this.#at(ino);
  }

  #number(near: number, ino: number): number {
    return this.treeOf(near) * TREE + ino;
  }

  #checkFree(directory: number, name: string): void {
    const [fs, ino] = this.#at(directory);
    const child = this.#number(directory, fs.lookup(ino, name));
    if (this.#on.has(child)) throw new FsError('EBUSY', name);
  }

  lookup(directory: number, name: string): number {
    const [fs, ino] = this.#at(directory);
    const child = this.#number(directory, fs.lookup(ino, name));
    return this.#on.get(child) ?? child;
  }

  parent(directory: number): number {
    const tree = this.#tree(directory);
    if (directory === tree.root) return directory === this.root ? this.root : this.parent(tree.place);
    const above = this.#number(directory, tree.fs.parent(directory % TREE));
    return this.#on.get(above) ?? above;
  }

  stat(ino: number): Stat {
    const [fs, own] = this.#at(ino);
    return { ...fs.stat(own), ino };
  }

  readdir(directory: number): readonly Dirent[] {
    const [fs, ino] = this.#at(directory);
    return fs.readdir(ino).map(({ name, ino: child, type }) => {
      const number = this.#number(directory, child);
      const mounted = this.#on.get(number);
      if (mounted === undefined) return { name, ino: number, type };
      return { name, ino: mounted, type: this.stat(mounted).type };
    });
  }

  readlink(ino: number): string {
    const [fs, own] = this.#at(ino);
    return fs.readlink(own);
  }

  read(ino: number, offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    const [fs, own] = this.#at(ino);
    return fs.read(own, offset, length);
  }

  write(ino: number, offset: number, bytes: Uint8Array): number {
    const [fs, own] = this.#changing(ino);
    return fs.write(own, offset, bytes);
  }

  ready(): Promise<void> | undefined {
    const waits = this.#trees.flatMap(({ fs }) => fs.ready() ?? []);
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  get isShort(): boolean {
    return this.#trees.some(({ fs }) => fs.isShort === true);
  }

  setattr(ino: number, attributes: Attributes): void {
    const [fs, own] = this.#changing(ino);
    fs.setattr(own, attributes);
  }

  create(directory: number, name: string, mode: number, owner: Owner): number {
    const [fs, ino] = this.#changing(directory);
    return this.#number(directory, fs.create(ino, name, mode, owner));
  }

  mkdir(directory: number, name: string, mode: number, owner: Owner): number {
    const [fs, ino] = this.#changing(directory);
    return this.#number(directory, fs.mkdir(ino, name, mode, owner));
  }

  symlink(directory: number, name: string, target: string, owner: Owner): number {
    const [fs, ino] = this.#changing(directory);
    return this.#number(directory, fs.symlink(ino, name, target, owner));
  }

  mknod(
    directory: number,
    name: string,
    type: 'char' | 'block' | 'fifo' | 'socket' | 'file',
    mode: number,
    rdev: readonly [number, number],
    owner: Owner,
  ): number {
    const [fs, ino] = this.#changing(directory);
    return this.#number(directory, fs.mknod(ino, name, type, mode, rdev, owner));
  }

  link(ino: number, directory: number, name: string): void {
    if (this.treeOf(ino) !== this.treeOf(directory)) throw new FsError('EXDEV', name);
    const [fs, own] = this.#changing(directory);
    fs.link(ino % TREE, own, name);
  }

  rename(from: number, name: string, to: number, newName: string): void {
    if (this.treeOf(from) !== this.treeOf(to)) throw new FsError('EXDEV', name);
    this.#checkFree(from, name);
    const [fs, own] = this.#changing(from);
    fs.rename(own, name, to % TREE, newName);
  }

  unlink(directory: number, name: string): void {
    this.#checkFree(directory, name);
    const [fs, ino] = this.#changing(directory);
    fs.unlink(ino, name);
  }

  rmdir(directory: number, name: string): void {
    this.#checkFree(directory, name);
    const [fs, ino] = this.#changing(directory);
    fs.rmdir(ino, name);
  }

  listxattr(ino: number): readonly string[] {
    const [fs, own] = this.#at(ino);
    return fs.listxattr(own);
  }

  getxattr(ino: number, name: string): Uint8Array<ArrayBuffer> | undefined {
    const [fs, own] = this.#at(ino);
    return fs.getxattr(own, name);
  }

  setxattr(ino: number, name: string, value: Uint8Array, flags: number): void {
    const [fs, own] = this.#changing(ino);
    fs.setxattr(own, name, value, flags);
  }

  removexattr(ino: number, name: string): void {
    const [fs, own] = this.#changing(ino);
    fs.removexattr(own, name);
  }

  hold(ino: number): void {
    const [fs, own] = this.#at(ino);
    fs.hold(own);
  }

  release(ino: number): void {
    const [fs, own] = this.#at(ino);
    fs.release(own);
  }

  space(): SpaceUse {
    return this.#tree(this.root).fs.space();
  }

  async flush(): Promise<void> {
    await Promise.all([...new Set(this.#trees.map(({ fs }) => fs))].map((fs) => fs.flush()));
  }
}
