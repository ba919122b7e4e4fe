/** From the words of a template to its nodes (the parser of Go's text/template/parse, with its messages). */

import { quoted, unquoted } from './go-text.ts';
import { TemplateError } from './template-error.ts';
import { lexTemplate, type Token, type TokenKind } from './template-lexer.ts';
import {
  type Branch,
  type Command,
  type Node,
  type Operand,
  operandText,
  type Pipeline,
} from './template-nodes.ts';

export interface ParsedTemplate {
  readonly text: string;
  readonly nodes: readonly Node[];
  /** `{{define}}` and `{{block}}`, by name. */
  readonly definitions: ReadonlyMap<string, readonly Node[]>;
}

/** TemplateError. `hasFunction`: what may stand first in a command. */
export function parseNodes(text: string, hasFunction: (name: string) => boolean): ParsedTemplate {
  return new Parser(text, hasFunction).parse();
}

/** How deep actions and parentheses may nest: beyond it a template is no text that somebody typed. */
const DEPTH = 200;

/** What ends a list of nodes. */
interface ListEnd {
  readonly kind: 'end' | 'else';
  readonly at: number;
}

function isListEnd(node: Node | ListEnd): node is ListEnd {
  return node.kind === 'end' || node.kind === 'else';
}

class Parser {
  readonly #text: string;
  readonly #hasFunction: (name: string) => boolean;
  readonly #tokens: readonly Token[];
  readonly #definitions = new Map<string, readonly Node[]>();
  #next = 0;
  /** Names that are known here. */
  #variables: string[] = ['$'];
  #ranges = 0;
  #depth = 0;

  constructor(text: string, hasFunction: (name: string) => boolean) {
    this.#text = text;
    this.#hasFunction = hasFunction;
    this.#tokens = lexTemplate(text);
  }

  parse(): ParsedTemplate {
    const nodes: Node[] = [];
    while (this.#peek().kind !== 'end') {
      if (this.#isDefinition()) {
        this.#definition();
        continue;
      }
      const node = this.#node();
      if (isListEnd(node)) this.#fail(`unexpected {{${node.kind}}}`, node.at);
      nodes.push(node);
    }
    return { text: this.#text, nodes, definitions: this.#definitions };
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', at: this.#text.length };
  }

  #take(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }

  #skipSpace(): void {
    while (this.#peek().kind === 'space') this.#next += 1;
  }

  #peekWord(): Token {
    this.#skipSpace();
    return this.#peek();
  }

