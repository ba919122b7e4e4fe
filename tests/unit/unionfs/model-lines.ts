/** A tree as lines that say all of it, from a model, from a union and from a real directory. */

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { walk } from '../../../src/engine/unionfs/walk.ts';
import { textOf } from './fixture.ts';
import type { Model, ModelNode, Outcome } from './model.ts';
import type { Opened, Step } from './steps.ts';

interface Line {
  readonly path: string;
  /** Equal for the names of one file. */
  readonly file: unknown;
  readonly text: string;
}

/** Sorted by path; each further name of a file says which one it was first. */
function linesOf(found: readonly Line[]): string[] {
  const first = new Map<unknown, string>();
  return found
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, file, text }) => {
      const known = first.get(file);
      if (known === undefined) first.set(file, path);
      return `${path || '/'} ${text}${known === undefined ? '' : ` is ${known}`}`;
    });
}

function textOfNode(node: ModelNode): string {
  const { type, mode, uid, gid, nlink, rdev, content, atime, mtime, ctime, xattrs } = node;
  const attributes = [...xattrs].map(([name, value]) => `${name}=${value}`).sort();
  const times = `${atime} ${mtime} ${ctime}`;
  return `${type} ${mode.toString(8)} ${uid}:${gid} ${nlink} ${rdev} ${times} [${attributes}] ${JSON.stringify(content)}`;
}

export function linesOfModel(model: Model): string[] {
  const tree = model.entries().map(({ path, node }) => ({ path, file: node, text: textOfNode(node) }));
  return [...linesOf(tree), ...model.handles.map(textOfNode), `${model.files} files`];
}

export async function linesOfUnion({ union, handles }: Opened): Promise<string[]> {
  const text = async (ino: number): Promise<string> => {
    const { type, mode, uid, gid, nlink, rdev, size, atimeNs, mtimeNs, ctimeNs } = union.stat(ino);
    const attributes = union
      .listxattr(ino)
      .map((name) => `${name}=${textOf(union.getxattr(ino, name) ?? new Uint8Array())}`)
      .sort();
    let content = '';
    if (type === 'file') content = textOf(await union.read(ino, 0, size + 1));
    else if (type === 'symlink') content = union.readlink(ino);
    const times = `${atimeNs} ${mtimeNs} ${ctimeNs}`;
    return `${type} ${mode.toString(8)} ${uid}:${gid} ${nlink} ${rdev} ${times} [${attributes}] ${JSON.stringify(content)}`;
  };
  const tree: Line[] = [];
  for (const { path, stat } of walk(union)) {
    tree.push({ path: path === '/' ? '' : path, file: stat.ino, text: await text(stat.ino) });
  }
  return [...linesOf(tree), ...(await Promise.all(handles.map(text))), `${union.space().files} files`];
}

// -- a real directory --------------------------------------------------------------------

/** What a real directory can be held to: its clock is its own, so times are left out where nobody set them. */
function textForDisk(node: ModelNode): string {
  const { type, mode, uid, gid, nlink, content, mtime } = node;
  const time = isSet(mtime) ? mtime : '';
  return `${type} ${mode.toString(8)} ${uid}:${gid} ${nlink} ${time} ${JSON.stringify(content)}`;
}

/** Steps set times before 1986; the layers' are of 1970 and the clocks' of now. */
const isSet = (time: bigint) => time > 1_000_000_000n && time < 500_000_000_000_000_000n;

export function linesForDisk(model: Model): string[] {
  const tree = model
    .entries()
    .filter(({ path }) => path !== '')
    .map(({ path, node }) => ({ path, file: node, text: textForDisk(node) }));
  return [...linesOf(tree), ...model.handles.map(textForDisk)];
}

/** A folder of this system's own filesystem, and the files open in it. */
export class RealDirectory {
  readonly #root: string;
  readonly #handles: number[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes what the model has. */
  fill(model: Model): void {
    const paths = new Map<ModelNode, string>();
    for (const { path, node } of model.entries()) {
      if (path === '') continue;
      const full = join(this.#root, path);
      const known = paths.get(node);
      if (known !== undefined) linkSync(known, full);
      else if (node.type === 'dir') mkdirSync(full);
      else if (node.type === 'symlink') symlinkSync(node.content, full);
      else closeSync(this.#write(full, node.content));
      paths.set(node, full);
    }
  }

  #write(path: string, content: string): number {
    const fd = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o644);
    writeSync(fd, content, 0);
    return fd;
  }

