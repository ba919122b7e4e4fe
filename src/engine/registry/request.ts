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
      // a body, unlike Authorization, goes along with a redirect of 307 or 308
      ...(request.body !== undefined && { body: request.body, redirect: 'error' as const }),
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

/** The origin of a URL; what is none, as it is. */
export function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return url;
  }
}
