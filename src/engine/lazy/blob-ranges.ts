/** The port through which a lazy layer gets pieces of its blob, and the one that asks a registry for them. */

import { SizeMismatchError } from '../errors.ts';
import { type BlobOptions, openBlob } from '../registry/blob.ts';
import { readStream } from '../registry/bounded-body.ts';
import type { BlobAddress } from '../registry/source.ts';
import { CannotBeLazy } from './cannot-be-lazy.ts';

export interface BlobRanges {
  /**
   * Bytes `[start, end)` of the blob, as they came: whoever asks verifies them.
   * Throws CannotBeLazy when the server gives whole blobs only, and the errors of `openBlob`.
   */
  read(start: number, end: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

export interface RegistryRangesOptions extends Omit<BlobOptions, 'signal'> {
  readonly address: BlobAddress;
  /** Of the whole blob, in bytes. */
  readonly size: number;
  /** In words, for errors: `layer sha256:0123... of busybox:latest`. */
  readonly what: string;
}

export class RegistryRanges implements BlobRanges {
  readonly #options: RegistryRangesOptions;

  constructor(options: RegistryRangesOptions) {
    this.#options = options;
  }

  async read(start: number, end: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { address, size, what, onRequest } = this.#options;
    let answer = 0;
    const request = { ...address, what, size, range: { start, end } };
    const body = await openBlob(request, {
      ...this.#options,
      signal,
      onRequest: (answered) => {
        answer = answered.status;
        onRequest?.(answered);
      },
    });
    // what stands before the range would come along, each time
    if (answer === 200) {
      await body.cancel();
      throw new CannotBeLazy(`${new URL(address.url).host} gives no parts of ${what}`);
    }
    const bytes = await readStream(body, request, { limit: end - start, signal });
    if (bytes.length === end - start) return bytes;
    throw new SizeMismatchError(
      `${what}: of the ${end - start} bytes from ${start} on only ${bytes.length} came; pull it again`,
      { what, expected: end - start, received: bytes.length },
    );
  }
}
