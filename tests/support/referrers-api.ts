/**
 * The referrers API (distribution-spec 1.1, "Listing Referrers") in front of a registry that lacks it, as Debian's CNCF
 * Distribution does: its lists are those that the registry has under the tags that stand in for them, one entry a page.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Registry } from './registry.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const REFERRERS = /^(\/v2\/.+)\/referrers\/([a-z0-9]+):([0-9a-f]+)$/;

export interface ReferrersApi extends Registry {
  /** Path and query of each list that was asked for and given. */
  readonly lists: string[];
}

export async function startReferrersApi(registry: { readonly host: string }): Promise<ReferrersApi> {
  const lists: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${registry.host}`);
    const list = REFERRERS.exec(url.pathname);
    if (list === null) return handOn(url, request, response);
    const [, repository = '', algorithm, hex] = list;
    const tag = new URL(`${repository}/manifests/${algorithm}-${hex}`, url);
    const found = await fetch(tag, { headers: { ...authorizationOf(request), Accept: INDEX } });
    // who may not read the repository is told so by the registry itself
    if (found.status === 401) return give(found, response);
    const { manifests } = found.ok ? await found.json() : { manifests: [] };
    lists.push(`${url.pathname}${url.search}`);
    const type = url.searchParams.get('artifactType');
    const wanted = manifests.filter((entry: { artifactType?: string }) =>
      type === null ? true : entry.artifactType === type,
    );
    const page = Number(url.searchParams.get('page') ?? 0);
    const headers: Record<string, string> = { 'Content-Type': INDEX };
    if (type !== null) headers['OCI-Filters-Applied'] = 'artifactType';
    if (page + 1 < wanted.length) {
      url.searchParams.set('page', String(page + 1));
      headers.Link = `<${url.pathname}${url.search}>; rel="next"`;
    }
    response.writeHead(200, headers);
    response.end(
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: wanted.slice(page, page + 1) }),
    );
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return {
    host: `127.0.0.1:${address.port}`,
    lists,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function authorizationOf({ headers }: IncomingMessage): Record<string, string> {
  return headers.authorization === undefined ? {} : { Authorization: headers.authorization };
}

async function handOn(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new Error('only reads are handed on');
  const accept = request.headers.accept ?? '*/*';
  const headers = { ...authorizationOf(request), Accept: accept };
  await give(await fetch(url, { method: request.method, headers, redirect: 'manual' }), response);
}

async function give(found: Response, response: ServerResponse): Promise<void> {
  response.writeHead(found.status, Object.fromEntries(found.headers));
  if (found.body === null) response.end();
  else await pipeline(Readable.fromWeb(found.body as ReadableStream), response);
}
