/**
 * Bearer tokens (distribution: "Token Authentication Specification" and
 * "OAuth2 Token Authentication").
 *
 * Whom a credential goes to: the registry names its token service, and on
 * whatever host that is it gets the registry's credential, as with Docker, for
 * whoever can answer a login as the registry could ask for the password itself.
 * But only over https, or on this machine when the registry is there, too.
 */

import { RegistryDeniedError, RegistryResponseError, RegistryUnreachableError } from '../errors.ts';
import { type Field, parseDocument } from '../oci/document.ts';
import type { Challenge } from './challenge.ts';
import { basicAuthorization, type Credential } from './credentials.ts';
import { isLoopback } from './loopback.ts';
import { type PatientOptions, readPatiently, type WholeAnswer } from './patient-request.ts';
import { refusal } from './refusal.ts';
import { lineFailure, type RegistryRequest } from './request.ts';
import { Secret } from './secret.ts';

export interface Token {
  readonly value: Secret;
  /** Milliseconds since 1970, a little before it really does. */
  readonly expiresAt: number;
  /** What later tokens can be had with in a password's place, when the service gave one. */
  readonly identity?: Secret;
}

export interface TokenWish {
  /** Origin of the registry that asks for it. */
  readonly registry: string;
  readonly scopes: readonly string[];
  /** For errors: `busybox`. */
  readonly what: string;
  readonly credential?: Credential | undefined;
  /** Asks for a token in the password's place, too. */
  readonly offline?: boolean;
}

const TOKEN_LIMIT = 256 * 1024;
/** The specification's lifetime for a token that does not say, and the least that is believed; seconds. */
const LEAST_LIFETIME = 60;
/** A token is renewed this much before its end, so that it does not go stale on its way; seconds. */
const MARGIN = 10;
/** Who we are, as the specification wants to know. */
const CLIENT = 'layerbox';

/**
 * A token from the service that the challenge names, for the credential or for
 * anybody. Errors: RegistryDenied when the service gives none, or is none that
 * a credential is sent to; RegistryUnreachable, RegistryResponse, InvalidDocument,
 * SizeMismatch, Cancelled.
 */
export async function fetchToken(
  challenge: Challenge,
  wish: TokenWish,
  options: PatientOptions & { readonly now: () => number },
): Promise<Token> {
  const realm = realmAddress(challenge);
  const { credential } = wish;
  if (credential !== undefined) requireConfidential(realm, wish);
  const asked = options.now();
  const { response, bytes } = await ask(realm, challenge, wish, { ...options, limit: TOKEN_LIMIT });
  const request = { url: realm.href, what: `a token for ${wish.what}` };
  if (response.status !== 200) throw await refusal(response, request, 'token');
  const root = parseDocument(bytes, `the answer of ${realm.host}`, TOKEN_LIMIT);
  const value = (root.optional('token') ?? root.optional('access_token'))?.string() ?? '';
  // it becomes a header: nothing may be in it that ends one
  if (!/^[\x21-\x7e]+$/.test(value)) {
    throw new RegistryResponseError(`${realm.host} sent no token that can be used for ${wish.what}`, {
      url: request.url,
      status: response.status,
    });
  }
  const identity = root.optional('refresh_token')?.string() ?? '';
  return {
    value: new Secret(value),
    expiresAt: asked + (lifetime(root) - MARGIN) * 1000,
    ...(identity !== '' && { identity: new Secret(identity) }),
  };
}

/** True when the challenge names a token service that can be asked. */
export function hasRealm(challenge: Challenge): boolean {
  try {
    realmAddress(challenge);
    return true;
  } catch {
    return false;
  }
}

/**
 * A password goes with a GET, which every service knows. A page must ask leave
 * for its Authorization; where that, or GET, is not granted, the password goes
 * in a POST, which needs no leave. An identity token is for a POST alone.
 */
async function ask(
  realm: URL,
  challenge: Challenge,
  wish: TokenWish,
  options: PatientOptions & { readonly limit: number },
): Promise<WholeAnswer> {
  const { credential } = wish;
  if (credential?.kind === 'identity') return readPatiently(postOf(realm, challenge, wish), options);
  const get = getOf(realm, challenge, wish);
  if (credential === undefined) return readPatiently(get, options);
  try {
    const answer = await readPatiently(get, options);
    if (answer.response.status !== 405) return answer;
    await answer.response.body?.cancel();
  } catch (error) {
    // one that is silent, or breaks off, is not so for want of leave
    if (!(error instanceof RegistryUnreachableError) || lineFailure(error) !== undefined) throw error;
    const answered = await readPatiently(postOf(realm, challenge, wish), options).catch(() => undefined);
    if (answered?.response.status === 200) return answered;
    await answered?.response.body?.cancel();
    throw error;
  }
  return readPatiently(postOf(realm, challenge, wish), options);
}

function getOf(realm: URL, challenge: Challenge, wish: TokenWish): RegistryRequest {
  const { credential } = wish;
  const url = new URL(realm.href);
  const service = challenge.parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of wish.scopes) url.searchParams.append('scope', scope);
  if (credential !== undefined) url.searchParams.set('account', credential.username);
  if (wish.offline === true) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', CLIENT);
  }
  return {
    url: url.href,
    what: `a token for ${wish.what}`,
    headers: {
      Accept: 'application/json',
      ...(credential !== undefined && { Authorization: basicAuthorization(credential) }),
    },
  };
}

function postOf(realm: URL, challenge: Challenge, wish: TokenWish): RegistryRequest {
  const { credential } = wish;
  const fields: [string, string][] = [
    ['service', challenge.parameters.get('service') ?? ''],
    ['client_id', CLIENT],
  ];
  if (wish.scopes.length > 0) fields.push(['scope', wish.scopes.join(' ')]);
  if (credential?.kind === 'identity') {
    fields.push(['grant_type', 'refresh_token'], ['refresh_token', credential.secret.reveal()]);
  } else if (credential !== undefined) {
    fields.push(['grant_type', 'password'], ['username', credential.username]);
    fields.push(['password', credential.secret.reveal()]);
    if (wish.offline === true) fields.push(['access_type', 'offline']);
  }
  return {
    method: 'POST',
    url: realm.href,
    what: `a token for ${wish.what}`,
    headers: { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' },
    body: fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&'),
  };
}

function lifetime(root: Field): number {
  const seconds = root.optional('expires_in')?.value;
  return typeof seconds === 'number' && seconds > LEAST_LIFETIME ? Math.min(seconds, 86_400) : LEAST_LIFETIME;
}

function realmAddress(challenge: Challenge): URL {
  const realm = challenge.parameters.get('realm') ?? '';
  let url: URL;
  try {
    url = new URL(realm);
  } catch (cause) {
    throw unusable(realm, cause);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw unusable(realm, undefined);
  if (url.username !== '' || url.password !== '') throw unusable(url.origin, undefined);
  url.hash = '';
  return url;
}

function requireConfidential(realm: URL, wish: TokenWish): void {
  if (realm.protocol === 'https:') return;
  if (isLoopback(realm.hostname) && isLoopback(new URL(wish.registry).hostname)) return;
  throw new RegistryDeniedError(
    `${wish.registry} wants the password for ${wish.what} sent to ${realm.origin}, which is not encrypted: it was not sent. The registry's token service must be at an https address`,
    { realm: realm.origin, registry: wish.registry },
  );
}

function unusable(realm: string, cause: unknown): Error {
  return new RegistryDeniedError(
    `the registry asks for a token from ${JSON.stringify(realm)}, which is no web address`,
    { realm },
    { cause },
  );
}
