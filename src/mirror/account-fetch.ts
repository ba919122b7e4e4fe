/**
 * A fetch that answers a registry's questions for an account: Basic where it asks for that itself
 * (RFC 7617), and to the token service that its Bearer challenge names (distribution: "Token Authentication
 * Specification"). The password goes nowhere else; and a redirect to another origin goes without any
 * authorization (Fetch standard, "HTTP-redirect fetch").
 */

import { RegistryDeniedError } from '../engine/errors.ts';
import { parseChallenges } from '../engine/registry/challenge.ts';
import type { Fetch } from '../engine/registry/request.ts';
import type { Account } from './docker-config.ts';

/** `base` is the registry's address: `https://registry.example`. */
export function accountFetch(fetch: Fetch, base: string, account: Account): Fetch {
  const authorization = `Basic ${Buffer.from(`${account.username}:${account.password}`).toString('base64')}`;
  const origin = new URL(base).origin;
  const services = new Set<string>();
  let isBasic = false;
  const withAccount = (init: RequestInit | undefined): RequestInit => ({
    ...init,
    headers: { ...plainHeaders(init), Authorization: authorization },
  });
  return async (url, init) => {
    const { origin: asked, pathname } = new URL(url);
    if (services.has(`${asked}${pathname}`)) return fetch(url, withAccount(init));
    if (asked !== origin) return fetch(url, init);
    if (isBasic) return fetch(url, withAccount(init));
    const response = await fetch(url, init);
    if (response.status !== 401) return response;
    const challenges = parseChallenges(response.headers.get('www-authenticate') ?? '');
    const realm = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters.get('realm');
    if (realm !== undefined && URL.canParse(realm)) services.add(serviceAt(realm, base));
    else if (challenges.some(({ scheme }) => scheme === 'basic')) {
      await response.body?.cancel();
      isBasic = true;
      return fetch(url, withAccount(init));
    }
    return response;
  };
}

/** Headers of a request of ours are a plain object always. */
function plainHeaders(init: RequestInit | undefined): Record<string, string> {
  return Object.fromEntries(new Headers(init?.headers));
}

function serviceAt(realm: string, base: string): string {
  const { origin, pathname, protocol } = new URL(realm);
  if (protocol === 'http:' && base.startsWith('https:')) {
    throw new RegistryDeniedError(
      `${base} names a token service without TLS, ${origin}, which gets no password`,
      { url: realm },
    );
  }
  return `${origin}${pathname}`;
}
