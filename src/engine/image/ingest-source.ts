/** The compressed bytes of a layer as they arrive: counted, and stopped when there are too many. */

import { CancelledError, LayerboxError, RegistryUnreachableError, SizeMismatchError } from '../errors.ts';
import type { IngestRequest } from './layer-ingestor.ts';

/**
 * The chunks of a body, each handed to `onChunk` before it is given on, and good until the next is asked for. Throws
 * SizeMismatchError for more or fewer bytes than the descriptor promises,
 * RegistryUnreachableError when the connection breaks, CancelledError when the
 * signal is aborted. The body is cancelled when it is not read to its end.
 */
export async function* readBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  request: IngestRequest,
  signal: AbortSignal,
  onChunk: (chunk: Uint8Array<ArrayBuffer>, received: number) => Promise<void>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const { what, url, blob } = request;
  const reader = body.getReader();
  let received = 0;
  let isRead = false;
  // ends a read that waits for a network that says nothing
  const stop = () => {
    reader.cancel(signal.reason).catch(() => undefined);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) throw cancelled(what, signal.reason);
    for (;;) {
      const next = await reader.read().catch((cause: unknown) => {
        isRead = true;
        if (signal.aborted) throw cancelled(what, cause);
        if (cause instanceof LayerboxError) throw cause;
        throw new RegistryUnreachableError(
          `${what}: the connection to ${new URL(url).host} broke after ${received} of ${blob.size} bytes; try again`,
          { url, what, received, size: blob.size },
          { cause },
        );
      });
      if (signal.aborted) throw cancelled(what, signal.reason);
      if (next.done) break;
      received += next.value.length;
      if (received > blob.size) {
        throw new SizeMismatchError(
          `${what}: the registry sent at least ${bytes(received - blob.size)} more than the ${blob.size} its manifest promises`,
          { what, expected: blob.size, received },
        );
      }
      await onChunk(next.value, received);
      yield next.value;
    }
    isRead = true;
    if (received < blob.size) {
      throw new SizeMismatchError(
        `${what}: the download ended after ${bytes(received)} of the ${blob.size} its manifest promises; pull it again`,
        { what, expected: blob.size, received },
      );
    }
  } finally {
    signal.removeEventListener('abort', stop);
    if (!isRead) await reader.cancel().catch(() => undefined);
  }
}

/** The error of an ingest that its owner gave up. */
export function cancelled(what: string, cause: unknown): Error {
  return new CancelledError(`cancelled while fetching ${what}`, { what }, { cause });
}

function bytes(count: number): string {
  return count === 1 ? '1 byte' : `${count} bytes`;
}

/**
 * The first `length` bytes, fewer when there are no more, and all chunks from
 * the start. Giving up the chunks does not end the source: the rest of it may still be wanted.
 */
export async function peekStart(
  source: AsyncIterator<Uint8Array<ArrayBuffer>>,
  length: number,
): Promise<{ start: Uint8Array; chunks: AsyncGenerator<Uint8Array<ArrayBuffer>, void> }> {
  const peeked: Uint8Array<ArrayBuffer>[] = [];
  const start: number[] = [];
  while (start.length < length) {
    const next = await source.next();
    if (next.done === true) break;
    start.push(...next.value.subarray(0, length - start.length));
    // the next one may lie where this one does
    peeked.push(start.length < length ? next.value.slice() : next.value);
  }
  async function* chunks() {
    yield* peeked;
    for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
  }
  return { start: Uint8Array.from(start), chunks: chunks() };
}
