/**
 * A server in front of a registry, or of anything that speaks HTTP, that hands on what it is asked and answered, goes
 * wrong on purpose where it is told to, and counts requests and bytes.
 */

import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  request as sendRequest,
} from 'node:http';
import type { Registry } from './registry.ts';

export type Fault = {
  /** For so many requests, then it is over; default for ever. */
  readonly times?: number;
} & (
  | /** One bit in the middle of the body is flipped. */ { readonly kind: 'flip' }
  /**
   * The connection is cut after so many bytes, though Content-Length promised all; `reset`: without a goodbye. A browser
   * throws away what it has not handed on by then; `silence` gives it so many milliseconds to do so.
   */
  | { readonly kind: 'cut'; readonly after: number; readonly reset?: boolean; readonly silence?: number }
  /** The body ends early and Content-Length agrees with that. */
  | { readonly kind: 'short'; readonly by: number }
  /** The body goes on after its end, and Content-Length agrees with that. */
  | { readonly kind: 'long'; readonly by: number }
  /** Content-Length is more (or less) than what the body has. */
  | { readonly kind: 'length'; readonly by: number }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: OutgoingHttpHeaders }
  /** Waits for `release`, or for `cut`, before the rest of the body. */
  | { readonly kind: 'stall'; readonly after: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** Range is not heard: 200 and the whole. */
  | { readonly kind: 'whole' }
  /** 307 to the same path on another origin. */
  | { readonly kind: 'redirect'; readonly origin: string }
  /** The connection ends without an answer. */
  | { readonly kind: 'refuse' }
);

export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  /** All headers, names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of the answer; 0 before there is one. */
  status: number;
  /** Bytes of the body that were sent so far. */
  sent: number;
  /** True when the answer is at its end, or its reader is gone. */
  isOver: boolean;
}

export interface FaultyRegistry extends Registry {
  /** Faults by a part of the path; none to begin with. Preflights have none. */
  readonly faults: Map<string, Fault>;
  /** A fault for a request that has none in `faults`. */
  pick: ((path: string) => Fault | undefined) | undefined;
  /** `GET /v2/...` in order. */
  readonly requests: string[];
  /** The same, with what became of each. */
  readonly seen: Seen[];
  /** Bytes sent for paths with this part. */
  sent(part: string): number;
  /** Forgets what it has seen. */
  forget(): void;
  /** Lets stalled answers go on. */
  release(): void;
  /** Cuts the connections of stalled answers. */
  cut(): void;
}

