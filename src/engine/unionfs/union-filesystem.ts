/**
 * The operations of the filesystem port over an upper: each checks what POSIX
 * has it check, then commits one record.
 */

import type { Content } from './apply.ts';
import { apply } from './apply.ts';
import type { ContentReader } from './content-reader.ts';
import { FsError } from './errno.ts';
import type { Attributes, Dirent, FileSystem, FileType, Owner, SpaceUse, Stat } from './filesystem.ts';
import type { Inode, Xattrs } from './inode.ts';
import type { Log } from './log.ts';
import { checkLength, checkNewName, checkTarget, checkXattr, LINK_MAX, SIZE_MAX } from './name-checks.ts';
import type { UpperRecord } from './records.ts';
import { ROOT, type Upper } from './upper.ts';
import { isEmptyDirectory, listDirectory, statOf } from './upper-view.ts';

export interface UnionParts {
  readonly upper: Upper;
  readonly log: Log;
  readonly content: ContentReader;
  readonly now: () => bigint;
  /** With the record of each operation, before it is in the log and happens. */
  readonly beforeChange: (record: UpperRecord) => void;
  readonly onChange: (() => void) | undefined;
  readonly capacity: () => number;
  /** Whether what room there is is for what was written already. */
  readonly isShort: () => boolean;
  readonly pendingBytes: number;
}

const BLOCK_SIZE = 4096;
/** Content of one record: a segment grows beyond its length by no more than this. */
const WRITE_MAX = 256 * 1024;
const NO_DEVICE = [0, 0] as const;
const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

export class UnionFileSystem implements FileSystem {
  readonly root = ROOT;
  readonly #parts: UnionParts;
  readonly #held = new Map<number, number>();

  constructor(parts: UnionParts) {
    this.#parts = parts;
  }

  // -- looking ---------------------------------------------------------------------

  #checkInode(ino: number): void {
    if (!this.#parts.upper.exists(ino)) throw new FsError('ESTALE', `inode ${ino}`);
  }

  #checkDirectory(ino: number): void {
    this.#checkInode(ino);
    if (!this.#parts.upper.isDirectory(ino)) throw new FsError('ENOTDIR', `inode ${ino}`);
  }

  lookup(directory: number, name: string): number {
    this.#checkDirectory(directory);
    checkLength(name);
    const ino = this.#parts.upper.lookup(directory, name);
    if (ino === undefined) throw new FsError('ENOENT', name);
    return ino;
  }

  parent(directory: number): number {
    this.#checkDirectory(directory);
    return this.#parts.upper.parent(directory);
  }

  stat(ino: number): Stat {
    this.#checkInode(ino);
    return statOf(this.#parts.upper, ino);
  }

  readdir(directory: number): readonly Dirent[] {
    this.#checkDirectory(directory);
    return listDirectory(this.#parts.upper, directory);
  }

  readlink(ino: number): string {
    this.#checkInode(ino);
    const { upper } = this.#parts;
    if (upper.type(ino) !== 'symlink') throw new FsError('EINVAL', `inode ${ino} is no symlink`);
    const inode = upper.inodes.get(ino);
    return (inode === undefined ? upper.stack.link(ino - 1) : inode.link) ?? '';
  }

  // -- content ---------------------------------------------------------------------

  #checkFile(ino: number): void {
    this.#checkInode(ino);
    const type = this.#parts.upper.type(ino);
    if (type === 'dir') throw new FsError('EISDIR', `inode ${ino}`);
    if (type !== 'file') throw new FsError('EINVAL', `inode ${ino} is a ${type}`);
  }

  read(ino: number, offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    this.#checkFile(ino);
    const { upper, content } = this.#parts;
    const inode = upper.inodes.get(ino);
    return inode === undefined
      ? content.readLower(ino - 1, offset, length)
      : content.readUpper(inode, offset, length);
  }

  write(ino: number, offset: number, bytes: Uint8Array): number {
    this.#checkFile(ino);
    if (bytes.length === 0) return 0;
    if (offset + bytes.length > SIZE_MAX)
      throw new FsError('EFBIG', `a file of ${offset + bytes.length} bytes`);
    this.#checkRoom(bytes.length);
    const time = this.#parts.now();
    for (let at = 0; at < bytes.length; at += WRITE_MAX) {
      this.#commit({ kind: 'write', time, ino, offset: offset + at }, bytes.subarray(at, at + WRITE_MAX));
    }
    return bytes.length;
  }

  ready(): Promise<void> | undefined {
    return this.#parts.log.ready();
  }

  setattr(ino: number, attributes: Attributes): void {
    this.#checkInode(ino);
    const { mode, uid, gid, size, atimeNs, mtimeNs } = attributes;
    if (size !== undefined) {
      this.#checkFile(ino);
      if (size < 0 || !Number.isInteger(size)) throw new FsError('EINVAL', `a size of ${size}`);
      if (size > SIZE_MAX) throw new FsError('EFBIG', `a file of ${size} bytes`);
      // room for what is to be written there was promised to nobody
      if (size > this.#parts.upper.size(ino)) this.#checkNew(1);
    }
    const time = this.#parts.now();
    this.#commit({
      kind: 'setattr',
      time,
      ino,
      mode: mode === undefined ? undefined : mode & 0o7777,
      uid,
      gid,
      size,
      atimeNs: atimeNs === 'now' ? time : atimeNs,
      mtimeNs: mtimeNs === 'now' ? time : mtimeNs,
    });
  }

