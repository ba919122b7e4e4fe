/**
 * From a reference to the places its image may come from: the mirrors that
 * match, in order, then the registry it names.
 */

import type { EventStream } from '../events.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { familiarName, fullName, type Reference } from '../oci/reference.ts';
import { Acceptance } from './accept.ts';
import { RegistryAccess } from './access.ts';
import { type Credential, Credentials } from './credentials.ts';
import { DistributionSource, type KnownRegistry } from './distribution.ts';
import type { FetchedDocument } from './fetched-document.ts';
import { LayoutSource } from './layout.ts';
import { checkCredential } from './login.ts';
import { type Mirror, type Mirrors, parseMirrors } from './mirrors.ts';
import { type FailedSource, isPassedOver, nowhere } from './nowhere.ts';
import { originAddress } from './origin-address.ts';
import { listPages, Paging } from './paging.ts';
import { sendPatiently } from './patient-request.ts';
import { PushTarget } from './push.ts';
import type { Fetch, RequestListener } from './request.ts';
import type { Patience, RetryListener } from './retry.ts';
import { CATALOG_SCOPE } from './scope.ts';
import { type Found, findRepositories } from './search.ts';
import type { ImageSource, LocalCopy } from './source.ts';

export interface RegistriesOptions {
  readonly mirrors: Mirrors;
  readonly fetch: Fetch;
  readonly events: Pick<EventStream, 'emit'>;
  readonly now: () => number;
  /** Default: nobody is logged in anywhere. */
  readonly credentials?: Credentials;
  /** What is here of a tag that was pulled before; without it every pull fetches what the tag names. */
  readonly local?: (reference: Reference) => Promise<LocalCopy | undefined>;
  /** How long requests that fail are made again. */
  readonly patience?: Patience;
}

export class Registries {
  readonly #mirrors: readonly Mirror[];
  readonly #options: RegistriesOptions;
  readonly #onRequest: RequestListener;
  readonly #onRetry: RetryListener;
  readonly #credentials: Credentials;
  /** By base address: what one pull learnt of a registry the next one knows. */
  readonly #known = new Map<string, KnownRegistry>();
  /** Origins that have answered. */
  readonly #reached = new Set<string>();

  /** Throws InvalidReferenceError for a mirror that is no URL. */
  constructor(options: RegistriesOptions) {
    this.#options = options;
    this.#mirrors = parseMirrors(options.mirrors);
    this.#credentials = options.credentials ?? new Credentials();
    this.#onRequest = (request) => options.events.emit({ type: 'request', ...request });
    this.#onRetry = (retry) => options.events.emit({ type: 'retry', ...retry });
  }

