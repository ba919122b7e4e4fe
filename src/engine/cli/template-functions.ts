/** The functions of `--format`: Go's own (text/template) and Docker's. */

import { jsonOf } from './json-text.ts';
import { sprintf } from './template-printf.ts';
import {
  formatted,
  GoMap,
  GoStruct,
  isNil,
  isPlainObject,
  isTrue,
  mapEntries,
  NIL_LIST,
  typeName,
} from './template-values.ts';

/** What a parameter takes: anything, or one type alone. */
export type Parameter = 'any' | 'string' | 'int' | 'strings';

export interface TemplateFunction {
  readonly parameters: readonly Parameter[];
  /** What may follow them, any number of times. */
  readonly more?: Parameter;
  /** A FunctionFault for values that it cannot take. */
  call(...values: readonly unknown[]): unknown;
}

/** Told with `error calling NAME: ` before it. */
export class FunctionFault extends Error {}

/** Arguments are evaluated one by one, until one decides. */
export const LAZY_FUNCTIONS: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['and', (value: unknown) => !isTrue(value)],
  ['or', isTrue],
]);

const functions: Readonly<Record<string, TemplateFunction>> = {
  and: { parameters: ['any'], more: 'any', call: (...values) => values.at(-1) },
  or: { parameters: ['any'], more: 'any', call: (...values) => values.at(-1) },
  not: { parameters: ['any'], call: (value) => !isTrue(value) },
  // no value here is a function: the executor says so
  call: { parameters: ['any'], more: 'any', call: () => fault('call of nil') },
  eq: { parameters: ['any'], more: 'any', call: equals },
  ne: { parameters: ['any', 'any'], call: (a, b) => !equals(a, b) },
  lt: { parameters: ['any', 'any'], call: isLess },
  le: { parameters: ['any', 'any'], call: (a, b) => isLess(a, b) || equals(a, b) },
  gt: { parameters: ['any', 'any'], call: (a, b) => !isLess(a, b) && !equals(a, b) },
  ge: { parameters: ['any', 'any'], call: (a, b) => !isLess(a, b) },
  html: {
    parameters: [],
    more: 'any',
    call: (...values) => joined(values).replace(/[&<>"'\0]/g, (sign) => HTML[sign] ?? ''),
  },
  js: { parameters: [], more: 'any', call: (...values) => scriptText(joined(values)) },
  urlquery: { parameters: [], more: 'any', call: (...values) => queryText(joined(values)) },
  index: { parameters: ['any'], more: 'any', call: (value, ...keys) => keys.reduce(indexed, value) },
  slice: { parameters: ['any'], more: 'any', call: sliced },
  len: { parameters: ['any'], call: lengthOf },
  print: { parameters: [], more: 'any', call: (...values) => joined(values) },
  println: {
    parameters: [],
    more: 'any',
    call: (...values) => `${values.map((value) => formatted(value)).join(' ')}\n`,
  },
  printf: {
    parameters: ['string'],
    more: 'any',
    call: (format, ...values) => sprintf(String(format), values),
  },

  json: { parameters: ['any'], call: jsonText },
  split: {
    parameters: ['string', 'string'],
    call: (text, separator) => String(text).split(String(separator)),
  },
  join: { parameters: ['strings', 'string'], call: joinedList },
  title: {
    parameters: ['string'],
    call: (text) => String(text).replace(/(?<![\p{L}\p{Nd}_])\p{Ll}/gu, (start) => start.toUpperCase()),
  },
  lower: { parameters: ['string'], call: (text) => String(text).toLowerCase() },
  upper: { parameters: ['string'], call: (text) => String(text).toUpperCase() },
  pad: {
    parameters: ['string', 'int', 'int'],
    call: (text, before, after) =>
      text === '' ? '' : ' '.repeat(count(before)) + text + ' '.repeat(count(after)),
  },
  truncate: {
    parameters: ['string', 'int'],
    call: (text, length) => [...String(text)].slice(0, count(length)).join(''),
  },
};

export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map(Object.entries(functions));

const unchanged = (parameters: readonly Parameter[]): TemplateFunction => ({
  parameters,
  call: (text) => text,
});

/** The line of a table's headers is made by the same template: Docker leaves the headers as they are there. */
export const HEADER_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map([
  ...FUNCTIONS,
  ...['json', 'title', 'lower', 'upper'].map((name) => [name, unchanged(['string'])] as const),
  ['split', unchanged(['string', 'string'])] as const,
  ['join', unchanged(['string', 'string'])] as const,
  ['truncate', unchanged(['string', 'int'])] as const,
]);

function fault(message: string): never {
  throw new FunctionFault(message);
}

/** Maps are sorted by key; documents keep the order that they have. */
function jsonText(value: unknown): string {
  if (isNil(value) || value === NIL_LIST) return 'null';
  if (value instanceof GoStruct && !value.fallsBack) return rowText(value.document);
  if (value instanceof GoStruct || Array.isArray(value)) return jsonOf(value);
  const sorted = (item: unknown): unknown => {
    const entries = mapEntries(item)?.map(([key, entry]) => [key, sorted(entry)] as const);
    return entries === undefined ? item : Object.fromEntries(entries);
  };
  return jsonOf(sorted(value));
}

/** A row of a list: sorted, and fit for a page of HTML, as Go's encoder has it by default. */
export function rowText(row: unknown): string {
  const entries = isPlainObject(row) ? Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)) : [];
  return jsonOf(Object.fromEntries(entries)).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** As `pad` and `truncate` take one: hostile numbers make no giant strings. */
function count(value: unknown): number {
  return typeof value === 'number' ? Math.min(Math.max(value, 0), 10_000) : 0;
}

/** Go's Sprint: a space between two of which none is a string. */
function joined(values: readonly unknown[]): string {
  let text = '';
  for (const [index, value] of values.entries()) {
    if (index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string') text += ' ';
    text += formatted(value);
  }
  return text;
}

const HTML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\ufffd',
};

function scriptText(text: string): string {
  return text
    .replace(/[\\'"]/g, '\\$&')
    .replace(
      /[<>&=\p{Cc}]/gu,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
    )
    .replaceAll('\\u000A', '\\u000A');
}

/** As Go's url.QueryEscape. */
function queryText(text: string): string {
  let result = '';
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    if (character === ' ') result += '+';
    else if (/[A-Za-z0-9_.~-]/.test(character)) result += character;
    else result += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return result;
}

function joinedList(list: unknown, separator: unknown): string {
  if (!Array.isArray(list)) return '';
  return list.map((item) => (isNil(item) ? '<nil>' : formatted(item))).join(String(separator));
}

function kindOf(value: unknown): string {
  if (typeof value === 'number') return 'number';
  if (typeof value === 'string' || typeof value === 'boolean') return typeof value;
  return isNil(value) ? 'nil' : 'other';
}

function equals(first: unknown, ...others: readonly unknown[]): boolean {
  if (others.length === 0) fault('missing argument for comparison');
  return others.some((other) => {
    const [a, b] = [kindOf(first), kindOf(other)];
    if (a === 'nil' || b === 'nil') return a === b;
    if (a !== b) fault('incompatible types for comparison');
    if (a === 'other') {
      fault(
        `non-comparable types ${formatted(first)}: ${typeName(first)}, ${formatted(other)}: ${typeName(other)}`,
      );
    }
    return first === other;
  });
}

function isLess(a: unknown, b: unknown): boolean {
  const kind = kindOf(a);
  if (kind === 'nil' || kindOf(b) === 'nil' || kind === 'other' || kindOf(b) === 'other') {
    fault('invalid type for comparison');
  }
  if (kind !== kindOf(b)) fault('incompatible types for comparison');
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return a < b;
  fault('invalid type for comparison');
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return new TextEncoder().encode(value).length;
  if (Array.isArray(value)) return value.length;
  if (isNil(value)) fault('len of nil pointer');
  const entries = mapEntries(value);
  return entries === undefined ? fault(`len of type ${typeName(value)}`) : entries.length;
}

function position(key: unknown, length: number): number {
  if (typeof key !== 'number' || !Number.isInteger(key)) {
    return fault(
      isNil(key)
        ? 'cannot index slice/array with nil'
        : `cannot index slice/array with type ${typeName(key)}`,
    );
  }
  return key >= 0 && key < length ? key : fault(`index out of range: ${key}`);
}

function indexed(value: unknown, key: unknown): unknown {
  if (isNil(value)) fault('index of untyped nil');
  if (Array.isArray(value)) return value[position(key, value.length)];
  if (typeof value === 'string') return new TextEncoder().encode(value)[position(key, value.length)];
  const entries = mapEntries(value instanceof GoStruct && value.fallsBack ? value.document : value);
  if (entries === undefined) fault(`can't index item of type ${typeName(value)}`);
  if (typeof key !== 'string') fault(`value has type ${typeName(key)}; should be string`);
  const entry = entries.find(([name]) => name === key);
  if (entry !== undefined) return entry[1];
  // Go gives the zero value of the map's type
  return value instanceof GoMap ? value.zero : undefined;
}

function sliced(value: unknown, ...keys: readonly unknown[]): unknown {
  if (isNil(value)) fault('slice of untyped nil');
  if (keys.length > 3) fault(`too many slice indexes: ${keys.length}`);
  if (typeof value !== 'string' && !Array.isArray(value))
    fault(`can't slice item of type ${typeName(value)}`);
  if (typeof value === 'string' && keys.length === 3) fault('cannot 3-index slice a string');
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : undefined;
  const length = bytes?.length ?? value.length;
  const [from = 0, to = length] = keys.map((key) => position(key, length + 1));
  if (from > to) fault(`invalid slice index: ${from} > ${to}`);
  if (bytes !== undefined) return new TextDecoder().decode(bytes.subarray(from, to));
  return Array.isArray(value) ? value.slice(from, to) : undefined;
}

/** What is wrong with an argument, or nothing. */
export function argumentFault(parameter: Parameter, value: unknown): string | undefined {
  if (parameter === 'any') return undefined;
  const wanted = parameter === 'strings' ? '[]string' : parameter;
  if (parameter === 'strings') {
    if (isNil(value) || (Array.isArray(value) && value.every((item) => typeof item === 'string')))
      return undefined;
  } else if (parameter === 'string' ? typeof value === 'string' : Number.isInteger(value)) return undefined;
  if (value instanceof GoStruct || !isNil(value))
    return `wrong type for value; expected ${wanted}; got ${typeName(value)}`;
  return `invalid value; expected ${wanted}`;
}

/** What is wrong with a literal as an argument. */
export function literalFault(parameter: Parameter, value: unknown, text: string): string | undefined {
  if (argumentFault(parameter, value) === undefined) return undefined;
  if (parameter === 'strings') return `can't handle ${text} for arg of type []string`;
  return `expected ${parameter === 'int' ? 'integer' : parameter}; found ${text}`;
}
