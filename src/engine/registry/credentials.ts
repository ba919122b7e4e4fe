/**
 * Who the user is to each registry: in memory, for as long as the sandbox is
 * open; beyond that only what the user asked to keep, in a port of its own.
 */

import { Secret } from './secret.ts';

/**
 * `password`: for Basic, and for a token service. `identity`: a token that a
 * service gave in a password's place, good for tokens alone (distribution:
 * "OAuth2 Token Authentication", refresh_token).
 */
export interface Credential {
  readonly kind: 'password' | 'identity';
  readonly username: string;
  readonly secret: Secret;
}

/** Where credentials are kept that outlive the sandbox. Unencrypted: a browser has no place that is. */
export interface CredentialKeeper {
  read(server: string): Promise<Credential | undefined>;
  write(server: string, credential: Credential): Promise<void>;
  /** No error when there is none. */
  forget(server: string): Promise<void>;
}

/** By the registry's name, as references have it: `docker.io`, `localhost:5000`. */
export class Credentials {
  readonly #here = new Map<string, Credential>();
  readonly #keeper: CredentialKeeper | undefined;

  constructor(keeper?: CredentialKeeper) {
    this.#keeper = keeper;
  }

  async get(server: string): Promise<Credential | undefined> {
    const here = this.#here.get(server);
    if (here !== undefined || this.#keeper === undefined) return here;
    const kept = await this.#keeper.read(server);
    if (kept !== undefined) this.#here.set(server, kept);
    return kept;
  }

  /** What is not to be kept replaces what was, there too: the old one is no longer meant. */
  async set(server: string, credential: Credential, options: { readonly keep: boolean }): Promise<void> {
    if (options.keep) await this.#keeper?.write(server, credential);
    else await this.#keeper?.forget(server);
    this.#here.set(server, credential);
  }

  async forget(server: string): Promise<void> {
    this.#here.delete(server);
    await this.#keeper?.forget(server);
  }
}

/** The name that stands for an identity token in a password's place, as Docker's credential helpers have it. */
const TOKEN_USERNAME = '<token>';

/** What was typed, or kept, as a credential. */
export function passwordCredential(username: string, password: string): Credential {
  const kind = username === TOKEN_USERNAME ? 'identity' : 'password';
  return { kind, username, secret: new Secret(password) };
}

/** The value of an Authorization header (RFC 7617; the user name and password in UTF-8). */
export function basicAuthorization(credential: Credential): string {
  const bytes = new TextEncoder().encode(`${credential.username}:${credential.secret.reveal()}`);
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `Basic ${btoa(binary)}`;
}
