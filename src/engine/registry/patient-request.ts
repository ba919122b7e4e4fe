/** A request that is made again when it fails in a way that may pass. */

import { RegistryUnreachableError } from '../errors.ts';
import { readBody } from './bounded-body.ts';
import { lineFailure, originOf, type RegistryRequest, type RequestOptions, sendRequest } from './request.ts';
import { isTemporary, PATIENT, type Patience, Retries, type RetryListener } from './retry.ts';

export interface PatientOptions extends RequestOptions {
  readonly patience?: Patience;
  readonly onRetry?: RetryListener;
  /**
   * Origins that have answered in this session. A first request that gets no
   * answer is not repeated: most likely the place does not allow web pages to
   * read it, which waiting does not mend.
   */
  readonly reached?: Set<string>;
  /** True: an answer that a page may not read is nothing unusual, and is not asked for again wherever it is from. */
  readonly mayBeUnreadable?: boolean;
}

/** An answer, and all bytes of its body when its status is 200; of others the body is still to be read. */
export interface WholeAnswer {
  readonly response: Response;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Repetitions of a request that gets no answer at all: what does not allow reading looks the same. */
const UNANSWERED = 2;

/**
 * The answer: one that is no refusal for the moment, or the last of those.
 * Errors: RegistryUnreachable, Cancelled.
 */
export function sendPatiently(request: RegistryRequest, options: PatientOptions): Promise<Response> {
  return patiently(request, options, async (response) => response);
}

/**
 * The same with what the answer holds, of at most `limit` bytes: one whose connection breaks before its end is
 * asked for again. Errors: those of `sendPatiently`; SizeMismatch.
 */
export function readPatiently(
  request: RegistryRequest,
  options: PatientOptions & { readonly limit: number },
): Promise<WholeAnswer> {
  const { limit, signal, patience: { stall } = PATIENT } = options;
  return patiently(request, options, async (response) => ({
    response,
    bytes:
      response.status === 200
        ? await readBody(response, request, { limit, signal, stall })
        : new Uint8Array(0),
  }));
}

async function patiently<T>(
  request: RegistryRequest,
  options: PatientOptions,
  take: (response: Response) => Promise<T>,
): Promise<T> {
  const { signal, reached, patience = PATIENT, onRetry } = options;
  const retries = new Retries(request, patience, onRetry);
  for (;;) {
    try {
      const response = await sendRequest(request, options, patience.stall);
      reached?.add(originOf(request.url));
      const { status } = response;
      if (!isTemporary(status)) return await take(response);
      if (!(await retries.wait({ status, response, reason: `it answered ${status}` }, signal)))
        return await take(response);
    } catch (error) {
      if (!(error instanceof RegistryUnreachableError)) throw error;
      const failure = lineFailure(error);
      if (failure === 'broken') {
        if (await retries.wait({ status: 0, reason: 'the connection broke' }, signal)) continue;
        throw error;
      }
      if (reached?.has(originOf(request.url)) !== true) throw error;
      if (failure === undefined && options.mayBeUnreadable === true) throw error;
      if (!(await retries.wait({ status: 0, reason: 'no answer' }, signal, UNANSWERED))) throw error;
    }
  }
}
