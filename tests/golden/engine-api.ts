/** A stand-in for Docker's daemon: as much of its Engine API, on a unix socket, as the client asks for. */

import { createServer, type IncomingMessage, type Server } from 'node:http';

export interface Asked {
  readonly method: string;
  /** Without version and query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** The answer; null: done, nothing to say; undefined: there is no such page. */
export type Answer = (asked: Asked) => Promise<unknown> | unknown;

/** An error in the shape of the API. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A stream of the API, whole. */
export class ApiStream {
  readonly type: string;
  readonly bytes: Uint8Array;

  constructor(type: string, bytes: Uint8Array) {
    this.type = type;
    this.bytes = bytes;
  }

  /** Messages of JSON, a line each. */
  static ofMessages(messages: readonly unknown[]): ApiStream {
    const text = messages.map((message) => `${JSON.stringify(message)}\n`).join('');
    return new ApiStream('application/json', new TextEncoder().encode(text));
  }
}

/** Serves until it is closed; `Api-Version` is that of docker 28.2.2. */
export async function serveEngineApi(socket: string, answer: Answer): Promise<Server> {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://engine');
    const path = decodeURIComponent(url.pathname.replace(/^\/v\d+\.\d+/, ''));
    const head = (status: number, type = 'application/json') =>
      response.writeHead(status, { 'Api-Version': '1.50', Ostype: 'linux', 'Content-Type': type });
    const send = (status: number, body: unknown) => {
      head(status);
      response.end(request.method === 'HEAD' || body === null ? undefined : JSON.stringify(body));
    };
    if (path === '/_ping') return send(200, 'OK');
    try {
      const asked = {
        method: request.method ?? '',
        path,
        query: url.searchParams,
        body: await bodyOf(request),
      };
      const body = await answer(asked);
      if (body instanceof ApiStream) {
        head(200, body.type);
        response.end(body.bytes);
      } else if (body === undefined) send(404, { message: `page not found: ${asked.method} ${path}` });
      else send(body === null ? 204 : 200, body);
    } catch (error) {
      const { status, message } = error instanceof ApiError ? error : new ApiError(500, String(error));
      send(status, { message });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  return server;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text.startsWith('{') ? JSON.parse(text) : undefined;
}
