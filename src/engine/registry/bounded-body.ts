/** Reading what an answer holds without trusting it to end. */

import { joinBytes } from '../archive/join-bytes.ts';
import { LayerboxError, SizeMismatchError } from '../errors.ts';
import { broken, cancelled } from './request.ts';
import { readInTime } from './stalled-read.ts';

interface BodyOptions {
  /** Bytes. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Milliseconds without a byte after which the connection counts as broken; for a stream that does not see to that itself. */
  readonly stall?: number;
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
 * breaks or stalls, Cancelled; what the stream itself makes of its failure.
 */
export async function readStream(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  request: { readonly url: string; readonly what: string },
  options: BodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { stall } = options;
  const reader = stream.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for (;;) {
      const step = await (stall === undefined ? reader.read() : readInTime(reader.read(), stall));
      if (step.done) break;
      size += step.value.length;
      if (size > options.limit) break;
      chunks.push(step.value);
    }
  } catch (cause) {
    await reader.cancel(cause).catch(() => undefined); // of one that is broken already
    if (options.signal.aborted) throw cancelled(request.what, cause);
    if (cause instanceof LayerboxError) throw cause;
    throw broken(request, size, cause);
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
