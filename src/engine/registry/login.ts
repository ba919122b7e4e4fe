/** Showing a credential to a registry before it is believed to be good, as `docker login` does. */

import { LoginFailedError, RegistryDeniedError } from '../errors.ts';
import { type AccessSurroundings, RegistryAccess } from './access.ts';
import type { Credential } from './credentials.ts';
import { refusal } from './refusal.ts';
import { fetchToken } from './token.ts';

export interface LoginPlace extends AccessSurroundings {
  readonly base: string;
  readonly server: string;
  readonly signal: AbortSignal;
}

/**
 * The credential, good as far as the registry can tell; or the identity token
 * that its token service gave in its place. A registry that asks nobody takes
 * every credential, as with Docker. Errors: LoginFailed, RegistryUnreachable,
 * RegistryDenied for a place that no credential is sent to, RegistryResponse, Cancelled.
 */
export async function checkCredential(credential: Credential, place: LoginPlace): Promise<Credential> {
  const { base, server, signal } = place;
  let identity: Credential | undefined;
  const access = new RegistryAccess({
    ...place,
    credential: async () => identity ?? credential,
  });
  const url = `${base}/v2/`;
  const purpose = { scope: '', what: `registry ${server}`, signal };
  const request = { url, what: `registry ${server}` };
  try {
    const challenge = await access.probe(purpose);
    if (challenge?.scheme === 'bearer' && credential.kind === 'password') {
      const wish = { registry: new URL(base).origin, scopes: [], what: server, credential, offline: true };
      const token = await fetchToken(challenge, wish, place);
      if (token.identity !== undefined) {
        identity = { kind: 'identity', username: credential.username, secret: token.identity };
      }
    }
    const response = await access.send(request, purpose);
    if (response.status === 200) {
      await response.body?.cancel();
      return identity ?? credential;
    }
    if (response.status !== 401 && response.status !== 403) throw await refusal(response, request, 'list');
    await response.body?.cancel();
    const words = response.status === 401 ? '401 Unauthorized' : '403 Forbidden';
    throw new LoginFailedError(`login attempt to ${url} failed with status: ${words}`, {
      server,
      status: response.status,
    });
  } catch (error) {
    // the refusal of a token service; of other denials the password is not the reason
    if (!(error instanceof RegistryDeniedError) || typeof error.data.what !== 'string') throw error;
    const said = typeof error.data.said === 'string' ? error.data.said : 'incorrect username or password';
    throw new LoginFailedError(
      `Get ${JSON.stringify(url)}: unauthorized: ${said}`,
      { server, ...(typeof error.data.status === 'number' && { status: error.data.status }) },
      { cause: error },
    );
  }
}
