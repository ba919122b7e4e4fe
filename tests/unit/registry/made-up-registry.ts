/** Registries and static hosts that exist in memory only, behind a `fetch`, for faults that real ones do not have. */

import { createHash } from 'node:crypto';
import type { Fetch } from '../../../src/engine/registry/request.ts';
import { PATIENT, type Patience } from '../../../src/engine/registry/retry.ts';

/** Goes on as long as the real one, in no time. */
export const AT_ONCE: Patience = { ...PATIENT, sleep: async (_, signal) => signal.throwIfAborted() };

export interface SeenRequest {
  readonly url: string;
  readonly accept: string;
  readonly authorization: string;
}

export type Answer = (request: SeenRequest, signal: AbortSignal) => Response | Promise<Response>;

/** A web of made-up hosts: the first answer whose prefix fits; anything else has nobody there. */
export class MadeUpWeb {
  readonly requests: SeenRequest[] = [];
  readonly #hosts: { readonly prefix: string; readonly answer: Answer }[] = [];

  host(prefix: string, answer: Answer): this {
    this.#hosts.unshift({ prefix, answer });
    return this;
  }

  readonly fetch: Fetch = async (url, init) => {
    const headers = new Headers(init?.headers);
    const request = {
      url,
      accept: headers.get('accept') ?? '',
      authorization: headers.get('authorization') ?? '',
    };
    this.requests.push(request);
    const signal = init?.signal ?? new AbortController().signal;
    const found = this.#hosts.find(({ prefix }) => url.startsWith(prefix));
    if (found === undefined) throw new TypeError('Failed to fetch');
    signal.throwIfAborted();
    return found.answer(request, signal);
  };

  /** The paths that were asked for, without scheme and host. */
  get paths(): string[] {
    return this.requests.map(({ url }) => new URL(url).pathname);
  }
}

export const digestOf = (bytes: Uint8Array) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const;

export const jsonBytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

export const errorBody = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] });

/** One repository as CNCF Distribution 2.8 serves it: what a client does not accept it does not get. */
export class MadeUpRepository {
  readonly blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly manifests = new Map<string, { readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> }>();
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  blob(bytes: Uint8Array<ArrayBuffer>): { digest: `sha256:${string}`; size: number } {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  }

  manifest(
    document: { mediaType: string },
    ...tags: string[]
  ): { mediaType: string; digest: `sha256:${string}`; size: number } {
    const bytes = jsonBytes(document);
    const digest = digestOf(bytes);
    for (const name of [digest, ...tags]) this.manifests.set(name, { type: document.mediaType, bytes });
    return { mediaType: document.mediaType, digest, size: bytes.length };
  }

  readonly answer: Answer = ({ url, accept }) => {
    const path = new URL(url).pathname;
    const manifest = path.split(`/v2/${this.name}/manifests/`)[1];
    if (manifest !== undefined) {
      const found = this.manifests.get(manifest);
      if (found === undefined) return refuse(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
      if (!accept.split(',').includes(found.type)) {
        return refuse(404, 'MANIFEST_UNKNOWN', 'accept header does not support this');
      }
      const headers = { 'content-type': found.type, 'docker-content-digest': digestOf(found.bytes) };
      return new Response(found.bytes, { headers });
    }
    const blob = this.blobs.get(path.split(`/v2/${this.name}/blobs/`)[1] ?? '');
    return blob === undefined ? refuse(404, 'BLOB_UNKNOWN', 'blob unknown to registry') : new Response(blob);
  };
}

export function refuse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(errorBody(code, message), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}
