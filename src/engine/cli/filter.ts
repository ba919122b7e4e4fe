/** `--filter name=value`, with the rules of Docker's daemon. */

import { LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';
import { fieldFlag } from './filter-flag.ts';
import { parseMoment } from './moment.ts';

export const FILTER_FLAG = fieldFlag('filter', 'f', 'Filter output based on conditions provided');

/** The values under each name, none twice. LayerboxError, in Docker's words, for a name that is none of `known`. */
export function parseFilters(
  filters: readonly string[],
  known: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const filter of filters) {
    const equals = filter.indexOf('=');
    const name = filter.slice(0, equals).trim().toLowerCase();
    if (!known.includes(name)) throw new LayerboxError(`invalid filter '${printableName(name)}'`, { filter });
    const value = filter.slice(equals + 1).trim();
    const given = values.get(name) ?? [];
    values.set(name, given.includes(value) ? given : [...given, value]);
  }
  return values;
}

export type Filters = ReturnType<typeof parseFilters>;

/** A filter that is true or false; undefined when it was not given. LayerboxError in Docker's words. */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const [value, ...others] = filters.get(name) ?? [];
  if (value === undefined) return undefined;
  if (others.length === 0 && (value === '1' || value === 'true')) return true;
  if (others.length === 0 && (value === '0' || value === 'false')) return false;
  throw invalidFilter(name, [value, ...others].join(' '));
}

/** In Docker's words: a value that the filter cannot have. */
export function invalidFilter(name: string, value: string): LayerboxError {
  return new LayerboxError(`invalid filter '${name}=${printableName(value)}'`, { filter: name, value });
}

/** True when the labels have all that is asked for with `label`, and nothing of `label!`. */
export function fitsLabels(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  return (
    (filters.get('label') ?? []).every((label) => hasLabel(labels, label)) &&
    !(filters.get('label!') ?? []).some((label) => hasLabel(labels, label))
  );
}

/** `name`, or `name=value`. */
function hasLabel(labels: Readonly<Record<string, string>>, text: string): boolean {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  return Object.hasOwn(labels, name) && (equals < 0 || labels[name] === text.slice(equals + 1));
}

/**
 * True for the text itself, and for a regular expression that fits some of it (moby, api/types/filters, Args.Match). The
 * expression is one of Go's, which may begin with flags: `(?i)web`. As in Docker, what is no expression fits nothing.
 */
export function matchesText(pattern: string, text: string): boolean {
  if (pattern === text) return true;
  const [start = '', flags = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  try {
    // without the flag u, which takes no `\-`: Go does
    return new RegExp(pattern.slice(start.length), [...new Set(flags)].join('')).test(text);
  } catch {
    return false;
  }
}

/**
 * True when a pattern of Go's path.Match fits the whole text: `*` and `?` do not match a slash, `[a-z]` and `[^a-z]`
 * are classes. LayerboxError for a pattern that is none.
 */
export function matchesPath(pattern: string, text: string): boolean {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const end = pattern.indexOf(']', at + 2);
      const range = end < 0 ? '' : pattern.slice(at + 1, end);
      if (!/^\^?(?:[^\\\]^-](?:-[^\\\]-])?)+$/.test(range)) throw badPattern(pattern);
      source += `[${range.replaceAll('[', '\\[')}]`;
      at = end;
    } else if (character === '\\') {
      at += 1;
      if (at === pattern.length) throw badPattern(pattern);
      source += literal(pattern[at] ?? '');
    } else source += literal(character);
  }
  try {
    return new RegExp(`^${source}$`, 'su').test(text);
  } catch {
    throw badPattern(pattern); // a range from z to a
  }
}

function literal(character: string): string {
  return character.replace(/[\\^$+.()|[\]{}*?/-]/, '\\$&').replace('\\-', '-');
}

function badPattern(pattern: string): Error {
  return new LayerboxError(`syntax error in pattern: ${printableName(pattern)}`, { pattern });
}

/** Milliseconds since 1970 of a filter's time, as `parseMoment` reads it. LayerboxError. */
export function filterTime(text: string, now: number): number {
  const at = parseMoment(text, now);
  if (at !== undefined) return at;
  throw new LayerboxError(
    `failed to parse time: ${printableName(text)}: write a timestamp or a duration, such as 24h`,
    {
      value: text,
    },
  );
}
