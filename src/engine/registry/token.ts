/** Anonymous bearer tokens (distribution: "Token Authentication Specification"). */

import { RegistryDeniedError, RegistryResponseError } from '../errors.ts';
import { type Field, parseDocument } from '../oci/document.ts';
import { readBody } from './bounded-body.ts';
import type { Challenge } from './challenge.ts';
import { refusal } from './refusal.ts';
import { type RequestOptions, sendRequest } from './request.ts';

export interface Token {
  readonly value: string;
  /** Milliseconds since 1970, a little before it really does. */
  readonly expiresAt: number;
}

const TOKEN_LIMIT = 256 * 1024;
/** The specification's lifetime for a token that does not say, and the least that is believed; seconds. */
const LEAST_LIFETIME = 60;
/** A token is renewed this much before its end, so that it does not go stale on its way; seconds. */
const MARGIN = 10;

/**
 * A token for an anonymous reader, from the service that the challenge names.
 * `scope` is used when the challenge names none. Errors: RegistryDenied when the
 * service gives none without an account, RegistryUnreachable, RegistryResponse, Cancelled.
 */
export async function fetchToken(
  challenge: Challenge,
  about: { readonly scope: string; readonly what: string },
  options: RequestOptions & { readonly now: () => number },
): Promise<Token> {
  const url = tokenAddress(challenge, about.scope);
  const request = {
    url,
    what: `a token for ${about.what}`,
    headers: { Accept: 'application/json' },
  };
  const asked = options.now();
  const response = await sendRequest(request, options);
  if (response.status !== 200) throw await refusal(response, request, 'token');
  const bytes = await readBody(response, request, { limit: TOKEN_LIMIT, signal: options.signal });
  const root = parseDocument(bytes, `the answer of ${new URL(url).host}`, TOKEN_LIMIT);
  const value = (root.optional('token') ?? root.optional('access_token'))?.string() ?? '';
  // it becomes a header: nothing may be in it that ends one
  if (!/^[\x21-\x7e]+$/.test(value)) {
    throw new RegistryResponseError(`${new URL(url).host} sent no token that can be used for ${about.what}`, {
      url,
      status: response.status,
    });
  }
  return { value, expiresAt: asked + (lifetime(root) - MARGIN) * 1000 };
}

function lifetime(root: Field): number {
  const seconds = root.optional('expires_in')?.value;
  return typeof seconds === 'number' && seconds > LEAST_LIFETIME ? Math.min(seconds, 86_400) : LEAST_LIFETIME;
}

function tokenAddress(challenge: Challenge, scope: string): string {
  const realm = challenge.parameters.get('realm') ?? '';
  let url: URL;
  try {
    url = new URL(realm);
  } catch (cause) {
    throw unusable(realm, cause);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw unusable(realm, undefined);
  const service = challenge.parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', challenge.parameters.get('scope') ?? scope);
  return url.href;
}

function unusable(realm: string, cause: unknown): Error {
  return new RegistryDeniedError(
    `the registry asks for a token from ${JSON.stringify(realm)}, which is no web address`,
    { realm },
    { cause },
  );
}
