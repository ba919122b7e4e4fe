/** The registries that images are copied from: where each answers, and who we are there. */

import { familiarName, type Reference } from '../engine/oci/reference.ts';
import { Acceptance } from '../engine/registry/accept.ts';
import { RegistryAccess } from '../engine/registry/access.ts';
import type { Credential } from '../engine/registry/credentials.ts';
import { DistributionSource, type KnownRegistry } from '../engine/registry/distribution.ts';
import { isLoopback } from '../engine/registry/loopback.ts';
import { Paging } from '../engine/registry/paging.ts';
import type { Fetch } from '../engine/registry/request.ts';
import type { Patience, RetryListener } from '../engine/registry/retry.ts';
import type { ImageSource } from '../engine/registry/source.ts';

export interface OriginsOptions {
  /** Http for every registry; without it for those on this machine alone. */
  readonly plainHttp: boolean;
  /** By the registry's name, as references have it. */
  readonly credential: (registry: string) => Credential | undefined;
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly onRetry: RetryListener;
  /** How long requests that fail are made again. */
  readonly patience?: Patience;
}

export class Origins {
  readonly #options: OriginsOptions;
  /** By name: what one image taught of a registry the next one knows. */
  readonly #known = new Map<string, KnownRegistry>();
  /** Origins that have answered. */
  readonly #reached = new Set<string>();

  constructor(options: OriginsOptions) {
    this.#options = options;
  }

  /** The registry that the reference names; no mirror is asked. */
  source(reference: Reference): ImageSource {
    const { registry, repository } = reference;
    return new DistributionSource({
      ...this.#surroundings(),
      base: this.#address(registry),
      repository,
      familiarName: familiarName(reference),
      name: `registry ${registry}`,
      isOrigin: true,
      registry: this.#registry(registry),
    });
  }

  #registry(server: string): KnownRegistry {
    const there = this.#known.get(server);
    if (there !== undefined) return there;
    const access = new RegistryAccess({
      ...this.#surroundings(),
      base: this.#address(server),
      server,
      credential: async () => this.#options.credential(server),
    });
    const known = { access, acceptance: new Acceptance(), paging: new Paging() };
    this.#known.set(server, known);
    return known;
  }

  #surroundings() {
    const { fetch, now, onRetry, patience } = this.#options;
    const onRequest = () => undefined;
    const reached = this.#reached;
    return { fetch, now, onRequest, onRetry, reached, ...(patience !== undefined && { patience }) };
  }

  /** Docker Hub's API has a host of its own. */
  #address(registry: string): string {
    if (registry === 'docker.io') return 'https://registry-1.docker.io';
    const isPlain = this.#options.plainHttp || isLoopback(registry.replace(/:\d+$/, ''));
    return `${isPlain ? 'http' : 'https'}://${registry}`;
  }
}
