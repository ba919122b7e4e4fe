/** The WWW-Authenticate header of a 401 (RFC 9110, section 11.6.1), of which registries use Bearer and Basic. */

export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const whitespace = /[ \t]*/y;
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const token68 = /[0-9A-Za-z._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;

/** Characters of a header that are read: none that means well is longer, and fetch joins several headers to one. */
const HEADER_LIMIT = 16 * 1024;

/**
 * All challenges of a header, or of several joined by commas, in order. What cannot be read ends the list:
 * the challenges before it are still good.
 */
export function parseChallenges(text: string): readonly Challenge[] {
  const header = text.slice(0, HEADER_LIMIT);
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match === null) return undefined;
    at += match[0].length;
    return match;
  };
  while (at < header.length) {
    take(whitespace);
    if (header[at] === ',') {
      at += 1;
      continue;
    }
    const name = take(token)?.[0];
    if (name === undefined) break;
    take(whitespace);
    const current = challenges.at(-1);
    if (header[at] === '=' && current !== undefined) {
      at += 1;
      take(whitespace);
      const value = take(quoted)?.[1]?.replace(/\\(.)/g, '$1') ?? take(token)?.[0];
      if (value === undefined) break;
      if (!current.parameters.has(name.toLowerCase())) current.parameters.set(name.toLowerCase(), value);
      continue;
    }
    challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    take(token68); // `Negotiate abc==` has one in place of parameters
  }
  return challenges;
}
