/**
 * A page of a published port, made to stand by itself: one document with its styles and images inside, for a sandboxed
 * frame. What the container serves is somebody else's: no script of it runs, nothing of it asks the network.
 *
 * Three fences, each enough by itself against what the others let through: what could ask for something is taken out of
 * the document here; the policy in the document allows data: alone; and the frame is sandboxed, under the policy of the
 * page around it.
 */

/** What a port answered for one URL of the document's. */
export interface Fetched {
  /** Media type in small letters, without parameters; '' when nothing was said. */
  readonly type: string;
  /** Of text; '' when nothing was said. */
  readonly charset: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface PageSource {
  /** Where the document comes from: `http://localhost:8080/docs/`. */
  readonly url: URL;
  /** Undefined: it could not be had, and the document shows without it. */
  readonly get: (url: URL) => Promise<Fetched | undefined>;
  /** URL of public/ports/links.js. */
  readonly linkScript: string;
}

/** Styles and images that one page may have, and the bytes of all of them. */
const MOST_PARTS = 100;
const MOST_BYTES = 16 * 1024 * 1024;

/** Elements that run, embed, navigate or ask for something else. */
const FORBIDDEN =
  'script, noscript, noembed, noframes, xmp, plaintext, iframe, frame, frameset, object, embed, applet, portal, fencedframe, base, meta, link, template, audio, video, source, track, form > input[type="image"]';
/** Attributes that hold an address; those that mean something are set again. */
const ADDRESSES = new Set([
  ...[
    'href',
    'xlink:href',
    'src',
    'srcset',
    'imagesrcset',
    'action',
    'formaction',
    'ping',
    'poster',
    'background',
  ],
  ...[
    'data',
    'cite',
    'longdesc',
    'manifest',
    'codebase',
    'classid',
    'archive',
    'profile',
    'usemap',
    'attributionsrc',
  ],
  ...['target', 'http-equiv', 'srcdoc', 'nonce', 'sizes', 'data-layerbox-href'],
]);

/** The document's HTML. Never throws for what the document is. */
export async function framedPage(html: string, source: PageSource): Promise<string> {
  // without a browsing context nothing in it runs or loads
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  const parts = new Parts(source);
  const base = baseOf(parsed, source.url);
  const sheets = await styleSheets(parsed, base, parts);
  for (const element of parsed.querySelectorAll(FORBIDDEN)) element.remove();
  for (const element of [...parsed.querySelectorAll('*')]) await settle(element, base, parts);
  const title = parsed.querySelector('title')?.textContent ?? '';
  parsed.head.replaceChildren();
  parsed.head.append(element(parsed, 'meta', { charset: 'utf-8' }));
  const policy = framePolicy(source.linkScript);
  parsed.head.append(element(parsed, 'meta', { 'http-equiv': 'Content-Security-Policy', content: policy }));
  parsed.head.append(element(parsed, 'meta', { name: 'referrer', content: 'no-referrer' }));
  const named = parsed.createElement('title');
  named.textContent = title;
  const style = parsed.createElement('style');
  style.textContent = sheets.join('\n').replace(/<(?=\/style)/gi, '\\3c ');
  parsed.head.append(named, style, element(parsed, 'script', { src: source.linkScript }));
  return `<!DOCTYPE html>\n${parsed.documentElement.outerHTML}`;
}

/** What the frame's own policy allows: what is in the document, and the one script. */
export function framePolicy(linkScript: string): string {
  return [
    "default-src 'none'",
    `script-src ${linkScript}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "form-action 'none'",
    "base-uri 'none'",
  ].join('; ');
}

function baseOf(parsed: Document, url: URL): URL {
  const href = parsed.querySelector('base[href]')?.getAttribute('href');
  return (href === null || href === undefined ? undefined : resolved(href, url)) ?? url;
}

/** The texts of the document's style sheets, in order. Taken out of it. */
async function styleSheets(parsed: Document, base: URL, parts: Parts): Promise<string[]> {
  const sheets: string[] = [];
  for (const each of parsed.querySelectorAll('style, link[rel~="stylesheet" i][href]')) {
    const media = each.getAttribute('media') ?? '';
    if (each.localName === 'style') {
      sheets.push(wrapped(await parts.style(each.textContent ?? '', base), media));
    } else {
      const url = resolved(each.getAttribute('href') ?? '', base);
      sheets.push(wrapped(url === undefined ? '' : await parts.styleSheet(url), media));
    }
    each.remove();
  }
  return sheets;
}

/** Only what can be a media query goes before a block. */
function wrapped(css: string, media: string): string {
  return media === '' || !/^[\w\s():,.<>=/-]+$/.test(media) ? css : `@media ${media} {\n${css}\n}`;
}

/** Takes every address out of an element, and puts in what was fetched, or what the script tells the page of. */
async function settle(each: Element, base: URL, parts: Parts): Promise<void> {
  const href = each.getAttribute('href') ?? each.getAttribute('xlink:href');
  const src = each.getAttribute('src');
  const style = each.getAttribute('style');
  for (const name of each.getAttributeNames()) {
    if (name.startsWith('on') || ADDRESSES.has(name) || name.endsWith(':href')) each.removeAttribute(name);
  }
  if (style !== null) each.setAttribute('style', await parts.style(style, base));
  if (each.localName === 'img' && src !== null) {
    const url = resolved(src, base);
    const image = src.startsWith('data:image/')
      ? src
      : url === undefined
        ? undefined
        : await parts.image(url);
    if (image !== undefined) each.setAttribute('src', image);
  }
  if ((each.localName === 'a' || each.localName === 'area') && href !== null) {
    if (href.startsWith('#')) each.setAttribute('href', href);
    else {
      // a fragment leads nowhere, and makes it a link for the keyboard and for who hears it
      each.setAttribute('href', '#');
      each.setAttribute('data-layerbox-href', resolved(href, base)?.href ?? href);
    }
  } else if (href?.startsWith('#') === true) {
    each.setAttribute('href', href);
  }
}

function resolved(text: string, base: URL): URL | undefined {
  return URL.canParse(text, base) ? new URL(text, base) : undefined;
}

function element(parsed: Document, name: string, attributes: Readonly<Record<string, string>>): Element {
  const made = parsed.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** What the document is made of besides itself: each fetched once, from the same port alone. */
class Parts {
  readonly #source: PageSource;
  readonly #images = new Map<string, Promise<string | undefined>>();
  readonly #sheets = new Set<string>();
  #count = 0;
  #bytes = 0;

  constructor(source: PageSource) {
    this.#source = source;
  }

  /** A data: URL. */
  image(url: URL): Promise<string | undefined> {
    const present = this.#images.get(url.href);
    if (present !== undefined) return present;
    const image = this.#get(url).then((fetched) =>
      fetched?.type.startsWith('image/') === true ? dataURL(fetched) : undefined,
    );
    this.#images.set(url.href, image);
    return image;
  }

  /** Its text, with what it imports; '' when it is none, or imports itself. */
  async styleSheet(url: URL): Promise<string> {
    if (this.#sheets.has(url.href)) return '';
    this.#sheets.add(url.href);
    const fetched = await this.#get(url);
    if (fetched?.type !== 'text/css') return '';
    return this.style(decoded(fetched), url);
  }

  /** The text with its addresses made data: URLs, or taken out. */
  async style(css: string, base: URL): Promise<string> {
    const imports = /@import\s+(?:url\(\s*)?(["']?)([^"')\s;]+)\1\s*\)?[^;]*;?/gi;
    const imported: string[] = [];
    for (const match of css.matchAll(imports)) {
      const url = resolved(match[2] ?? '', base);
      if (url !== undefined) imported.push(await this.styleSheet(url));
    }
    let text = '';
    let at = 0;
    const rest = css.replace(imports, '');
    for (const match of rest.matchAll(/url\(\s*(["']?)([^"')]*)\1\s*\)/gi)) {
      const word = (match[2] ?? '').trim();
      const url = resolved(word, base);
      const inside = word.startsWith('data:') || word.startsWith('#');
      const image = inside ? word : url === undefined ? undefined : await this.image(url);
      text += `${rest.slice(at, match.index)}url("${image ?? 'data:,'}")`;
      at = match.index + match[0].length;
    }
    return [...imported, text + rest.slice(at)].join('\n');
  }

  async #get(url: URL): Promise<Fetched | undefined> {
    if (url.origin !== this.#source.url.origin) return undefined;
    if (this.#count >= MOST_PARTS || this.#bytes > MOST_BYTES) return undefined;
    this.#count += 1;
    const fetched = await this.#source.get(url);
    this.#bytes += fetched?.bytes.length ?? 0;
    return this.#bytes > MOST_BYTES ? undefined : fetched;
  }
}

/** The text in the charset that was named; in UTF-8 when that is none. */
export function decoded({ bytes, charset }: Fetched): string {
  try {
    return new TextDecoder(charset === '' ? 'utf-8' : charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

export function dataURL({ type, bytes }: Fetched): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:${type};base64,${btoa(text)}`;
}
