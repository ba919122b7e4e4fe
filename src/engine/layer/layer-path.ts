/**
 * Paths of a layer's tar, cleaned and read as image-spec, layer.md,
 * "Whiteouts", has them.
 */

import { CorruptLayerError } from '../errors.ts';
import { encodeName, printableName } from '../names.ts';

/** What a path of the tar stands for; the path is cleaned, without a leading slash, "" for the root. */
export type LayerPath =
  | { readonly kind: 'entry' | 'whiteout'; readonly path: string }
  /** `.wh..wh..opq` in the directory at `path`. */
  | { readonly kind: 'opaque'; readonly path: string }
  /** What AUFS kept for itself, and older Dockers left in layers. */
  | { readonly kind: 'ignored' };

export const whiteoutPrefix = '.wh.';
const metadataPrefix = '.wh..wh.';
export const opaqueMarker = '.wh..wh..opq';
/** limits.h of Linux: NAME_MAX, and PATH_MAX without its NUL. */
const nameMax = 255;
const pathMax = 4095;
const emptyOrDotted = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The path inside the root: no empty or "." names, and ".." stops at the root,
 * as containerd and umoci have it. Throws CorruptLayerError for one that Linux has no room for.
 */
export function cleanPath(path: string): string {
  // as tar writes almost every path; so short that no name can be too long
  const inner = path.slice(path.startsWith('./') ? 2 : 0, path.endsWith('/') ? -1 : undefined);
  if (inner.length * 3 <= nameMax && !emptyOrDotted.test(inner)) return inner;
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      names.pop();
      continue;
    }
    // the whiteout of a name as long as can be is longer than one
    const hidden = name.startsWith(whiteoutPrefix) ? name.slice(whiteoutPrefix.length) : name;
    checkLength(hidden, name, nameMax, 'name');
    names.push(name);
  }
  const cleaned = names.join('/');
  checkLength(cleaned, cleaned, pathMax, 'path');
  return cleaned;
}

/**
 * The target of a hard link, to be walked from the root: no empty or "." names. ".." stays behind
 * a name, since that may be a symlink, and goes up from where it leads to. Throws as `cleanPath` does.
 */
export function cleanLink(link: string): string {
  const names: string[] = [];
  for (const name of link.split('/')) {
    if (name === '' || name === '.' || (name === '..' && names.length === 0)) continue;
    checkLength(name, name, nameMax, 'name');
    names.push(name);
  }
  if (names.at(-1) === '..') throw refused(link, 'it is the target of a hard link, and a directory');
  const cleaned = names.join('/');
  checkLength(cleaned, cleaned, pathMax, 'link target');
  return cleaned;
}

/** The name of a file in the directory where AUFS kept what has several names, or undefined. */
export function aufsLinkOf(path: string): string | undefined {
  return /^(?:\.?\/)?\.wh\.\.wh\.plnk\/([^/]{1,255})$/.exec(path)?.[1];
}

/** What the path stands for. Throws CorruptLayerError for whiteouts of nothing, of "." or "..", or with entries below them. */
export function readLayerPath(tarPath: string): LayerPath {
  const path = cleanPath(tarPath);
  if (!path.includes(whiteoutPrefix)) return { kind: 'entry', path };
  const names = path.split('/');
  const base = names.pop() ?? '';
  if (names.some((name) => name.startsWith(metadataPrefix))) return { kind: 'ignored' };
  const above = names.find((name) => name.startsWith(whiteoutPrefix));
  if (above !== undefined) {
    throw refused(tarPath, `it is below the whiteout ${JSON.stringify(printableName(above))}`);
  }
  if (base === opaqueMarker) return { kind: 'opaque', path: names.join('/') };
  if (base.startsWith(metadataPrefix)) return { kind: 'ignored' };
  if (!base.startsWith(whiteoutPrefix)) return { kind: 'entry', path };
  const hidden = base.slice(whiteoutPrefix.length);
  // such a name would lead to the directory itself or to its parent
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw refused(tarPath, `${JSON.stringify(hidden)} is nothing that a whiteout can hide`);
  }
  names.push(hidden);
  return { kind: 'whiteout', path: names.join('/') };
}

/** Throws CorruptLayerError unless a symlink with this target can be made. */
export function checkSymlink(path: string, target: string): void {
  if (target === '') throw refused(path, 'it is a symlink without a target');
  checkLength(target, path, pathMax, 'symlink target');
}

function checkLength(text: string, path: string, max: number, what: string): void {
  // three bytes at most for each code unit
  if (text.length * 3 <= max) return;
  const { length } = encodeName(text);
  if (length > max) throw refused(path, `it has a ${what} of ${length} bytes, and Linux allows ${max}`);
}

function refused(path: string, reason: string): Error {
  const short = path.length > 200 ? `${path.slice(0, 200)}...` : path;
  return new CorruptLayerError(`${JSON.stringify(printableName(short))} cannot be unpacked: ${reason}`, {
    path: short,
  });
}
