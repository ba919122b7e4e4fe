/** A repository of a registry that images are written to (distribution-spec, "Push", "Content Management"). */

import { ManifestUnknownError, RegistryDeniedError, RegistryResponseError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { acceptOf } from './accept.ts';
import type { Purpose, RegistryAccess } from './access.ts';
import { refusal } from './refusal.ts';
import type { RegistryRequest } from './request.ts';
import type { Patience, RetryListener } from './retry.ts';
import { mergeScopes, repositoryScope } from './scope.ts';
import { type Uploaded, type UploadedBlob, uploadBlob } from './upload.ts';

export interface PushTargetOptions {
  /** Without a trailing slash and without /v2. */
  readonly base: string;
  /** As `docker login` knows the registry. */
  readonly server: string;
  readonly repository: string;
  /** The repository as its user knows it, for messages. */
  readonly familiarName: string;
  /** Repositories of the registry whose blobs may be mounted: a token must allow to read them. */
  readonly mountFrom: readonly string[];
  readonly access: RegistryAccess;
  readonly patience?: Patience;
  readonly onRetry?: RetryListener;
}

interface Options {
  readonly signal: AbortSignal;
}

type Refused = Pick<RegistryRequest, 'url' | 'method'>;

/** Errors of all: RegistryDenied in Docker's words, RegistryUnreachable, RegistryResponse, Cancelled. */
export class PushTarget {
  readonly #options: PushTargetOptions;

  constructor(options: PushTargetOptions) {
    this.#options = options;
  }

  /** The digest that a tag stands for there; undefined when there is none, or the registry does not show it. */
  async digestOf(tag: string, options: Options): Promise<Digest | undefined> {
    const request = {
      method: 'HEAD' as const,
      url: `${this.#address}/manifests/${tag}`,
      what: `manifest for ${this.#options.familiarName}:${tag}`,
      headers: { Accept: acceptOf('all') },
    };
    // a page may be unable to read a 404, and a registry of before 2.0 to answer: the manifest is put there then
    const response = await this.#guarded(request, () =>
      this.#options.access.send(request, this.#purpose(options), { mayBeUnreadable: true }),
    );
    await response.body?.cancel();
    if (response.status === 401 || response.status === 403) throw await this.#refused(response, request);
    const digest = response.headers.get('docker-content-digest') ?? '';
    return response.status === 200 && isDigest(digest) ? digest : undefined;
  }

  /** Puts a blob there unless it is. `mountFrom`: repositories that may have it, of those of the target. */
  upload(
    blob: UploadedBlob,
    what: string,
    options: Options & {
      readonly mountFrom: readonly string[];
      readonly onProgress?: (bytes: number) => void;
    },
  ): Promise<Uploaded> {
    const { access, patience, onRetry } = this.#options;
    const { mountFrom, onProgress } = options;
    const wish = {
      address: this.#address,
      blob,
      what,
      mountFrom,
      ...(onProgress !== undefined && { onProgress }),
      ...(patience !== undefined && { patience }),
      ...(onRetry !== undefined && { onRetry }),
    };
    return this.#guarded({ url: this.#address }, () => uploadBlob(wish, access, this.#purpose(options)));
  }

  /** Puts a manifest or an index there as it is, under a tag or its digest. */
  async putManifest(
    reference: string,
    descriptor: Descriptor,
    bytes: Uint8Array<ArrayBuffer>,
    options: Options,
  ): Promise<void> {
    const request = {
      method: 'PUT' as const,
      url: `${this.#address}/manifests/${reference}`,
      what: `manifest for ${this.#options.familiarName}:${reference}`,
      headers: { 'Content-Type': descriptor.mediaType },
      body: bytes,
    };
    const response = await this.#send(request, options);
    if (response.status < 200 || response.status > 299) throw await this.#refused(response, request);
    const stored = response.headers.get('docker-content-digest');
    await response.body?.cancel();
    if (stored === null || stored === descriptor.digest) return;
    throw new RegistryResponseError(
      `${new URL(request.url).host} stored ${request.what} as ${stored.slice(0, 100)}, not as ${descriptor.digest}: it changed what was pushed`,
      { url: request.url, expected: descriptor.digest },
    );
  }

  /**
   * Deletes a manifest by its digest, and with it all of its tags. ManifestUnknownError when it is not there;
   * RegistryResponseError where deleting is not allowed (405: CNCF Distribution without storage.delete.enabled).
   */
  async deleteManifest(digest: Digest, options: Options): Promise<void> {
    const { familiarName } = this.#options;
    const request = {
      method: 'DELETE' as const,
      url: `${this.#address}/manifests/${digest}`,
      what: `manifest ${familiarName}@${digest}`,
    };
    // a token service may give leave to delete to others than those who push
    const purpose = {
      scope: repositoryScope(this.#options.repository, 'delete'),
      what: familiarName,
      signal: options.signal,
    };
    const response = await this.#guarded(request, () => this.#options.access.send(request, purpose));
    if (response.status === 404) {
      await response.body?.cancel();
      throw new ManifestUnknownError(`${request.what} not found: manifest unknown`, { url: request.url });
    }
    if (response.status < 200 || response.status > 299) throw await this.#refused(response, request);
    await response.body?.cancel();
  }

  get #address(): string {
    return `${this.#options.base}/v2/${this.#options.repository}`;
  }

  #purpose({ signal }: Options): Purpose {
    const { repository, mountFrom, familiarName } = this.#options;
    const sources = mountFrom.map((from) => repositoryScope(from, 'pull'));
    const scope = mergeScopes(repositoryScope(repository, 'pull,push'), ...sources).join(' ');
    return { scope, what: familiarName, signal };
  }

  #send(request: RegistryRequest, options: Options): Promise<Response> {
    return this.#guarded(request, () => this.#options.access.send(request, this.#purpose(options)));
  }

  /** What a registry or its token service denies is said in the words of a push, or of a deletion. */
  async #guarded<T>(request: Refused, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RegistryDeniedError) throw this.#denied(error, request);
      throw error;
    }
  }

  async #refused(response: Response, request: RegistryRequest): Promise<Error> {
    const error = await refusal(response, request, 'blob');
    return error instanceof RegistryDeniedError ? this.#denied(error, request) : error;
  }

  #denied(
    error: Error & { readonly data?: Readonly<Record<string, unknown>> },
    { url, method }: Refused,
  ): Error {
    const { status, said } = error.data ?? {};
    const { server, familiarName } = this.#options;
    // a password that may not be sent, a challenge that cannot be read: that says more
    if (status !== 401 && status !== 403) return error;
    const words =
      status === 401
        ? `unauthorized: ${typeof said === 'string' ? said : 'authentication required'}`
        : `denied: ${typeof said === 'string' ? said : 'requested access to the resource is denied'}`;
    const done = method === 'DELETE' ? 'deleted from' : 'pushed to';
    return new RegistryDeniedError(
      `${words}: nothing may be ${done} ${familiarName} without an account that may (docker login ${server})`,
      { status, url, ...(typeof said === 'string' && { said }) },
      { cause: error },
    );
  }
}
