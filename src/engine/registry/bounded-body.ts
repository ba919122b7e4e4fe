/** Reading what an answer holds without trusting it to end. */

import { joinBytes } from '../archive/join-bytes.ts';
import { SizeMismatchError } from '../errors.ts';
import { cancelled, unreachable } from './request.ts';

interface BodyOptions {
  /** Bytes. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** All bytes of an answer's body; see `readStream`. */
export async function readBody(
  response: Response,
  request: { readonly url: string; readonly what: string },
  options: BodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return response.body === null ? new Uint8Array(0) : readStream(response.body, request, options);
}

/**
 * All bytes of a stream of at most `limit` bytes. Errors: SizeMismatch when there
 * are more (the rest is never fetched), RegistryUnreachable when the connection
 * breaks, Cancelled.
 */
export async function readStream(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  request: { readonly url: string; readonly what: string },
  options: BodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
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
  return joinBytes(chunks);
}
