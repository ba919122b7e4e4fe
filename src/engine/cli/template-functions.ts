/** The functions of `--format`: Go's own that make sense on plain values, and Docker's. */

import { UsageError } from '../errors.ts';

type TemplateFunction = (...values: readonly unknown[]) => unknown;

const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['json', (value) => JSON.stringify(value ?? null)],
  [
    'join',
    (list, separator) =>
      listOf(list, 'join')
        .map(String)
        .join(String(separator ?? '')),
  ],
  ['split', (text, separator) => String(text).split(String(separator))],
  ['lower', (text) => String(text).toLowerCase()],
  ['upper', (text) => String(text).toUpperCase()],
  ['title', (text) => String(text).replace(/(^|\s)\p{Ll}/gu, (start) => start.toUpperCase())],
  [
    'pad',
    (text, before, after) => (text === '' ? '' : ' '.repeat(count(before)) + text + ' '.repeat(count(after))),
  ],
  ['truncate', (text, length) => [...String(text)].slice(0, count(length)).join('')],
  ['println', (...values) => `${values.map(String).join(' ')}\n`],
  ['print', (...values) => values.map(String).join('')],
  ['len', (value) => lengthOf(value)],
  ['index', (value, ...keys) => keys.reduce(indexOf, value)],
  ['not', (value) => !value],
  ['eq', (a, ...others) => others.some((b) => a === b)],
  ['ne', (a, b) => a !== b],
  ['lt', (a, b) => Number(a) < Number(b)],
  ['gt', (a, b) => Number(a) > Number(b)],
  ['and', (...values) => values.find((value) => !value) ?? values.at(-1)],
  ['or', (...values) => values.find(Boolean) ?? values.at(-1)],
]);

export function isFunction(name: string): boolean {
  return FUNCTIONS.has(name);
}

/** UsageError when the values are not what the function takes. */
export function callFunction(name: string, values: readonly unknown[]): unknown {
  const called = FUNCTIONS.get(name);
  if (called === undefined) throw wrong(name, 'no such function');
  return called(...values);
}

/** As `{{pad}}` and `{{truncate}}` take one: hostile numbers make no giant strings. */
function count(value: unknown): number {
  const number = Math.trunc(Number(value));
  return Number.isFinite(number) ? Math.min(Math.max(number, 0), 10_000) : 0;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value === undefined || value === null) return [];
  throw wrong(name, `wrong type for value; expected a list; got ${typeof value}`);
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw wrong('len', `len of type ${typeof value}`);
}

function indexOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    const index = Number(key);
    if (Number.isInteger(index) && index >= 0 && index < value.length) return value[index];
    throw wrong('index', `index out of range: ${String(key)}`);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).find(([name]) => name === key)?.[1] ?? '';
  }
  throw wrong('index', 'index of untyped nil');
}

function wrong(name: string, why: string): Error {
  return new UsageError(
    `template parsing error: template: :1: executing "" at <${name}>: error calling ${name}: ${why}`,
    {
      exitCode: 1,
      plain: true,
    },
  );
}
