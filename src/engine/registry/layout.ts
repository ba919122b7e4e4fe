/**
 * A folder with an OCI image layout on any static web host, as a read-only
 * source (image-spec, image-layout.md). Content-Types say nothing there, and
 * some hosts answer with a page, status 200, for what they do not have.
 */

import { BlobUnknownError, InvalidDocumentError, ManifestUnknownError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestOf, splitDigest } from '../oci/digest.ts';
import { CONFIG_LIMIT, MANIFEST_LIMIT } from '../oci/document.ts';
import { type Index, parseIndex } from '../oci/index.ts';
import { chooseManifest, formatPlatform } from '../oci/platform.ts';
import { fullName } from '../oci/reference.ts';
import { openBlob } from './blob.ts';
import { readStream } from './bounded-body.ts';
import { type FetchedDocument, openDocument, verifyDescriptor, verifyDigest } from './fetched-document.ts';
import { readPatiently } from './patient-request.ts';
import { fallbackTag } from './referrers.ts';
import { refusal } from './refusal.ts';
import type { Fetch, RequestListener } from './request.ts';
import type { Patience, RetryListener } from './retry.ts';
import type { ListedName } from './search.ts';
import {
  type BlobAddress,
  type ImageSource,
  type ReadOptions,
  type ResolveOptions,
  requireSmall,
} from './source.ts';

export interface LayoutOptions {
  /** Absolute URL of the folder, with a trailing slash. */
  readonly base: string;
  /** The repository that is read: its registry and path. */
  readonly repository: { readonly registry: string; readonly repository: string };
  /** As its user knows it, for messages: `busybox`. */
  readonly familiarName: string;
  /** The key under which the layout is a mirror: names in it may be relative to it. */
  readonly mirrorOf: string;
  readonly fetch: Fetch;
  readonly onRequest: RequestListener;
  readonly onRetry?: RetryListener;
  readonly patience?: Patience;
  /** See `PatientOptions`. */
  readonly reached?: Set<string>;
}

const DESCRIPTION = 'org.opencontainers.image.description';
const REF_NAME = 'org.opencontainers.image.ref.name';
/** What containerd and BuildKit write beside it: the full reference. */
const FULL_NAME = 'io.containerd.image.name';

export class LayoutSource implements ImageSource {
  readonly name: string;
  readonly isOrigin = false;
  readonly #options: LayoutOptions;

  constructor(options: LayoutOptions) {
    this.name = `layout ${options.base}`;
    this.#options = options;
  }

  async resolve(
    named: { readonly tag?: string; readonly digest?: Digest },
    options: ResolveOptions,
  ): Promise<FetchedDocument> {
    const { manifests } = await this.#index(options);
    if (named.digest !== undefined) return this.#byDigest(named.digest, manifests, options);
    const tag = named.tag ?? 'latest';
    const matching = manifests.filter((entry) => this.#isNamed(entry, tag));
    const [only, ...others] = matching;
    if (only === undefined) throw this.#unknown(`:${tag}`, manifests);
    const chosen = others.length === 0 ? only : chooseManifest(matching, options.wanted);
    const here = await options.local?.read(chosen.digest);
    const { algorithm } = splitDigest(chosen.digest);
    if (here === undefined || (await digestOf(here, algorithm)) !== chosen.digest) {
      return this.document(chosen, options);
    }
    const what = `manifest ${chosen.digest} of ${this.#options.familiarName}`;
    await verifyDescriptor(here, chosen, what);
    return openDocument(here, { what, descriptor: bare(chosen) });
  }

  async document(descriptor: Descriptor, options: ReadOptions): Promise<FetchedDocument> {
    const what = `manifest ${descriptor.digest} of ${this.#options.familiarName}`;
    requireSmall(descriptor, what, MANIFEST_LIMIT);
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = await this.blob(descriptor, what, options);
    } catch (error) {
      if (!(error instanceof BlobUnknownError) || descriptor.platform === undefined) throw error;
      // an index may be here with some of its manifests alone: `layerbox mirror` copies the platforms that are asked for
      throw new BlobUnknownError(
        `${error.message}: the folder has the image's index, but not its ${formatPlatform(descriptor.platform)}`,
        error.data,
        { cause: error },
      );
    }
    return openDocument(bytes, { what, descriptor: bare(descriptor) });
  }

