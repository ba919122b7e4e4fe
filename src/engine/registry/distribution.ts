/**
 * An anonymous reader of one repository of a registry that speaks the OCI
 * distribution specification 1.1 ("Pulling manifests", "Pulling blobs").
 *
 * A browser asks the registry's permission before a request with an Accept of
 * more than 128 bytes (Fetch standard, "CORS-safelisted request-header"), and
 * registries that want a token refuse that question. So each Accept fits, and
 * what a name stands for is asked in two steps: an index, else a manifest.
 * In that order, because CNCF Distribution 2 quietly gives a client that does
 * not accept its index one manifest of it.
 */

import { LayerboxError, ManifestUnknownError, RegistryDeniedError } from '../errors.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { CONFIG_LIMIT, MANIFEST_LIMIT } from '../oci/document.ts';
import { DOCKER_INDEX, DOCKER_MANIFEST, documentKind, OCI_INDEX, OCI_MANIFEST } from '../oci/media-type.ts';
import { openBlob } from './blob.ts';
import { readBody, readStream } from './bounded-body.ts';
import { bearerChallenge, type Challenge } from './challenge.ts';
import { type FetchedDocument, openDocument, verifyDescriptor, verifyDigest } from './fetched-document.ts';
import { refusal } from './refusal.ts';
import { type Fetch, type RegistryRequest, type RequestListener, sendRequest } from './request.ts';
import { type BlobAddress, type ImageSource, type ReadOptions, requireSmall } from './source.ts';
import { fetchToken, type Token } from './token.ts';

const ACCEPT_INDEX = `${OCI_INDEX},${DOCKER_INDEX}`;
const ACCEPT_MANIFEST = `${OCI_MANIFEST},${DOCKER_MANIFEST}`;

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
  readonly now: () => number;
}

export class DistributionSource implements ImageSource {
  readonly name: string;
  readonly isOrigin: boolean;
  readonly #options: DistributionOptions;
  #challenge: Challenge | undefined;
  #token: Token | undefined;

  constructor(options: DistributionOptions) {
    this.name = options.name;
    this.isOrigin = options.isOrigin;
    this.#options = options;
  }

