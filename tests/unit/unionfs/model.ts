/** A filesystem as simple as can be, to hold the union against: objects and maps, nothing shared with it. */

import type { Errno } from '../../../src/engine/unionfs/errno.ts';

interface ModelFile {
  readonly type: 'file' | 'symlink';
  content: string;
  mode: number;
  nlink: number;
}
export interface ModelDirectory {
  readonly type: 'dir';
  readonly children: Map<string, ModelNode>;
  mode: number;
}
export type ModelNode = ModelFile | ModelDirectory;

export function modelDirectory(): ModelDirectory {
  return { type: 'dir', children: new Map(), mode: 0o755 };
}

export function modelFile(content: string, type: 'file' | 'symlink' = 'file'): ModelFile {
  return { type, content, mode: type === 'file' ? 0o644 : 0o777, nlink: 1 };
}

export class Model {
  readonly root = modelDirectory();

  /** The node at a path without leading slash, following nothing; or why there is none. */
  find(path: string): ModelNode | Errno {
    let node: ModelNode = this.root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (node.type !== 'dir') return 'ENOTDIR';
      const child = node.children.get(name);
      if (child === undefined) return 'ENOENT';
      node = child;
    }
    return node;
  }

  #place(path: string): { directory: ModelDirectory; name: string } | Errno {
    const slash = path.lastIndexOf('/');
    const directory = this.find(path.slice(0, Math.max(slash, 0)));
    if (typeof directory === 'string') return directory;
    if (directory.type !== 'dir') return 'ENOTDIR';
    return { directory, name: path.slice(slash + 1) };
  }

  add(path: string, node: ModelNode): Errno | 'ok' {
    const place = this.#place(path);
    if (typeof place === 'string') return place;
    if (place.directory.children.has(place.name)) return 'EEXIST';
    place.directory.children.set(place.name, node);
    return 'ok';
  }

  write(path: string, offset: number, text: string): Errno | 'ok' {
    const node = this.find(path);
    if (typeof node === 'string') return node;
    if (node.type !== 'file') return node.type === 'dir' ? 'EISDIR' : 'EINVAL';
    const padded = node.content.padEnd(offset, '\0');
    node.content = padded.slice(0, offset) + text + padded.slice(offset + text.length);
    return 'ok';
  }

  truncate(path: string, size: number): Errno | 'ok' {
    const node = this.find(path);
    if (typeof node === 'string') return node;
    if (node.type !== 'file') return node.type === 'dir' ? 'EISDIR' : 'EINVAL';
    node.content = node.content.padEnd(size, '\0').slice(0, size);
    return 'ok';
  }

  chmod(path: string, mode: number): Errno | 'ok' {
    const node = this.find(path);
    if (typeof node === 'string') return node;
    node.mode = mode;
    return 'ok';
  }

  link(target: string, path: string): Errno | 'ok' {
    const node = this.find(target);
    if (typeof node === 'string') return node;
    const place = this.#place(path);
    if (typeof place === 'string') return place;
    if (place.directory.children.has(place.name)) return 'EEXIST';
    if (node.type === 'dir') return 'EPERM';
    place.directory.children.set(place.name, node);
    node.nlink += 1;
    return 'ok';
  }

  remove(path: string, kind: 'unlink' | 'rmdir'): Errno | 'ok' {
    const place = this.#place(path);
    if (typeof place === 'string') return place;
    const node = place.directory.children.get(place.name);
    if (node === undefined) return 'ENOENT';
    if (kind === 'unlink' && node.type === 'dir') return 'EISDIR';
    if (kind === 'rmdir' && node.type !== 'dir') return 'ENOTDIR';
    if (node.type === 'dir' && node.children.size > 0) return 'ENOTEMPTY';
    place.directory.children.delete(place.name);
    if (node.type !== 'dir') node.nlink -= 1;
    return 'ok';
  }

  rename(from: string, to: string): Errno | 'ok' {
    const source = this.#place(from);
    if (typeof source === 'string') return source;
    const target = this.#place(to);
    if (typeof target === 'string') return target;
    const node = source.directory.children.get(source.name);
    if (node === undefined) return 'ENOENT';
    if (node.type === 'dir' && `${to}/`.startsWith(`${from}/`) && to !== from) return 'EINVAL';
    const replaced = target.directory.children.get(target.name);
    if (replaced === node) return 'ok';
    if (replaced !== undefined) {
      if (node.type === 'dir' && replaced.type !== 'dir') return 'ENOTDIR';
      if (node.type !== 'dir' && replaced.type === 'dir') return 'EISDIR';
      if (replaced.type === 'dir' && replaced.children.size > 0) return 'ENOTEMPTY';
      if (replaced.type !== 'dir') replaced.nlink -= 1;
    }
    source.directory.children.delete(source.name);
    target.directory.children.set(target.name, node);
    return 'ok';
  }

  /** Lines as `describeUnion` writes them. */
  lines(node: ModelNode = this.root, path = ''): string[] {
    if (node.type !== 'dir') {
      return [`${path} ${node.type} ${node.mode.toString(8)} ${node.nlink} ${JSON.stringify(node.content)}`];
    }
    const children = [...node.children];
    const nlink = 2 + children.filter(([, child]) => child.type === 'dir').length;
    const below = children.flatMap(([name, child]) => this.lines(child, `${path}/${name}`));
    return [`${path || '/'} dir ${node.mode.toString(8)} ${nlink}`, ...below];
  }
}
