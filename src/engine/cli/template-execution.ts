/** A template over a value (the executor of Go's text/template, with its messages). */

import { quoted } from './go-text.ts';
import { TemplateError } from './template-error.ts';
import {
  argumentFault,
  FunctionFault,
  LAZY_FUNCTIONS,
  literalFault,
  type TemplateFunction,
} from './template-functions.ts';
import {
  type Branch,
  type Command,
  commandText,
  type Node,
  type Operand,
  operandText,
  type Pipeline,
  pipelineText,
} from './template-nodes.ts';
import type { ParsedTemplate } from './template-parser.ts';
import {
  formatted,
  GoMap,
  GoStruct,
  isNil,
  isPlainObject,
  isTrue,
  mapEntries,
  NIL,
  printed,
  typeName,
} from './template-values.ts';

/** Nested `{{template}}` calls, and characters of output: a template that calls itself ends here. */
const DEPTH = 100;
const OUTPUT_LIMIT = 16 * 1024 * 1024;
/** Turns of all loops together. */
const TURNS = 1_000_000;

/** What the template makes of the value. TemplateError. */
export function executeTemplate(
  template: ParsedTemplate,
  value: unknown,
  functions: ReadonlyMap<string, TemplateFunction>,
): string {
  const execution = new Execution(template, functions);
  execution.walk(template.nodes, value, new Variables(value));
  return execution.output;
}

class Variables {
  readonly #stack: { readonly name: string; value: unknown }[];

  constructor(root: unknown) {
    this.#stack = [{ name: '$', value: root }];
  }

  get depth(): number {
    return this.#stack.length;
  }

  set depth(depth: number) {
    this.#stack.length = depth;
  }

  declare(name: string, value: unknown): void {
    this.#stack.push({ name, value });
  }

  /** False when there is none of that name. */
  assign(name: string, value: unknown): boolean {
    const variable = this.#stack.findLast((candidate) => candidate.name === name);
    if (variable !== undefined) variable.value = value;
    return variable !== undefined;
  }

  get(name: string): unknown {
    return this.#stack.findLast((candidate) => candidate.name === name)?.value;
  }
}

/** Nothing was piped in; undefined can be. */
const MISSING: unique symbol = Symbol('missing');

class Execution {
  output = '';
  readonly #template: ParsedTemplate;
  readonly #functions: ReadonlyMap<string, TemplateFunction>;
  #calls = 0;
  #turns = 0;

  constructor(template: ParsedTemplate, functions: ReadonlyMap<string, TemplateFunction>) {
    this.#template = template;
    this.#functions = functions;
  }

  /** How the nodes ended: at their end, or where a loop is left or goes on. */
  walk(nodes: readonly Node[], dot: unknown, variables: Variables): 'end' | 'break' | 'continue' {
    for (const node of nodes) {
      switch (node.kind) {
        case 'text':
          this.#write(node.text, node.at);
          break;
        case 'action': {
          const value = this.#pipeline(node.pipeline, dot, variables);
          if (node.pipeline.variables.length === 0) this.#write(printed(value), node.at);
          break;
        }
        case 'break':
        case 'continue':
          return node.kind;
        case 'template':
          this.#call(node.name, node.pipeline, node.at, dot, variables);
          break;
        default: {
          const ended = this.#branch(node, dot, variables);
          if (ended !== 'end') return ended;
        }
      }
    }
    return 'end';
  }

