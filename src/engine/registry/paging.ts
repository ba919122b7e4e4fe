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
/** More than any repository has: an answer that never ends is a trap. */
const PAGES = 2000;

export interface Listing {
  /** Of the first page, without a query. */
  readonly url: string;
  /** The member of the document that holds the list. */
  readonly member: 'tags' | 'repositories';
  readonly what: string;
}

/**
 * The list, page after page; entries that came before are left out. Errors:
 * ManifestUnknown (404), RegistryDenied, RegistryUnreachable, RegistryResponse
 * for a next page at another origin or a list without end, InvalidDocument,
 * SizeMismatch for a page that is too large, Cancelled.
 */
export async function* listPages(
  listing: Listing,
  access: RegistryAccess,
  purpose: Purpose,
): AsyncGenerator<readonly string[], void> {
  const { what, member } = listing;
  const seen = new Set<string>();
  let url: string | undefined = `${listing.url}?n=${PAGE}`;
  for (let page = 0; url !== undefined; page++) {
    if (page === PAGES) throw endless(listing);
    const request = { url, what, headers: { Accept: 'application/json' } };
    const { response, bytes } = await access.read(request, purpose, { limit: PAGE_LIMIT });
    if (response.status !== 200) throw await refusal(response, request, 'list');
    // a repository whose tags were all deleted has null in Distribution 2
    const entries: readonly string[] =
      parseDocument(bytes, what, PAGE_LIMIT).optional(member)?.strings() ?? [];
    const fresh = entries.filter((entry) => !seen.has(entry));
    for (const entry of fresh) seen.add(entry);
    if (fresh.length > 0) yield fresh;
    url = following(listing, url, response.headers.get('link'), entries);
    // one that brings nothing new would be asked for again and again
    if (fresh.length === 0) url = undefined;
  }
}

/** As the registry names it; where a page may not read the Link header, by the last entry when there may be more. */
function following(
  listing: Listing,
  current: string,
  link: string | null,
  entries: readonly string[],
): string | undefined {
  if (link !== null) return nextPage(link, current, listing.what);
  const last = entries.at(-1);
  if (entries.length !== PAGE || last === undefined) return undefined;
  return `${listing.url}?n=${PAGE}&last=${encodeURIComponent(last)}`;
}

function endless(listing: Listing): Error {
  return new RegistryResponseError(`${new URL(listing.url).host} sends ${listing.what} without end`, {
    url: listing.url,
    what: listing.what,
  });
}
