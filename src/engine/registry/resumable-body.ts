/**
 * A body that goes on where its connection broke (RFC 9110, sections 14.2 to
 * 14.4, and 13.1.5 for If-Range). Blobs are content-addressed, so a part
 * fetched later belongs to the parts before it; the digest over all of them
 * is checked by the reader.
 */

import { BlobUnknownError, RegistryResponseError, RegistryUnreachableError } from '../errors.ts';
import type { BlobOptions, BlobRequest } from './blob.ts';
import { type BodyReader, bodyReader } from './body-reader.ts';
import { refusal } from './refusal.ts';
import { cancelled, lineFailure, sendRequest } from './request.ts';
import { isTemporary, PATIENT, type Patience, Retries } from './retry.ts';
import { readInTime } from './stalled-read.ts';

type Chunk = Uint8Array<ArrayBuffer>;

/** Bytes that must have come before a connection that broke counts as progress: a byte each would be no way to get on. */
const PROGRESS = 64 * 1024;
/** Repetitions of a request that gets no answer before any did: most likely reading is not allowed. */
const UNANSWERED = 2;
/** 401s in a row: the first may be for want of a token, the second for an old one, the third for one of too little scope. */
const REFUSALS = 3;

export class ResumableBody {
  readonly #request: BlobRequest;
  readonly #options: BlobOptions;
  readonly #patience: Patience;
  readonly #retries: Retries;
  /** Where the part that is wanted ends; undefined when nobody knows. */
  readonly #end: number | undefined;
  /** The next byte that the reader wants. */
  #at: number;
  /** Where the connection was made last. */
  #madeAt: number;
  /** Bytes that the connection sends before the one at `#at`. */
  #skip = 0;
  #reader: BodyReader | undefined;
  #headers: Readonly<Record<string, string>>;
  #isAnswered = false;
  /** What a whole answer says its length is; when all of it came there is nothing more to ask for. */
  #announced: number | undefined;
  /** Where the part that the connection brings ends, when it is one of several that are asked for one after the other. */
  #pieceEnd: number | undefined;
  #received = 0;
  #etag: string | undefined;
  /** False: what comes is encoded for transport, so that places in it are not places in the blob. */
  #canResume = true;

  private constructor(request: BlobRequest, options: BlobOptions) {
    this.#request = request;
    this.#options = options;
    this.#patience = options.patience ?? PATIENT;
    this.#retries = new Retries(request, this.#patience, options.onRetry);
    this.#at = request.range?.start ?? 0;
    this.#madeAt = this.#at;
    this.#end = request.range?.end ?? request.size;
    this.#headers = request.headers ?? {};
  }

  /** Resolves when the first answer is there. Errors as `openBlob`. */
  static async open(request: BlobRequest, options: BlobOptions): Promise<ResumableBody> {
    const body = new ResumableBody(request, options);
    await body.#connect();
    return body;
  }

