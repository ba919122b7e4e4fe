/**
 * A reader of one repository of a registry that speaks the OCI distribution
 * specification 1.1 ("Pulling manifests", "Pulling blobs", "Content Discovery").
 */

import { CancelledError, LayerboxError, ManifestUnknownError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestOf, isDigest, splitDigest } from '../oci/digest.ts';
import { CONFIG_LIMIT, MANIFEST_LIMIT } from '../oci/document.ts';
import { Acceptance, acceptKind, acceptOf, type Family, isBelieved } from './accept.ts';
import { type Purpose, RegistryAccess } from './access.ts';
import { openBlob, type RenewHeaders } from './blob.ts';
import { readStream } from './bounded-body.ts';
import { embeddedBytes } from './embedded.ts';
import { type FetchedDocument, openDocument, verifyDescriptor, verifyDigest } from './fetched-document.ts';
import { listPages, Paging } from './paging.ts';
import { readReferrers } from './referrers.ts';
import { refusal } from './refusal.ts';
import { type Fetch, lineFailure, type RequestListener } from './request.ts';
import type { Patience, RetryListener } from './retry.ts';
import { repositoryScope } from './scope.ts';
import {
  type BlobAddress,
  type ImageSource,
  type LocalCopy,
  type ReadOptions,
  type ResolveOptions,
  requireSmall,
} from './source.ts';

/** What is known of a registry, shared by all who read from it. */
export interface KnownRegistry {
  readonly access: RegistryAccess;
  readonly acceptance: Acceptance;
  readonly paging: Paging;
}

export interface DistributionOptions {
  /** Without a trailing slash and without /v2: `https://registry.example`. */
  readonly base: string;
  readonly repository: string;
  /** The repository as its user knows it, for messages: `busybox`. */
  readonly familiarName: string;
  readonly name: string;
  readonly isOrigin: boolean;
  readonly fetch: Fetch;
  readonly onRequest: RequestListener;
  readonly onRetry?: RetryListener;
  readonly patience?: Patience;
  readonly now: () => number;
  /** Default: one for this source alone, for an anonymous reader. */
  readonly registry?: KnownRegistry;
}

interface Answer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly digest: string | null;
}

export class DistributionSource implements ImageSource {
  readonly name: string;
  readonly isOrigin: boolean;
  readonly #options: DistributionOptions;
  readonly #access: RegistryAccess;
  readonly #acceptance: Acceptance;
  readonly #paging: Paging;

  constructor(options: DistributionOptions) {
    this.name = options.name;
    this.isOrigin = options.isOrigin;
    this.#options = options;
    this.#access =
      options.registry?.access ??
      new RegistryAccess({
        ...options,
        server: new URL(options.base).host,
        credential: async () => undefined,
        reached: new Set(),
      });
    this.#acceptance = options.registry?.acceptance ?? new Acceptance();
    this.#paging = options.registry?.paging ?? new Paging();
  }

  async resolve(
    named: { readonly tag?: string; readonly digest?: Digest },
    options: ResolveOptions,
  ): Promise<FetchedDocument> {
    const { digest } = named;
    const reference = digest ?? named.tag ?? 'latest';
    const { familiarName } = this.#options;
    const what = `manifest for ${familiarName}${digest === undefined ? ':' : '@'}${reference}`;
    if (digest === undefined && options.local !== undefined) {
      const here = await this.#unchanged(reference, options.local, what, options);
      if (here !== undefined) return here;
    }
    const failures: LayerboxError[] = [];
    let doubtful: Answer | undefined;
    const families = this.#acceptance.families(this.#access.isChallenged);
    for (const family of families) {
      try {
        const isLast = family === families.at(-1);
        const answer = await this.#manifest(reference, acceptOf(family), what, options, !isLast);
        if (digest === undefined && !isBelieved(family, answer.contentType)) {
          doubtful ??= answer;
          continue;
        }
        const document = await this.#open(answer, what, digest);
        this.#acceptance.worked(family, document.descriptor.mediaType, failures.some(isUnreachable));
        return document;
      } catch (error) {
        // Distribution answers 404 for a manifest that the client does not accept; behind a proxy that answer may lack its CORS headers
        if (!(error instanceof LayerboxError) || !mayBeUnaccepted(error, family)) throw error;
        failures.push(error);
      }
    }
    // a registry that does not look at what is accepted
    if (doubtful !== undefined) return this.#open(doubtful, what, digest);
    const isUnknown = failures.every((error) => error instanceof ManifestUnknownError);
    throw (isUnknown ? failures[0] : failures.at(-1)) ?? new ManifestUnknownError(`${what} not found`);
  }

