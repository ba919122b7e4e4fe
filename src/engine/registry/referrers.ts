/**
 * What refers to a manifest (distribution-spec, "Listing Referrers" and
 * "Unavailable Referrers API"): signatures, attestations, bills of materials.
 */

import { ManifestUnknownError, RegistryResponseError, RegistryUnreachableError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, splitDigest } from '../oci/digest.ts';
import { MANIFEST_LIMIT } from '../oci/document.ts';
import { parseIndex } from '../oci/index.ts';
import type { Purpose, RegistryAccess } from './access.ts';
import type { FetchedDocument } from './fetched-document.ts';
import { nextPage } from './link.ts';
import { LIST_LIMIT } from './paging.ts';
import type { WholeAnswer } from './patient-request.ts';
import { refusal } from './refusal.ts';
import { lineFailure } from './request.ts';

/** Pages of one list. */
const PAGES = 200;

export interface ReferrersWish {
  /** `https://registry.example/v2/library/busybox` */
  readonly address: string;
  readonly subject: Digest;
  readonly what: string;
  readonly artifactType?: string;
  /** What a tag of the repository names. */
  readonly tagged: (tag: string) => Promise<FetchedDocument>;
}

/**
 * All that refer to the subject; none where the registry knows of none. One
 * without the referrers API answers 404, which in a browser may be no answer at
 * all (CNCF Distribution 2.8 leaves its CORS headers off): the tag that stands
 * in for it is read then. Errors: those of `ImageSource.resolve`.
 */
export async function readReferrers(
  wish: ReferrersWish,
  access: RegistryAccess,
  purpose: Purpose,
): Promise<readonly Descriptor[]> {
  const listed = (await fromApi(wish, access, purpose)) ?? (await fromTag(wish));
  const { artifactType } = wish;
  // a registry that filters says so (OCI-Filters-Applied), but may be unable to; doing it again is right in any case
  return artifactType === undefined
    ? listed
    : listed.filter((descriptor) => descriptor.artifactType === artifactType);
}

/** The tag that stands in for the list where there is no API: algorithm and digest, cut to what a tag may have. */
export function fallbackTag(subject: Digest): string {
  const { algorithm, hex } = splitDigest(subject);
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}

/** Undefined when there is no such API. */
async function fromApi(
  wish: ReferrersWish,
  access: RegistryAccess,
  purpose: Purpose,
): Promise<readonly Descriptor[] | undefined> {
  const { address, subject, what, artifactType } = wish;
  const filter = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
  const found = new Map<Digest, Descriptor>();
  let size = 0;
  let url: string | undefined = `${address}/referrers/${subject}${filter}`;
  for (let page = 0; url !== undefined; page++) {
    if (page === PAGES) throw endless(what, url);
    const request = { url, what };
    let answer: WholeAnswer;
    try {
      answer = await access.read(request, purpose, { limit: MANIFEST_LIMIT, mayBeUnreadable: true });
    } catch (error) {
      const isUnreadable = error instanceof RegistryUnreachableError && lineFailure(error) === undefined;
      if (page === 0 && isUnreadable) return undefined;
      throw error;
    }
    const { response, bytes } = answer;
    if (response.status === 404 && page === 0) {
      await response.body?.cancel();
      return undefined;
    }
    if (response.status !== 200) throw await refusal(response, request, 'manifest');
    size += bytes.length;
    if (size > LIST_LIMIT) throw endless(what, url);
    const before = found.size;
    for (const descriptor of parseIndex(bytes, what).manifests) found.set(descriptor.digest, descriptor);
    const link = response.headers.get('link');
    // a page that brings nothing new would be asked for again and again
    url = found.size === before || link === null ? undefined : nextPage(link, url, what);
  }
  return [...found.values()];
}

function endless(what: string, url: string): Error {
  return new RegistryResponseError(`${what}: the list has no end`, { url, what });
}

async function fromTag(wish: ReferrersWish): Promise<readonly Descriptor[]> {
  try {
    const document = await wish.tagged(fallbackTag(wish.subject));
    // a tag of that name may be anything: cosign has `sha256-<hex>.sig` for manifests of its own
    return document.kind === 'index' ? parseIndex(document.bytes, wish.what).manifests : [];
  } catch (error) {
    if (error instanceof ManifestUnknownError) return [];
    throw error;
  }
}
