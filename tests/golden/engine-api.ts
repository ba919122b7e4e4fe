/** A stand-in for Docker's daemon: as much of its Engine API, on a unix socket, as the client asks for when it reads. */

import { createServer, type Server } from 'node:http';

/** The answer to a path (without version and query), or undefined for 404. */
export type Answer = (path: string, query: URLSearchParams) => Promise<unknown> | unknown;

/** An error in the shape of the API. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Serves until it is closed; `API_VERSION` is that of docker 28.2.2. */
export async function serveEngineApi(socket: string, answer: Answer): Promise<Server> {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://engine');
    const path = decodeURIComponent(url.pathname.replace(/^\/v\d+\.\d+/, ''));
    const send = (status: number, body: unknown) => {
      response.writeHead(status, {
        'Api-Version': '1.50',
        Ostype: 'linux',
        'Content-Type': 'application/json',
      });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
    };
    if (path === '/_ping') return send(200, 'OK');
    try {
      const body = await answer(path, url.searchParams);
      send(body === undefined ? 404 : 200, body ?? { message: `page not found: ${path}` });
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