  async document(descriptor: Descriptor, options: ReadOptions): Promise<FetchedDocument> {
    const what = `manifest ${descriptor.digest} of ${this.#options.familiarName}`;
    requireSmall(descriptor, what, MANIFEST_LIMIT);
    const bytes =
      descriptor.data === undefined
        ? (await this.#manifest(descriptor.digest, acceptKind(descriptor.mediaType), what, options)).bytes
        : embeddedBytes(descriptor.data, what);
    await verifyDescriptor(bytes, descriptor, what);
    return openDocument(bytes, { what, descriptor });
  }

  async blob(descriptor: Descriptor, what: string, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
    requireSmall(descriptor, what, CONFIG_LIMIT);
    const { url, headers, renew } = await this.blobRequest(descriptor, options);
    const request = { url, headers, what, size: descriptor.size, embedded: descriptor.data };
    const { fetch, onRequest, onRetry, patience } = this.#options;
    const { signal } = options;
    const body = await openBlob(request, { fetch, onRequest, onRetry, patience, renew, signal });
    const bytes = await readStream(body, request, { limit: descriptor.size, signal });
    await verifyDescriptor(bytes, descriptor, what);
    return bytes;
  }

  async blobRequest(descriptor: Descriptor, options: ReadOptions): Promise<BlobAddress> {
    const purpose = this.#purpose(options);
    const tried = new Set<string>();
    const renew: RenewHeaders = async (refused) => {
      // one address may be read from for hours: what was tried for another connection may do now
      if (refused === undefined || refused.attempt === 1) tried.clear();
      return refused === undefined
        ? this.#access.headers(purpose)
        : this.#access.renew(refused, tried, purpose);
    };
    return {
      url: `${this.#address}/blobs/${descriptor.digest}`,
      headers: descriptor.data === undefined ? await this.#access.headers(purpose) : {},
      renew,
    };
  }

  tags(options: ReadOptions): AsyncGenerator<readonly string[], void> {
    return listPages(
      {
        url: `${this.#address}/tags/list`,
        member: 'tags',
        what: `the tags of ${this.#options.familiarName}`,
      },
      this.#access,
      this.#paging,
      this.#purpose(options),
    );
  }

  referrers(
    subject: Digest,
    options: ReadOptions & { readonly artifactType?: string },
  ): Promise<readonly Descriptor[]> {
    return readReferrers(
      {
        address: this.#address,
        subject,
        what: `what refers to ${this.#options.familiarName}@${subject}`,
        ...(options.artifactType !== undefined && { artifactType: options.artifactType }),
        tagged: (tag) => this.resolve({ tag }, { signal: options.signal }),
      },
      this.#access,
      this.#purpose(options),
    );
  }

  get #address(): string {
    return `${this.#options.base}/v2/${this.#options.repository}`;
  }

  #purpose({ signal }: ReadOptions): Purpose {
    const { repository, familiarName } = this.#options;
    return { scope: repositoryScope(repository, 'pull'), what: familiarName, signal };
  }

  /**
   * What is here, when the tag still stands for it: a HEAD does not count against
   * what a registry lets its readers pull. Undefined when it has to be fetched.
   */
  async #unchanged(
    tag: string,
    local: LocalCopy,
    what: string,
    options: ReadOptions,
  ): Promise<FetchedDocument | undefined> {
    if (this.#acceptance.isDigestHidden) return undefined;
    const family = Acceptance.familyOf(local.descriptor.mediaType);
    const request = {
      method: 'HEAD' as const,
      url: `${this.#address}/manifests/${tag}`,
      what,
      headers: { Accept: acceptOf(family) },
    };
    let response: Response;
    try {
      response = await this.#access.send(request, this.#purpose(options), { mayBeUnreadable: true });
    } catch (error) {
      if (error instanceof CancelledError || !(error instanceof LayerboxError)) throw error;
      return undefined; // the GET that follows says it with the registry's own words
    }
    if (response.status !== 200) return undefined;
    const digest = response.headers.get('docker-content-digest');
    this.#acceptance.isDigestHidden = digest === null;
    const contentType = typeOf(response);
    if (digest === null || !isDigest(digest) || !isBelieved(family, contentType)) return undefined;
    const bytes = await local.read(digest);
    const isWhole = bytes !== undefined && (await digestOf(bytes, splitDigest(digest).algorithm)) === digest;
    return isWhole ? openDocument(bytes, { what, contentType, digest }) : undefined;
  }

  async #manifest(
    reference: string,
    accept: string,
    what: string,
    options: ReadOptions,
    mayBeUnreadable = false,
  ): Promise<Answer> {
    const request = { url: `${this.#address}/manifests/${reference}`, what, headers: { Accept: accept } };
    const { response, bytes } = await this.#access.read(request, this.#purpose(options), {
      limit: MANIFEST_LIMIT,
      mayBeUnreadable,
    });
    if (response.status !== 200) {
      const repository = this.#options.familiarName;
      throw await refusal(response, { ...request, repository }, 'manifest');
    }
    return {
      bytes,
      contentType: typeOf(response),
      digest: response.headers.get('docker-content-digest'),
    };
  }

  /** Verifies what is not asked for by descriptor: by the digest in the reference, else by the one the registry tells. */
  async #open(answer: Answer, what: string, asked: Digest | undefined): Promise<FetchedDocument> {
    const { bytes, contentType } = answer;
    const told = answer.digest !== null && isDigest(answer.digest) ? answer.digest : undefined;
    const digest = asked ?? told;
    if (digest !== undefined) await verifyDigest(bytes, digest, what);
    return openDocument(bytes, { what, contentType, ...(digest !== undefined && { digest }) });
  }
}

function typeOf(response: Response): string {
  return response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
}

/** True for no answer at all: what a line that is silent or breaks keeps back has nothing to do with what is accepted. */
function isUnreachable(error: LayerboxError): boolean {
  return error.code === 'RegistryUnreachable' && lineFailure(error) === undefined;
}

/** Whoever accepts all types is told the truth, if anything. */
function mayBeUnaccepted(error: LayerboxError, family: Family): boolean {
  return isUnreachable(error) || (error.code === 'ManifestUnknown' && family !== 'all');
}