  #takeWord(): Token {
    this.#skipSpace();
    return this.#take();
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#takeWord();
    if (token.kind !== kind) this.#unexpected(token, context);
    return token;
  }

  #unexpected(token: Token, context: string): never {
    this.#fail(`unexpected ${tokenText(token)} in ${context}`, token.at);
  }

  #fail(message: string, at = this.#tokens[Math.max(0, this.#next - 1)]?.at ?? 0): never {
    throw new TemplateError(this.#text, at, message);
  }

  #isDefinition(): boolean {
    const words = this.#tokens.slice(this.#next, this.#next + 3).filter(({ kind }) => kind !== 'space');
    return words[0]?.kind === 'open' && words[1]?.kind === 'keyword' && words[1].text === 'define';
  }

  #definition(): void {
    this.#take();
    this.#takeWord();
    const name = this.#name('define clause');
    this.#expect('close', 'define clause');
    this.#define(name, 'define clause');
  }

  /** The body of a definition: it knows no variable but `$`. */
  #define(name: string, context: string): void {
    const [variables, ranges] = [this.#variables, this.#ranges];
    this.#variables = ['$'];
    this.#ranges = 0;
    const { nodes, end } = this.#list();
    if (end.kind !== 'end') this.#fail(`unexpected {{else}} in ${context}`, end.at);
    this.#definitions.set(name, nodes);
    this.#variables = variables;
    this.#ranges = ranges;
  }

  #name(context: string): string {
    const token = this.#takeWord();
    const name = token.kind === 'string' ? unquoted(token.text) : undefined;
    if (name === undefined) this.#unexpected(token, context);
    return name;
  }

  #list(): { readonly nodes: readonly Node[]; readonly end: ListEnd } {
    const nodes: Node[] = [];
    this.#depth += 1;
    if (this.#depth > DEPTH) this.#fail('the template is nested too deeply');
    while (this.#peek().kind !== 'end') {
      const node = this.#node();
      if (isListEnd(node)) {
        this.#depth -= 1;
        return { nodes, end: node };
      }
      nodes.push(node);
    }
    this.#fail('unexpected EOF', this.#text.length);
  }

  #node(): Node | ListEnd {
    const token = this.#take();
    if (token.kind === 'text') return { kind: 'text', text: token.text, at: token.at };
    const first = this.#peekWord();
    if (first.kind === 'keyword') {
      this.#take();
      return this.#keyword(first);
    }
    const pipeline = this.#pipeline('command', 'close');
    return { kind: 'action', pipeline, at: first.at };
  }

  #keyword({ text, at }: Token): Node | ListEnd {
    switch (text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(text, at);
      case 'end':
        this.#expect('close', 'end');
        return { kind: 'end', at };
      case 'else': {
        const next = this.#peekWord();
        // `{{else if}}`: the branch reads on from here
        if (next.kind === 'keyword' && (next.text === 'if' || next.text === 'with'))
          return { kind: 'else', at };
        this.#expect('close', 'else');
        return { kind: 'else', at };
      }
      case 'break':
      case 'continue':
        this.#expect('close', `{{${text}}}`);
        if (this.#ranges === 0) this.#fail(`{{${text}}} outside {{range}}`, at);
        return { kind: text, at };
      case 'template':
      case 'block':
        return this.#invocation(text, at);
      default:
        this.#fail(`unexpected <${text}> in command`, at);
    }
  }

  #invocation(kind: 'template' | 'block', at: number): Node {
    const context = `${kind} clause`;
    this.#skipSpace();
    const nameAt = this.#peek().at;
    const name = this.#name(context);
    let pipeline: Pipeline | undefined;
    if (kind === 'block' || this.#peekWord().kind !== 'close') pipeline = this.#pipeline(context, 'close');
    else this.#takeWord();
    if (kind === 'block') this.#define(name, context);
    return { kind: 'template', name, pipeline, at: kind === 'template' ? nameAt : at };
  }

  #branch(kind: 'if' | 'with' | 'range', at: number): Branch {
    const known = this.#variables.length;
    const pipeline = this.#pipeline(kind, 'close');
    if (kind === 'range') this.#ranges += 1;
    const { nodes: body, end } = this.#list();
    if (kind === 'range') this.#ranges -= 1;
    const otherwise = end.kind === 'else' ? this.#otherwise(kind) : [];
    this.#variables.length = known;
    return { kind, pipeline, body, otherwise, at };
  }

  #otherwise(kind: string): readonly Node[] {
    const next = this.#peekWord();
    if (next.kind === 'keyword' && (next.text === 'if' || next.text === 'with') && next.text === kind) {
      this.#take();
      this.#depth += 1;
      if (this.#depth > DEPTH) this.#fail('the template is nested too deeply');
      const branch = this.#branch(next.text, next.at);
      this.#depth -= 1;
      return [branch];
    }
    if (next.kind === 'keyword') this.#unexpected(next, 'else');
    const { nodes, end } = this.#list();
    if (end.kind === 'else') this.#fail('expected end; found {{else}}', end.at);
    return nodes;
  }

  #pipeline(context: string, end: 'close' | 'rightParen'): Pipeline {
    const at = this.#peekWord().at;
    const declared = this.#declaration(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#peekWord();
      if (token.kind === end) {
        this.#take();
        this.#checkPipeline(commands, context);
        this.#variables.push(...(declared.assigns ? [] : declared.variables));
        return { at, ...declared, commands };
      }
      const starts: readonly TokenKind[] = [
        ...(['bool', 'character', 'dot', 'field', 'identifier', 'nil', 'number'] as const),
        ...(['string', 'variable', 'leftParen'] as const),
      ];
      if (!starts.includes(token.kind)) this.#unexpected(this.#take(), context);
      commands.push(this.#command());
    }
  }

  #declaration(context: string): { readonly variables: readonly string[]; readonly assigns: boolean } {
    const start = this.#next;
    const variables: string[] = [];
    while (this.#peekWord().kind === 'variable') {
      const { text } = this.#take();
      const next = this.#peekWord();
      variables.push(text);
      if (next.kind === 'declare' || next.kind === 'assign') {
        this.#take();
        const assigns = next.kind === 'assign';
        return { variables, assigns };
      }
      if (next.kind !== 'char' || next.text !== ',') break;
      this.#take();
      if (context !== 'range' || variables.length > 1) this.#fail(`too many declarations in ${context}`);
    }
    this.#next = start;
    return { variables: [], assigns: false };
  }

  #checkPipeline(commands: readonly Command[], context: string): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    for (const [index, { words }] of commands.entries()) {
      const kind = words[0]?.kind;
      const isValue =
        kind === 'bool' || kind === 'dot' || kind === 'nil' || kind === 'number' || kind === 'string';
      if (index > 0 && isValue) this.#fail(`non executable command in pipeline stage ${index + 1}`);
    }
  }

  #command(): Command {
    const at = this.#peekWord().at;
    const words: Operand[] = [];
    for (;;) {
      this.#skipSpace();
      const operand = this.#operand();
      if (operand !== undefined) words.push(operand);
      const token = this.#peek();
      if (token.kind === 'space') {
        this.#take();
        continue;
      }
      if (token.kind === 'pipe') this.#take();
      else if (token.kind !== 'close' && token.kind !== 'rightParen')
        this.#unexpected(this.#take(), 'operand');
      break;
    }
    if (words.length === 0) this.#fail('empty command');
    return { at, words };
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined || this.#peek().kind !== 'field') return term;
    const { at } = this.#peek();
    const fields: string[] = [];
    while (this.#peek().kind === 'field') fields.push(this.#take().text.slice(1));
    if (term.kind === 'field') return { ...term, at, fields: [...term.fields, ...fields] };
    if (term.kind === 'variable') return { ...term, at, fields: [...term.fields, ...fields] };
    if (term.kind !== 'pipeline' && term.kind !== 'identifier') {
      this.#fail(`unexpected . after term ${quoted(operandText(term))}`);
    }
    return { kind: 'chain', of: term, fields, at };
  }

  #term(): Operand | undefined {
    const token = this.#peek();
    const { kind, text, at } = token;
    switch (kind) {
      case 'identifier':
        if (!this.#hasFunction(text)) this.#fail(`function ${quoted(text)} not defined`, at);
        this.#take();
        return { kind, name: text, at };
      case 'dot':
      case 'nil':
        this.#take();
        return { kind, at };
      case 'variable':
        this.#known(text);
        this.#take();
        return { kind, name: text, fields: [], at };
      case 'field':
        this.#take();
        return { kind, fields: [text.slice(1)], at };
      case 'bool':
        this.#take();
        return { kind, value: text === 'true', at };
      case 'number':
      case 'character':
        this.#take();
        return this.#number(token);
      case 'string': {
        this.#take();
        const value = unquoted(text);
        if (value === undefined) this.#fail('invalid syntax', at);
        return { kind, value, text, at };
      }
      case 'leftParen': {
        this.#take();
        this.#depth += 1;
        if (this.#depth > DEPTH) this.#fail('the template is nested too deeply');
        const pipeline = this.#pipeline('parenthesized pipeline', 'rightParen');
        this.#depth -= 1;
        return { kind: 'pipeline', pipeline, at: pipeline.at };
      }
      default:
        return undefined;
    }
  }

  #known(name: string): void {
    if (!this.#variables.includes(name)) this.#fail(`undefined variable ${quoted(name)}`);
  }

  #number({ kind, text, at }: Token): Operand {
    if (kind === 'character') {
      const character = unquoted(text) ?? '';
      if ([...character].length !== 1) this.#fail(`malformed character constant: ${text}`, at);
      return { kind: 'number', value: character.codePointAt(0) ?? 0, isFloat: false, text, at };
    }
    const plain = text.replaceAll('_', '').replace(/^\+/, '');
    const isNegative = plain.startsWith('-');
    const digits = isNegative ? plain.slice(1) : plain;
    const size = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
    if (digits === '' || Number.isNaN(size)) this.#fail(`illegal number syntax: ${quoted(text)}`, at);
    // Go takes 1e3 for an integer too
    return {
      kind: 'number',
      value: isNegative ? -size : size,
      isFloat: /[.eE]/.test(digits) && !/^0[xX]/.test(digits) && !Number.isSafeInteger(size),
      text,
      at,
    };
  }
}

/** A token as Go's messages have it: keywords in angle brackets, all else quoted, cut after ten characters. */
function tokenText({ kind, text }: Token): string {
  if (kind === 'end') return 'EOF';
  if (kind === 'keyword' || kind === 'dot' || kind === 'nil') return `<${text}>`;
  const characters = [...text];
  return characters.length > 10 ? `${quoted(characters.slice(0, 10).join(''))}...` : quoted(text);
}
