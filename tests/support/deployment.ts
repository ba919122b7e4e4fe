/** The configurations of `deploy/`, started as they are: CNCF Distribution behind nginx, with what each needs. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { type Nginx, startNginx } from './nginx.ts';
import { type Registry, type ServedRegistry, serveRegistry } from './registry.ts';
import { run } from './run.ts';
import { startTokenService, type TokenService } from './token-service.ts';

export interface Deployment extends Nginx {
  /** The registry itself, past nginx. */
  readonly direct: ServedRegistry;
}

export type Accounts = Readonly<Record<string, string>>;

/** Anybody reads. */
export const startPlain = () => deploy('plain', {});

/** A cache of another registry. */
export const startCache = (upstream: Registry) =>
  deploy('cache', { REGISTRY_PROXY_REMOTEURL: `http://${upstream.host}` });

/** Names and passwords; `pushes` with those of the first account. */
export async function startBasic(accounts: Accounts): Promise<Deployment> {
  const folder = await mkdtemp(join(tmpdir(), 'layerbox-htpasswd-'));
  const lines = await Promise.all(
    Object.entries(accounts).map(async ([name, password]) => `${name}:${await bcrypt(password)}\n`),
  );
  const file = join(folder, 'htpasswd');
  await writeFile(file, lines.join(''));
  const deployment = await deploy('basic', { REGISTRY_AUTH_HTPASSWD_PATH: file });
  return { ...deployment, close: () => deployment.close().then(() => rm(folder, { recursive: true })) };
}

/** Tokens of a service of ours, by way of nginx. */
export async function startBearer(accounts: Accounts = {}): Promise<Deployment & { tokens: TokenService }> {
  const tokens = await startTokenService({ accounts });
  const port = await freePort();
  const deployment = await startBearerFor(tokens, `http://127.0.0.1:${port}/token`, port);
  return { ...deployment, tokens, close: () => deployment.close().then(() => tokens.close()) };
}

/** Tokens of this service, which the registry says is to be found at `realm`. */
export const startBearerFor = (tokens: TokenService, realm: string, port?: number): Promise<Deployment> =>
  deploy(
    'bearer',
    {
      REGISTRY_AUTH_TOKEN_REALM: realm,
      REGISTRY_AUTH_TOKEN_SERVICE: tokens.service,
      REGISTRY_AUTH_TOKEN_ISSUER: tokens.issuer,
      REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE: tokens.certificate,
    },
    { ...(port !== undefined && { port }), tokenService: tokens.host },
  );

async function deploy(
  kind: 'plain' | 'cache' | 'basic' | 'bearer',
  environment: Readonly<Record<string, string>>,
  place: { port?: number; tokenService?: string } = {},
): Promise<Deployment> {
  const direct = await serveRegistry(join('deploy/registry', `${kind}.yml`), environment);
  const nginx = await startNginx(kind, { ...place, registry: direct.host });
  return {
    ...nginx,
    direct,
    close: async () => {
      await nginx.close();
      await direct.close();
    },
  };
}

/** The one kind of hash that Distribution reads; libcrypt makes it, through Perl, which every Debian has. */
async function bcrypt(password: string): Promise<string> {
  const salt = '$2y$04$abcdefghijklmnopqrstuu';
  return run('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, salt]);
}