  async resolve(
    named: { readonly tag?: string; readonly digest?: Digest },
    options: ReadOptions & { readonly wanted?: Platform },
  ): Promise<FetchedDocument> {
    const reference = named.digest ?? named.tag ?? 'latest';
    const { familiarName } = this.#options;
    const what = `manifest for ${familiarName}${named.digest === undefined ? `:${reference}` : `@${reference}`}`;
    let first: unknown;
    try {
      const answer = await this.#manifest(reference, ACCEPT_INDEX, what, options);
      if (documentKind(answer.contentType) !== 'schema1') return await this.#open(answer, what, named.digest);
    } catch (error) {
      // Distribution answers 404 for a manifest that the client does not accept; behind a proxy that answer may lack its CORS headers
      if (!mayBeUnaccepted(error)) throw error;
      first = error;
    }
    try {
      return await this.#open(
        await this.#manifest(reference, ACCEPT_MANIFEST, what, options),
        what,
        named.digest,
      );
    } catch (error) {
      throw error instanceof ManifestUnknownError && first instanceof ManifestUnknownError ? first : error;
    }
  }

  async document(descriptor: Descriptor, options: ReadOptions): Promise<FetchedDocument> {
    const what = `manifest ${descriptor.digest} of ${this.#options.familiarName}`;
    requireSmall(descriptor, what, MANIFEST_LIMIT);
    const accept = documentKind(descriptor.mediaType) === 'index' ? ACCEPT_INDEX : ACCEPT_MANIFEST;
    const { bytes } = await this.#manifest(descriptor.digest, accept, what, options);
    await verifyDescriptor(bytes, descriptor, what);
    return openDocument(bytes, { what, descriptor });
  }

  async blob(descriptor: Descriptor, what: string, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
    requireSmall(descriptor, what, CONFIG_LIMIT);
    const { url, headers } = await this.blobRequest(descriptor, options);
    const request = { url, headers, what, size: descriptor.size };
    const { fetch, onRequest } = this.#options;
    const body = await openBlob(request, { fetch, onRequest, signal: options.signal });
    const bytes = await readStream(body, request, { limit: descriptor.size, signal: options.signal });
    await verifyDescriptor(bytes, descriptor, what);
    return bytes;
  }

  async blobRequest(descriptor: Descriptor, options: ReadOptions): Promise<BlobAddress> {
    return {
      url: `${this.#options.base}/v2/${this.#options.repository}/blobs/${descriptor.digest}`,
      headers: await this.#authorization(options),
    };
  }

  async #manifest(
    reference: string,
    accept: string,
    what: string,
    options: ReadOptions,
  ): Promise<{ bytes: Uint8Array<ArrayBuffer>; contentType: string; digest: string | null }> {
    const url = `${this.#options.base}/v2/${this.#options.repository}/manifests/${reference}`;
    const request = { url, what, headers: { Accept: accept } };
    const response = await this.#authorized(request, options);
    if (response.status !== 200) throw await refusal(response, request, 'manifest');
    return {
      bytes: await readBody(response, request, { limit: MANIFEST_LIMIT, signal: options.signal }),
      contentType: response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '',
      digest: response.headers.get('docker-content-digest'),
    };
  }

  /** Verifies what is not asked for by descriptor: by the digest in the reference, else by the one the registry tells. */
  async #open(
    answer: { bytes: Uint8Array<ArrayBuffer>; contentType: string; digest: string | null },
    what: string,
    asked: Digest | undefined,
  ): Promise<FetchedDocument> {
    const { bytes, contentType } = answer;
    const told = answer.digest !== null && isDigest(answer.digest) ? answer.digest : undefined;
    if (asked !== undefined) await verifyDigest(bytes, asked, what);
    else if (told !== undefined) await verifyDigest(bytes, told, what);
    const digest = asked ?? told;
    return openDocument(bytes, { what, contentType, ...(digest !== undefined && { digest }) });
  }

  /** Sends it with the token there is; on a 401 gets one from the service that the challenge names, and sends it again. */
  async #authorized(request: RegistryRequest, options: ReadOptions): Promise<Response> {
    const { fetch, onRequest } = this.#options;
    const send = async () =>
      sendRequest(
        { ...request, headers: { ...request.headers, ...(await this.#authorization(options)) } },
        { fetch, onRequest, signal: options.signal },
      );
    const response = await send();
    if (response.status !== 401) return response;
    const header = response.headers.get('www-authenticate');
    const challenge = header === null ? undefined : bearerChallenge(header);
    if (challenge === undefined) {
      if (header !== null) return response;
      await response.body?.cancel();
      throw new RegistryDeniedError(
        `${new URL(request.url).host} asks for a token for ${request.what} but does not say where to get one: it must name WWW-Authenticate in Access-Control-Expose-Headers`,
        { url: request.url, status: 401 },
      );
    }
    await response.body?.cancel();
    this.#challenge = challenge;
    this.#token = undefined;
    return send();
  }

  async #authorization(options: ReadOptions): Promise<Record<string, string>> {
    const { fetch, onRequest, now, repository } = this.#options;
    if (this.#challenge === undefined) return {};
    if (this.#token === undefined || this.#token.expiresAt <= now()) {
      this.#token = await fetchToken(
        this.#challenge,
        { scope: `repository:${repository}:pull`, what: this.#options.familiarName },
        { fetch, onRequest, now, signal: options.signal },
      );
    }
    return { Authorization: `Bearer ${this.#token.value}` };
  }
}

function mayBeUnaccepted(error: unknown): boolean {
  return (
    error instanceof LayerboxError &&
    (error.code === 'ManifestUnknown' || error.code === 'RegistryUnreachable')
  );
}
