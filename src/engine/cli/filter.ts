/** `--filter name=value`. */

import { LayerboxError } from '../errors.ts';
import type { Flag } from './command.ts';

export const FILTER_FLAG: Flag = {
  long: 'filter',
  short: 'f',
  type: 'list',
  typeName: 'filter',
  help: 'Filter output based on conditions provided',
  check: (value) => (value.includes('=') ? undefined : 'bad format of filter (expected name=value)'),
};

/** The values under each name. LayerboxError, in Docker's words, for a name that is none of `known`. */
export function parseFilters(
  filters: readonly string[],
  known: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const filter of filters) {
    const equals = filter.indexOf('=');
    const name = filter.slice(0, equals).trim().toLowerCase();
    if (!known.includes(name)) throw new LayerboxError(`invalid filter '${name}'`, { filter });
    values.set(name, [...(values.get(name) ?? []), filter.slice(equals + 1).trim()]);
  }
  return values;
}

/** True when a shell pattern with `*` and `?` fits the whole text. */
export function matchesPattern(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[\\^$+.()|[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
