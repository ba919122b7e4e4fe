/** Whether a layer's table of contents said what its tar says. */

import { CorruptLayerError } from '../errors.ts';
import type { LayerEntry, LayerIndex } from '../layer/layer-index.ts';
import { printableName } from '../names.ts';

/** The table of eStargz has whole seconds, rounded. */
const timeTolerance = 1_000_000_000n;

/**
 * Throws CorruptLayerError naming the first entry in which they differ, but for
 * where content lies. Two indexes that pass have the same numbers for the same entries.
 */
export function requireSameEntries(table: LayerIndex, tar: LayerIndex, what: string): void {
  const count = Math.min(table.count, tar.count);
  for (let number = 0; number < count; number++) {
    const [ours, theirs] = [table.entry(number), tar.entry(number)];
    const isSame = ours.parent === theirs.parent && ours.name === theirs.name;
    const difference = isSame
      ? differenceOf(ours, theirs)
      : `the tar has ${shown(`/${tar.path(number)}`)} in its place`;
    if (difference !== undefined) throw differs(what, table, number, difference);
  }
  if (table.count > count) throw differs(what, table, count, 'the tar has no such entry');
  if (tar.count > count) throw differs(what, tar, count, 'the table has no such entry');
}

const fields = [
  'parent',
  'name',
  'type',
  'size',
  'link',
  'mode',
  'uid',
  'gid',
  'opaque',
  'implicit',
] as const;

function differenceOf(table: LayerEntry, tar: LayerEntry): string | undefined {
  for (const field of fields) {
    if (table[field] === tar[field]) continue;
    return `its ${field} is ${shown(table[field])} in the table and ${shown(tar[field])} in the tar`;
  }
  if (table.rdev?.join() !== tar.rdev?.join()) {
    return `its device is ${table.rdev?.join(', ')} in the table and ${tar.rdev?.join(', ')} in the tar`;
  }
  const late = table.mtimeNs - tar.mtimeNs;
  if (late > timeTolerance || late < -timeTolerance) {
    return `its mtime is ${table.mtimeNs} ns in the table and ${tar.mtimeNs} ns in the tar`;
  }
  const names = new Set([...(table.xattrs?.keys() ?? []), ...(tar.xattrs?.keys() ?? [])]);
  for (const name of names) {
    if (table.xattrs?.get(name)?.join() === tar.xattrs?.get(name)?.join()) continue;
    return `its extended attribute ${shown(name)} is another one in the table than in the tar`;
  }
  return undefined;
}

const shown = (value: unknown) => printableName(JSON.stringify(value) ?? 'none');

function differs(what: string, index: LayerIndex, number: number, difference: string): Error {
  const path = `/${index.path(number)}`;
  return new CorruptLayerError(
    `${what}: its table of contents does not say what its tar says of ${shown(path)}: ${difference}`,
    { what, path },
  );
}
