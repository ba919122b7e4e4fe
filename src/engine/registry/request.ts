/**
 * One request to a registry, and what becomes of it when it gets no answer.
 * No cookies, no referrer, and nothing kept in the browser's own cache: what
 * is worth keeping is in the content store.
 */

import { CancelledError, RegistryUnreachableError } from '../errors.ts';

/** The standard's fetch, as far as registries need it. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Told of each request that was answered, or failed to be (status 0). */
export type RequestListener = (request: {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly milliseconds: number;
}) => void;

export interface RegistryRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
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
 * none, Cancelled when the signal was aborted.
 */
export async function sendRequest(request: RegistryRequest, options: RequestOptions): Promise<Response> {
  // called without a receiver: a browser's fetch refuses any other `this` than its global
  const { fetch, signal } = options;
  const method = request.method ?? 'GET';
  const start = performance.now();
  const answered = (status: number) =>
    options.onRequest?.({ method, url: request.url, status, milliseconds: performance.now() - start });
  if (signal.aborted) throw cancelled(request.what, signal.reason);
  try {
    const response = await fetch(request.url, {
      method,
      headers: { ...request.headers },
      signal,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      cache: 'no-store',
    });
    answered(response.status);
    return response;
  } catch (cause) {
    if (signal.aborted) throw cancelled(request.what, cause);
    answered(0);
    throw unreachable(request, cause);
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

function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return url;
  }
}
