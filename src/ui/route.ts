/** The views of the page as hash URLs: `#/`, `#/images/<reference>`, `#/containers/<name>`, `#/storage`. */

export type Route =
  | { readonly view: 'home' }
  | { readonly view: 'image'; readonly reference: string }
  | { readonly view: 'container'; readonly name: string }
  | { readonly view: 'storage' }
  /** A hash that names no view, as it was. */
  | { readonly view: 'unknown'; readonly hash: string };

/** The route that a hash names; never throws, whoever wrote the link. */
export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#/, '');
  if (path === '' || path === '/') return { view: 'home' };
  if (path === '/storage') return { view: 'storage' };
  const match = /^\/(images|containers)\/(.+)$/s.exec(path);
  const named = match?.[2] === undefined ? undefined : decode(match[2]);
  if (named === undefined) return { view: 'unknown', hash };
  return match?.[1] === 'images' ? { view: 'image', reference: named } : { view: 'container', name: named };
}

/** The hash of a route, with its `#`; `parseRoute` gives the same route back. */
export function formatRoute(route: Route): string {
  switch (route.view) {
    case 'home':
      return '#/';
    case 'storage':
      return '#/storage';
    case 'image':
      return `#/images/${encode(route.reference)}`;
    case 'container':
      return `#/containers/${encode(route.name)}`;
    case 'unknown':
      return route.hash;
  }
}

/** Slashes, colons and at signs stay readable: a fragment may hold them (RFC 3986, section 3.5). */
function encode(name: string): string {
  return encodeURIComponent(name.toWellFormed())
    .replace(/%2F/g, '/')
    .replace(/%3A/g, ':')
    .replace(/%40/g, '@');
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