  #write(text: string, at: number): void {
    this.output += text;
    if (this.output.length > OUTPUT_LIMIT) this.#fail(at, '...', 'the output is longer than 16 MB');
  }

  #fail(at: number, node: string, message: string): never {
    throw new TemplateError(this.#template.text, at, message, node);
  }

  #call(name: string, pipeline: Pipeline | undefined, at: number, dot: unknown, variables: Variables): void {
    const shown = `{{template ${quoted(name)}${pipeline === undefined ? '' : ` ${pipelineText(pipeline)}`}}}`;
    const nodes = this.#template.definitions.get(name);
    if (nodes === undefined) this.#fail(at, shown, `template ${quoted(name)} not defined`);
    if (this.#calls === DEPTH) this.#fail(at, shown, `exceeded maximum template depth (${DEPTH})`);
    const value = pipeline === undefined ? undefined : this.#pipeline(pipeline, dot, variables);
    this.#calls += 1;
    this.walk(nodes, value, new Variables(value));
    this.#calls -= 1;
  }

  #branch(node: Branch, dot: unknown, variables: Variables): 'end' | 'break' | 'continue' {
    const { depth } = variables;
    try {
      if (node.kind === 'range') return this.#range(node, dot, variables);
      const value = this.#pipeline(node.pipeline, dot, variables);
      if (!isTrue(value)) return this.walk(node.otherwise, dot, variables);
      return this.walk(node.body, node.kind === 'with' ? value : dot, variables);
    } finally {
      variables.depth = depth;
    }
  }

  #range(node: Branch, dot: unknown, variables: Variables): 'end' | 'break' | 'continue' {
    const { pipeline, body, otherwise } = node;
    const value = this.#pipeline({ ...pipeline, variables: [] }, dot, variables);
    const { depth } = variables;
    let isEmpty = true;
    for (const [key, item] of this.#items(value, pipeline)) {
      isEmpty = false;
      this.#turns += 1;
      if (this.#turns > TURNS)
        this.#fail(pipeline.at, pipelineText(pipeline), `the template takes more than ${TURNS} turns`);
      const [first, second] = pipeline.variables;
      const set = (name: string, content: unknown) => {
        if (pipeline.assigns) variables.assign(name, content);
        else variables.declare(name, content);
      };
      if (first !== undefined) set(first, second === undefined ? item : key);
      if (second !== undefined) set(second, item);
      const ended = this.walk(body, item, variables);
      variables.depth = depth;
      if (ended === 'break') break;
    }
    return isEmpty ? this.walk(otherwise, dot, variables) : 'end';
  }

  #items(value: unknown, pipeline: Pipeline): Iterable<readonly [unknown, unknown]> {
    if (Array.isArray(value)) return value.entries();
    if (isNil(value)) return [];
    if (typeof value === 'number' && Number.isInteger(value)) return numbers(value);
    const entries = mapEntries(value);
    if (entries !== undefined) return entries;
    const shown = typeof value === 'string' ? value : formatted(value);
    return this.#fail(pipeline.at, pipelineText(pipeline), `range can't iterate over ${shown}`);
  }

  #pipeline(pipeline: Pipeline, dot: unknown, variables: Variables): unknown {
    let value: unknown = MISSING;
    for (const command of pipeline.commands) value = this.#command(command, dot, variables, value);
    for (const name of pipeline.variables) {
      if (!pipeline.assigns) variables.declare(name, value);
      else if (!variables.assign(name, value)) {
        const last = lastWord(pipeline);
        this.#fail(
          last?.at ?? pipeline.at,
          last === undefined ? name : operandText(last),
          `undefined variable: ${name}`,
        );
      }
    }
    return value;
  }

  #command(command: Command, dot: unknown, variables: Variables, final: unknown): unknown {
    const [first, ...rest] = command.words;
    if (first === undefined) return undefined;
    if (first.kind === 'identifier') return this.#function(first.name, command, dot, variables, final);
    const hasFields = first.kind === 'field' || first.kind === 'variable' || first.kind === 'chain';
    if (!hasFields && (rest.length > 0 || final !== MISSING)) this.#notFunction(first);
    if (first.kind === 'nil') this.#fail(first.at, 'nil', 'nil is not a command');
    return this.#operand(first, dot, variables, rest, final);
  }

  #notFunction(operand: Operand): never {
    const text = operandText(operand);
    return this.#fail(operand.at, text, `can't give argument to non-function ${text}`);
  }

  /** The value of an operand; `words` and `final` are arguments of a method that its last field may be. */
  #operand(
    operand: Operand,
    dot: unknown,
    variables: Variables,
    words: readonly Operand[] = [],
    final: unknown = MISSING,
  ): unknown {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return undefined;
      case 'bool':
      case 'number':
      case 'string':
        return operand.value;
      case 'identifier':
        return this.#function(operand.name, { at: operand.at, words: [operand] }, dot, variables, MISSING);
      case 'pipeline':
        return this.#pipeline(operand.pipeline, dot, variables);
      case 'field':
        return this.#fields(dot, operand, dot, variables, words, final);
      case 'variable':
        return this.#fields(variables.get(operand.name), operand, dot, variables, words, final);
      case 'chain':
        return this.#fields(this.#operand(operand.of, dot, variables), operand, dot, variables, words, final);
    }
  }

  #function(name: string, command: Command, dot: unknown, variables: Variables, final: unknown): unknown {
    const [head, ...words] = command.words;
    const called = this.#functions.get(name);
    if (called === undefined)
      return this.#fail(command.at, name, `${quoted(name)} is not a defined function`);
    const { parameters, more } = called;
    const given = words.length + (final === MISSING ? 0 : 1);
    const at = head?.at ?? command.at;
    const wrong = `wrong number of args for ${name}: want`;
    if (more === undefined && given !== parameters.length)
      this.#fail(at, name, `${wrong} ${parameters.length} got ${given}`);
    if (given < parameters.length)
      this.#fail(at, name, `${wrong} at least ${parameters.length} got ${words.length}`);
    const values: unknown[] = [];
    const decides = LAZY_FUNCTIONS.get(name);
    for (const [index, word] of words.entries()) {
      const value = this.#argument(word, parameters[index] ?? more ?? 'any', dot, variables);
      if (decides?.(value) === true) return value;
      values.push(value);
    }
    if (final !== MISSING) {
      const unfit = argumentFault(parameters[values.length] ?? more ?? 'any', final);
      if (unfit !== undefined) this.#fail(at, name, unfit);
      values.push(final);
    }
    if (name === 'call' && words[0] !== undefined) {
      const why = `non-function ${operandText(words[0])} of type ${typeName(values[0])}`;
      this.#fail(command.at, commandText(command), `error calling call: ${why}`);
    }
    try {
      return called.call(...values);
    } catch (error) {
      if (!(error instanceof FunctionFault)) throw error;
      return this.#fail(command.at, commandText(command), `error calling ${name}: ${error.message}`);
    }
  }

  #argument(
    word: Operand,
    parameter: Parameters<typeof argumentFault>[0],
    dot: unknown,
    variables: Variables,
  ): unknown {
    const value = this.#operand(word, dot, variables);
    const text = operandText(word);
    const isLiteral = word.kind === 'bool' || word.kind === 'number' || word.kind === 'string';
    const unfit = isLiteral ? literalFault(parameter, value, text) : argumentFault(parameter, value);
    if (unfit !== undefined) this.#fail(word.at, text, unfit);
    return value;
  }

  /** The fields of a value, one of another; what stands behind the last is its arguments, if it is a method. */
  #fields(
    of: unknown,
    operand: Operand & { readonly fields: readonly string[] },
    dot: unknown,
    variables: Variables,
    words: readonly Operand[],
    final: unknown,
  ): unknown {
    const { fields } = operand;
    if (fields.length === 0 && (words.length > 0 || final !== MISSING)) this.#notFunction(operand);
    let value = of;
    for (const [index, field] of fields.entries()) {
      const isLast = index === fields.length - 1;
      const values = isLast
        ? [
            ...words.map((word) => this.#argument(word, 'any', dot, variables)),
            ...(final === MISSING ? [] : [final]),
          ]
        : [];
      value = this.#field(value, field, operand, values, fields[index - 1]);
    }
    return value;
  }

  #field(value: unknown, name: string, operand: Operand, values: readonly unknown[], of = name): unknown {
    const inner =
      operand.kind === 'chain' && operand.of.kind === 'pipeline' ? lastWord(operand.of.pipeline) : undefined;
    const place = inner ?? operand;
    const fail = (message: string): never => this.#fail(place.at, operandText(place), message);
    if (value instanceof GoStruct) {
      const method = value.methods.get(name);
      if (method !== undefined) {
        const { parameters } = method;
        if (values.length !== parameters)
          fail(`wrong number of args for ${name}: want ${parameters} got ${values.length}`);
        const strings = values.filter((item) => typeof item === 'string');
        if (strings.length < values.length) fail('wrong type for value; expected string');
        return method.call(...strings);
      }
    }
    const found = fieldOf(value, name);
    if (found !== undefined) {
      if (values.length > 0) fail(`${name} is not a method but has arguments`);
      return found.value;
    }
    // where the type has a nil pointer the document has no such member
    if (value === NIL) return fail(`map has no entry for key ${quoted(of)}`);
    if (isNil(value)) return fail(`nil pointer evaluating interface {}.${name}`);
    if (value instanceof GoStruct && !value.fallsBack)
      return fail(`can't evaluate field ${name} in type ${value.type}`);
    if (value instanceof GoStruct || isPlainObject(value))
      return fail(`map has no entry for key ${quoted(name)}`);
    return fail(`can't evaluate field ${name} in type interface {}`);
  }
}

function fieldOf(value: unknown, name: string): { readonly value: unknown } | undefined {
  if (value instanceof GoStruct) {
    if (value.fields.has(name)) return { value: value.fields.get(name) };
    return value.fallsBack ? fieldOf(value.document, name) : undefined;
  }
  if (value instanceof GoMap) return { value: value.entries.get(name) };
  if (!isPlainObject(value) || !Object.hasOwn(value, name)) return undefined;
  return { value: value[name] };
}

/** What is evaluated last: where Go says that a field of a parenthesis is not there. */
function lastWord(pipeline: Pipeline): Operand | undefined {
  const word = pipeline.commands.at(-1)?.words.at(-1);
  return word?.kind === 'pipeline' ? lastWord(word.pipeline) : word;
}

function* numbers(end: number): Iterable<readonly [number, number]> {
  for (let number = 0; number < end; number++) yield [number, number];
}
