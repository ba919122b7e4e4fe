/**
 * A service that gives out bearer tokens as the distribution project's "Token Authentication Specification" says:
 * JSON Web Tokens signed with ES256, which the real registry verifies with our certificate.
 */

import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';

/** CNCF Distribution believes a token for so long after its end, in seconds. */
const LEEWAY = 60;

export interface TokenRequest {
  readonly method: string;
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

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://token-service');
    const scopes = url.searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
    const account = accountOf(request.headers.authorization, options.accounts ?? {});
    const refused = account === 'wrong' || (account === undefined && !state.anonymous);
    const status = refused ? 401 : 200;
    requests.push({
      method: request.method ?? '',
      account: account === 'wrong' ? undefined : account?.name,
      scopes,
      status,
    });
    response.setHeader('Content-Type', 'application/json');
    response.statusCode = status;
    if (refused) {
      response.end(
        JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }),
      );
      return;
    }
    const now = Math.floor(Date.now() / 1000);
    const value = jwt({
      iss: state.issuer,
      sub: account?.name ?? '',
      aud: url.searchParams.get('service') ?? '',
      exp: now - LEEWAY + state.lifetime,
      nbf: now - LEEWAY,
      iat: now,
      jti: randomUUID(),
      access: scopes.map((scope) => granted(scope, account !== undefined)),
    });
    tokens.push(value);
    response.end(
      JSON.stringify({ [state.field]: value, ...(state.told !== undefined && { expires_in: state.told }) }),
    );
  });

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

function accountOf(
  header: string | undefined,
  accounts: Readonly<Record<string, string>>,
): { name: string } | 'wrong' | undefined {
  if (header === undefined) return undefined;
  const [, name = '', password] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(header.replace(/^Basic /i, ''), 'base64').toString()) ?? [];
  return password !== undefined && accounts[name] === password ? { name } : 'wrong';
}
