/**
 * One request to a registry, and what becomes of it when it gets no answer.
 * No cookies, no referrer, and nothing kept in the browser's own cache: what
 * is worth keeping is in the content store.
 *
 * Redirects are followed by the platform. It takes Authorization away when one
 * leads to another origin (Fetch standard, "HTTP-redirect fetch", step 13; in
 * Chromium since 119, and in Node 20), so that a token or password for a
 * registry does not come to the host that stores its blobs.
 */

import { CancelledError, RegistryUnreachableError } from '../errors.ts';

/** The standard's fetch, as far as registries need it. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** A request that was answered, or failed to be (status 0). */
export interface AnsweredRequest {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly milliseconds: number;
}

export type RequestListener = (request: AnsweredRequest) => void;

export interface RegistryRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Is not sent on to where a redirect leads, as it may hold a secret: the request fails. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** What is asked for, in words, for errors: `manifest of busybox:latest`. */
  readonly what: string;
}

export interface RequestOptions {
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
  readonly onRequest?: RequestListener;
}

/**
 * The answer, whatever its status. Errors: RegistryUnreachable when there is
 * none, also none within `stall` milliseconds; Cancelled when the signal was aborted.
 */
export async function sendRequest(
  request: RegistryRequest,
  options: RequestOptions,
  stall: number,
): Promise<Response> {
  // called without a receiver: a browser's fetch refuses any other `this` than its global
  const { fetch, signal } = options;
  const method = request.method ?? 'GET';
  const start = performance.now();
  const answered = (status: number) =>
    options.onRequest?.({ method, url: request.url, status, milliseconds: performance.now() - start });
  if (signal.aborted) throw cancelled(request.what, signal.reason);
  const silence = new AbortController();
  // an upload is answered once all of it has arrived and is stored, which may take any time
  const isUpload = request.body instanceof Uint8Array;
  const timer = isUpload ? undefined : setTimeout(() => silence.abort(new TypeError('no answer')), stall);
  try {
    const response = await fetch(request.url, {
      method,
      headers: { ...request.headers },
      // the body that follows ends with the signal, too
      signal: AbortSignal.any([signal, silence.signal]),
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      cache: 'no-store',
      // a body, unlike Authorization, goes along with a redirect of 307 or 308
      ...(request.body !== undefined && { body: request.body, redirect: 'error' as const }),
    });
    answered(response.status);
    return response;
  } catch (cause) {
    if (signal.aborted) throw cancelled(request.what, cause);
    answered(0);
    throw silence.signal.aborted ? silent(request, stall, cause) : unreachable(request, cause);
  } finally {
    clearTimeout(timer);
  }
}

/** The error of a request that its owner gave up. */
export function cancelled(what: string, cause: unknown): Error {
  return new CancelledError(`cancelled while fetching ${what}`, { what }, { cause });
}

/**
 * The error of a request that got no answer. A browser does not say why: a host
 * that is down, a refused connection and an answer without CORS headers look alike.
 */
export function unreachable(request: { url: string; what: string }, cause: unknown): Error {
  const origin = originOf(request.url);
  return new RegistryUnreachableError(
    `cannot reach ${origin} for ${request.what}: it is down, or it does not allow web pages to read its answers (CORS). ` +
      `Check that ${origin} answers, and that it sends Access-Control-Allow-Origin`,
    { url: request.url, what: request.what },
    { cause },
  );
}

/**
 * What keeps an answer from being read other than that there is none at all: with the first of the two it did
 * not come in time, with the other its body ended too early. In `data.failure` of RegistryUnreachable.
 */
export type LineFailure = 'silent' | 'broken';

/** The failure of the line that an error tells of; undefined for any other, and for a request without an answer. */
export function lineFailure(error: unknown): LineFailure | undefined {
  if (!(error instanceof RegistryUnreachableError)) return undefined;
  const { failure } = error.data;
  return failure === 'silent' || failure === 'broken' ? failure : undefined;
}

/** The error of a request that was not answered in time. A browser says at once when it may not read an answer. */
function silent(request: { url: string; what: string }, stall: number, cause: unknown): Error {
  const { url, what } = request;
  const failure: LineFailure = 'silent';
  const seconds = Math.ceil(stall / 1000);
  return new RegistryUnreachableError(
    `no answer from ${originOf(url)} for ${what} within ${seconds === 1 ? '1 second' : `${seconds} seconds`}: it is down or has too much to do; try again later`,
    { url, what, failure },
    { cause },
  );
}

/** The error of an answer whose connection broke, or brought nothing for long, after so many bytes of its body. */
export function broken(request: { url: string; what: string }, received: number, cause: unknown): Error {
  const { url, what } = request;
  const failure: LineFailure = 'broken';
  return new RegistryUnreachableError(
    `the connection to ${originOf(url)} broke after ${received === 1 ? '1 byte' : `${received} bytes`} of ${what}; try again`,
    { url, what, failure, received },
    { cause },
  );
}

/** The origin of a URL; what is none, as it is. */
export function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return url;
  }
}
