/**
 * When a request is made again: after answers that say "not now" (429, 500,
 * 502, 503, 504) and after connections that broke. Waits grow by doubling, with
 * jitter so that many readers do not come back at once, and never below what
 * Retry-After asks (RFC 9110, section 10.2.3). Tries and the time spent waiting
 * are bounded; aborting ends a wait at once.
 */

import { cancelled } from './request.ts';

/** How long to go on. Times in milliseconds. */
export interface Patience {
  /** Repetitions after the first try. */
  readonly retries: number;
  readonly firstWait: number;
  readonly longestWait: number;
  /** All waits for one thing together; a Retry-After beyond it is not waited for. */
  readonly totalWait: number;
  /** A body that brings no byte for this long is a broken connection. */
  readonly stall: number;
  /** Resolves after so long; rejects as soon as the signal is aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Since 1970. */
  readonly now: () => number;
}

export const PATIENT: Patience = {
  retries: 5,
  firstWait: 250,
  longestWait: 15_000,
  totalWait: 60_000,
  stall: 60_000,
  sleep,
  random: () => Math.random(),
  now: () => Date.now(),
};

/** Told before each wait. */
export interface Retry {
  readonly method: string;
  readonly url: string;
  /** 0: no answer, or a connection that broke. */
  readonly status: number;
  /** 1 for the first repetition. */
  readonly attempt: number;
  /** Milliseconds until the request is made again. */
  readonly wait: number;
  readonly reason: string;
}

export type RetryListener = (retry: Retry) => void;

/** What went wrong with a try. */
export interface Setback {
  readonly status: number;
  readonly reason: string;
  /** The answer, when there was one: given up, unread, when the request is to be made again. */
  readonly response?: Response;
}

const TEMPORARY: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** True for a status that may be another one when asked again. */
export function isTemporary(status: number): boolean {
  return TEMPORARY.has(status);
}

/** The tries of one thing. */
export class Retries {
  readonly #request: { readonly url: string; readonly method?: string; readonly what: string };
  readonly #patience: Patience;
  readonly #onRetry: RetryListener | undefined;
  #attempts = 0;
  #waited = 0;

  constructor(
    request: { readonly url: string; readonly method?: string; readonly what: string },
    patience: Patience,
    onRetry?: RetryListener,
  ) {
    this.#request = request;
    this.#patience = patience;
    this.#onRetry = onRetry;
  }

  /** Said when there was progress: what comes next is a new trouble. */
  reset(): void {
    this.#attempts = 0;
    this.#waited = 0;
  }

  /**
   * Waits, and is true when the request is to be made again; false, at once,
   * when patience is at its end. `most` bounds the repetitions further.
   * CancelledError when the signal is aborted.
   */
  async wait(setback: Setback, signal: AbortSignal, most = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { retries, firstWait, longestWait, totalWait, random, sleep, now } = this.#patience;
    const { what, url, method = 'GET' } = this.#request;
    if (signal.aborted) throw cancelled(what, signal.reason);
    if (this.#attempts >= Math.min(retries, most)) return false;
    const grown = Math.min(longestWait, firstWait * 2 ** this.#attempts);
    const asked = setback.response && retryAfter(setback.response.headers, now());
    const wait = Math.round(Math.max(grown / 2 + (random() * grown) / 2, asked ?? 0));
    if (this.#waited + wait > totalWait) return false;
    this.#attempts += 1;
    this.#waited += wait;
    this.#onRetry?.({
      method,
      url,
      status: setback.status,
      attempt: this.#attempts,
      wait,
      reason: setback.reason,
    });
    await setback.response?.body?.cancel().catch(() => undefined); // of a connection that is broken already
    try {
      await sleep(wait, signal);
    } catch (cause) {
      throw cancelled(what, cause);
    }
    return true;
  }
}

/**
 * The milliseconds that a Retry-After asks to wait, from seconds or from a date;
 * undefined when there is none that can be read. A date is compared with the
 * answer's own Date where that is readable: the reader's clock may be wrong.
 */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Date.parse takes much that is no HTTP date, as "5" for a month
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  const until = Date.parse(text);
  if (Number.isNaN(until)) return undefined;
  const answered = Date.parse(headers.get('date') ?? '');
  return Math.max(0, until - (Number.isNaN(answered) ? now : answered));
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      resolve();
    }, milliseconds);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
