/** A request that is made again when it fails in a way that may pass. */

import { RegistryUnreachableError } from '../errors.ts';
import { originOf, type RegistryRequest, type RequestOptions, sendRequest } from './request.ts';
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
}

/** Repetitions of a request that gets no answer at all: what does not allow reading looks the same. */
const UNANSWERED = 2;

/**
 * The answer: one that is no refusal for the moment, or the last of those.
 * Errors: RegistryUnreachable, Cancelled.
 */
export async function sendPatiently(request: RegistryRequest, options: PatientOptions): Promise<Response> {
  const { signal, reached, patience = PATIENT, onRetry } = options;
  const retries = new Retries(request, patience, onRetry);
  for (;;) {
    try {
      const response = await sendRequest(request, options);
      reached?.add(originOf(request.url));
      const { status } = response;
      if (!isTemporary(status)) return response;
      if (!(await retries.wait({ status, response, reason: `it answered ${status}` }, signal)))
        return response;
    } catch (error) {
      if (!(error instanceof RegistryUnreachableError)) throw error;
      if (reached?.has(originOf(request.url)) !== true) throw error;
      if (!(await retries.wait({ status: 0, reason: 'no answer' }, signal, UNANSWERED))) throw error;
    }
  }
}
