/** A registry that takes blobs as the distribution specification says, in memory, and goes wrong where a test says so. */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface UploadRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly range: string | undefined;
  readonly length: number;
}

export interface UploadServer {
  readonly host: string;
  /** By repository and digest: `app@sha256:...`. */
  readonly blobs: Map<string, Buffer>;
  readonly requests: UploadRequest[];
  /** What it does in place of a right answer, for the next request that it is true of. */
  readonly faults: { readonly matches: RegExp; readonly act: Fault }[];
  /** On every answer of an upload. */
  readonly headers: Record<string, string>;
  close(): Promise<void>;
}

export type Fault =
  /** The connection is cut when so many bytes of the body have been kept. */
  | { readonly kind: 'cut'; readonly after: number }
  /** All is done as it should, but the answer is lost. */
  | { readonly kind: 'deaf' }
  | { readonly kind: 'status'; readonly status: number; readonly body?: string }
  /** The sessions that there are, are forgotten. */
  | { readonly kind: 'forget' };

export const sha256 = (bytes: Uint8Array) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const;

export async function startUploadServer(): Promise<UploadServer> {
  const blobs = new Map<string, Buffer>();
  const sessions = new Map<string, Buffer[]>();
  const requests: UploadRequest[] = [];
  const faults: UploadServer['faults'] = [];
  const headers: Record<string, string> = {};
  let last = 0;
  const sizeOf = (session: readonly Buffer[]) => session.reduce((sum, { length }) => sum + length, 0);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://server');
    const { method = '' } = request;
    const seen = { method, path: request.url ?? '', range: request.headers['content-range'], length: 0 };
    requests.push(seen);
    const at = faults.findIndex(({ matches }) => matches.test(`${method} ${request.url}`));
    const fault = at < 0 ? undefined : faults.splice(at, 1)[0]?.act;
    const [, name = '', rest = ''] = /^\/v2\/(.+)\/blobs\/(.*)$/.exec(url.pathname) ?? [];
    const upload = /^uploads\/(\d+)$/.exec(rest)?.[1];
    const session = upload === undefined ? undefined : sessions.get(upload);
    const end = (status: number, more: Record<string, string> = {}, body = '') => {
      if (fault?.kind === 'deaf') {
        request.socket.destroy();
        return;
      }
      response.writeHead(status, { ...headers, ...more }).end(method === 'HEAD' ? '' : body);
    };
    const told = (id: string, bytes: readonly Buffer[]) => ({
      Location: `/v2/${name}/blobs/uploads/${id}?step=${requests.length}`,
      Range: `0-${Math.max(0, sizeOf(bytes) - 1)}`,
    });
    if (fault?.kind === 'status') {
      request.resume();
      return end(fault.status, { 'Content-Type': 'application/json' }, fault.body);
    }
    if (fault?.kind === 'forget') sessions.clear();
    let body: Buffer[] = [];
    let size = 0;
    for await (const piece of request) {
      const bytes: Buffer = piece;
      body.push(bytes);
      size += bytes.length;
      if (fault?.kind !== 'cut' || size < fault.after) continue;
      session?.push(Buffer.concat(body).subarray(0, fault.after));
      request.socket.destroy();
      return;
    }
    Object.assign(seen, { length: size });
    if (method === 'HEAD') return end(blobs.has(`${name}@${rest}`) ? 200 : 404);
    if (method === 'POST') {
      const from = url.searchParams.get('from');
      const mount = url.searchParams.get('mount');
      const there = blobs.get(`${from}@${mount}`);
      if (there !== undefined) {
        blobs.set(`${name}@${mount}`, there);
        return end(201, { Location: `/v2/${name}/blobs/${mount}` });
      }
      last += 1;
      sessions.set(String(last), []);
      return end(202, told(String(last), []));
    }
    if (session === undefined || upload === undefined || fault?.kind === 'forget') {
      return end(404, {}, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown"}]}');
    }
    if (method === 'GET') return end(204, told(upload, session));
    const start = /^(\d+)-/.exec(seen.range ?? '')?.[1];
    if (start !== undefined && Number(start) !== sizeOf(session)) return end(416, told(upload, session));
    session.push(...body);
    body = [];
    if (method === 'PATCH') return end(202, told(upload, session));
    const whole = Buffer.concat(session);
    const digest = url.searchParams.get('digest');
    if (sha256(whole) !== digest) {
      return end(400, {}, '{"errors":[{"code":"DIGEST_INVALID","message":"digest did not match"}]}');
    }
    blobs.set(`${name}@${digest}`, whole);
    sessions.delete(upload);
    return end(201, { Location: `/v2/${name}/blobs/${digest}` });
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return {
    host: `127.0.0.1:${address.port}`,
    blobs,
    requests,
    faults,
    headers,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
