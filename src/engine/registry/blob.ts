/** Opening a blob's bytes (distribution-spec, "Pulling blobs"; image-layout.md, "Blobs"). */

import { embeddedBytes } from './embedded.ts';
import type { RegistryRequest, RequestOptions } from './request.ts';
import { ResumableBody } from './resumable-body.ts';
import type { Patience, RetryListener } from './retry.ts';

export interface BlobRequest extends RegistryRequest {
  readonly method?: 'GET';
  /** The descriptor's size in bytes, when it is known. */
  readonly size?: number;
  /** A part of the blob, in bytes; `end` exclusive. All of it when absent. */
  readonly range?: { readonly start: number; readonly end: number };
  /**
   * Bytes to ask for at a time, of a blob whose size is known: between two parts it can be held without any more of it
   * being on its way. For servers that give parts; others send all of it.
   */
  readonly piece?: number | undefined;
  /** The descriptor's `data`: base64 of the blob itself, which is then not fetched. */
  readonly embedded?: string | undefined;
}

/** A 401, as far as its reader may need it: the headers of the answer, and what was sent. */
export interface RefusedRequest {
  /** WWW-Authenticate; null when the answer has none that may be read. */
  readonly challenge: string | null;
  /** The Authorization that was sent. */
  readonly sent?: string;
  /** 1 for the first 401 of a connection, 2 when what was had after that is refused as well. */
  readonly attempt: number;
}

/**
 * Headers that are good now: asked for before a connection is made anew, and
 * after a 401. Undefined when there are none that would do better.
 */
export type RenewHeaders = (
  refused: RefusedRequest | undefined,
) => Promise<Readonly<Record<string, string>> | undefined>;

export interface BlobOptions extends RequestOptions {
  readonly renew?: RenewHeaders | undefined;
  readonly onRetry?: RetryListener | undefined;
  readonly patience?: Patience | undefined;
  /** Awaited before more of the body is read: who needs the line more goes first. */
  readonly hold?: (() => Promise<void> | undefined) | undefined;
  /** True: a chunk is good until the next is asked for, as its memory is filled again. */
  readonly reuses?: boolean;
}

/**
 * The body of a blob, unverified: the reader checks size and digest. A
 * connection that breaks, stalls, or ends early without saying so is made anew
 * where it broke, so that the reader sees one stream. Errors, of the opening
 * and of the stream: RegistryUnreachable, BlobUnknown (404, or a static host's
 * page for what it does not have), RegistryDenied (401, 403), RegistryResponse,
 * InvalidDocument (embedded data that is no base64), Cancelled.
 *
 * When patience is at its end the stream fails with the platform's own error:
 * `broken` of request.ts makes a RegistryUnreachable of it.
 */
export async function openBlob(
  request: BlobRequest,
  options: BlobOptions,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  if (request.embedded !== undefined) return embeddedStream(request, request.embedded);
  const body = await ResumableBody.open(request, options);
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        const chunk = await body.next();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: (reason) => body.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function embeddedStream(request: BlobRequest, data: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { start = 0, end = undefined } = request.range ?? {};
  const bytes = embeddedBytes(data, request.what).slice(start, end);
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}
