/**
 * What a manifest's request says it accepts.
 *
 * A browser asks the registry's leave before a request with an Accept of more
 * than 128 bytes (Fetch standard, "CORS-safelisted request-header"), and
 * registries that want a token refuse that question. The four types take 193
 * bytes. What CNCF Distribution 2.8 makes of an Accept that leaves out the type
 * of what it has (`* / *` and no Accept at all count as accepting nothing):
 * 404 for the OCI types; for Docker's types and a tag something else, quietly:
 * of a list one manifest, and of a manifest its conversion to schema 1. So the
 * types are asked for by family, and a manifest that is of the other family
 * than the one asked for is not believed before that one was asked for as well.
 */

import { DOCKER_INDEX, DOCKER_MANIFEST, documentKind, OCI_INDEX, OCI_MANIFEST } from '../oci/media-type.ts';

/** `all`: for requests that need the registry's leave in any case. */
export type Family = 'oci' | 'docker' | 'all';

const TYPES: Readonly<Record<Family, readonly string[]>> = {
  oci: [OCI_INDEX, OCI_MANIFEST],
  docker: [DOCKER_INDEX, DOCKER_MANIFEST],
  all: [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST],
};

/** The Accept header for what a name may stand for. */
export function acceptOf(family: Family): string {
  return TYPES[family].join();
}

/** The Accept header for a document whose kind is known from its descriptor. */
export function acceptKind(mediaType: string): string {
  return documentKind(mediaType) === 'index'
    ? `${OCI_INDEX},${DOCKER_INDEX}`
    : `${OCI_MANIFEST},${DOCKER_MANIFEST}`;
}

/** False for an answer of this Content-Type that may have been made of something else because of the Accept. */
export function isBelieved(family: Family, contentType: string): boolean {
  const kind = documentKind(contentType);
  // a static host's type says nothing, and nobody makes an index of a manifest
  if (kind === undefined || kind === 'index') return true;
  return TYPES[family].includes(contentType);
}

/** What is known of how one registry answers. */
export class Acceptance {
  #last: 'oci' | 'docker' = 'oci';
  #isLongRefused = false;
  /** True once it turned out that Docker-Content-Digest may not be read: a HEAD tells nothing. */
  isDigestHidden = false;

  /** In the order to ask. `isAuthorized`: the request carries Authorization. */
  families(isAuthorized: boolean): readonly Family[] {
    const short = this.#last === 'oci' ? (['oci', 'docker'] as const) : (['docker', 'oci'] as const);
    return isAuthorized && !this.#isLongRefused ? ['all', ...short] : short;
  }

  /** For a question about something whose type is known. */
  static familyOf(mediaType: string): 'oci' | 'docker' {
    return TYPES.docker.includes(mediaType) ? 'docker' : 'oci';
  }

  /** `family` led to a document of `mediaType`. */
  worked(family: Family, mediaType: string, hasLongFailed: boolean): void {
    this.#last = Acceptance.familyOf(mediaType);
    if (family !== 'all' && hasLongFailed) this.#isLongRefused = true;
  }
}
