/** What `docker cp` does with files and directories, by what is at either end (moby, pkg/archive/copy.go). */

import { cleanPath } from '../container/mount-spec.ts';
import { refusal } from './refusal.ts';

/** A directory, and what in it is meant: '' is all that is in it. */
export interface Place {
  readonly directory: string;
  readonly name: string;
}

/** A path taken apart: what ends in `/.`, and the root, is the content of a directory. `path` is absolute. */
export function placeOf(path: string): Place {
  const clean = cleanPath(path);
  if (clean === '/' || path.endsWith('/.')) return { directory: clean, name: '' };
  const slash = clean.lastIndexOf('/');
  return { directory: clean.slice(0, slash) || '/', name: clean.slice(slash + 1) };
}

/** `undefined`: there is nothing. */
export type Kind = 'directory' | 'other' | undefined;

/**
 * Where the source is to be unpacked, and under which name. `name`: what the source is called, '' for the content of a
 * directory. UsageError in Docker's words where it cannot be.
 */
export function copyPlan(
  source: { readonly name: string; readonly isDirectory: boolean },
  destination: { readonly path: string; readonly kind: Kind },
): Place {
  const { path, kind } = destination;
  if (kind === 'directory') return { directory: cleanPath(path), name: source.name };
  if (kind === 'other' && source.isDirectory) throw refusal('cannot copy directory');
  if (kind === undefined && !source.isDirectory && /\/\.?$/.test(path)) throw refusal('no such directory');
  return placeOf(path);
}

/** A container, or '' for the host, and a path. What begins with a slash or a dot is a path of the host. */
export function splitContainerPath(word: string): { readonly container: string; readonly path: string } {
  const colon = word.indexOf(':');
  if (colon < 0 || word.startsWith('/') || word.startsWith('.')) return { container: '', path: word };
  return { container: word.slice(0, colon), path: word.slice(colon + 1) };
}
