/** Where the registry of a reference answers, and who we are there. */

import type { Reference } from '../engine/oci/reference.ts';
import { familiarName } from '../engine/oci/reference.ts';
import { DistributionSource } from '../engine/registry/distribution.ts';
import type { Fetch } from '../engine/registry/request.ts';
import type { ImageSource } from '../engine/registry/source.ts';
import { accountFetch } from './account-fetch.ts';
import type { Account } from './docker-config.ts';

export interface OriginOptions {
  /** Http for every registry; without it for those on this machine alone. */
  readonly plainHttp: boolean;
  readonly account: (registry: string) => Account | undefined;
  readonly fetch: Fetch;
  readonly now: () => number;
}

export interface Origin {
  readonly source: ImageSource;
  /** For the blobs of the source: it authenticates where the registry asks for that. */
  readonly fetch: Fetch;
}

/** The registry that the reference names; no mirror is asked. */
export function originOf(reference: Reference, options: OriginOptions): Origin {
  const { registry, repository } = reference;
  const base = originAddress(registry, options.plainHttp);
  const account = options.account(registry);
  const fetch = account === undefined ? options.fetch : accountFetch(options.fetch, base, account);
  const source = new DistributionSource({
    base,
    repository,
    familiarName: familiarName(reference),
    name: `registry ${registry}`,
    isOrigin: true,
    fetch,
    onRequest: () => undefined,
    now: options.now,
  });
  return { source, fetch };
}

/** Docker Hub's API has a host of its own. */
function originAddress(registry: string, plainHttp: boolean): string {
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  return `${plainHttp || isLoopback(registry.replace(/:\d+$/, '')) ? 'http' : 'https'}://${registry}`;
}

/** This machine: what is said without TLS stays here. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