  // -- names -----------------------------------------------------------------------

  create(directory: number, name: string, mode: number, owner: Owner): number {
    return this.#create(directory, name, 'file', mode, owner);
  }

  mkdir(directory: number, name: string, mode: number, owner: Owner): number {
    return this.#create(directory, name, 'dir', mode, owner);
  }

  symlink(directory: number, name: string, target: string, owner: Owner): number {
    checkTarget(target);
    return this.#create(directory, name, 'symlink', 0o777, owner, NO_DEVICE, target);
  }

  mknod(
    directory: number,
    name: string,
    type: 'char' | 'block' | 'fifo' | 'socket' | 'file',
    mode: number,
    rdev: readonly [number, number],
    owner: Owner,
  ): number {
    const isDevice = type === 'char' || type === 'block';
    return this.#create(directory, name, type, mode, owner, isDevice ? rdev : NO_DEVICE);
  }

  #create(
    directory: number,
    name: string,
    type: FileType,
    mode: number,
    { uid, gid }: Owner,
    rdev: readonly [number, number] = NO_DEVICE,
    link = '',
  ): number {
    this.#checkFree(directory, name);
    this.#checkNew(name.length + link.length);
    const { upper, now } = this.#parts;
    const ino = upper.nextIno;
    if (ino > 0x7fffffff) throw new FsError('ENOSPC', 'no inode numbers are left');
    this.#commit({
      kind: 'create',
      time: now(),
      directory,
      name,
      ino,
      type,
      mode: mode & 0o7777,
      uid,
      gid,
      rdev,
      link,
    });
    return ino;
  }

  /** Throws unless a new entry may be made there: ENOENT in a directory that was removed, EEXIST. */
  #checkFree(directory: number, name: string): void {
    this.#checkDirectory(directory);
    checkNewName(name);
    const { upper } = this.#parts;
    if (upper.orphans.has(directory)) throw new FsError('ENOENT', 'the directory was removed');
    if (upper.lookup(directory, name) !== undefined) throw new FsError('EEXIST', name);
  }

  link(ino: number, directory: number, name: string): void {
    this.#checkInode(ino);
    const { upper, now } = this.#parts;
    this.#checkFree(directory, name);
    if (upper.isDirectory(ino)) throw new FsError('EPERM', 'a hard link to a directory');
    if (upper.orphans.has(ino)) throw new FsError('ENOENT', 'the file was removed');
    if (upper.nlink(ino) >= LINK_MAX) throw new FsError('EMLINK', name);
    this.#checkNew(name.length);
    this.#commit({ kind: 'link', time: now(), ino, directory, name });
  }

  rename(from: number, name: string, to: number, newName: string): void {
    this.#checkDirectory(from);
    this.#checkDirectory(to);
    const ino = this.lookup(from, name);
    checkNewName(newName);
    const { upper, now } = this.#parts;
    if (upper.orphans.has(to)) throw new FsError('ENOENT', 'the directory was removed');
    const isDirectory = upper.isDirectory(ino);
    if (isDirectory && this.#isWithin(to, ino)) throw new FsError('EINVAL', `${name} into itself`);
    const replaced = upper.lookup(to, newName);
    // as do_renameat2 has it, even where a file would take the place of a directory
    if (replaced !== undefined && this.#isWithin(from, replaced)) throw new FsError('ENOTEMPTY', newName);
    if (replaced === ino) return;
    if (replaced !== undefined) this.#checkReplaceable(replaced, isDirectory, newName);
    this.#commit({ kind: 'rename', time: now(), from, name, to, newName });
    if (replaced !== undefined) this.#forgetUnheld(replaced);
  }

  #isWithin(directory: number, ancestor: number): boolean {
    const { upper } = this.#parts;
    for (let at = directory; at !== ROOT; at = upper.parent(at)) if (at === ancestor) return true;
    return ancestor === ROOT;
  }

  #checkReplaceable(replaced: number, byDirectory: boolean, name: string): void {
    const { upper } = this.#parts;
    const isDirectory = upper.isDirectory(replaced);
    if (byDirectory && !isDirectory) throw new FsError('ENOTDIR', name);
    if (!byDirectory && isDirectory) throw new FsError('EISDIR', name);
    if (isDirectory && !isEmptyDirectory(upper, replaced)) throw new FsError('ENOTEMPTY', name);
  }

  unlink(directory: number, name: string): void {
    const ino = this.lookup(directory, name);
    if (this.#parts.upper.isDirectory(ino)) throw new FsError('EISDIR', name);
    this.#remove(directory, name, ino);
  }

  rmdir(directory: number, name: string): void {
    const ino = this.lookup(directory, name);
    const { upper } = this.#parts;
    if (!upper.isDirectory(ino)) throw new FsError('ENOTDIR', name);
    if (!isEmptyDirectory(upper, ino)) throw new FsError('ENOTEMPTY', name);
    this.#remove(directory, name, ino);
  }

  #remove(directory: number, name: string, ino: number): void {
    this.#commit({ kind: 'remove', time: this.#parts.now(), directory, name });
    this.#forgetUnheld(ino);
  }

  // -- extended attributes -------------------------------------------------------------

  #xattrs(ino: number): Xattrs | undefined {
    this.#checkInode(ino);
    const { upper } = this.#parts;
    const inode: Inode | undefined = upper.inodes.get(ino);
    return inode === undefined ? upper.stack.xattrs(ino - 1) : inode.xattrs;
  }

  listxattr(ino: number): readonly string[] {
    return [...(this.#xattrs(ino)?.keys() ?? [])];
  }

  getxattr(ino: number, name: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#xattrs(ino)?.get(name);
  }

  setxattr(ino: number, name: string, value: Uint8Array, flags: number): void {
    const known = this.#xattrs(ino)?.has(name) === true;
    checkXattr(name, value);
    if (known && (flags & XATTR_CREATE) !== 0) throw new FsError('EEXIST', name);
    if (!known && (flags & XATTR_REPLACE) !== 0) throw new FsError('ENODATA', name);
    this.#checkNew(name.length + value.length);
    this.#commit({ kind: 'setxattr', time: this.#parts.now(), ino, name, value: Uint8Array.from(value) });
  }

  removexattr(ino: number, name: string): void {
    if (this.#xattrs(ino)?.has(name) !== true) throw new FsError('ENODATA', name);
    this.#commit({ kind: 'removexattr', time: this.#parts.now(), ino, name });
  }

  // -- lifecycle -----------------------------------------------------------------------

  hold(ino: number): void {
    this.#checkInode(ino);
    this.#held.set(ino, (this.#held.get(ino) ?? 0) + 1);
  }

  release(ino: number): void {
    const holders = this.#held.get(ino) ?? 0;
    if (holders > 1) {
      this.#held.set(ino, holders - 1);
      return;
    }
    this.#held.delete(ino);
    this.#forgetUnheld(ino);
  }

  #forgetUnheld(ino: number): void {
    if (this.#parts.upper.orphans.has(ino) && !this.#held.has(ino)) this.#commit({ kind: 'forget', ino });
  }

  space(): SpaceUse {
    const { upper, log, capacity, isShort } = this.#parts;
    const total = capacity();
    const free = isShort() ? 0 : Math.max(0, total - log.storedBytes - log.pendingBytes);
    return {
      blockSize: BLOCK_SIZE,
      blocks: Math.floor(total / BLOCK_SIZE),
      free: Math.floor(free / BLOCK_SIZE),
      files: upper.files,
    };
  }

  get isShort(): boolean {
    return this.#parts.isShort();
  }

  flush(): Promise<void> {
    return this.#parts.log.flush();
  }

  /** Throws ENOSPC where the record would not fit: the quota is used up, or storage refuses and memory is full. */
  #checkRoom(bytes: number): void {
    const { log, capacity, pendingBytes } = this.#parts;
    if (log.storedBytes + log.pendingBytes + bytes > capacity()) {
      throw new FsError('ENOSPC', 'the filesystem has no room left');
    }
    if (log.failure !== undefined && log.pendingBytes + bytes > pendingBytes) throw log.failure;
  }

  /** As `#checkRoom`, for what nobody was promised: the content of files may have been written a while ago. */
  #checkNew(bytes: number): void {
    // first, since to ask for the room is what makes the journal look for more
    this.#checkRoom(bytes);
    if (this.#parts.isShort()) throw new FsError('ENOSPC', 'the storage is full');
  }

  #commit(record: UpperRecord, bytes?: Uint8Array): void {
    const { upper, log, beforeChange, onChange } = this.#parts;
    if (log.isEmpty) log.append({ kind: 'identity', count: upper.stack.count, diffIDs: upper.stack.diffIDs });
    beforeChange(record);
    const content: Content = log.append(record, bytes);
    apply(upper, record, content);
    onChange?.();
  }
}
