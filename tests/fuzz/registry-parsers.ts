/** What a registry, its token service or a static host answers: headers, and bodies that are no documents of an image. */

import { decodeName } from '../../src/engine/names.ts';
import { openBlob } from '../../src/engine/registry/blob.ts';
import { readStream } from '../../src/engine/registry/bounded-body.ts';
import { parseChallenges } from '../../src/engine/registry/challenge.ts';
import { DistributionSource } from '../../src/engine/registry/distribution.ts';
import { LayoutSource } from '../../src/engine/registry/layout.ts';
import { nextPage } from '../../src/engine/registry/link.ts';
import type { Fetch } from '../../src/engine/registry/request.ts';
import { retryAfter } from '../../src/engine/registry/retry.ts';
import { findRepositories } from '../../src/engine/registry/search.ts';
import { fetchToken } from '../../src/engine/registry/token.ts';
import { AT_ONCE } from '../unit/registry/made-up-registry.ts';
import { type Bytes, type FuzzedParsers, inText, jsonWords } from './fuzzed-parser.ts';

const base = 'https://registry.example';
const linkBase = `${base}/v2/_catalog?n=2`;
const digest = `sha256:${'0123456789abcdef'.repeat(4)}` as const;
const { signal } = new AbortController();
const patient = { onRequest: () => undefined, patience: AT_ONCE, now: () => 0 };

/** An answer as it comes off a connection, with what was asked for before it: `blob HTTP/1.1 206 Partial Content`... */
interface RecordedAnswer {
  readonly asked: string;
  readonly response: () => Response;
}

/** Whatever the bytes say: a status or a header that there cannot be is one that there can be, or none. */
function recordedAnswer(input: Bytes): RecordedAnswer {
  const blank = Buffer.from(input).indexOf('\r\n\r\n');
  const head = decodeName(blank < 0 ? input : input.subarray(0, blank)).split('\r\n');
  const body = blank < 0 ? new Uint8Array(0) : input.slice(blank + 4);
  const [asked = '', , told = ''] = (head[0] ?? '').split(' ');
  const number = Number(told);
  const status = number >= 200 && number <= 599 && Number.isInteger(number) ? number : 200;
  const headers: [string, string][] = [];
  for (const line of head.slice(1)) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, Math.max(0, colon)), line.slice(colon + 1).trim()];
    if (/^[A-Za-z0-9-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)) headers.push([name, value]);
  }
  const isEmpty = [204, 205, 304].includes(status);
  return { asked, response: () => new Response(isEmpty ? null : body.slice(), { status, headers }) };
}

const page = async (pages: AsyncIterable<readonly string[]>) => {
  let length = 0;
  for await (const names of pages) length += names.join().length;
  return length;
};

/** The same answer to all that is asked for, but for a token. */
async function readAnswer(input: Bytes): Promise<number> {
  const { asked, response } = recordedAnswer(input);
  let requests = 0;
  const fetch: Fetch = async (url) => {
    requests += 1;
    if (requests > 100) throw new RangeError('it asks again and again');
    return url.includes('token') ? new Response('{"token":"t"}') : response();
  };
  const source = new DistributionSource({
    ...patient,
    ...{ base, repository: 'app', familiarName: 'registry.example/app', name: 'it', isOrigin: true, fetch },
  });
  if (asked === 'tags') return page(source.tags({ signal }));
  if (asked === 'referrers') return (await source.referrers(digest, { signal })).length;
  if (asked === 'blob') {
    const request = {
      url: `${base}/v2/app/blobs/${digest}`,
      what: 'it',
      size: 30,
      range: { start: 10, end: 20 },
    };
    const body = await openBlob(request, { ...patient, fetch, signal });
    return (await readStream(body, request, { limit: 30, signal })).length;
  }
  return (await source.resolve({ tag: 'v1' }, { signal })).bytes.length;
}

/** A token service that answers so. */
async function readToken(input: Bytes): Promise<number> {
  const fetch: Fetch = async () => new Response(input.slice());
  const parameters = new Map([['realm', `${base}/token`]]);
  const wish = { registry: base, scopes: ['repository:app:pull'], what: 'app', offline: true };
  const { value, expiresAt } = await fetchToken({ scheme: 'bearer', parameters }, wish, {
    ...{ ...patient, fetch, signal },
  });
  if (!(expiresAt > 0 && expiresAt < 1e12)) throw new TypeError(`the token ends at ${expiresAt}`);
  return value.reveal().length;
}

/** The index.json of an image layout on a static host, and the names in it. */
async function readLayout(input: Bytes): Promise<number> {
  const fetch: Fetch = async () => new Response(input.slice());
  const layout = new LayoutSource({
    ...patient,
    ...{ base: 'https://static.example/', familiarName: 'busybox', mirrorOf: 'docker.io', fetch },
    repository: { registry: 'docker.io', repository: 'library/busybox' },
  });
  const list = () => layout.names({ signal });
  const { repositories } = await findRepositories([{ name: 'it', key: 'docker.io', kind: 'layout', list }]);
  return repositories.length + (await page(layout.tags({ signal })));
}

export const registryParsers: FuzzedParsers = {
  challenge: {
    parse: inText((value) => parseChallenges(value).length),
    words: [',', '=', '"', '\\', 'Bearer ', 'realm=', '\t'],
    takesAnything: true,
  },
  link: {
    parse: inText((value) => nextPage(value, linkBase, 'it')?.length ?? 0),
    words: ['<', '>', ';', ',', 'rel=', '"', 'http://', '//', '\\'],
    takesAnything: true,
  },
  'retry after': {
    parse: inText((value) => {
      const legal = value.replaceAll(/[^\x20-\x7e]/g, '');
      const wait = retryAfter(new Headers({ 'retry-after': legal, date: legal }), 0) ?? 0;
      if (!(wait >= 0)) throw new TypeError(`${wait} ms`);
      return 1;
    }),
    words: ['Mon, ', ' GMT', 'Sat', '99999', ':', '-'],
    takesAnything: true,
  },
  'registry answer': {
    parse: readAnswer,
    runs: 300,
    words: [
      ...jsonWords,
      ...['blob ', 'tags ', 'referrers ', 'manifest ', ' 200 ', ' 206 ', ' 401 ', ' 404 ', ' 416 ', ' 429 '],
      ...[
        '\r\n',
        'Content-Range: bytes 10-19/30',
        'Retry-After: 3',
        'NAME_UNKNOWN',
        'DENIED',
        'Bearer realm=',
      ],
    ],
  },
  'token answer': {
    parse: readToken,
    runs: 300,
    words: [...jsonWords, 'token', 'access_token', 'expires_in'],
  },
  'image layout': {
    parse: readLayout,
    runs: 300,
    words: [...jsonWords, 'org.opencontainers.image.ref.name', 'busybox:', 'docker.io/library/'],
  },
};
