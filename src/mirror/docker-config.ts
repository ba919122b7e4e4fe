/** The accounts in Docker's own configuration (docker/cli, config.json): read, never written. */

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InvalidDocumentError } from '../engine/errors.ts';
import { type Field, parseDocument } from '../engine/oci/document.ts';
import { type Credential, passwordCredential } from '../engine/registry/credentials.ts';
import { Secret } from '../engine/registry/secret.ts';
import { onDisk } from './verified-file.ts';

export interface DockerAccounts {
  /** By the registry's name, as references have it. */
  readonly accounts: ReadonlyMap<string, Credential>;
  /** Why the account that Docker has for this registry can't be used, or undefined when it has none. */
  unusable(registry: string): string | undefined;
}

const LIMIT = 4 * 1024 * 1024;
/** Under which Docker keeps the account of Docker Hub. */
const HUB_KEYS = new Set(['index.docker.io', 'registry-1.docker.io', 'docker.io']);

/** `$DOCKER_CONFIG/config.json`, or the one in the home. */
export function dockerConfigPath(env: NodeJS.ProcessEnv): string {
  return join(env.DOCKER_CONFIG ?? join(homedir(), '.docker'), 'config.json');
}

/** The accounts that this file holds in itself; none when it is not there. InvalidDocumentError naming the field. */
export async function readDockerAccounts(path: string): Promise<DockerAccounts> {
  const bytes = await onDisk(path, () =>
    readFile(path).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }),
  );
  if (bytes === undefined) return { accounts: new Map(), unusable: () => undefined };
  return dockerAccounts(parseDocument(bytes, path, LIMIT));
}

function dockerAccounts(root: Field): DockerAccounts {
  const accounts = new Map<string, Credential>();
  const known = new Set<string>();
  const auths = root.optional('auths');
  for (const [key] of auths?.members() ?? []) {
    const entry = auths?.optional(key);
    if (entry === undefined) continue;
    known.add(registryOf(key));
    const account = accountOf(entry);
    if (account !== undefined) accounts.set(registryOf(key), account);
  }
  const store = root.optional('credsStore')?.string();
  const helpers = new Map(
    Object.entries(root.optional('credHelpers')?.stringMap() ?? {}).map(([key, helper]) => [
      registryOf(key),
      helper,
    ]),
  );
  return {
    accounts,
    unusable: (registry) => {
      if (accounts.has(registry)) return undefined;
      const helper = helpers.get(registry) ?? (known.has(registry) ? store : undefined);
      if (helper !== undefined)
        return `Docker keeps its account for ${registry} with docker-credential-${helper}, which is not asked`;
      return known.has(registry) ? `Docker's config.json names ${registry} without a password` : undefined;
    },
  };
}

/**
 * From `identitytoken`, which a token service gave in the password's place; from `auth`, base64 of `user:password`; or
 * from `username` and `password`. Undefined for one that is kept elsewhere.
 */
function accountOf(entry: Field): Credential | undefined {
  const text = (name: string) => entry.optional(name)?.string() ?? '';
  const auth = Buffer.from(text('auth'), 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = auth.indexOf(':');
  if (text('auth') !== '' && colon < 1) {
    // never what it is: it is a secret
    throw new InvalidDocumentError(
      `${entry.what} is invalid: ${entry.path}.auth must be base64 of user:password`,
      { what: entry.what, field: `${entry.path}.auth` },
    );
  }
  const username = colon < 1 ? text('username') : auth.slice(0, colon);
  const password = colon < 1 ? text('password') : auth.slice(colon + 1);
  const identity = text('identitytoken');
  if (identity !== '') return { kind: 'identity', username, secret: new Secret(identity) };
  return username === '' || password === '' ? undefined : passwordCredential(username, password);
}

/** Keys are hosts, and from old days URLs: `https://index.docker.io/v1/`. */
function registryOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/s, '');
  return HUB_KEYS.has(host) ? 'docker.io' : host;
}