  /** The next bytes, or undefined at the end. */
  async next(): Promise<Chunk | undefined> {
    for (;;) {
      if (this.#isWhole(this.#request.range !== undefined)) {
        await this.cancel('the part that was asked for is here');
        return undefined;
      }
      await this.#options.hold?.();
      let step: Awaited<ReturnType<BodyReader['read']>>;
      try {
        step = await this.#read();
      } catch (cause) {
        const { signal } = this.#options;
        if (signal.aborted) throw cancelled(this.#request.what, signal.reason ?? cause);
        if (!(await this.#resume('the connection broke'))) throw cause;
        continue;
      }
      if (step.done || step.value === undefined) {
        if (this.#isWhole(true) || this.#received === this.#announced) return undefined;
        if (this.#at === this.#pieceEnd) {
          this.#retries.reset();
          this.#madeAt = this.#at;
          await this.#options.hold?.();
          await this.#connect();
          continue;
        }
        // an end that nothing announced may be a connection that broke, but HTTP/1.1 and later would say so
        if (!(await this.#resume('it ended early', 1))) return undefined;
        continue;
      }
      const chunk = this.#wanted(step.value);
      if (chunk.length > 0) return chunk;
    }
  }

  /** Ends the connection; nothing more is read. */
  async cancel(reason?: unknown): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.cancel(reason).catch(() => undefined); // of one that is broken already
  }

  /** A whole blob is read to the connection's own end, so that its reader sees what is too much of it. */
  #isWhole(isEnd: boolean): boolean {
    return isEnd && this.#end !== undefined && this.#at >= this.#end;
  }

  /** The part of a chunk that was not there before. */
  #wanted(chunk: Chunk): Chunk {
    this.#received += chunk.length;
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    const room = this.#request.range === undefined ? chunk.length : (this.#end ?? 0) - this.#at + skipped;
    const wanted = chunk.subarray(skipped, room);
    this.#at += wanted.length;
    return wanted;
  }

  #read(): ReturnType<BodyReader['read']> {
    if (this.#reader === undefined) return Promise.resolve({ done: true });
    return readInTime(this.#reader.read(), this.#patience.stall);
  }

  /** True when there is a connection again; false when patience is at its end. Throws what refuses for good. */
  async #resume(reason: string, most?: number): Promise<boolean> {
    await this.cancel(reason);
    const { signal, renew } = this.#options;
    if (this.#at - this.#madeAt >= PROGRESS) this.#retries.reset();
    this.#madeAt = this.#at;
    if (!(await this.#retries.wait({ status: 0, reason }, signal, most))) return false;
    // a token may have run out meanwhile
    this.#headers = (await renew?.(undefined)) ?? this.#headers;
    await this.#connect();
    return true;
  }

  /** Asks until there is an answer that can be used. */
  async #connect(): Promise<void> {
    const { signal, renew } = this.#options;
    let refusals = 0;
    for (;;) {
      let response: Response;
      try {
        const request = { ...this.#request, headers: this.#asked() };
        response = await sendRequest(request, this.#options, this.#patience.stall);
      } catch (error) {
        if (!(error instanceof RegistryUnreachableError)) throw error;
        if (this.#at > 0 && this.#etag !== undefined && lineFailure(error) === undefined) {
          // in a browser If-Range, unlike Range, needs the server's leave, which few give
          this.#etag = undefined;
          continue;
        }
        const most = this.#isAnswered ? undefined : UNANSWERED;
        if (!(await this.#retries.wait({ status: 0, reason: 'no answer' }, signal, most))) throw error;
        continue;
      }
      this.#isAnswered = true;
      const { status } = response;
      if (isTemporary(status)) {
        const setback = { status, response, reason: `it answered ${status}` };
        if (await this.#retries.wait(setback, signal)) continue;
      } else if (status === 401 && renew !== undefined && refusals < REFUSALS) {
        refusals += 1;
        const sent = this.#headers.Authorization;
        const challenge = response.headers.get('www-authenticate');
        const headers = await renew({ challenge, attempt: refusals, ...(sent !== undefined && { sent }) });
        if (headers !== undefined) {
          await response.body?.cancel().catch(() => undefined);
          this.#headers = headers;
          continue;
        }
      }
      await this.#accept(response);
      return;
    }
  }

  /** Where what is asked for ends; undefined for all that there is. */
  get #askedEnd(): number | undefined {
    const { range, piece } = this.#request;
    if (piece !== undefined && this.#end !== undefined) return Math.min(this.#end, this.#at + piece);
    return range === undefined ? undefined : this.#end;
  }

  #asked(): Record<string, string> {
    const headers = { ...this.#headers };
    if (!this.#canResume) return headers;
    const end = this.#askedEnd;
    const last = end === undefined ? '' : end - 1;
    if (this.#at > 0 || last !== '') headers.Range = `bytes=${this.#at}-${last}`;
    if (this.#at > 0 && this.#etag !== undefined) headers['If-Range'] = this.#etag;
    return headers;
  }

  async #accept(response: Response): Promise<void> {
    const isPart = this.#asked().Range !== undefined;
    if (response.status === 416 && isPart && this.#at > 0 && this.#request.range === undefined) {
      // there is no more of it: its reader says how much is missing
      await response.body?.cancel().catch(() => undefined);
      this.#announced = this.#received;
      return;
    }
    const isRange = response.status === 206 && isPart;
    if ((response.status !== 200 && !isRange) || response.body === null) {
      throw await refusal(response, this.#request, 'blob');
    }
    const { headers, body } = response;
    if (isRange) await this.#checkRange(response);
    else await this.#checkWhole(response);
    this.#skip = isRange ? 0 : this.#at;
    this.#received = 0;
    this.#pieceEnd = isRange && this.#request.piece !== undefined ? this.#askedEnd : undefined;
    this.#announced = isRange ? undefined : lengthOf(headers);
    this.#reader = bodyReader(body, this.#options.reuses === true);
  }

  /** Of a whole answer, the first or one of a server that knows no ranges. */
  async #checkWhole(response: Response): Promise<void> {
    const { headers } = response;
    const { url, what, size } = this.#request;
    if (isPage(response, size)) {
      await response.body?.cancel();
      throw new BlobUnknownError(
        `${new URL(url).host} does not have ${what}: it answers with a web page instead`,
        { status: response.status, url, what },
      );
    }
    const encoding = headers.get('content-encoding') ?? 'identity';
    this.#canResume = encoding === 'identity';
    const etag = headers.get('etag');
    // a weak one promises no equal bytes
    this.#etag = etag !== null && /^"[\x21\x23-\x7e]*"$/.test(etag) ? etag : undefined;
  }

  /** Refuses a part that is not the one asked for. What a browser may not read the digest tells. */
  async #checkRange(response: Response): Promise<void> {
    const { headers } = response;
    const said = headers.get('content-range');
    const length = lengthOf(headers);
    const { size } = this.#request;
    const end = this.#askedEnd ?? this.#end;
    const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(said ?? '') ?? [];
    const isRight =
      said === null
        ? length === undefined || end === undefined || length === end - this.#at
        : Number(first) === this.#at &&
          Number(last) >= this.#at &&
          (end === undefined || Number(last) < end) &&
          (size === undefined || total === '*' || Number(total) === size);
    if (isRight && !/^multipart\//i.test(headers.get('content-type') ?? '')) return;
    await response.body?.cancel().catch(() => undefined);
    const { url, what } = this.#request;
    const found = said === null ? `${length ?? 'unknown many'} bytes` : JSON.stringify(said.slice(0, 100));
    throw new RegistryResponseError(
      `${new URL(url).host} answered with another part of ${what} than it was asked for: ${found}, where the part from byte ${this.#at} of ${size ?? 'unknown many'} was wanted`,
      { url, what, status: response.status },
    );
  }
}

function lengthOf(headers: Headers): number | undefined {
  const text = headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Static hosts of single-page sites answer 200 and their front page for whatever is missing. */
function isPage(response: Response, size: number | undefined): boolean {
  if (!/^text\/html\b/i.test(response.headers.get('content-type') ?? '')) return false;
  const length = response.headers.get('content-length');
  return size === undefined || length === null || Number(length) !== size;
}
