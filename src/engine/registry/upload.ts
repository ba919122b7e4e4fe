/**
 * One blob into a repository (distribution-spec, "Pushing blobs"): mounted from another repository of the registry where
 * that has it, in one request when it is small, else in chunks. What was cut off goes on where the registry says that it
 * stopped; a session that the registry has lost is begun again.
 */

import { LayerboxError, RegistryResponseError, RegistryUnreachableError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { Purpose, RegistryAccess } from './access.ts';
import { refusal } from './refusal.ts';
import type { RegistryRequest } from './request.ts';
import { isTemporary, PATIENT, type Patience, Retries, type RetryListener } from './retry.ts';

/** Bytes of a chunk: what stores of parts want at least (S3: 5 MiB), and little enough to be sent again. */
export const CHUNK = 5 << 20;
/** The largest chunk that a registry may ask for. */
const LARGEST_CHUNK = 256 << 20;

export interface UploadedBlob {
  readonly digest: Digest;
  readonly size: number;
  /** `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

export interface UploadWish {
  /** `https://registry.example/v2/library/busybox` */
  readonly address: string;
  readonly blob: UploadedBlob;
  /** In words, for errors. */
  readonly what: string;
  /** Repositories of this registry that may have it. */
  readonly mountFrom: readonly string[];
  readonly onProgress?: (bytes: number) => void;
  readonly patience?: Patience;
  readonly onRetry?: RetryListener;
}

/** How a blob came to be there; `from`: the repository. */
export type Uploaded =
  | { readonly how: 'exists' | 'uploaded' }
  | { readonly how: 'mounted'; readonly from: string };

/** Where the next bytes go, and how many are there. */
interface Session {
  location: string;
  offset: number;
  chunk: number;
}

/**
 * Puts the blob there unless it is. Errors: RegistryDenied, RegistryUnreachable, RegistryResponse, Cancelled, what
 * `read` throws.
 */
export async function uploadBlob(
  wish: UploadWish,
  access: RegistryAccess,
  purpose: Purpose,
): Promise<Uploaded> {
  const upload = new Upload(wish, access, purpose);
  if (await upload.exists()) return { how: 'exists' };
  return upload.run();
}

class Upload {
  readonly #wish: UploadWish;
  readonly #access: RegistryAccess;
  readonly #purpose: Purpose;

  constructor(wish: UploadWish, access: RegistryAccess, purpose: Purpose) {
    this.#wish = wish;
    this.#access = access;
    this.#purpose = purpose;
  }

  async exists(): Promise<boolean> {
    const { address, blob, what } = this.#wish;
    const request = { method: 'HEAD' as const, url: `${address}/blobs/${blob.digest}`, what };
    const response = await this.#access.send(request, this.#purpose);
    await response.body?.cancel();
    if (response.status === 200) return true;
    if (response.status === 404) return false;
    throw await refusal(response, request, 'blob');
  }

  async run(): Promise<Uploaded> {
    const { address, what, patience = PATIENT, onRetry } = this.#wish;
    const { signal } = this.#purpose;
    const begun = await this.#begin();
    if ('how' in begun) return begun;
    let session: Session = begun;
    const retries = new Retries(
      { method: 'PATCH', url: `${address}/blobs/uploads/`, what },
      patience,
      onRetry,
    );
    let furthest = 0;
    for (;;) {
      try {
        await this.#send(session);
        return { how: 'uploaded' };
      } catch (error) {
        if (session.offset > furthest) {
          furthest = session.offset;
          retries.reset();
        }
        const status = setbackOf(error);
        if (status === undefined || !(await retries.wait({ status, reason: reasonOf(status) }, signal))) {
          throw error;
        }
        const resumed = await this.#resume(session, error);
        if ('how' in resumed) return resumed;
        session = resumed;
      }
    }
  }

  /** A new session; or none, when the registry mounts the blob from a repository that it has it in. */
  async #begin(): Promise<Session | Uploaded> {
    const { address, blob, what, mountFrom } = this.#wish;
    const url = `${address}/blobs/uploads/`;
    const tries = mountFrom.map((from) => ({
      from,
      url: `${url}?mount=${encodeURIComponent(blob.digest)}&from=${encodeURIComponent(from)}`,
    }));
    for (const { from, url: mounting } of tries) {
      const request = { method: 'POST' as const, url: mounting, what };
      const response = await this.#access.send(request, this.#purpose);
      await response.body?.cancel();
      if (response.status === 201) return { how: 'mounted', from };
      // a registry that does not mount opens a session instead; whoever may not read there is refused
      if (response.status === 202) return this.#next(response, url, 0, undefined);
    }
    const request = { method: 'POST' as const, url, what };
    const response = await this.#access.send(request, this.#purpose);
    if (response.status !== 202) throw await refusal(response, request, 'blob');
    await response.body?.cancel();
    return this.#next(response, url, 0, undefined);
  }

  /** Sends what is missing, and closes the session. */
  async #send(session: Session): Promise<void> {
    const { blob, onProgress } = this.#wish;
    while (blob.size - session.offset > session.chunk) {
      const { offset } = session;
      const bytes = await blob.read(offset, session.chunk);
      const end = offset + bytes.length;
      const response = await this.#put('PATCH', session.location, bytes, {
        'Content-Range': `${offset}-${end - 1}`,
      });
      if (response.status !== 202) throw await this.#refused(response, 'PATCH', session.location);
      await response.body?.cancel();
      Object.assign(session, this.#next(response, session.location, end, session));
      onProgress?.(session.offset);
    }
    const { offset } = session;
    const bytes = await blob.read(offset, blob.size - offset);
    const last = new URL(session.location);
    last.searchParams.set('digest', blob.digest);
    const range: Record<string, string> =
      offset > 0 && bytes.length > 0 ? { 'Content-Range': `${offset}-${blob.size - 1}` } : {};
    const response = await this.#put('PUT', last.href, bytes, range);
    if (response.status !== 201 && response.status !== 204) {
      throw await this.#refused(response, 'PUT', last.href);
    }
    await response.body?.cancel();
    onProgress?.(blob.size);
  }

  #put(
    method: 'PUT' | 'PATCH',
    url: string,
    body: Uint8Array<ArrayBuffer>,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> {
    return this.#ask({
      method,
      url,
      what: this.#wish.what,
      headers: { ...headers, 'Content-Type': 'application/octet-stream' },
      body,
    });
  }

  #ask(request: RegistryRequest): Promise<Response> {
    return this.#access.send(request, this.#purpose, { once: true });
  }

  /** How far the registry came (distribution-spec, "Resuming an upload"), or a session of its own when it lost this one. */
  async #resume(session: Session, failure: unknown): Promise<Session | Uploaded> {
    const { what } = this.#wish;
    let response: Response;
    try {
      response = await this.#ask({ url: session.location, what });
    } catch (error) {
      // not there again yet: the next setback counts as any other
      if (error instanceof RegistryUnreachableError) return session;
      throw error;
    }
    await response.body?.cancel();
    if (response.status === 204 || response.status === 202) {
      return this.#next(response, session.location, session.offset, session);
    }
    if (isTemporary(response.status)) return session;
    if (response.status === 401 || response.status === 403) throw failure;
    // the answer to the last request may be what was lost
    if (await this.exists()) return { how: 'uploaded' };
    return this.#begin();
  }

  /** The session as an answer tells it; `end`: what was sent, for answers that do not say how far they are. */
  #next(response: Response, url: string, end: number, before: Session | undefined): Session {
    const location = response.headers.get('location');
    if (location === null && before === undefined) {
      const host = new URL(url).host;
      throw new RegistryResponseError(
        `${host} does not say where to upload ${this.#wish.what} to: it must name Location in Access-Control-Expose-Headers`,
        { url, what: this.#wish.what },
      );
    }
    const range = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.headers.get('range') ?? '')?.[1];
    // CNCF Distribution says 0-0 for nothing as for one byte
    const told = range === undefined || range === '0' ? undefined : Number(range) + 1;
    const offset = told ?? (range === '0' ? 0 : end);
    if (offset > this.#wish.blob.size) {
      throw new RegistryResponseError(
        `${new URL(url).host} says that it has ${offset} bytes of ${this.#wish.what}, which has ${this.#wish.blob.size}`,
        { url, what: this.#wish.what },
      );
    }
    const least = Number(response.headers.get('oci-chunk-min-length') ?? 0);
    return {
      location: location === null ? (before?.location ?? url) : this.#address(location, url),
      offset,
      chunk: Math.max(before?.chunk ?? CHUNK, least > 0 && least <= LARGEST_CHUNK ? least : 0),
    };
  }

  /** What is sent along is for this registry: an address at another host is not followed. The scheme is the one in use. */
  #address(location: string, url: string): string {
    const own = new URL(url);
    let next: URL | undefined;
    try {
      next = new URL(location, url);
    } catch {
      next = undefined;
    }
    if (next !== undefined && next.host === own.host && next.username === '' && next.password === '') {
      return `${own.origin}${next.pathname}${next.search}`;
    }
    throw new RegistryResponseError(
      `${own.host} wants ${this.#wish.what} sent to another place: ${JSON.stringify(location.slice(0, 200))}, which is not followed; ` +
        'behind a proxy it must be told its name (relativeurls in the configuration of CNCF Distribution)',
      { url, what: this.#wish.what },
    );
  }

  async #refused(response: Response, method: 'PUT' | 'PATCH', url: string): Promise<LayerboxError> {
    return refusal(response, { url, what: `${this.#wish.what} (${method})` }, 'blob');
  }
}

/** The status of a failure that may pass or be mended by asking how far it came; undefined for one that will not. */
function setbackOf(error: unknown): number | undefined {
  if (!(error instanceof LayerboxError)) return undefined;
  if (error.code === 'RegistryUnreachable') return 0;
  const { status } = error.data;
  if (typeof status !== 'number') return undefined;
  // 404, 416 and, of CNCF Distribution, 400: the session is not where we think it is
  return isTemporary(status) || [400, 404, 416, 499].includes(status) ? status : undefined;
}

function reasonOf(status: number): string {
  return status === 0 ? 'the connection broke' : `it answered ${status}`;
}
