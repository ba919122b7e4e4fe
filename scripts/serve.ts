/**
 * A static file server for what the build made: right media types, the Content-Security-Policy, ETags, one range.
 * It is what `npm start` and the tests serve the site with; any other static server does as well.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { headerPolicy } from './content-security-policy.ts';

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
};

export interface StaticServer {
  /** `http://127.0.0.1:8686/`, with the slash. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Serves a folder; port 0 takes a free one. Rejects with the system's error when the port is taken. */
export async function serveFolder(folder: string, port: number, host = '127.0.0.1'): Promise<StaticServer> {
  const root = resolve(folder);
  const server = createServer((request, response) => {
    answer(root, request, response).catch((error: unknown) => {
      // a reader that went away is no failure of ours
      if (!response.headersSent && !response.destroyed) refuse(response, 500, 'The file could not be read.');
      else response.destroy();
      if (!isGone(error)) console.error(error);
    });
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      listening();
    });
  });
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/`,
    port: taken,
    close: () =>
      new Promise((done, failed) => {
        server.close((error) => (error === undefined ? done() : failed(error)));
        server.closeAllConnections();
      }),
  };
}

async function answer(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return refuse(response, 405, 'Only GET and HEAD are served here.');
  }
  const path = fileOf(root, request.url ?? '/');
  const handle = path === undefined ? undefined : await openFile(path);
  if (path === undefined || handle === undefined) return refuse(response, 404, 'There is no such file here.');
  try {
    const { size, mtimeMs } = await handle.stat();
    const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
    response.setHeader('Content-Type', mediaTypes[extname(path)] ?? 'application/octet-stream');
    response.setHeader('ETag', etag);
    response.setHeader('Accept-Ranges', 'bytes');
    response.setHeader('Content-Security-Policy', headerPolicy());
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    // the build puts a hash of the content into the names of this folder, and of no other
    const hashed = path.startsWith(join(root, 'assets') + sep);
    response.setHeader('Cache-Control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304).end();
      return;
    }
    const range = rangeOf(request, etag, size);
    if (range === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${size}`);
      return refuse(response, 416, 'The range is outside of the file.');
    }
    const [start, end] = range ?? [0, size - 1];
    if (range !== undefined) response.setHeader('Content-Range', `bytes ${start}-${end}/${size}`);
    response.setHeader('Content-Length', end - start + 1);
    response.writeHead(range === undefined ? 200 : 206);
    if (request.method === 'HEAD' || size === 0) response.end();
    else await pipeline(handle.createReadStream({ start, end, autoClose: false }), response);
  } finally {
    await handle.close();
  }
}

/** The file that a request names, inside the root whatever it holds; undefined when it names none. */
export function fileOf(root: string, url: string): string | undefined {
  let name: string;
  try {
    name = decodeURIComponent(url.replace(/[?#].*$/s, ''));
  } catch {
    return undefined;
  }
  if (name.includes('\0') || name.includes('\\')) return undefined;
  const path = resolve(join(root, name.endsWith('/') ? `${name}index.html` : name));
  return path.startsWith(root + sep) ? path : undefined;
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    const handle = await open(path);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return undefined;
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(`${error.code}`)
    ) {
      return undefined;
    }
    throw error;
  }
}

/** RFC 9110, section 14.2: one range of bytes; any other form is answered with the whole. */
function rangeOf(
  request: IncomingMessage,
  etag: string,
  size: number,
): [number, number] | 'unsatisfiable' | undefined {
  const condition = request.headers['if-range'];
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  if (match === null || (condition !== undefined && condition !== etag)) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start > end || start >= size ? 'unsatisfiable' : [start, end];
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.removeHeader('ETag');
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`${sentence}\n`);
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
