/** Reading what an answer holds without trusting it to end. */

import { SizeMismatchError } from '../errors.ts';
import { cancelled, unreachable } from './request.ts';

/**
 * All bytes of a body of at most `limit` bytes. Errors: SizeMismatch when there
 * are more (the rest is never fetched), RegistryUnreachable when the connection
 * breaks, Cancelled.
 */
export async function readBody(
  response: Response,
  request: { readonly url: string; readonly what: string },
  options: { readonly limit: number; readonly signal: AbortSignal },
): Promise<Uint8Array<ArrayBuffer>> {
  if (response.body === null) return new Uint8Array(0);
  const reader = response.body.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for (;;) {
      const step = await reader.read();
      if (step.done) break;
      size += step.value.length;
      if (size > options.limit) break;
      chunks.push(step.value);
    }
  } catch (cause) {
    if (options.signal.aborted) throw cancelled(request.what, cause);
    throw unreachable(request, cause);
  }
  if (size > options.limit) {
    await reader.cancel();
    throw new SizeMismatchError(
      `${request.what} is larger than the ${options.limit} bytes that are allowed for it`,
      { url: request.url, what: request.what, limit: options.limit },
    );
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
