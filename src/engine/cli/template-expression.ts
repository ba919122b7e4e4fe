/** What stands between `{{` and `}}`: operands, calls, pipelines, declarations. */

import { UsageError } from '../errors.ts';
import { callFunction, isFunction } from './template-functions.ts';

export interface Scope {
  readonly dot: unknown;
  readonly root: unknown;
  readonly variables: Map<string, unknown>;
}

type Operand =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'dot'; readonly fields: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly fields: readonly string[] }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly expression: Expression; readonly fields: readonly string[] };

export interface Expression {
  /** Names before `:=`, without the dollar sign. */
  readonly declares: readonly string[];
  /** Each a function and its arguments, or one operand; each but the first gets the value before it as a last argument. */
  readonly commands: readonly (readonly Operand[])[];
}

/** UsageError in Go's words. */
export function parseExpression(text: string): Expression {
  const declaration = /^\$(\w+)(?:\s*,\s*\$(\w+))?\s*:=\s*([\s\S]+)$/.exec(text);
  const declares = [declaration?.[1], declaration?.[2]].filter((name) => name !== undefined);
  const reader = new Reader(declaration?.[3] ?? text);
  const commands = readPipeline(reader);
  if (!reader.atEnd) throw broken(`unexpected "${reader.rest[0]}" in operand`);
  return { declares, commands };
}

export function evaluate(expression: Expression, scope: Scope): { value: unknown; declares: boolean } {
  let value: unknown;
  for (const [index, command] of expression.commands.entries()) {
    value = run(command, scope, index === 0 ? [] : [value]);
  }
  for (const name of expression.declares) scope.variables.set(name, value);
  return { value, declares: expression.declares.length > 0 };
}

/** Go's truth: not false, 0, empty, nil. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function run(command: readonly Operand[], scope: Scope, piped: readonly unknown[]): unknown {
  const [first, ...rest] = command;
  if (first === undefined) throw broken('missing value for command');
  if (first.kind === 'function') {
    const values = rest.map((operand) => operandValue(operand, scope));
    return callFunction(first.name, [...values, ...piped]);
  }
  if (rest.length > 0 || piped.length > 0) throw broken(`can't give argument to non-function`);
  return operandValue(first, scope);
}

function operandValue(operand: Operand, scope: Scope): unknown {
  switch (operand.kind) {
    case 'literal':
      return operand.value;
    case 'function':
      return callFunction(operand.name, []);
    case 'dot':
      return fieldsOf(scope.dot, operand.fields);
    case 'variable': {
      const value = operand.name === '' ? scope.root : scope.variables.get(operand.name);
      return fieldsOf(value, operand.fields);
    }
    case 'pipeline':
      return fieldsOf(evaluate(operand.expression, scope).value, operand.fields);
  }
}

function fieldsOf(value: unknown, fields: readonly string[]): unknown {
  let current = value;
  for (const field of fields) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, field)) {
      throw new UsageError(
        `template parsing error: template: :1: executing "" at <.${fields.join('.')}>: map has no entry for key "${field}"`,
        { exitCode: 1, plain: true, field },
      );
    }
    current = Object.entries(current).find(([key]) => key === field)?.[1];
  }
  return current;
}

class Reader {
  rest: string;

  constructor(text: string) {
    this.rest = text;
  }

  get atEnd(): boolean {
    this.rest = this.rest.trimStart();
    return this.rest === '';
  }

  /** What the pattern matches at this place, taken away; undefined when it does not. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.rest);
    if (match === null || match.index !== 0) return undefined;
    this.rest = this.rest.slice(match[0].length);
    return match;
  }
}

function readPipeline(reader: Reader): Operand[][] {
  const commands: Operand[][] = [[]];
  while (!reader.atEnd && !reader.rest.startsWith(')')) {
    if (reader.take(/^\|/)) {
      commands.push([]);
      continue;
    }
    commands.at(-1)?.push(readOperand(reader));
  }
  if (commands.some((command) => command.length === 0)) throw broken('missing value for command');
  return commands;
}

function readOperand(reader: Reader): Operand {
  if (reader.take(/^\(/)) {
    const commands = readPipeline(reader);
    if (reader.take(/^\)/) === undefined) throw broken('unclosed left paren');
    return { kind: 'pipeline', expression: { declares: [], commands }, fields: readFields(reader) };
  }
  const quoted = reader.take(/^"((?:[^"\\]|\\.)*)"/);
  if (quoted !== undefined) return { kind: 'literal', value: unquote(quoted[0]) };
  const raw = reader.take(/^`([^`]*)`/);
  if (raw !== undefined) return { kind: 'literal', value: raw[1] ?? '' };
  const number = reader.take(/^-?\d+(?:\.\d+)?/);
  if (number !== undefined) return { kind: 'literal', value: Number(number[0]) };
  const variable = reader.take(/^\$(\w*)/);
  if (variable !== undefined)
    return { kind: 'variable', name: variable[1] ?? '', fields: readFields(reader) };
  if (reader.rest.startsWith('.')) {
    const fields = readFields(reader);
    if (fields.length === 0) reader.take(/^\./);
    return { kind: 'dot', fields };
  }
  const name = reader.take(/^[A-Za-z_]\w*/)?.[0];
  if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true' };
  if (name === 'nil') return { kind: 'literal', value: undefined };
  if (name === undefined) throw broken(`unexpected ${JSON.stringify(reader.rest[0])} in command`);
  if (!isFunction(name)) throw broken(`function "${name}" not defined`);
  return { kind: 'function', name };
}

function readFields(reader: Reader): string[] {
  const fields: string[] = [];
  for (let match = reader.take(/^\.(\w+)/); match !== undefined; match = reader.take(/^\.(\w+)/)) {
    fields.push(match[1] ?? '');
  }
  return fields;
}

function unquote(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'string') return value;
  } catch {
    // an escape that Go has and JSON has not
  }
  throw broken(`invalid syntax in ${text}`);
}

function broken(why: string): Error {
  return new UsageError(`failed to parse template: template: :1: ${why}`, { exitCode: 1, plain: true });
}
