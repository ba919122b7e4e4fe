/** A registry with accounts on real connections: Basic, or tokens from a service at another port. */

import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type AskedRequest, basic, json, type RealServer, startServer } from './real-server.ts';

export const CONFIG = new TextEncoder().encode('{"architecture":"386","os":"linux"}');
const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const;
export const BLOB = { mediaType: 'x', digest: digestOf(CONFIG), size: CONFIG.length };

const MANIFEST = new TextEncoder().encode(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: BLOB,
    layers: [],
  }),
);

export const USER = 'learner';
/** With characters that a form and a header have to encode. */
export const PASSWORD = 'pä:ss&word=+%';

/** Serves a manifest for every tag, and one blob, to whoever `isAllowed`. */
export async function startRegistry(
  isAllowed: (request: AskedRequest) => boolean,
  challenge: (request: AskedRequest) => string | string[],
): Promise<RealServer> {
  return startServer((request, response) => {
    if (!isAllowed(request)) {
      const errors = [{ code: 'UNAUTHORIZED', message: 'authentication required' }];
      json(response, 401, { errors }, { 'WWW-Authenticate': challenge(request) });
    } else if (request.path === '/v2/') json(response, 200, {});
    else if (request.path.includes('/manifests/')) {
      response.writeHead(200, {
        'Content-Type': 'application/vnd.oci.image.manifest.v1+json',
        'Docker-Content-Digest': digestOf(MANIFEST),
      });
      response.end(MANIFEST);
    } else if (request.path.endsWith(`/blobs/${BLOB.digest}`)) response.end(CONFIG);
    else json(response, 404, { errors: [{ code: 'NAME_UNKNOWN', message: 'unknown' }] });
  });
}

export interface TokenService extends RealServer {
  /** Tokens given so far are good no longer. */
  expire(): void;
  isGood(authorization: string | undefined): boolean;
  /** What a token was given for, in order. */
  readonly given: readonly { readonly scopes: readonly string[]; readonly to: string }[];
}

export interface TokenServiceOptions {
  readonly anonymous?: boolean;
  /** Seconds that a token says it is good for. */
  readonly expiresIn?: number;
  /** Given in the password's place to who asks for it. */
  readonly identity?: string;
  /** The status of a GET, for services that know POST alone. */
  readonly get?: number;
  /** Resolves before a token is given. */
  readonly wait?: () => Promise<void>;
}

export async function startTokenService(options: TokenServiceOptions = {}): Promise<TokenService> {
  const good = new Set<string>();
  const given: { scopes: readonly string[]; to: string }[] = [];
  let count = 0;
  const server = await startServer(async (request, response) => {
    await options.wait?.();
    const who = request.method === 'POST' ? posted(request) : asked(request);
    if (who === undefined) refuse(response);
    else if (request.method === 'GET' && options.get !== undefined) json(response, options.get, {});
    else {
      count += 1;
      const token = `token-${count}`;
      good.add(`Bearer ${token}`);
      given.push(who);
      const more = {
        ...(options.expiresIn !== undefined && { expires_in: options.expiresIn }),
        ...(who.wantsIdentity && options.identity !== undefined && { refresh_token: options.identity }),
      };
      json(response, 200, { [request.method === 'POST' ? 'access_token' : 'token']: token, ...more });
    }
  });

  function asked(request: AskedRequest) {
    const { searchParams } = new URL(request.path, 'http://x');
    const { authorization } = request.headers;
    if (authorization === undefined && options.anonymous !== true) return undefined;
    if (authorization !== undefined && authorization !== basic(USER, PASSWORD)) return undefined;
    return {
      scopes: searchParams.getAll('scope'),
      to: authorization === undefined ? 'anybody' : (searchParams.get('account') ?? ''),
      wantsIdentity: searchParams.get('offline_token') === 'true',
    };
  }

  function posted(request: AskedRequest) {
    const form = new URLSearchParams(request.body);
    const isPassword =
      form.get('grant_type') === 'password' &&
      form.get('username') === USER &&
      form.get('password') === PASSWORD;
    const isIdentity =
      form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === options.identity;
    if (!isPassword && !isIdentity) return undefined;
    return {
      scopes: form.get('scope')?.split(' ') ?? [],
      to: isIdentity ? 'identity' : USER,
      wantsIdentity: form.get('access_type') === 'offline',
    };
  }

  return {
    ...server,
    given,
    expire: () => good.clear(),
    isGood: (authorization) => authorization !== undefined && good.has(authorization),
  };
}

function refuse(response: ServerResponse): void {
  json(response, 401, { details: 'incorrect username or password' });
}