export async function startFaultyRegistry(upstream: { readonly host: string }): Promise<FaultyRegistry> {
  const faults = new Map<string, Fault>();
  const requests: string[] = [];
  const seen: Seen[] = [];
  const stalled = new Set<(goesOn: boolean) => void>();
  const [hostname, port] = upstream.host.split(':');

  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const method = request.method ?? '';
    requests.push(`${method} ${path}`);
    const record: Seen = {
      method,
      path,
      range: request.headers.range,
      authorization: request.headers.authorization,
      headers: request.headers,
      at: Date.now(),
      status: 0,
      sent: 0,
      isOver: false,
    };
    seen.push(record);
    response.once('close', () => {
      record.isOver = true;
    });
    answer(request, response, record, method === 'OPTIONS' ? undefined : faultOf(path)).catch(() =>
      response.destroy(),
    );
  });

  function faultOf(path: string): Fault | undefined {
    const [part, fault] = [...faults].find(([each]) => path.includes(each)) ?? [];
    if (part === undefined || fault === undefined) return proxy.pick?.(path);
    if (fault.times === undefined) return fault;
    if (fault.times > 1) faults.set(part, { ...fault, times: fault.times - 1 });
    else faults.delete(part);
    return fault;
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    record: Seen,
    fault: Fault | undefined,
  ): Promise<void> {
    if (fault?.kind === 'refuse') {
      response.destroy();
      return;
    }
    if (fault?.kind === 'status' || fault?.kind === 'redirect') {
      const isRedirect = fault.kind === 'redirect';
      record.status = isRedirect ? 307 : fault.status;
      response.writeHead(record.status, {
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Expose-Headers': 'Retry-After, WWW-Authenticate',
        'Content-Type': 'application/json',
        ...(isRedirect ? { Location: `${fault.origin}${record.path}` } : fault.headers),
      });
      response.end(
        isRedirect ? '' : JSON.stringify({ errors: [{ code: 'UNKNOWN', message: 'made to fail' }] }),
      );
      return;
    }
    const headers = { ...request.headers };
    if (fault?.kind === 'whole') delete headers.range;
    const forwarded = sendRequest({ hostname, port, method: request.method, path: request.url, headers });
    response.once('close', () => forwarded.destroy());
    request.pipe(forwarded);
    const [real]: IncomingMessage[] = await once(forwarded, 'response');
    if (real === undefined) throw new Error('no answer');
    await passOn(real, response, record, fault);
  }

  async function passOn(
    real: IncomingMessage,
    response: ServerResponse,
    record: Seen,
    fault: Fault | undefined,
  ): Promise<void> {
    const length = Number(real.headers['content-length'] ?? Number.NaN);
    const headers: OutgoingHttpHeaders = { ...real.headers };
    delete headers.connection;
    delete headers['keep-alive'];
    if (fault?.kind === 'short') headers['content-length'] = length - fault.by;
    if (fault?.kind === 'long' || fault?.kind === 'length') headers['content-length'] = length + fault.by;
    if (fault?.kind === 'whole') delete headers['accept-ranges'];
    record.status = real.statusCode ?? 0;
    response.writeHead(record.status, headers);

    const send = async (bytes: Uint8Array) => {
      if (bytes.length === 0 || response.destroyed) return;
      record.sent += bytes.length;
      await new Promise<void>((sent) => {
        response.once('close', sent);
        response.write(bytes, () => {
          response.off('close', sent);
          sent();
        });
      });
    };
    const end = fault?.kind === 'short' ? length - fault.by : Number.POSITIVE_INFINITY;
    const pause = fault?.kind === 'cut' || fault?.kind === 'stall' ? fault.after : Number.POSITIVE_INFINITY;
    let at = 0;
    for await (const piece of real) {
      const bytes: Buffer = piece;
      if (fault?.kind === 'flip') {
        const middle = (length >> 1) - at;
        if (middle >= 0 && middle < bytes.length) bytes[middle] = (bytes[middle] ?? 0) ^ 0x10;
      }
      const start = at;
      at += bytes.length;
      if (start < pause && at >= pause) {
        await send(bytes.subarray(0, pause - start));
        if (fault?.kind === 'cut') {
          if (fault.silence !== undefined) await new Promise((over) => setTimeout(over, fault.silence));
          if (fault.reset) response.socket?.resetAndDestroy();
          else response.destroy();
          return;
        }
        if (!(await new Promise<boolean>((resume) => stalled.add(resume)))) {
          response.destroy();
          return;
        }
        await send(bytes.subarray(pause - start));
      } else if (fault?.kind === 'slow') {
        const step = Math.max(1, Math.floor(fault.bytesPerSecond / 20));
        for (let from = 0; from < bytes.length && !response.destroyed; from += step) {
          await send(bytes.subarray(from, from + step));
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      } else await send(bytes.subarray(0, Math.max(0, end - start)));
    }
    if (fault?.kind === 'long') await send(Buffer.alloc(fault.by));
    if (fault?.kind === 'length') response.destroy();
    else response.end();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  const resume = (goesOn: boolean) => {
    for (const each of stalled) each(goesOn);
    stalled.clear();
  };
  const proxy: FaultyRegistry = {
    host: `127.0.0.1:${address.port}`,
    faults,
    pick: undefined,
    requests,
    seen,
    sent: (part) => seen.reduce((sum, { path, sent }) => sum + (path.includes(part) ? sent : 0), 0),
    forget: () => {
      requests.length = 0;
      seen.length = 0;
    },
    release: () => resume(true),
    cut: () => resume(false),
    close: async () => {
      resume(false);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
