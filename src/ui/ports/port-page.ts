/** From a port and a path to what is shown of it. */

import type { PortResponse, Sandbox } from '../../rpc/sandbox.ts';
import { dataURL, decoded, type Fetched, framedPage } from './framed-page.ts';

export interface PortPage {
  /** Where it is in the end, after redirects. */
  readonly url: URL;
  /** For the frame's srcdoc. */
  readonly html: string;
  /** `404 Not Found`; '' when all is well. */
  readonly status: string;
}

const MOST_REDIRECTS = 10;

/** The address of a port's page as the host's shell would ask for it. */
export function portURL(port: number, path = '/'): URL {
  return new URL(path, `http://localhost:${port}/`);
}

/** Rejects when the port does not answer, or leads elsewhere. */
export async function loadPage(sandbox: Sandbox, start: URL): Promise<PortPage> {
  const { url, answer } = await follow(sandbox, start);
  const fetched = fetchedOf(answer);
  const status = answer.status < 400 ? '' : `${answer.status} ${answer.reason}`.trim();
  const linkScript = new URL('ports/links.js', document.baseURI).href;
  const get = async (part: URL): Promise<Fetched | undefined> => {
    try {
      const found = await follow(sandbox, part);
      return found.answer.status === 200 ? fetchedOf(found.answer) : undefined;
    } catch {
      return undefined; // the page shows without it, as in any browser
    }
  };
  return { url, status, html: await framedPage(htmlOf(fetched), { url, get, linkScript }) };
}

/** Undefined: the link leads out of the port that the page is of, or is nothing that is fetched with GET. */
export function linkTarget(message: unknown, page: URL): URL | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message) || !('href' in message))
    return undefined;
  const { type, href } = message;
  if (type !== 'layerbox-link' || typeof href !== 'string' || href.length > 8192) return undefined;
  const url = URL.canParse(href, page) ? new URL(href, page) : undefined;
  return url?.origin === page.origin ? url : undefined;
}

async function follow(sandbox: Sandbox, start: URL): Promise<{ url: URL; answer: PortResponse }> {
  let url = start;
  for (let count = 0; count <= MOST_REDIRECTS; count += 1) {
    const port = Number(url.port === '' ? 80 : url.port);
    const answer = await sandbox.getThroughPort(port, url.pathname + url.search);
    const location = answer.headers.location;
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return { url, answer };
    if (!URL.canParse(location, url))
      throw new Error(`The page leads to “${location}”, which is no address.`);
    url = new URL(location, url);
    if (url.origin !== start.origin) {
      throw new Error(`The page leads to ${url.href}, which is outside of the container.`);
    }
  }
  throw new Error(`The page leads from one address to the next, more than ${MOST_REDIRECTS} times.`);
}

function fetchedOf({ headers, body }: PortResponse): Fetched {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').split(';');
  const charset =
    parameters.map((each) => /^\s*charset="?([\w.:-]+)"?\s*$/i.exec(each)?.[1]).find(Boolean) ?? '';
  return { type: type.trim().toLowerCase(), charset, bytes: body };
}

/** HTML as it is; an image and text as pages of their own; of anything else what it is. */
function htmlOf(fetched: Fetched): string {
  const { type, bytes } = fetched;
  if (type === 'text/html' || type === 'application/xhtml+xml' || type === '') return decoded(fetched);
  if (type.startsWith('image/')) return `<img alt="" src="${escaped(dataURL(fetched))}">`;
  if (type.startsWith('text/') || type === 'application/json')
    return `<pre>${escaped(decoded(fetched))}</pre>`;
  return `<p>${bytes.length} bytes of ${escaped(type)}, which is not shown here.</p>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
