/** Strings as Go writes them between quotes (strconv.Quote), and reads them (strconv.Unquote). */

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** The text in double quotes: what does not print becomes an escape. */
export function quoted(text: string): string {
  return `"${escaped(text, '"')}"`;
}

/** A character in single quotes. */
export function quotedCharacter(character: string): string {
  return `'${escaped(character, "'")}'`;
}

function escaped(text: string, quote: string): string {
  let result = '';
  for (const character of text) {
    if (character === quote) result += `\\${quote}`;
    else if (ESCAPES[character] !== undefined) result += ESCAPES[character];
    else if (character !== ' ' && /[\p{C}\p{Z}]/u.test(character)) result += unicodeEscape(character);
    else result += character;
  }
  return result;
}

function unicodeEscape(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  // a byte that is no UTF-8 travels as a lone surrogate (names.ts)
  if (point >= 0xdc80 && point <= 0xdcff) return `\\x${(point - 0xdc00).toString(16)}`;
  if (point < 0x80) return `\\x${point.toString(16).padStart(2, '0')}`;
  return point > 0xffff
    ? `\\U${point.toString(16).padStart(8, '0')}`
    : `\\u${point.toString(16).padStart(4, '0')}`;
}

const LETTERS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** What a literal in double, back or single quotes says; undefined for an escape that Go has not. */
export function unquoted(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  if (literal.startsWith('`')) return body.replaceAll('\r', '');
  let isValid = true;
  const other = literal.startsWith('"') ? "'" : '"';
  const text = body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.?))/gs,
    (_, byte?: string, short?: string, long?: string, octal?: string, letter?: string) => {
      const digits = byte ?? short ?? long;
      if (digits !== undefined || octal !== undefined) {
        const point = digits === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(digits, 16);
        if (point <= 0x10ffff) return String.fromCodePoint(point);
      } else if (letter !== undefined && letter !== other && LETTERS[letter] !== undefined) {
        return LETTERS[letter];
      }
      isValid = false;
      return '';
    },
  );
  return isValid ? text : undefined;
}
