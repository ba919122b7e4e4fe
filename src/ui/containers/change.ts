/** What `docker diff` says, with the sign and the word of each change. */

import type { FileChange } from '../../rpc/sandbox.ts';

export type ChangeKind = 'added' | 'changed' | 'deleted';

export interface Change {
  readonly kind: ChangeKind;
  readonly path: string;
}

export const changeSigns: Readonly<Record<ChangeKind, string>> = { added: '+', changed: '~', deleted: '-' };

const kinds: Readonly<Record<FileChange['kind'], ChangeKind>> = { A: 'added', C: 'changed', D: 'deleted' };

/** In the words of the page. */
export function changesOf(found: readonly FileChange[]): Change[] {
  return found.map(({ kind, path }) => ({ kind: kinds[kind], path }));
}

/** How many there are of each kind. */
export function countChanges(changes: readonly Change[]): Record<ChangeKind, number> {
  const counts = { added: 0, changed: 0, deleted: 0 };
  for (const { kind } of changes) counts[kind] += 1;
  return counts;
}
