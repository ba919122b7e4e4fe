/** Lists that come in pages, of registries that are kind, odd or hostile. */

import { describe, expect, it } from 'vitest';
import { EventStream } from '../../../src/engine/events.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { fallbackTag } from '../../../src/engine/registry/referrers.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import { type Answer, AT_ONCE, jsonBytes, MadeUpRepository, MadeUpWeb, refuse } from './made-up-registry.ts';

const base = 'https://registry.example';
const signal = new AbortController().signal;
const subject = `sha256:${'a'.repeat(64)}` as const;

function client(answer: Answer) {
  const web = new MadeUpWeb().host(base, answer);
  const registries = new Registries({
    mirrors: {},
    fetch: web.fetch,
    events: new EventStream(() => 0),
    now: () => 0,
    patience: AT_ONCE,
  });
  const reference = parseReference('registry.example/app');
  return {
    web,
    tags: () => registries.tags(reference, { signal }),
    catalog: async () => {
      const names: string[] = [];
      for await (const page of registries.catalog('registry.example', { signal })) names.push(...page);
      return names;
    },
    referrers: (artifactType?: string) =>
      registries.referrers(reference, subject, {
        signal,
        ...(artifactType !== undefined && { artifactType }),
      }),
    queries: () => web.requests.map(({ url }) => url.slice(base.length)),
  };
}

const page = (tags: unknown, link?: string) =>
  new Response(JSON.stringify({ name: 'app', tags }), link === undefined ? {} : { headers: { link } });

