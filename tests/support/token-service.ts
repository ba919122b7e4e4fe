/**
 * A service that gives out bearer tokens as the distribution project's "Token Authentication Specification" says:
 * JSON Web Tokens signed with ES256, which the real registry verifies with our certificate.
 */

import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { run } from './run.ts';

/** CNCF Distribution believes a token for so long after its end, in seconds. */
const LEEWAY = 60;

export interface TokenRequest {
  readonly method: string;
  /** How the account was shown. */
  readonly by: 'nothing' | 'password' | 'identity';
  /** The account whose password came with it. */
  readonly account: string | undefined;
  readonly scopes: readonly string[];
  readonly status: number;
}

export interface TokenService {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly service: string;
  readonly issuer: string;
  /** File of the certificate, for `rootcertbundle`. */
  readonly certificate: string;
  readonly requests: TokenRequest[];
  /** What was given out. */
  readonly tokens: string[];
  /** Seconds for which the registry will believe the next tokens; what the answer tells is in `told`. */
  lifetime: number;
  /** `expires_in` of the answers, in seconds; undefined leaves it out. */
  told: number | undefined;
  /** `access_token` in place of `token`. */
  field: 'token' | 'access_token';
  /** Whether there are tokens for who has no account. */
  anonymous: boolean;
  /** Whether who asks for one gets a token in the password's place, too. */
  offline: boolean;
  close(): Promise<void>;
}

export interface TokenServiceOptions {
  /** Names and their passwords. */
  readonly accounts?: Readonly<Record<string, string>>;
}

export async function startTokenService(options: TokenServiceOptions = {}): Promise<TokenService> {
  const folder = await mkdtemp(join(tmpdir(), 'layerbox-token-'));
  const certificate = join(folder, 'token.crt');
  const keyFile = join(folder, 'token.key');
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=token-service', '-keyout', keyFile, '-out', certificate],
  ]);
  const key = createPrivateKey(await readFile(keyFile));
  const chain = new X509Certificate(await readFile(certificate)).raw.toString('base64');
  const requests: TokenRequest[] = [];
  const tokens: string[] = [];

  /** By the token that stands for a password. */
  const identities = new Map<string, string>();

  const server = createServer((request, response) => {
    text(request)
      .then((body) => answer(request, body, response))
      .catch((error) => response.destroy(error));
  });

  /** GET with Basic; POST with the fields of OAuth2. */
  function accountOf(
    request: IncomingMessage,
    form: URLSearchParams,
  ): { by: TokenRequest['by']; name?: string } {
    const { authorization } = request.headers;
    if (form.has('refresh_token')) {
      const name = identities.get(form.get('refresh_token') ?? '');
      return { by: 'identity', ...(name !== undefined && { name }) };
    }
    const basic = Buffer.from(authorization?.replace(/^Basic /i, '') ?? '', 'base64').toString();
    const [, user, word] = /^([^:]*):(.*)$/s.exec(basic) ?? [];
    const name = form.get('username') ?? user;
    const password = form.get('password') ?? word;
    if (authorization === undefined && name === undefined) return { by: 'nothing' };
    const isRight = name !== undefined && password !== undefined && options.accounts?.[name] === password;
    return { by: 'password', ...(isRight && { name }) };
  }

  function answer(request: IncomingMessage, body: string, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://token-service');
    const form = new URLSearchParams(body);
    const asked = request.method === 'POST' ? form : url.searchParams;
    const scopes = asked.getAll('scope').flatMap((scope) => scope.split(' '));
    const { by, name } = accountOf(request, form);
    const isRefused = by === 'nothing' ? !state.anonymous : name === undefined;
    const status = isRefused ? 401 : 200;
    requests.push({ method: request.method ?? '', by, account: name, scopes, status });
    response.setHeader('Content-Type', 'application/json');
    response.statusCode = status;
    if (isRefused) {
      response.end(
        JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }] }),
      );
      return;
    }
    const now = Math.floor(Date.now() / 1000);
    const value = jwt({
      iss: state.issuer,
      sub: name ?? '',
      aud: asked.get('service') ?? '',
      exp: now - LEEWAY + state.lifetime,
      nbf: now - LEEWAY,
      iat: now,
      jti: randomUUID(),
      access: scopes.map((scope) => granted(scope, name !== undefined)),
    });
    tokens.push(value);
    const identity = state.offline && name !== undefined && isOffline(asked) ? randomUUID() : undefined;
    if (identity !== undefined && name !== undefined) identities.set(identity, name);
    response.end(
      JSON.stringify({
        [state.field]: value,
        ...(state.told !== undefined && { expires_in: state.told }),
        ...(identity !== undefined && { refresh_token: identity }),
      }),
    );
  }

  function jwt(claims: object): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ typ: 'JWT', alg: 'ES256', x5c: [chain] })}.${part(claims)}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  const state: TokenService = {
    host: `127.0.0.1:${address.port}`,
    service: 'registry of the tests',
    issuer: 'token-service',
    certificate,
    requests,
    tokens,
    lifetime: 300,
    told: 300,
    field: 'token',
    anonymous: true,
    offline: false,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
  return state;
}

/** `repository:test/busybox:pull,push`; who has no account may only pull, and nobody what is called private. */
function granted(scope: string, hasAccount: boolean) {
  const match = /^([^:]+):(.+):([^:]*)$/.exec(scope);
  const [, type = '', name = '', actions = ''] = match ?? [];
  const asked = actions.split(',').filter((action) => action !== '');
  const allowed = hasAccount
    ? asked
    : asked.filter((action) => action === 'pull' && !name.startsWith('private/'));
  return { type, name, actions: allowed };
}

function isOffline(asked: URLSearchParams): boolean {
  return asked.get('offline_token') === 'true' || asked.get('access_type') === 'offline';
}
