/** Lists that come in pages: tags and repositories (distribution-spec, "Listing Tags"; Distribution's catalog). */

import { RegistryResponseError } from '../errors.ts';
import { parseDocument } from '../oci/document.ts';
import type { Purpose, RegistryAccess } from './access.ts';
import { nextPage } from './link.ts';
import { refusal } from './refusal.ts';

/** Entries that a page is asked to have. */
const PAGE = 1000;
/** Bytes of one page. */
const PAGE_LIMIT = 8 * 1024 * 1024;
/** Bytes of all pages of one list: more than any registry has to tell. */
export const LIST_LIMIT = 64 * 1024 * 1024;
/** More than any repository has: an answer that never ends is a trap. */
const PAGES = 2000;
/** Answers to a request for more that was not named by the registry which say no more than that there is none. */
const NO_MORE: ReadonlySet<number> = new Set([400, 404, 405]);

/** How a registry gives its lists, learnt from one and used for the next. */
export class Paging {
  /** False once it refused the number of entries: CNCF Distribution takes none above its own `maxentries`. */
  isNumbered = true;
  /** True once a Link could be read: a page without one is the last. */
  isLinked = false;
}

export interface Listing {
  /** Of the first page, without a query. */
  readonly url: string;
  /** The member of the document that holds the list. */
  readonly member: 'tags' | 'repositories';
  readonly what: string;
}

/**
 * The list, page after page, as the registry names them; entries that came before are left out. A web page may be unable
 * to read the Link header, and a registry may give fewer entries than it was asked for: where no Link was ever read, what
 * comes after the last entry is asked for, until nothing does. Errors:
 * ManifestUnknown (404), RegistryDenied, RegistryUnreachable, RegistryResponse
 * for a next page at another origin or a list without end, InvalidDocument,
 * SizeMismatch for a page that is too large, Cancelled.
 */
export async function* listPages(
  listing: Listing,
  access: RegistryAccess,
  paging: Paging,
  purpose: Purpose,
): AsyncGenerator<readonly string[], void> {
  const { what, member } = listing;
  const seen = new Set<string>();
  let next: NextPage | undefined = { url: addressOf(listing, paging), isGuessed: false };
  let size = 0;
  let isFull = false;
  for (let page = 0; next !== undefined; page++) {
    if (page === PAGES) throw endless(listing);
    const { url, isGuessed }: NextPage = next;
    const request = { url, what, headers: { Accept: 'application/json' } };
    const { response, bytes } = await access.read(request, purpose, { limit: PAGE_LIMIT });
    const { status, headers } = response;
    if (status === 400 && page === 0 && paging.isNumbered) {
      await response.body?.cancel();
      paging.isNumbered = false;
      next = { url: addressOf(listing, paging), isGuessed: false };
      continue;
    }
    if (isGuessed && NO_MORE.has(status)) {
      await response.body?.cancel();
      return;
    }
    if (status !== 200) throw await refusal(response, request, 'list');
    size += bytes.length;
    if (size > LIST_LIMIT) throw endless(listing);
    // a repository whose tags were all deleted has null in Distribution 2
    const entries: readonly string[] =
      parseDocument(bytes, what, PAGE_LIMIT).optional(member)?.strings() ?? [];
    const fresh = entries.filter((entry) => !seen.has(entry));
    for (const entry of fresh) seen.add(entry);
    // one that brings nothing new would be asked for again and again
    if (fresh.length === 0) return;
    yield fresh;
    const link = headers.get('link');
    if (link !== null) {
      paging.isLinked = true;
      const named = nextPage(link, url, what);
      next = named === undefined ? undefined : { url: named, isGuessed: false };
      continue;
    }
    const isWhole = paging.isNumbered && entries.length === PAGE;
    // who gives as many as are asked for has no more when there are fewer
    const mayGoOn = isWhole || (response.type !== 'basic' && !isFull);
    isFull ||= isWhole;
    const last = entries.at(-1);
    const isEnd = last === undefined || paging.isLinked || !mayGoOn;
    next = isEnd ? undefined : { url: addressOf(listing, paging, last), isGuessed: true };
  }
}

interface NextPage {
  readonly url: string;
  /** True for one that the registry did not name. */
  readonly isGuessed: boolean;
}

function addressOf({ url }: Listing, { isNumbered }: Paging, last?: string): string {
  const query = [
    ...(isNumbered ? [`n=${PAGE}`] : []),
    ...(last === undefined ? [] : [`last=${encodeURIComponent(last)}`]),
  ];
  return query.length === 0 ? url : `${url}?${query.join('&')}`;
}

function endless(listing: Listing): Error {
  return new RegistryResponseError(`${new URL(listing.url).host} sends ${listing.what} without end`, {
    url: listing.url,
    what: listing.what,
  });
}
