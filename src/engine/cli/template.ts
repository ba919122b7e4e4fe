/**
 * The part of Go's text/template that `--format` lives on: fields, pipelines, `if`, `range`, `with`, variables, and
 * Docker's functions (json, join, upper ...). A template is parsed once and run over many values.
 */

import { UsageError } from '../errors.ts';
import { printableName } from '../names.ts';
import { type Expression, evaluate, isTrue, parseExpression, type Scope } from './template-expression.ts';

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly expression: Expression }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly expression: Expression;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

export interface Template {
  /** UsageError when the value has no such field. */
  render(value: unknown): string;
}

/** UsageError in Docker's words when the text is no template. */
export function parseTemplate(text: string): Template {
  const tokens = tokenize(text);
  const [nodes, end] = parseNodes(tokens, 0);
  if (end < tokens.length) throw broken(`unexpected {{${tokens[end]?.action ?? ''}}}`);
  return {
    render: (value) => renderNodes(nodes, { dot: value, root: value, variables: new Map() }),
  };
}

/** A value as a template prints it: Go's default format. */
export function printed(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (typeof value === 'string') return printableText(value);
  if (Array.isArray(value)) return `[${value.map(printed).join(' ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, entry]) => `${key}:${printed(entry)}`).join(' ')}]`;
  }
  return String(value);
}

/** Line feeds and tabs may be the template's own; what else controls a terminal may not pass. */
function printableText(text: string): string {
  return text
    .split(/([\n\t])/)
    .map((part) => (part === '\n' || part === '\t' ? part : printableName(part)))
    .join('');
}

interface Token {
  readonly text?: string;
  readonly action?: string;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  while (at < text.length) {
    const open = text.indexOf('{{', at);
    let literal = open < 0 ? text.slice(at) : text.slice(at, open);
    if (trimNext) literal = literal.trimStart();
    if (open < 0) {
      tokens.push({ text: literal });
      break;
    }
    const close = closingBraces(text, open + 2);
    let action = text.slice(open + 2, close);
    if (/^-\s/.test(action)) {
      literal = literal.trimEnd();
      action = action.slice(1);
    }
    trimNext = /\s-$/.test(action);
    if (trimNext) action = action.slice(0, -1);
    tokens.push({ text: literal });
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(action)) tokens.push({ action: action.trim() });
    at = close + 2;
  }
  return tokens;
}

/** Where the action that starts at `from` ends: braces within quotes do not count. */
function closingBraces(text: string, from: number): number {
  let quote = '';
  for (let at = from; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quote !== '') {
      if (character === '\\' && quote === '"') at += 1;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === '`') quote = character;
    else if (text.startsWith('}}', at)) return at;
  }
  throw broken('unclosed action');
}

/** The nodes up to an `else`, an `end` or the end of the text, and where that is. */
function parseNodes(tokens: readonly Token[], from: number): [Node[], number] {
  const nodes: Node[] = [];
  let at = from;
  while (at < tokens.length) {
    const { text, action } = tokens[at] ?? {};
    if (action === undefined) {
      if (text !== undefined && text !== '') nodes.push({ kind: 'text', text });
      at += 1;
      continue;
    }
    if (action === 'end' || action === 'else' || action.startsWith('else ')) return [nodes, at];
    const block = /^(if|with|range)\s+([\s\S]+)$/.exec(action);
    if (block === null) {
      if (action === '') throw broken('missing value for command');
      nodes.push({ kind: 'print', expression: parseExpression(action) });
      at += 1;
      continue;
    }
    const [, kind, words = ''] = block;
    const [node, next] = parseBlock(tokens, at, kind === 'if' || kind === 'with' ? kind : 'range', words);
    nodes.push(node);
    at = next;
  }
  return [nodes, at];
}

function parseBlock(
  tokens: readonly Token[],
  from: number,
  kind: 'if' | 'with' | 'range',
  words: string,
): [Node, number] {
  const expression = parseExpression(words);
  const [body, stop] = parseNodes(tokens, from + 1);
  const action = tokens[stop]?.action;
  if (action === undefined) throw broken('unexpected EOF');
  if (action === 'end') return [{ kind, expression, body, otherwise: [] }, stop + 1];
  const chained = /^else\s+if\s+([\s\S]+)$/.exec(action);
  if (chained !== null) {
    const [inner, next] = parseBlock(tokens, stop, 'if', chained[1] ?? '');
    return [{ kind, expression, body, otherwise: [inner] }, next];
  }
  const [otherwise, end] = parseNodes(tokens, stop + 1);
  if (tokens[end]?.action !== 'end') throw broken('unexpected EOF');
  return [{ kind, expression, body, otherwise }, end + 1];
}

function renderNodes(nodes: readonly Node[], scope: Scope): string {
  return nodes.map((node) => renderNode(node, scope)).join('');
}

function renderNode(node: Node, scope: Scope): string {
  if (node.kind === 'text') return node.text;
  const { value, declares } = evaluate(node.expression, scope);
  if (node.kind === 'print') return declares ? '' : printed(value);
  if (node.kind === 'range') return renderRange(node, value, scope);
  if (!isTrue(value)) return renderNodes(node.otherwise, scope);
  return renderNodes(node.body, node.kind === 'with' ? { ...scope, dot: value } : scope);
}

function renderRange(node: Exclude<Node, { kind: 'text' | 'print' }>, value: unknown, scope: Scope): string {
  const entries: [unknown, unknown][] = Array.isArray(value)
    ? value.map((item, index) => [index, item])
    : typeof value === 'object' && value !== null
      ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
      : [];
  if (entries.length === 0) return renderNodes(node.otherwise, scope);
  const names = node.expression.declares;
  const [first, second] = names;
  return entries
    .map(([key, item]) => {
      const variables = new Map(scope.variables);
      if (first !== undefined) variables.set(first, second === undefined ? item : key);
      if (second !== undefined) variables.set(second, item);
      return renderNodes(node.body, { ...scope, dot: item, variables });
    })
    .join('');
}

function broken(why: string): Error {
  return new UsageError(`failed to parse template: template: :1: ${why}`, { exitCode: 1, plain: true });
}
