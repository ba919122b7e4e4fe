/** Paths of the host as whoever typed them means them. */

import type { Stdio } from './stdio.ts';

/** From the root; a relative path starts where the command was called. */
export function absolutePath(path: string, { cwd }: Pick<Stdio, 'cwd'>): string {
  return path.startsWith('/') ? path : `${cwd.replace(/\/$/, '')}/${path}`;
}
