/**
 * The values that a template works on. Plain ones are what JSON has: an object stands for Go's
 * map[string]interface{}, a whole number for an int. GoStruct and GoMap are what Docker's client has types for, which
 * shows when they are printed and when a field is not there.
 */

import { printableName } from '../names.ts';

/** A method of a context: `.Label "x"`. */
export interface Method {
  readonly parameters: number;
  call(...values: readonly string[]): unknown;
}

/** A value of a struct type. */
export class GoStruct {
  /** As Go's messages name it: `*formatter.ContainerContext`. */
  readonly type: string;
  /** In the order of the type. */
  readonly fields: ReadonlyMap<string, unknown>;
  readonly methods: ReadonlyMap<string, Method>;
  /** What `json` writes of it. */
  readonly document: unknown;
  /** True: a field that the type has not is looked up in the document, as `docker inspect` does. */
  readonly fallsBack: boolean;

  constructor(
    type: string,
    fields: Iterable<readonly [string, unknown]>,
    more: {
      readonly methods?: ReadonlyMap<string, Method>;
      readonly document: unknown;
      readonly fallsBack: boolean;
    },
  ) {
    this.type = type;
    this.fields = new Map(fields);
    this.methods = more.methods ?? new Map();
    this.document = more.document;
    this.fallsBack = more.fallsBack;
  }

  toJSON(): unknown {
    return this.document;
  }
}

/** A map with a type: a name that is not in it is no error. */
export class GoMap {
  readonly entries: ReadonlyMap<string, unknown>;
  readonly document: unknown;
  /** What `index` gives for a name that is not there. */
  readonly zero: unknown;

  constructor(entries: Iterable<readonly [string, unknown]>, document: unknown, zero: unknown) {
    this.entries = new Map(entries);
    this.document = document;
    this.zero = zero;
  }

  toJSON(): unknown {
    return this.document;
  }
}

/** A list that is not there: it prints as an empty one, `json` writes null. */
export const NIL_LIST: readonly never[] = Object.freeze([]);

/** What there is nothing of: Go's nil pointer, which prints as `<nil>`; undefined and null print as `<no value>`. */
export const NIL: unique symbol = Symbol('nil');

export function isNil(value: unknown): value is undefined | null | typeof NIL {
  return value === undefined || value === null || value === NIL;
}

/** The entries of a map, sorted by key as Go prints and ranges over them; undefined of what is none. */
export function mapEntries(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (value instanceof GoStruct) return undefined;
  const entries =
    value instanceof GoMap ? [...value.entries] : isPlainObject(value) ? Object.entries(value) : undefined;
  return entries?.sort(([a], [b]) => (a < b ? -1 : 1));
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof GoStruct || value instanceof GoMap)
  );
}

/** Go's truth: not false, 0, empty, nil; a struct is always true. */
export function isTrue(value: unknown): boolean {
  if (isNil(value)) return false;
  if (value instanceof GoStruct) return true;
  if (Array.isArray(value)) return value.length > 0;
  const entries = mapEntries(value);
  return entries === undefined ? Boolean(value) : entries.length > 0;
}

/** The type in Go's words. */
export function typeName(value: unknown): string {
  if (isNil(value)) return '<nil>';
  if (value instanceof GoStruct) return value.fallsBack ? 'map[string]interface {}' : value.type;
  if (value instanceof GoMap) return 'map[string]interface {}';
  if (Array.isArray(value))
    return value.length > 0 && value.every((item) => typeof item === 'string')
      ? '[]string'
      : '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}

/** A value as an action prints it: Go's %v, made harmless for a terminal. */
export function printed(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  return printableLines(formatted(value));
}

/** Line feeds and tabs may be the template's own; what else controls a terminal may not pass. */
function printableLines(text: string): string {
  return text
    .split(/([\n\t])/)
    .map((part) => (part === '\n' || part === '\t' ? part : printableName(part)))
    .join('');
}

/** Go's %v; `text` writes strings. */
export function formatted(value: unknown, text: (value: string) => string = (value) => value): string {
  if (isNil(value)) return '<nil>';
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') return formatNumber(value);
  if (Array.isArray(value)) return `[${value.map((item) => formatted(item, text)).join(' ')}]`;
  if (value instanceof GoStruct) {
    return `{${[...value.fields.values()].map((field) => formatted(field, text)).join(' ')}}`;
  }
  const entries = mapEntries(value);
  if (entries === undefined) return String(value);
  return `map[${entries.map(([key, entry]) => `${text(key)}:${formatted(entry, text)}`).join(' ')}]`;
}

/** Whole numbers as they are, others as Go's %v: shortest, with an exponent below -4 and from 6 on. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Number.isSafeInteger(value)) return String(value); // an int; what is beyond is a float
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
