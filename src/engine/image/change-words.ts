/** Words of a Dockerfile instruction: quotes, escapes and variables, as Dockerfile reference, "Environment replacement". */

/** The words, split at blanks outside of quotes; quotes and escapes stay. */
export function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? '';
    if (sign === '\\' && quote !== "'" && at + 1 < text.length) {
      word += sign + (text[at + 1] ?? '');
      at += 1;
    } else if (quote === '' && /\s/.test(sign)) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      if (quote === '' && (sign === '"' || sign === "'")) quote = sign;
      else if (sign === quote) quote = '';
      word += sign;
    }
  }
  if (word !== '') words.push(word);
  return words;
}

/** The word without its quotes and escapes, `$NAME`, `${NAME}`, `${NAME:-else}` and `${NAME:+then}` outside of single quotes replaced. */
export function expandWord(word: string, env: ReadonlyMap<string, string>): string {
  let text = '';
  let quote = '';
  for (let at = 0; at < word.length; at++) {
    const sign = word[at] ?? '';
    if (sign === '\\' && quote !== "'") {
      const next = word[at + 1] ?? '';
      // inside of double quotes only these are escaped (POSIX shell, 2.2.3)
      text += quote === '"' && !/["\\$`]/.test(next) ? sign + next : next;
      at += 1;
    } else if ((sign === '"' || sign === "'") && (quote === '' || quote === sign)) {
      quote = quote === '' ? sign : '';
    } else if (sign === '$' && quote !== "'") {
      const found = /^\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?::([-+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))/.exec(
        word.slice(at),
      );
      if (found === null) text += sign;
      else {
        const [whole, braced, kind, other = '', bare] = found;
        const value = env.get(braced ?? bare ?? '') ?? '';
        text += kind === '-' ? value || other : kind === '+' ? value && other : value;
        at += whole.length - 1;
      }
    } else text += sign;
  }
  return text;
}

/** The strings of a JSON list, or undefined for what is none: `["a", "b"]`. */
export function jsonStrings(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // then it is a command for the shell
  }
  const list: readonly unknown[] = Array.isArray(value) ? value : [undefined];
  const strings = list.filter((item) => typeof item === 'string');
  return strings.length === list.length ? strings : undefined;
}