  async blob(descriptor: Descriptor, what: string, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
    requireSmall(descriptor, what, CONFIG_LIMIT);
    const { digest, size, data: embedded } = descriptor;
    const request = { url: this.#address(digest), what, size, embedded };
    const body = await openBlob(request, this.#patiently(options));
    const bytes = await readStream(body, request, { limit: descriptor.size, signal: options.signal });
    await verifyDescriptor(bytes, descriptor, what);
    return bytes;
  }

  async blobRequest(descriptor: Descriptor): Promise<BlobAddress> {
    return { url: this.#address(descriptor.digest), headers: {} };
  }

  /** Names in a layout that are tags of this repository. */
  async *tags(options: ReadOptions): AsyncGenerator<readonly string[], void> {
    const { manifests } = await this.#index(options);
    const tags = new Set(manifests.flatMap((entry) => this.#tagOf(entry) ?? []));
    if (tags.size > 0) yield [...tags];
  }

  /** Every name that the layout gives to what it holds, of whichever repository. */
  async names(options: ReadOptions): Promise<readonly ListedName[]> {
    const { manifests } = await this.#index(options);
    return manifests.flatMap(({ annotations = {} }) => {
      const name = annotations[FULL_NAME] ?? annotations[REF_NAME];
      const description = annotations[DESCRIPTION];
      return name === undefined ? [] : { name, ...(description !== undefined && { description }) };
    });
  }

  /** A layout has no list of them (image-layout.md knows none): what the tag names that registries without one use. */
  async referrers(
    subject: Digest,
    options: ReadOptions & { readonly artifactType?: string },
  ): Promise<readonly Descriptor[]> {
    const { manifests } = await this.#index(options);
    const named = manifests.find((entry) => this.#isNamed(entry, fallbackTag(subject)));
    if (named === undefined) return [];
    const document = await this.document(named, options);
    if (document.kind !== 'index') return [];
    const listed = parseIndex(document.bytes, `what refers to ${subject}`).manifests;
    const { artifactType } = options;
    return artifactType === undefined
      ? listed
      : listed.filter((descriptor) => descriptor.artifactType === artifactType);
  }

  #patiently({ signal }: ReadOptions) {
    const { fetch, onRequest, onRetry, patience } = this.#options;
    return {
      fetch,
      onRequest,
      signal,
      ...(onRetry !== undefined && { onRetry }),
      ...(patience !== undefined && { patience }),
    };
  }

  #address(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return `${this.#options.base}blobs/${algorithm}/${hex}`;
  }

  async #index(options: ReadOptions): Promise<Index> {
    const { base, familiarName, reached } = this.#options;
    const request = { url: `${base}index.json`, what: `index.json of the image layout at ${base}` };
    const { response, bytes } = await readPatiently(request, {
      ...this.#patiently(options),
      ...(reached !== undefined && { reached }),
      mayBeUnreadable: true,
      limit: MANIFEST_LIMIT,
    });
    if (response.status === 404) {
      await response.body?.cancel();
      throw new ManifestUnknownError(
        `${base} is no OCI image layout, so ${familiarName} is not found there: it has no index.json`,
        { url: request.url, status: 404 },
      );
    }
    if (response.status !== 200) throw await refusal(response, request, 'manifest');
    try {
      return parseIndex(bytes, request.what);
    } catch (error) {
      if (!(error instanceof InvalidDocumentError) || error.data.page !== true) throw error;
      throw new ManifestUnknownError(
        `${base} is no OCI image layout, so ${familiarName} is not found there: it answers with a web page for index.json`,
        { url: request.url, status: 200 },
        { cause: error },
      );
    }
  }

  /**
   * Names in a layout are free text. Taken for the tag: a full reference, one as
   * Docker shows it, one relative to the mirror's key (`app:1` under
   * `ghcr.io/org`), and, where the key is the repository itself, the bare tag.
   */
  #isNamed(entry: Descriptor, tag: string): boolean {
    return this.#tagOf(entry) === tag;
  }

  /** The tag of this repository that an entry has as its name, or undefined. */
  #tagOf(entry: Descriptor): string | undefined {
    const { repository, familiarName, mirrorOf } = this.#options;
    const full = fullName(repository);
    const complete = entry.annotations?.[FULL_NAME];
    const name = complete ?? entry.annotations?.[REF_NAME];
    if (name === undefined) return undefined;
    const prefixes = [full];
    if (complete === undefined) {
      prefixes.push(familiarName, repository.repository);
      if (full.startsWith(`${mirrorOf}/`)) prefixes.push(full.slice(mirrorOf.length + 1));
      if (prefixes.includes(name)) return 'latest';
    }
    const prefix = prefixes.find((candidate) => name.startsWith(`${candidate}:`));
    if (prefix !== undefined) return name.slice(prefix.length + 1);
    return complete === undefined && full === mirrorOf ? name : undefined;
  }

  /** Blobs are found by digest whatever name they have, or none. */
  async #byDigest(
    digest: Digest,
    manifests: readonly Descriptor[],
    options: ReadOptions,
  ): Promise<FetchedDocument> {
    const listed = manifests.find((entry) => entry.digest === digest);
    if (listed !== undefined) return this.document(listed, options);
    const what = `manifest for ${this.#options.familiarName}@${digest}`;
    const request = { url: this.#address(digest), what };
    let body: ReadableStream<Uint8Array<ArrayBuffer>>;
    try {
      body = await openBlob(request, this.#patiently(options));
    } catch (error) {
      throw error instanceof BlobUnknownError ? this.#unknown(`@${digest}`, manifests) : error;
    }
    const bytes = await readStream(body, request, { limit: MANIFEST_LIMIT, signal: options.signal });
    await verifyDigest(bytes, digest, what);
    return openDocument(bytes, { what, digest });
  }

  #unknown(suffix: string, manifests: readonly Descriptor[]): Error {
    const { base, familiarName } = this.#options;
    const names = manifests.flatMap((entry) => entry.annotations?.[REF_NAME] ?? []);
    return new ManifestUnknownError(
      `manifest for ${familiarName}${suffix} not found: manifest unknown (layout ${base} has ${names.slice(0, 20).join(', ') || 'no names'})`,
      { url: base, status: 404 },
    );
  }
}

/** Without the name it has in this layout, which is no part of what it describes. */
function bare(descriptor: Descriptor): Descriptor {
  const { annotations: _, ...rest } = descriptor;
  return rest;
}
