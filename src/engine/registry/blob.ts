/** Opening a blob's bytes (distribution-spec, "Pulling blobs"; image-layout.md, "Blobs"). */

import { BlobUnknownError } from '../errors.ts';
import { refusal } from './refusal.ts';
import { type RegistryRequest, type RequestOptions, sendRequest } from './request.ts';

export interface BlobRequest extends RegistryRequest {
  /** The descriptor's size in bytes, when it is known. */
  readonly size?: number;
}

/**
 * The body of a blob, unverified: the reader checks size and digest. Errors:
 * RegistryUnreachable, BlobUnknown (404, or a static host's page for what it
 * does not have), RegistryDenied (401, 403), RegistryResponse, Cancelled.
 *
 * A connection that breaks later fails the stream with the platform's own
 * error: `unreachable` of request.ts makes a RegistryUnreachable of it.
 */
export async function openBlob(
  request: BlobRequest,
  options: RequestOptions,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const response = await sendRequest(request, options);
  if (response.status !== 200 || response.body === null) throw await refusal(response, request, 'blob');
  if (isPage(response, request.size)) {
    await response.body.cancel();
    throw new BlobUnknownError(
      `${new URL(request.url).host} does not have ${request.what}: it answers with a web page instead`,
      { status: response.status, url: request.url, what: request.what },
    );
  }
  return response.body;
}

/** Static hosts of single-page sites answer 200 and their front page for whatever is missing. */
function isPage(response: Response, size: number | undefined): boolean {
  if (!/^text\/html\b/i.test(response.headers.get('content-type') ?? '')) return false;
  const length = response.headers.get('content-length');
  return size === undefined || length === null || Number(length) !== size;
}
