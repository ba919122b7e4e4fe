/** The words of a template: text, and what stands between `{{` and `}}` (the lexer of Go's text/template/parse). */

import { quoted } from './go-text.ts';
import { TemplateError } from './template-error.ts';

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'bool'
  | 'char'
  | 'character'
  | 'number'
  | 'string'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'dot'
  | 'nil'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'leftParen'
  | 'rightParen'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Index into the template. */
  readonly at: number;
}

const KEYWORDS = new Set(
  'block break continue define else end if range nil template with'
    .split(' ')
    .filter((word) => word !== 'nil'),
);
const SPACE = /[ \t\r\n]/;

/** The tokens, the last of kind `end`. TemplateError in Go's words. */
export function lexTemplate(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trims = false;
  while (at < text.length) {
    const open = text.indexOf('{{', at);
    let start = at;
    let end = open < 0 ? text.length : open;
    const actionTrims = open >= 0 && /^-[ \t\r\n]/.test(text.slice(open + 2, open + 4));
    if (trims) while (start < end && SPACE.test(text[start] ?? '')) start += 1;
    if (actionTrims) while (end > start && SPACE.test(text[end - 1] ?? '')) end -= 1;
    if (end > start) tokens.push({ kind: 'text', text: text.slice(start, end), at: start });
    if (open < 0) break;
    const inside = open + 2 + (actionTrims ? 2 : 0);
    const lexed = text.startsWith('/*', inside)
      ? afterComment(text, inside)
      : new ActionLexer(text, tokens).lex(open, inside);
    at = lexed.at;
    trims = lexed.trims;
  }
  tokens.push({ kind: 'end', text: '', at: text.length });
  return tokens;
}

interface ActionEnd {
  readonly at: number;
  /** The space behind it goes. */
  readonly trims: boolean;
}

function afterComment(text: string, from: number): ActionEnd {
  const close = text.indexOf('*/', from + 2);
  if (close < 0) throw new TemplateError(text, from, 'unclosed comment');
  const end = actionEnd(text, close + 2);
  if (end === undefined) throw new TemplateError(text, from, 'comment ends before closing delimiter');
  return end;
}

/** Behind `}}` or ` -}}` when one of them is here. */
function actionEnd(text: string, at: number): ActionEnd | undefined {
  if (text.startsWith('}}', at)) return { at: at + 2, trims: false };
  return /^[ \t\r\n]-\}\}/.test(text.slice(at, at + 4)) ? { at: at + 4, trims: true } : undefined;
}

class ActionLexer {
  readonly #text: string;
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string, tokens: Token[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  lex(open: number, from: number): ActionEnd {
    this.#tokens.push({ kind: 'open', text: '{{', at: open });
    this.#at = from;
    let depth = 0;
    for (;;) {
      const end = actionEnd(this.#text, this.#at);
      if (end !== undefined) {
        if (depth > 0) this.#fail('unclosed left paren');
        this.#tokens.push({ kind: 'close', text: '}}', at: this.#at });
        return end;
      }
      const token = this.#next();
      if (token.kind === 'leftParen') depth += 1;
      if (token.kind === 'rightParen') {
        depth -= 1;
        if (depth < 0) throw new TemplateError(this.#text, token.at, 'unexpected right paren');
      }
      this.#tokens.push(token);
    }
  }

  #next(): Token {
    const character = this.#text[this.#at];
    if (character === undefined) this.#fail('unclosed action');
    if (SPACE.test(character)) return this.#spaces();
    switch (character) {
      case '=':
        return this.#take('assign', 1);
      case ':':
        if (this.#text[this.#at + 1] !== '=') this.#fail('expected :=');
        return this.#take('declare', 2);
      case '|':
        return this.#take('pipe', 1);
      case '(':
        return this.#take('leftParen', 1);
      case ')':
        return this.#take('rightParen', 1);
      case '"':
        return this.#quote(/"(?:[^"\\\n]|\\[^\n])*"/y, 'string', 'unterminated quoted string');
      case '`':
        return this.#quote(/`[^`]*`/y, 'string', 'unterminated raw quoted string');
      case "'":
        return this.#quote(/'(?:[^'\\\n]|\\[^\n])+'/y, 'character', 'unterminated character constant');
      case '$':
        return this.#word(/\$[\p{L}\p{Nd}_]*/uy, 'variable');
    }
    if (character === '.' && !/[0-9]/.test(this.#text[this.#at + 1] ?? '')) {
      const token = this.#word(/\.[\p{L}\p{Nd}_]*/uy, 'field');
      return token.text === '.' ? { ...token, kind: 'dot' } : token;
    }
    if (/[-+.0-9]/.test(character)) return this.#number();
    if (/[\p{L}_]/u.test(this.#point())) return this.#identifier();
    if (/[!-~]/.test(character)) return this.#take('char', 1);
    this.#fail(`unrecognized character in action: ${codePoint(this.#point())}`);
  }

  #take(kind: TokenKind, length: number): Token {
    const token = { kind, text: this.#text.slice(this.#at, this.#at + length), at: this.#at };
    this.#at += length;
    return token;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? '';
  }

  #spaces(): Token {
    let spaces = this.#match(/[ \t\r\n]+/y);
    // the space of ` -}}` is the marker's own
    if (this.#text.startsWith('-}}', this.#at + spaces.length)) spaces = spaces.slice(0, -1);
    if (spaces === '') this.#fail('unclosed action');
    return this.#take('space', spaces.length);
  }

  #quote(pattern: RegExp, kind: TokenKind, fault: string): Token {
    const length = this.#match(pattern).length;
    if (length === 0) this.#fail(fault);
    return this.#take(kind, length);
  }

  #word(pattern: RegExp, kind: TokenKind): Token {
    const token = this.#take(kind, this.#match(pattern).length);
    const next = this.#point();
    if (!/^[ \t\r\n.,|:)(]?$/.test(next) && !this.#text.startsWith('}}', this.#at)) {
      this.#fail(`bad character ${codePoint(next)}`);
    }
    return token;
  }

  #number(): Token {
    const number = this.#match(
      /[-+]?(?:0[xX][0-9a-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]*)?)i?/y,
    );
    const more = this.#match(new RegExp(`.{${number.length}}[\\p{L}\\p{Nd}_]`, 'uy'));
    if (more !== '') this.#fail(`bad number syntax: ${quoted(more)}`);
    return this.#take('number', number.length);
  }

  #identifier(): Token {
    const token = this.#word(/[\p{L}\p{Nd}_]+/uy, 'identifier');
    const { text } = token;
    if (KEYWORDS.has(text)) return { ...token, kind: 'keyword' };
    if (text === 'nil') return { ...token, kind: 'nil' };
    return text === 'true' || text === 'false' ? { ...token, kind: 'bool' } : token;
  }

  #point(): string {
    return String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0x20);
  }

  #fail(message: string): never {
    throw new TemplateError(this.#text, this.#at, message);
  }
}

/** `U+0023 '#'`, as Go's %#U. */
function codePoint(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return /\p{C}/u.test(character) ? `U+${hex}` : `U+${hex} '${character}'`;
}