describe('tags', () => {
  it('come page after page, as the Link header names them', async () => {
    const { tags, queries } = client(({ url }) => {
      const last = new URL(url).searchParams.get('last');
      if (last === null) return page(['a', 'b'], '</v2/app/tags/list?n=2&last=b>; rel="next"');
      return last === 'b' ? page(['c', 'd'], '<list?n=2&last=d>; rel="next"') : page(['e']);
    });
    expect(await tags()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(queries()).toEqual([
      '/v2/app/tags/list?n=1000',
      '/v2/app/tags/list?n=2&last=b',
      '/v2/app/tags/list?n=2&last=d',
    ]);
  });

  it('come by the last one of a full page, where the Link header cannot be read', async () => {
    const all = Array.from({ length: 2500 }, (_, i) => `t${String(i).padStart(4, '0')}`);
    const { tags, queries } = client(({ url }) => {
      const last = new URL(url).searchParams.get('last') ?? '';
      return page(all.filter((tag) => tag > last).slice(0, 1000));
    });
    expect(await tags()).toEqual(all);
    expect(queries()).toHaveLength(3);
  });

  it('of a registry that sends the same page again and again end', async () => {
    const full = Array.from({ length: 1000 }, (_, i) => `t${i}`);
    const { tags, queries } = client(() => page(full));
    expect(await tags()).toHaveLength(1000);
    expect(queries()).toHaveLength(2);
    const looping = client(() => page(['a'], '</v2/app/tags/list?last=a>; rel="next"'));
    expect(await looping.tags()).toEqual(['a']);
  });

  describe('of a registry that gives fewer than are asked for', () => {
    const all = Array.from({ length: 230 }, (_, i) => `t${String(i).padStart(3, '0')}`);
    const capped: Answer = ({ url }) => {
      const last = new URL(url).searchParams.get('last') ?? '';
      return page(all.filter((tag) => tag > last).slice(0, 100));
    };

    it('come by the last one, until there are none, where the Link header cannot be read', async () => {
      const { tags, queries } = client(capped);
      expect(await tags()).toEqual(all);
      expect(queries()).toEqual([
        '/v2/app/tags/list?n=1000',
        '/v2/app/tags/list?n=1000&last=t099',
        '/v2/app/tags/list?n=1000&last=t199',
        '/v2/app/tags/list?n=1000&last=t229',
      ]);
    });

    it('are at their end where the Link header can be read, and there is none', async () => {
      const { tags, queries } = client(({ url }) => {
        const last = new URL(url).searchParams.get('last');
        return last === null ? page(['a'], '<?last=a>; rel="next"') : page(['b']);
      });
      expect(await tags()).toEqual(['a', 'b']);
      expect(await tags()).toEqual(['a', 'b']);
      expect(queries()).toHaveLength(4);
    });

    it.each([400, 404, 405])('are at their end where more is answered %i', async (status) => {
      const { tags } = client(({ url }) =>
        url.includes('last=') ? new Response('', { status }) : page(['a', 'b']),
      );
      expect(await tags()).toEqual(['a', 'b']);
    });

    it.each([
      [403, 'RegistryDenied'],
      [500, 'RegistryResponse'],
    ])('are not taken for all where more is answered %i', async (status, code) => {
      const { tags } = client(({ url }) =>
        url.includes('last=') ? new Response('', { status }) : page(['a', 'b']),
      );
      await expect(tags()).rejects.toMatchObject({ code });
    });
  });

  it('of a registry that takes no such number are asked for without it, then and from then on', async () => {
    const all = ['a', 'b', 'c', 'd', 'e'];
    const { tags, queries } = client(({ url }) => {
      const { searchParams } = new URL(url);
      // as CNCF Distribution for a number above its own
      if (searchParams.has('n'))
        return refuse(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results requested');
      return page(all.filter((tag) => tag > (searchParams.get('last') ?? '')).slice(0, 2));
    });
    expect(await tags()).toEqual(all);
    expect(await tags()).toEqual(all);
    const each = ['', '?last=b', '?last=d', '?last=e'];
    expect(queries()).toEqual(['?n=1000', ...each, ...each].map((query) => `/v2/app/tags/list${query}`));
  });

  it('of a registry that takes no list at all are its refusal', async () => {
    const { tags, queries } = client(() => refuse(400, 'X', 'not like this'));
    await expect(tags()).rejects.toThrow('not like this');
    expect(queries()).toHaveLength(2);
  });

  it('of more than 64 MB together are refused', async () => {
    const long = 'x'.repeat(7 << 20);
    let count = 0;
    const { tags } = client(() => page([`${count++}${long}`], `<?last=${count}>; rel="next"`));
    await expect(tags()).rejects.toMatchObject({
      code: 'RegistryResponse',
      message: expect.stringContaining('without end'),
    });
    expect(count).toBe(10);
  });

  it('without end are refused', async () => {
    let count = 0;
    const { tags } = client(() => page([`t${count++}`], `<?last=${count}>; rel="next"`));
    await expect(tags()).rejects.toMatchObject({
      code: 'RegistryResponse',
      message: expect.stringContaining('without end'),
    });
    expect(count).toBe(2000);
  });

  it('are never asked for elsewhere', async () => {
    const { tags, web } = client(() =>
      page(['a'], '<https://evil.example/v2/app/tags/list?last=a>; rel="next"'),
    );
    await expect(tags()).rejects.toMatchObject({ code: 'RegistryResponse' });
    expect(web.requests.every(({ url }) => url.startsWith(base))).toBe(true);
  });

  it.each([[null], [[]]])('of a repository that has none (%j) are none', async (tags) => {
    expect(await client(() => page(tags)).tags()).toEqual([]);
  });

  it.each<[string, () => Response, string]>([
    ['a page of HTML', () => new Response('<!doctype html>'), 'InvalidDocument'],
    ['what is no list', () => page('a'), 'InvalidDocument'],
    ['what are no words', () => page([1]), 'InvalidDocument'],
    ['too much', () => new Response(`{"tags":["${'x'.repeat(9 * 1024 * 1024)}"]}`), 'SizeMismatch'],
    [
      'nothing',
      () => refuse(404, 'NAME_UNKNOWN', 'repository name not known to registry'),
      'ManifestUnknown',
    ],
    ['no leave', () => refuse(403, 'DENIED', 'x'), 'RegistryDenied'],
  ])('that are %s are refused', async (_, answer, code) => {
    await expect(client(answer).tags()).rejects.toMatchObject({ code });
  });
});

describe('the catalog', () => {
  it('asks for what a token needs to allow', async () => {
    const { catalog, queries } = client(({ url, authorization }) => {
      if (url.includes('/token')) return new Response('{"token":"t"}');
      if (authorization === 'Bearer t') return new Response('{"repositories":["a","b/c"]}');
      return refuse(401, 'UNAUTHORIZED', 'x', {
        'www-authenticate': `Bearer realm="${base}/token",service="s"`,
      });
    });
    expect(await catalog()).toEqual(['a', 'b/c']);
    expect(queries()[1]).toBe('/token?service=s&scope=registry%3Acatalog%3A*');
  });
});

describe('what refers to a manifest', () => {
  const INDEX = 'application/vnd.oci.image.index.v1+json';
  const entry = (digit: string, artifactType: string) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${digit.repeat(64)}`,
    size: 3,
    artifactType,
  });
  const listOf = (...manifests: readonly object[]) => ({ schemaVersion: 2, mediaType: INDEX, manifests });
  const api = (document: object, headers: Record<string, string> = {}) =>
    new Response(jsonBytes(document), { headers: { 'content-type': INDEX, ...headers } });

  it('comes from the API, in pages', async () => {
    const { referrers, queries } = client(({ url }) =>
      url.includes('page=2')
        ? api(listOf(entry('2', 'b')))
        : api(listOf(entry('1', 'a')), { link: `</v2/app/referrers/${subject}?page=2>; rel="next"` }),
    );
    expect(await referrers()).toEqual([entry('1', 'a'), entry('2', 'b')]);
    expect(queries()).toEqual([`/v2/app/referrers/${subject}`, `/v2/app/referrers/${subject}?page=2`]);
  });

  it.each([
    ['filters', { 'oci-filters-applied': 'artifactType' }],
    ['does not filter', {}],
  ])('of one type comes from an API that %s', async (_, headers) => {
    const { referrers, queries } = client(() =>
      'oci-filters-applied' in headers
        ? api(listOf(entry('1', 'a/b+c')), headers)
        : api(listOf(entry('1', 'a/b+c'), entry('2', 'x'))),
    );
    expect(await referrers('a/b+c')).toEqual([entry('1', 'a/b+c')]);
    expect(queries()).toEqual([`/v2/app/referrers/${subject}?artifactType=a%2Fb%2Bc`]);
  });

  it.each<[string, () => Response]>([
    ['answers 404', () => new Response('404 page not found', { status: 404 })],
    [
      'gives a page no answer that it may read',
      () => {
        throw new TypeError('Failed to fetch');
      },
    ],
  ])('comes from a tag where the API %s', async (_, answer) => {
    const repository = new MadeUpRepository('app');
    repository.manifest(listOf(entry('1', 'a')) as { mediaType: string }, fallbackTag(subject));
    const { referrers } = client((request, aborted) =>
      request.url.includes('/referrers/') ? answer() : repository.answer(request, aborted),
    );
    expect(await referrers()).toEqual([entry('1', 'a')]);
  });

  it('is nothing where there is no such tag, or one of another thing', async () => {
    const repository = new MadeUpRepository('app');
    const { referrers } = client(repository.answer);
    expect(await referrers()).toEqual([]);
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: entry('1', 'a'),
      layers: [],
    };
    repository.manifest(manifest, fallbackTag(subject));
    expect(await referrers()).toEqual([]);
  });

  it('without end is left, and elsewhere is not asked', async () => {
    const looping = client(() =>
      api(listOf(entry('1', 'a')), { link: `</v2/app/referrers/${subject}>; rel="next"` }),
    );
    expect(await looping.referrers()).toHaveLength(1);
    const luring = client(() =>
      api(listOf(entry('1', 'a')), { link: '<https://evil.example/>; rel="next"' }),
    );
    await expect(luring.referrers()).rejects.toMatchObject({ code: 'RegistryResponse' });
  });

  it('of more than 64 MB together is refused', async () => {
    let count = 0;
    const long = 'x'.repeat((4 << 20) - 1000);
    const { referrers } = client(() => {
      count += 1;
      const one = { ...entry('1', 'a'), digest: `sha256:${String(count).padStart(64, '0')}` };
      const document = { ...listOf(one), annotations: { x: long } };
      return api(document, { link: `</v2/app/referrers/${subject}?page=${count}>; rel="next"` });
    });
    await expect(referrers()).rejects.toMatchObject({ code: 'RegistryResponse' });
    expect(count).toBe(17);
  });

  it('has a tag that fits into one', () => {
    expect(fallbackTag(subject)).toBe(`sha256-${'a'.repeat(64)}`);
    expect(fallbackTag(`sha512:${'b'.repeat(128)}`)).toBe(`sha512-${'b'.repeat(64)}`);
  });
});