  /** Where the image may come from, in the order to ask. */
  sources(reference: Reference): readonly ImageSource[] {
    const full = fullName(reference);
    const matching = this.#mirrors.filter(({ key }) => full === key || full.startsWith(`${key}/`));
    const longest = Math.max(...matching.map(({ key }) => key.length));
    return [
      ...matching
        .filter(({ key }) => key.length === longest)
        .map((mirror) => this.#mirror(mirror, reference)),
      this.#distribution(originAddress(reference.registry), {
        server: reference.registry,
        name: `registry ${reference.registry}`,
        isOrigin: true,
        reference,
      }),
    ];
  }

  /**
   * What the reference names, from the first place that has it, and that place.
   * A mirror that is down or lacks the image is passed over; one that sends what
   * does not verify is not. Errors: those of `ImageSource.resolve`; when no place
   * has it, the error of the registry itself, which tells of the mirrors too.
   */
  async resolve(
    reference: Reference,
    options: { readonly signal: AbortSignal; readonly wanted?: Platform },
  ): Promise<{ readonly source: ImageSource; readonly document: FetchedDocument }> {
    const local = reference.digest === undefined ? await this.#options.local?.(reference) : undefined;
    const wish = { ...options, ...(local !== undefined && { local }) };
    return this.#first(reference, async (source) => ({
      source,
      document: await source.resolve(reference, wish),
    }));
  }

  /** All tags of the reference's repository, from the first place that has it. Errors: those of `resolve`. */
  tags(reference: Reference, options: { readonly signal: AbortSignal }): Promise<readonly string[]> {
    return this.#first(reference, async (source) => {
      const tags: string[] = [];
      for await (const page of source.tags(options)) tags.push(...page);
      return tags;
    });
  }

  /** What refers to a manifest of the reference's repository; see `ImageSource.referrers`. */
  referrers(
    reference: Reference,
    subject: Digest,
    options: { readonly signal: AbortSignal; readonly artifactType?: string },
  ): Promise<readonly Descriptor[]> {
    return this.#first(reference, (source) => source.referrers(subject, options));
  }

  /**
   * The repositories of all mirrors, and those of `server` alone when one is named; see `findRepositories`. Errors:
   * Cancelled.
   */
  repositories(options: { readonly signal: AbortSignal }, server?: string): Promise<Found> {
    const listed = async (of: string) => {
      const names: { readonly name: string }[] = [];
      for await (const page of this.catalog(of, options)) names.push(...page.map((name) => ({ name })));
      return names;
    };
    if (server !== undefined) {
      const place = { name: `registry ${server}`, key: server, kind: 'registry' } as const;
      return findRepositories([{ ...place, list: () => listed(server) }]);
    }
    return findRepositories(
      this.#mirrors.map((mirror) => {
        const { key, kind, base } = mirror;
        const [registry = key] = key.split('/');
        const list = async () => {
          if (kind === 'registry') return listed(new URL(base).host);
          const source = this.#mirror(mirror, { registry, repository: 'library/none' });
          return source instanceof LayoutSource ? source.names(options) : [];
        };
        return { name: `${kind === 'layout' ? 'layout' : 'mirror'} ${base}`, key, kind, list };
      }),
    );
  }

  /** The names of a registry's repositories, page after page. Errors: those of `listPages`. */
  catalog(
    server: string,
    options: { readonly signal: AbortSignal },
  ): AsyncGenerator<readonly string[], void> {
    const base = this.#address(server);
    const what = `the repositories of ${server}`;
    const { access, paging } = this.#registry(base, server);
    return listPages({ url: `${base}/v2/_catalog`, member: 'repositories', what }, access, paging, {
      scope: CATALOG_SCOPE,
      what,
      signal: options.signal,
    });
  }

  /**
   * The repository of the reference, to write to: that of the registry which it names, never a mirror's.
   * `mountFrom`: repositories of that registry whose blobs may be mounted.
   */
  pushTarget(reference: Reference, mountFrom: readonly string[]): PushTarget {
    const { registry: server, repository } = reference;
    const base = this.#address(server);
    const { patience } = this.#options;
    return new PushTarget({
      base,
      server,
      repository,
      familiarName: familiarName(reference),
      mountFrom,
      access: this.#registry(base, server).access,
      onRetry: this.#onRetry,
      ...(patience !== undefined && { patience }),
    });
  }

  /** The answer to a GET of any address, without a credential: `docker import` of a URL. RegistryUnreachable, Cancelled. */
  download(url: string, options: { readonly signal: AbortSignal }): Promise<Response> {
    return sendPatiently({ url, what: url }, { ...this.#surroundings(), ...options });
  }

  /** Who the user is to a registry, or undefined. */
  credential(server: string): Promise<Credential | undefined> {
    return this.#credentials.get(server);
  }

  /**
   * Shows the credential to the registry, and uses it from then on when it is
   * good. Errors: LoginFailed, RegistryUnreachable,
   * RegistryDenied, RegistryResponse, Cancelled.
   */
  async login(
    server: string,
    credential: Credential,
    options: { readonly signal: AbortSignal; readonly keep: boolean },
  ): Promise<void> {
    const base = this.#address(server);
    const good = await checkCredential(credential, {
      ...this.#surroundings(),
      base,
      server,
      signal: options.signal,
    });
    await this.#credentials.set(server, good, options);
    this.#known.delete(base);
  }

  /** Forgets the credential, in memory and where it was kept. */
  async logout(server: string): Promise<void> {
    await this.#credentials.forget(server);
    this.#known.delete(this.#address(server));
  }

  async #first<T>(reference: Reference, ask: (source: ImageSource) => Promise<T>): Promise<T> {
    const failures: FailedSource[] = [];
    for (const source of this.sources(reference)) {
      try {
        return await ask(source);
      } catch (error) {
        if (!isPassedOver(error)) throw error;
        failures.push({ source, error });
      }
    }
    throw nowhere(reference, failures);
  }

  #mirror(mirror: Mirror, reference: Reference): ImageSource {
    if (mirror.kind === 'registry') {
      return this.#distribution(mirror.base, {
        server: new URL(mirror.base).host,
        name: `mirror ${mirror.base}`,
        isOrigin: false,
        reference,
      });
    }
    const { fetch, patience } = this.#options;
    return new LayoutSource({
      base: mirror.base,
      repository: reference,
      familiarName: familiarName(reference),
      mirrorOf: mirror.key,
      fetch,
      onRequest: this.#onRequest,
      onRetry: this.#onRetry,
      reached: this.#reached,
      ...(patience !== undefined && { patience }),
    });
  }

  #distribution(
    base: string,
    about: {
      readonly server: string;
      readonly name: string;
      readonly isOrigin: boolean;
      readonly reference: Reference;
    },
  ): ImageSource {
    const { server, name, isOrigin, reference } = about;
    return new DistributionSource({
      ...this.#surroundings(),
      base,
      repository: reference.repository,
      familiarName: familiarName(reference),
      name,
      isOrigin,
      registry: this.#registry(base, server),
    });
  }

  #registry(base: string, server: string): KnownRegistry {
    const there = this.#known.get(base);
    if (there !== undefined) return there;
    const access = new RegistryAccess({
      ...this.#surroundings(),
      base,
      server,
      credential: () => this.#credentials.get(server),
    });
    const known = { access, acceptance: new Acceptance(), paging: new Paging() };
    this.#known.set(base, known);
    return known;
  }

  #surroundings() {
    const { fetch, now, patience } = this.#options;
    return {
      fetch,
      now,
      onRequest: this.#onRequest,
      onRetry: this.#onRetry,
      reached: this.#reached,
      ...(patience !== undefined && { patience }),
    };
  }

  /** Where a registry that the user names answers: as a mirror, or by its name. */
  #address(server: string): string {
    const mirror = this.#mirrors.find(
      ({ kind, base }) => kind === 'registry' && new URL(base).host === server,
    );
    return mirror?.base ?? originAddress(server);
  }
}
