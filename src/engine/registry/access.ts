/**
 * What one registry wants to see of who asks, learnt from its challenges (RFC
 * 9110, section 11) and shared by all who read from it: nothing is sent until
 * it asks, and from then on what it asked for goes along at once.
 */

import { RegistryDeniedError } from '../errors.ts';
import type { RefusedRequest } from './blob.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, type Credential } from './credentials.ts';
import { isLoopback } from './loopback.ts';
import { type PatientOptions, readPatiently, sendPatiently, type WholeAnswer } from './patient-request.ts';
import { cancelled, type RegistryRequest } from './request.ts';
import { PATIENT } from './retry.ts';
import { mergeScopes } from './scope.ts';
import { SharedWork } from './shared-work.ts';
import { fetchToken, hasRealm, type Token } from './token.ts';

export type AccessSurroundings = Omit<PatientOptions, 'signal' | 'mayBeUnreadable'> & {
  readonly now: () => number;
};

export interface AccessOptions extends AccessSurroundings {
  /** The registry's address: `https://registry.example`, without /v2. */
  readonly base: string;
  /** Its name to its user, for messages and `docker login`: `localhost:5000`. */
  readonly server: string;
  readonly credential: () => Promise<Credential | undefined>;
}

/** What a request is for. */
export interface Purpose {
  /** What a token must allow (scope.ts); '' for the registry as a whole. */
  readonly scope: string;
  /** In words: `busybox`. */
  readonly what: string;
  readonly signal: AbortSignal;
}

interface SendOptions {
  readonly mayBeUnreadable?: boolean;
  readonly once?: boolean;
}

type Ask<T> = (request: RegistryRequest, options: PatientOptions) => Promise<T>;

type Headers = Readonly<Record<string, string>>;

/** Token services of one answer that are asked, the first ones. */
const SERVICES = 3;
/** Tries of one request: without anything or with an old token, with one of each service, with the password. */
const TRIES = 2 + SERVICES;
/** Tokens that are remembered: a scope each. */
const TOKENS = 200;

