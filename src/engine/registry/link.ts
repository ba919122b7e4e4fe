/** The Link header (RFC 8288, section 3), of which lists that come in pages use `rel="next"`. */

import { RegistryResponseError } from '../errors.ts';

const HEADER_LIMIT = 16 * 1024;
const target = /[ \t]*<([^<>]*)>/y;
const parameter =
  /[ \t]*;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?/y;

/** The target of the first link whose relations have `relation`, as it stands there; undefined when there is none. */
export function linkTarget(text: string, relation: string): string | undefined {
  const header = text.slice(0, HEADER_LIMIT);
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match === null) return undefined;
    at += match[0].length;
    return match;
  };
  while (at < header.length) {
    const link = take(target);
    if (link === undefined) return undefined;
    let relations: string | undefined;
    for (let found = take(parameter); found !== undefined; found = take(parameter)) {
      const [, name = '', quoted, plain] = found;
      // the first counts (section 3.3)
      if (name.toLowerCase() === 'rel') relations ??= quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
    }
    if (relations?.toLowerCase().split(/\s+/).includes(relation) === true) return link[1];
    const comma = /^[ \t]*,[ \t,]*/.exec(header.slice(at));
    if (comma === null) return undefined;
    at += comma[0].length;
  }
  return undefined;
}

/**
 * The address of the next page that a Link header names; undefined when there
 * is none. What is sent along is for this registry: RegistryResponseError for an
 * address at another host. Its scheme does not count, as a registry behind a
 * proxy that speaks TLS may not know its own.
 */
export function nextPage(link: string, current: string, what: string): string | undefined {
  const address = linkTarget(link, 'next');
  if (address === undefined) return undefined;
  const own = new URL(current);
  let next: URL | undefined;
  try {
    next = new URL(address, current);
  } catch {
    next = undefined;
  }
  if (next !== undefined && next.host === own.host && next.username === '' && next.password === '') {
    return `${own.origin}${next.pathname}${next.search}`;
  }
  throw new RegistryResponseError(
    `${own.host} names another place for more of ${what}: ${JSON.stringify(address.slice(0, 200))}, which is not followed`,
    { url: current, what },
  );
}
