/** A tree of the real filesystem, listed as `sandbox.files().walk()` lists a union: the reference to compare with. */

import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ListedFile {
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeNs: string;
  readonly nlink: number;
  readonly link?: string;
  readonly rdev?: string;
  /** sha256 of a file's content. */
  readonly content?: string;
}

export const contentDigest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Every file below a folder, in no order. Names that are not UTF-8 are written as nameOf does. */
export function listTree(root: string): ListedFile[] {
  const found: ListedFile[] = [];
  const visit = (path: Buffer) => {
    const full = Buffer.concat([Buffer.from(root), path]);
    const stat = lstatSync(full, { bigint: true });
    const type = stat.isDirectory()
      ? 'dir'
      : stat.isSymbolicLink()
        ? 'symlink'
        : stat.isCharacterDevice()
          ? 'char'
          : stat.isBlockDevice()
            ? 'block'
            : stat.isFIFO()
              ? 'fifo'
              : 'file';
    const device = type === 'char' || type === 'block';
    found.push({
      path: nameOf(path.length === 0 ? Buffer.from('/') : path),
      type,
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      size: type === 'file' ? Number(stat.size) : 0,
      mtimeNs: String(stat.mtimeNs),
      nlink: type === 'dir' ? 0 : Number(stat.nlink),
      ...(type === 'symlink' ? { link: readlinkSync(full) } : {}),
      ...(device
        ? {
            rdev: `${Number((stat.rdev >> 8n) & 0xfffn)},${Number((stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xfff00n))}`,
          }
        : {}),
      ...(type === 'file' ? { content: contentDigest(readFileSync(full)) } : {}),
    });
    if (type !== 'dir') return;
    for (const name of readdirSync(full, { encoding: 'buffer' })) {
      visit(Buffer.concat([path, Buffer.from('/'), name]));
    }
  };
  visit(Buffer.alloc(0));
  return found;
}

/** UTF-8 where it is, else `bytes:` and hexadecimal. */
export function nameOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : `bytes:${bytes.toString('hex')}`;
}