export class RegistryAccess {
  readonly #options: AccessOptions;
  /** The challenge that was answered last, and well as far as is known. */
  #challenge: Challenge | undefined;
  /** What it was chosen from, best first. */
  #offered: readonly Challenge[] = [];
  /** By what tells its challenge from others, and scope; with the scopes of the challenge it was got for. */
  readonly #tokens = new Map<string, Token>();
  readonly #fetching = new Map<string, SharedWork<Token>>();
  /** What a challenge asked for beyond what we would have, by our scope. */
  readonly #wanted = new Map<string, string>();
  #probing: SharedWork<Challenge | undefined> | undefined;
  #isProbed = false;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /**
   * What to send along. Nothing for a registry that has not asked; but one that
   * the user has logged in to is asked for its challenge first, as it may show
   * others less than what is there. Errors: those of `fetchToken`.
   */
  async headers(purpose: Purpose): Promise<Headers> {
    const credential = await this.#credential();
    if (this.#challenge === undefined && credential !== undefined && !this.#isProbed) {
      await this.probe(purpose);
    }
    if (this.#challenge === undefined) return {};
    for (;;) {
      const challenge: Challenge = this.#challenge;
      try {
        return await this.#answer(challenge, credential, purpose);
      } catch (error) {
        const other = this.#offered[this.#offered.indexOf(challenge) + 1];
        if (other === undefined || !(error instanceof RegistryDeniedError)) throw error;
        this.#challenge = other;
      }
    }
  }

  /**
   * What to send after a 401; undefined when nothing would do better. `tried`
   * holds what was answered for this request already (`nameOf`). Errors: those
   * of `fetchToken`; RegistryDenied when the challenge cannot be read.
   */
  async renew(refused: RefusedRequest, tried: Set<string>, purpose: Purpose): Promise<Headers | undefined> {
    if (refused.challenge === null) throw this.#unreadable(purpose);
    const credential = await this.#credential();
    const key = this.#challenge === undefined ? '' : keyOf(this.#challenge, purpose);
    const current = this.#tokens.get(key);
    if (current !== undefined && this.#challenge !== undefined) {
      // somebody else was refused before, and has a new one
      const isOther = refused.sent !== bearer(current) && !tried.has(nameOf(this.#challenge));
      if (isOther && !this.#isStale(current)) return { Authorization: bearer(current) };
      this.#tokens.delete(key);
    }
    let failure: unknown;
    this.#offered = answerable(parseChallenges(refused.challenge), credential);
    for (const challenge of this.#offered) {
      if (tried.has(nameOf(challenge))) continue;
      tried.add(nameOf(challenge));
      this.#remember(challenge, purpose.scope);
      try {
        const headers = await this.#answer(challenge, credential, purpose);
        if (headers.Authorization !== refused.sent) return headers;
      } catch (error) {
        if (!(error instanceof RegistryDeniedError)) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }

  /**
   * The answer to a request of this registry, with what it wants to see. The
   * last 401 when nothing helps. `mayBeUnreadable`: an answer that a page may
   * not read is nothing unusual, and is not asked for again. `once`: whatever fails is not asked for again either,
   * as with what must not be sent twice. Errors: as `renew`; RegistryUnreachable, Cancelled.
   */
  async send(request: RegistryRequest, purpose: Purpose, options: SendOptions = {}): Promise<Response> {
    const ask: Ask<{ response: Response }> = async (...asked) => ({
      response: await sendPatiently(...asked),
    });
    return (await this.#send(request, purpose, options, ask)).response;
  }

  /**
   * The answer with all that it holds, of at most `limit` bytes; see `readPatiently`. Errors: as `send`; SizeMismatch.
   */
  read(
    request: RegistryRequest,
    purpose: Purpose,
    options: { readonly limit: number; readonly mayBeUnreadable?: boolean },
  ): Promise<WholeAnswer> {
    const { limit } = options;
    return this.#send(request, purpose, options, (asked, patient) =>
      readPatiently(asked, { ...patient, limit }),
    );
  }

  async #send<T extends { readonly response: Response }>(
    request: RegistryRequest,
    purpose: Purpose,
    options: SendOptions,
    ask: Ask<T>,
  ): Promise<T> {
    const { mayBeUnreadable = false, once = false } = options;
    const patient = {
      ...this.#options,
      ...(once && { patience: { ...(this.#options.patience ?? PATIENT), retries: 0 } }),
      signal: purpose.signal,
      mayBeUnreadable,
    };
    const tried = new Set<string>();
    let headers = await this.headers(purpose);
    for (let attempt = 1; ; attempt++) {
      const answer = await ask({ ...request, headers: { ...request.headers, ...headers } }, patient);
      const { response } = answer;
      if (response.status !== 401 || attempt === TRIES) return answer;
      const sent = headers.Authorization;
      const challenge = response.headers.get('www-authenticate');
      const refused = { challenge, attempt, ...(sent !== undefined && { sent }) };
      const better = await this.renew(refused, tried, purpose);
      if (better === undefined) return answer;
      await response.body?.cancel();
      headers = better;
    }
  }

  /** True when requests carry Authorization, so that a page asks leave for them in any case. */
  get isChallenged(): boolean {
    return this.#challenge !== undefined;
  }

  async #credential(): Promise<Credential | undefined> {
    const credential = await this.#options.credential();
    if (credential === undefined) return undefined;
    const { base, server } = this.#options;
    const { protocol, hostname, origin } = new URL(base);
    if (protocol === 'https:' || isLoopback(hostname)) return credential;
    throw new RegistryDeniedError(
      `the password for ${server} is not sent to ${origin}, which is not encrypted: use an https address, or docker logout ${server}`,
      { registry: origin },
    );
  }

  /**
   * Asks for the challenge as Docker does (distribution-spec, "Determining
   * Support"), and returns the one that will be answered: one question for all who come while it is under way. What it
   * cannot learn, requests will. Errors: Cancelled.
   */
  async probe(purpose: Purpose): Promise<Challenge | undefined> {
    if (this.#probing === undefined || this.#probing.isOver) {
      this.#probing = new SharedWork((signal) => this.#askForChallenge(signal));
    }
    try {
      return await this.#probing.join(purpose.signal);
    } catch (error) {
      if (purpose.signal.aborted) throw cancelled(`registry ${this.#options.server}`, error);
      throw error;
    }
  }

  async #askForChallenge(signal: AbortSignal): Promise<Challenge | undefined> {
    const { base, server } = this.#options;
    const request = { url: `${base}/v2/`, what: `registry ${server}` };
    const response = await sendPatiently(request, { ...this.#options, signal }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return undefined;
    });
    this.#isProbed = true;
    await response?.body?.cancel();
    const header = response?.headers.get('www-authenticate') ?? null;
    if (response?.status !== 401 || header === null) return undefined;
    this.#offered = answerable(parseChallenges(header), await this.#credential());
    const [best] = this.#offered;
    // the scope of this one is for no repository
    if (best !== undefined) this.#challenge = best;
    return best;
  }

  #remember(challenge: Challenge, scope: string): void {
    this.#challenge = challenge;
    const wanted = challenge.parameters.get('scope');
    if (wanted === undefined || wanted.length > 4096) return;
    if (this.#wanted.size >= TOKENS) this.#wanted.clear();
    this.#wanted.set(scope, wanted);
  }

  async #answer(
    challenge: Challenge,
    credential: Credential | undefined,
    purpose: Purpose,
  ): Promise<Headers> {
    if (challenge.scheme === 'basic') {
      return credential === undefined ? {} : { Authorization: basicAuthorization(credential) };
    }
    const key = keyOf(challenge, purpose);
    const known = this.#tokens.get(key);
    if (known !== undefined && !this.#isStale(known)) return { Authorization: bearer(known) };
    const running = this.#fetching.get(key);
    const fetching =
      running === undefined || running.isOver
        ? new SharedWork((signal) => this.#fetchToken(challenge, credential, { ...purpose, signal }))
        : running;
    this.#fetching.set(key, fetching);
    try {
      return { Authorization: bearer(await fetching.join(purpose.signal)) };
    } catch (error) {
      if (purpose.signal.aborted) throw cancelled(`a token for ${purpose.what}`, error);
      throw error;
    } finally {
      if (fetching.isOver && this.#fetching.get(key) === fetching) this.#fetching.delete(key);
    }
  }

  async #fetchToken(
    challenge: Challenge,
    credential: Credential | undefined,
    purpose: Purpose,
  ): Promise<Token> {
    const { scope, what, signal } = purpose;
    const token = await fetchToken(
      challenge,
      {
        registry: new URL(this.#options.base).origin,
        scopes: mergeScopes(scope, this.#wanted.get(scope) ?? ''),
        what,
        credential,
      },
      { ...this.#options, signal },
    );
    if (this.#tokens.size >= TOKENS) this.#tokens.clear();
    this.#tokens.set(keyOf(challenge, purpose), token);
    return token;
  }

  #isStale(token: Token): boolean {
    return token.expiresAt <= this.#options.now();
  }

  #unreadable(purpose: Purpose): Error {
    const { base } = this.#options;
    return new RegistryDeniedError(
      `${new URL(base).host} asks for a token for ${purpose.what} but does not say where to get one: it must name WWW-Authenticate in Access-Control-Expose-Headers`,
      { url: base, status: 401 },
    );
  }
}

/**
 * The challenges that can be answered, best first: a token is for one thing and
 * a short time, so that it goes before a password; Basic only for who has one.
 */
function answerable(
  challenges: readonly Challenge[],
  credential: Credential | undefined,
): readonly Challenge[] {
  const bearers = challenges.filter(({ scheme }) => scheme === 'bearer');
  const usable = bearers.filter(hasRealm);
  const basics = challenges.filter(({ scheme }) => scheme === 'basic' && credential?.kind === 'password');
  // with none that can be asked, the first says what is wrong with it
  if (usable.length === 0) return [...bearers.slice(0, 1), ...basics.slice(0, 1)];
  return [...usable.slice(0, SERVICES), ...basics.slice(0, 1)];
}

/** What tells one challenge from another: each token service counts for itself. */
function nameOf({ scheme, parameters }: Challenge): string {
  return scheme === 'bearer' ? `bearer ${parameters.get('realm') ?? ''}` : scheme;
}

function keyOf(challenge: Challenge, { scope }: Purpose): string {
  return `${nameOf(challenge)} ${scope}`;
}

function bearer(token: Token): string {
  return `Bearer ${token.value.reveal()}`;
}
