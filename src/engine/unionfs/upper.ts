/**
 * The state of an upper over its stack: inode table, names, and what is left
 * of the lower. An inode of the stack has number canonical + 1 whether it was
 * copied up or not, so a directory carries its lower children along wherever
 * it is moved, and one made anew has none: it is opaque by nature.
 */

import type { StackIndex } from '../layer/stack.ts';
import type { FileType } from './filesystem.ts';
import type { Inode } from './inode.ts';
import { lowerExtents } from './lower-extents.ts';

/** In place of an inode number: the lower's name is hidden. */
export const WHITEOUT = 0;
export const ROOT = 1;

export class Upper {
  readonly stack: StackIndex;
  readonly inodes = new Map<number, Inode>();
  /** Of each directory the names that differ from the lower's. */
  readonly dentries = new Map<number, Map<string, number>>();
  /** Names left of a lower inode that is not copied up; absent: as in the stack. */
  readonly nlinks = new Map<number, number>();
  /** When a lower inode that is not copied up lost a name; absent: as in the stack. */
  readonly ctimes = new Map<number, bigint>();
  /** Without a name, but perhaps held open. */
  readonly orphans = new Set<number>();
  nextIno: number;
  version = 0;
  files: number;
  /** Called for each inode that leaves the lower, once it did. */
  onCopyUp: ((inode: Inode) => void) | undefined;

  constructor(stack: StackIndex) {
    this.stack = stack;
    this.nextIno = stack.count + 1;
    this.files = stack.files;
  }

  /** Number in the stack of an inode that comes from there. */
  lower(ino: number): number | undefined {
    const number = ino - 1;
    return number >= 0 && number < this.stack.count && this.stack.canonical(number) === number
      ? number
      : undefined;
  }

  exists(ino: number): boolean {
    if (this.inodes.has(ino)) return true;
    return this.lower(ino) !== undefined && (this.nlinks.get(ino) !== 0 || this.orphans.has(ino));
  }

  type(ino: number): FileType {
    return this.inodes.get(ino)?.type ?? this.stack.type(ino - 1);
  }

  isDirectory(ino: number): boolean {
    const inode = this.inodes.get(ino);
    return inode === undefined ? this.stack.isDirectory(ino - 1) : inode.type === 'dir';
  }

  nlink(ino: number): number {
    return this.inodes.get(ino)?.nlink ?? this.nlinks.get(ino) ?? this.stack.nlink(ino - 1);
  }

  size(ino: number): number {
    return this.inodes.get(ino)?.size ?? this.stack.size(ino - 1);
  }

  parent(directory: number): number {
    const inode = this.inodes.get(directory);
    return inode === undefined ? this.stack.parent(directory - 1) + 1 : inode.parent;
  }

  /** Inode that the lower has under this name, hidden or not. */
  lowerChild(directory: number, name: string): number | undefined {
    const number = this.lower(directory);
    if (number === undefined) return undefined;
    const child = this.stack.child(number, name);
    return child === undefined ? undefined : this.stack.canonical(child) + 1;
  }

  lookup(directory: number, name: string): number | undefined {
    const own = this.dentries.get(directory)?.get(name);
    if (own !== undefined) return own === WHITEOUT ? undefined : own;
    if (this.orphans.has(directory)) return undefined;
    return this.lowerChild(directory, name);
  }

  bind(directory: number, name: string, ino: number): void {
    if (this.lowerChild(directory, name) === ino) {
      this.#forgetName(directory, name);
      return;
    }
    const names = this.dentries.get(directory);
    if (names === undefined) this.dentries.set(directory, new Map([[name, ino]]));
    else names.set(name, ino);
  }

  unbind(directory: number, name: string): void {
    if (this.lowerChild(directory, name) === undefined) this.#forgetName(directory, name);
    else this.bind(directory, name, WHITEOUT);
  }

  #forgetName(directory: number, name: string): void {
    const names = this.dentries.get(directory);
    if (names?.delete(name) === true && names.size === 0) this.dentries.delete(directory);
  }

  /** The inode to change, copied up if it was not, with a new version. */
  touch(ino: number): Inode {
    this.version += 1;
    let inode = this.inodes.get(ino);
    if (inode === undefined) {
      inode = this.#copyUp(ino);
      this.onCopyUp?.(inode);
    }
    inode.version = this.version;
    return inode;
  }

  #copyUp(ino: number): Inode {
    const { stack } = this;
    const number = ino - 1;
    const type = stack.type(number);
    const size = stack.size(number);
    const extents = type === 'file' ? lowerExtents(stack, number) : undefined;
    const mtimeNs = stack.mtimeNs(number);
    const inode: Inode = {
      ino,
      type,
      mode: stack.mode(number),
      uid: stack.uid(number),
      gid: stack.gid(number),
      nlink: this.nlink(ino),
      size,
      rdev: stack.rdev(number),
      atimeNs: mtimeNs,
      mtimeNs,
      ctimeNs: this.ctimes.get(ino) ?? mtimeNs,
      link: stack.link(number),
      xattrs: stack.xattrs(number),
      extents,
      parent: stack.parent(number) + 1,
      name: stack.name(number),
      version: this.version,
    };
    this.inodes.set(ino, inode);
    this.nlinks.delete(ino);
    this.ctimes.delete(ino);
    return inode;
  }

  /** Gives up an inode that has no name left and is not held. */
  forget(ino: number): void {
    if (!this.orphans.delete(ino)) return;
    const inode = this.inodes.get(ino);
    inode?.extents?.truncate(0);
    this.inodes.delete(ino);
    this.dentries.delete(ino);
    this.ctimes.delete(ino);
    if (this.lower(ino) !== undefined) this.nlinks.set(ino, 0);
    this.files -= 1;
  }

  /** Best effort for what has several names: one of them, without a leading slash. */
  path(ino: number): string {
    const names: string[] = [];
    for (let at = ino; at !== ROOT; ) {
      const inode = this.inodes.get(at);
      names.push(inode === undefined ? this.stack.name(at - 1) : inode.name);
      at = this.parent(at);
    }
    return names.reverse().join('/');
  }
}
