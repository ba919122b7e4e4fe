/** A server in front of a registry that answers wrongly on purpose, and counts what it was asked. */

import { createServer, type ServerResponse } from 'node:http';
import type { Registry } from './registry.ts';

export type Fault =
  /** One bit of the body is flipped. */
  | { readonly kind: 'flip' }
  /** The connection is cut after so many bytes, though Content-Length promised all. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The body ends early and Content-Length agrees with that. */
  | { readonly kind: 'short'; readonly by: number }
  | { readonly kind: 'long'; readonly by: number }
  | { readonly kind: 'status'; readonly status: number }
  /** Waits for `release` before the rest of the body. */
  | { readonly kind: 'stall'; readonly after: number };

export interface FaultyRegistry extends Registry {
  /** Faults by a part of the path; none to begin with. */
  readonly faults: Map<string, Fault>;
  /** `GET /v2/...` in order. */
  readonly requests: string[];
  /** Lets stalled answers go on. */
  release(): void;
}

export async function startFaultyRegistry(upstream: Registry): Promise<FaultyRegistry> {
  const faults = new Map<string, Fault>();
  const requests: string[] = [];
  const stalled = new Set<() => void>();

  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.push(`${request.method} ${path}`);
    const fault = [...faults].find(([part]) => path.includes(part))?.[1];
    answer(path, request.headers.accept, fault, response).catch((error) => response.destroy(error));
  });

  async function answer(
    path: string,
    accept: string | undefined,
    fault: Fault | undefined,
    response: ServerResponse,
  ) {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'Docker-Content-Digest');
    if (fault?.kind === 'status') {
      response.writeHead(fault.status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'UNKNOWN', message: 'made to fail' }] }));
      return;
    }
    const real = await fetch(
      `http://${upstream.host}${path}`,
      accept === undefined ? {} : { headers: { Accept: accept } },
    );
    let body = Buffer.from(await real.arrayBuffer());
    const promised = body.length;
    if (fault?.kind === 'flip') body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 0x10;
    if (fault?.kind === 'short') body = body.subarray(0, body.length - fault.by);
    if (fault?.kind === 'long') body = Buffer.concat([body, Buffer.alloc(fault.by)]);
    for (const name of ['content-type', 'docker-content-digest']) {
      const value = real.headers.get(name);
      if (value !== null) response.setHeader(name, value);
    }
    response.writeHead(real.status, {
      'Content-Length': fault?.kind === 'short' || fault?.kind === 'long' ? body.length : promised,
    });
    if (fault?.kind === 'cut') {
      response.write(body.subarray(0, fault.after), () => response.destroy());
    } else if (fault?.kind === 'stall') {
      response.write(body.subarray(0, fault.after));
      await new Promise<void>((resolve) => stalled.add(resolve));
      response.end(body.subarray(fault.after));
    } else response.end(body);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  const release = () => {
    for (const resume of stalled) resume();
    stalled.clear();
  };
  return {
    host: `127.0.0.1:${address.port}`,
    faults,
    requests,
    release,
    close: async () => {
      release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
