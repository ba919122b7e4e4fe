/** What `docker diff` says, line by line, with the sign and the word of each change. */

export type ChangeKind = 'added' | 'changed' | 'deleted';

export interface Change {
  readonly kind: ChangeKind;
  readonly path: string;
}

export const changeSigns: Readonly<Record<ChangeKind, string>> = { added: '+', changed: '~', deleted: '-' };

const kinds: Readonly<Record<string, ChangeKind>> = { A: 'added', C: 'changed', D: 'deleted' };

/** Lines `A /path`, `C /path`, `D /path`; others are no change and left out. */
export function parseChanges(output: string): Change[] {
  return output.split('\n').flatMap((line) => {
    const kind = kinds[line.slice(0, 1)];
    return kind !== undefined && line[1] === ' ' ? [{ kind, path: line.slice(2) }] : [];
  });
}

/** How many there are of each kind. */
export function countChanges(changes: readonly Change[]): Record<ChangeKind, number> {
  const counts = { added: 0, changed: 0, deleted: 0 };
  for (const { kind } of changes) counts[kind] += 1;
  return counts;
}