  #fd(handle: number): number | undefined {
    return this.#handles[handle % this.#handles.length];
  }

  closeAll(): void {
    for (const fd of this.#handles.splice(0)) closeSync(fd);
  }

  do(step: Step): Outcome {
    try {
      this.#do(step);
      return 'ok';
    } catch (error) {
      if (isSystemError(error)) return error.code;
      throw error;
    }
  }

  #do(step: Step): void {
    const at = (path: string) => join(this.#root, path);
    switch (step.kind) {
      case 'create':
        closeSync(this.#write(at(step.path), ''));
        break;
      case 'mkdir':
        mkdirSync(at(step.path), 0o755);
        break;
      case 'symlink':
        symlinkSync(step.target, at(step.path));
        break;
      case 'unlink':
        unlinkSync(at(step.path));
        break;
      case 'rmdir':
        rmdirSync(at(step.path));
        break;
      case 'open':
        this.#handles.push(openSync(at(step.path), constants.O_RDWR));
        break;
      case 'write': {
        const fd = openSync(at(step.path), constants.O_WRONLY);
        writeSync(fd, step.text, step.offset);
        closeSync(fd);
        break;
      }
      case 'truncate':
        truncateSync(at(step.path), step.value);
        break;
      case 'chmod':
        chmodSync(at(step.path), step.value);
        break;
      case 'chown':
        // what the kernel takes off a file that changes its owner is its affair, not the filesystem's
        this.#keepingMode(at(step.path), (path) => lchownSync(path, step.uid, step.gid));
        break;
      case 'utimes':
        lutimesSync(at(step.path), step.atime, step.mtime);
        break;
      case 'rename':
        renameSync(at(step.path), at(step.to));
        break;
      case 'link':
        linkSync(at(step.path), at(step.to));
        break;
      case 'close': {
        const fd = this.#fd(step.handle);
        if (fd === undefined) break;
        this.#handles.splice(step.handle % this.#handles.length, 1);
        closeSync(fd);
        break;
      }
      case 'handleWrite':
      case 'handleTruncate':
      case 'handleChmod': {
        const fd = this.#fd(step.handle);
        if (fd === undefined) break;
        if (step.kind === 'handleWrite') writeSync(fd, step.text, step.offset);
        else if (step.kind === 'handleTruncate') ftruncateSync(fd, step.value);
        else fchmodSync(fd, step.value);
        break;
      }
      case 'reopen':
      case 'kill':
      case 'commit':
        this.closeAll();
        break;
      case 'flush':
      case 'compact':
      case 'layer':
        break;
      default:
        throw new TypeError(`${step.kind} is nothing that Node can do`);
    }
  }

  #keepingMode(path: string, change: (path: string) => void): void {
    const stat = lstatSync(path);
    change(path);
    if (stat.isFile()) chmodSync(path, stat.mode & 0o7777);
  }

  /** As `linesForDisk` has them. */
  lines(): string[] {
    const tree: Line[] = [];
    const visit = (path: string) => {
      for (const name of readdirSync(join(this.#root, path))) {
        const full = join(this.#root, path, name);
        const stat = lstatSync(full);
        tree.push({
          path: `${path}/${name}`,
          file: stat.ino,
          text: textOfStat(stat, () =>
            stat.isSymbolicLink() ? readlinkSync(full) : readFileSync(full, 'latin1'),
          ),
        });
        if (stat.isDirectory()) visit(`${path}/${name}`);
      }
    };
    visit('');
    return [...linesOf(tree), ...this.#handles.map((fd) => textOfStat(fstatSync(fd), () => readAll(fd)))];
  }
}

function readAll(fd: number): string {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  readSync(fd, bytes, 0, bytes.length, 0);
  return bytes.toString('latin1');
}

function textOfStat(stat: Stats, content: () => string): string {
  const type = stat.isDirectory() ? 'dir' : stat.isSymbolicLink() ? 'symlink' : 'file';
  const mtime = BigInt(Math.round(stat.mtimeMs)) * 1_000_000n;
  const time = isSet(mtime) ? mtime : '';
  const text = type === 'dir' ? '' : content();
  return `${type} ${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid} ${stat.nlink} ${time} ${JSON.stringify(text)}`;
}

function isSystemError(error: unknown): error is Error & { code: Exclude<Outcome, 'ok'> } {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
