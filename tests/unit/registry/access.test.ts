/** Who asks, and what goes along: on real connections, with Node's fetch. */

import { afterEach, describe, expect, it } from 'vitest';
import { EventStream, type StampedEvent } from '../../../src/engine/events.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { Credentials, passwordCredential } from '../../../src/engine/registry/credentials.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import {
  BLOB,
  CONFIG,
  PASSWORD,
  startRegistry,
  startTokenService,
  type TokenServiceOptions,
  USER,
} from './made-up-accounts.ts';
import { AT_ONCE } from './made-up-registry.ts';
import { type AskedRequest, basic, json, type RealServer, startServer } from './real-server.ts';

const signal = new AbortController().signal;
const running: RealServer[] = [];
const keep = <T extends RealServer>(server: T): T => {
  running.push(server);
  return server;
};
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

const scopeOf = ({ path }: AskedRequest) => `repository:${path.split('/')[2]}:pull`;

async function withTokens(
  options: TokenServiceOptions = {},
  more: { scope?: (request: AskedRequest) => string; challenge?: (bearer: string) => string | string[] } = {},
) {
  const tokens = keep(await startTokenService(options));
  const registry = keep(
    await startRegistry(
      (request) => tokens.isGood(request.headers.authorization),
      (request) => {
        const bearer = `Bearer realm="${tokens.origin}/token",service="reg & co",scope="${(more.scope ?? scopeOf)(request)}"`;
        return more.challenge?.(bearer) ?? bearer;
      },
    ),
  );
  return { tokens, registry };
}

function client(registry: RealServer, more: { now?: () => number; loggedIn?: boolean } = {}) {
  const events = new EventStream(() => 0);
  const seen: StampedEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const credentials = new Credentials();
  const registries = new Registries({
    mirrors: {},
    fetch: (url, init) => fetch(url, init),
    events,
    now: more.now ?? (() => 0),
    patience: AT_ONCE,
    credentials,
  });
  const login = (username = USER, password = PASSWORD) =>
    registries.login(registry.host, passwordCredential(username, password), { signal, keep: false });
  const [source] = registries.sources(parseReference(`${registry.host}/app`));
  if (source === undefined) throw new Error('no source');
  return { registries, seen, login, source, credentials };
}
const authorizations = (server: RealServer) => server.requests.map(({ headers }) => headers.authorization);

describe('a registry that asks nobody', () => {
  it('is sent nothing, logged in or not', async () => {
    const registry = keep(
      await startRegistry(
        () => true,
        () => '',
      ),
    );
    const { source, login } = client(registry);
    await source.resolve({ tag: 'v1' }, { signal });
    await login();
    await source.resolve({ tag: 'v1' }, { signal });
    await source.blob(BLOB, 'config', { signal });
    expect(new Set(authorizations(registry))).toEqual(new Set([undefined]));
  });
});

describe('Basic', () => {
  const start = async () =>
    keep(
      await startRegistry(
        ({ headers }) => headers.authorization === basic(USER, PASSWORD),
        () => 'Basic realm="a registry"',
      ),
    );

  it('is answered for who is logged in, and goes along at once from then on', async () => {
    const registry = await start();
    const { source, login } = client(registry);
    await expect(source.resolve({ tag: 'v1' }, { signal })).rejects.toMatchObject({ code: 'RegistryDenied' });
    await login();
    const after = registry.requests.length;
    const [again] = client(registry).registries.sources(parseReference(`${registry.host}/app`));
    expect(again).toBeDefined();
    await source.resolve({ tag: 'v1' }, { signal });
    expect(await source.blob(BLOB, 'config', { signal })).toEqual(CONFIG);
    expect(authorizations(registry).slice(after)).toContain(basic(USER, PASSWORD));
  });

  it('is asked for once by what one pull learns for the next', async () => {
    const registry = await start();
    const { registries, login } = client(registry);
    await login();
    const before = registry.requests.length;
    for (const tag of ['v1', 'v2', 'v3']) {
      await registries.resolve(parseReference(`${registry.host}/app:${tag}`), { signal });
    }
    // one question for the challenge, then a request each
    expect(registry.requests.slice(before).map(({ path }) => path)).toEqual([
      '/v2/',
      '/v2/app/manifests/v1',
      '/v2/app/manifests/v2',
      '/v2/app/manifests/v3',
    ]);
  });

  describe('of a registry that hides from strangers what it has', () => {
    let release: () => void = () => undefined;
    const hiding = async () => {
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const registry = keep(
        await startServer(async (request, response) => {
          if (request.path === '/v2/') await gate;
          if (request.headers.authorization === basic(USER, PASSWORD)) response.end('{"tags":["v1"]}');
          else if (request.path === '/v2/')
            response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
          else json(response, 404, { errors: [{ code: 'NAME_UNKNOWN', message: 'unknown' }] });
        }),
      );
      const { registries, credentials } = client(registry);
      await credentials.set(registry.host, passwordCredential(USER, PASSWORD), { keep: false });
      const reference = parseReference(`${registry.host}/app`);
      return { registry, tags: (stop = signal) => registries.tags(reference, { signal: stop }) };
    };
    const asked = async (registry: RealServer, count: number) => {
      while (registry.requests.length < count) await new Promise((resolve) => setImmediate(resolve));
    };

    it('is asked once for its challenge, and nothing is asked without it meanwhile', async () => {
      const { registry, tags } = await hiding();
      const all = [tags(), tags(), tags()];
      await asked(registry, 1);
      release();
      expect(await Promise.all(all)).toEqual([['v1'], ['v1'], ['v1']]);
      expect(registry.requests.filter(({ path }) => path === '/v2/')).toHaveLength(1);
    });

    it('is asked again when the one who asked first gave up', async () => {
      const { registry, tags } = await hiding();
      const controller = new AbortController();
      const first = tags(controller.signal);
      await asked(registry, 1);
      controller.abort();
      await expect(first).rejects.toMatchObject({ code: 'Cancelled' });
      release();
      expect(await tags()).toEqual(['v1']);
      expect(registry.requests.filter(({ path }) => path === '/v2/')).toHaveLength(2);
    });

    it('is asked on for the second when the first gives up', async () => {
      const { registry, tags } = await hiding();
      const controller = new AbortController();
      const first = tags(controller.signal);
      await asked(registry, 1);
      const second = tags();
      await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      await expect(first).rejects.toMatchObject({ code: 'Cancelled' });
      release();
      expect(await second).toEqual(['v1']);
      expect(registry.requests.filter(({ path }) => path === '/v2/')).toHaveLength(1);
    });
  });

  it('is over after docker logout', async () => {
    const registry = await start();
    const { registries, login } = client(registry);
    const reference = parseReference(`${registry.host}/app:v1`);
    await login();
    await registries.resolve(reference, { signal });
    await registries.logout(registry.host);
    await expect(registries.resolve(reference, { signal })).rejects.toMatchObject({ code: 'RegistryDenied' });
    expect(authorizations(registry).at(-1)).toBeUndefined();
  });
});

describe('tokens', () => {
  it('are had for anybody, with what the challenge and the request are about', async () => {
    const { tokens, registry } = await withTokens(
      { anonymous: true },
      { scope: (request) => `${scopeOf(request)} repository:base:pull` },
    );
    await client(registry).source.resolve({ tag: 'v1' }, { signal });
    expect(tokens.requests[0]?.path).toBe(
      '/token?service=reg+%26+co&scope=repository%3Aapp%3Apull&scope=repository%3Abase%3Apull',
    );
    expect(authorizations(tokens)).toEqual([undefined]);
  });

  it('are had with the password, which the registry itself never sees', async () => {
    const { tokens, registry } = await withTokens();
    const { source, login } = client(registry);
    await expect(source.resolve({ tag: 'v1' }, { signal })).rejects.toMatchObject({ code: 'RegistryDenied' });
    await login();
    const fresh = client(registry);
    await fresh.login();
    await fresh.source.resolve({ tag: 'v1' }, { signal });
    await source.resolve({ tag: 'v1' }, { signal });
    expect(tokens.given.at(-1)).toMatchObject({ to: USER, scopes: ['repository:app:pull'] });
    for (const sent of authorizations(registry)) expect(sent ?? 'Bearer x').toMatch(/^Bearer /);
  });

  it('are one for parallel requests of a repository, and one for each repository', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { tokens, registry } = await withTokens({ anonymous: true, wait: () => gate });
    const { registries } = client(registry);
    const names = ['app:1', 'app:2', 'app:3', 'other:1'];
    const pulls = names.map((name) =>
      registries.resolve(parseReference(`${registry.host}/${name}`), { signal }),
    );
    while (registry.requests.length < names.length) await new Promise((resolve) => setImmediate(resolve));
    release();
    await Promise.all(pulls);
    expect(tokens.given.map(({ scopes }) => scopes).sort()).toEqual([
      ['repository:app:pull'],
      ['repository:other:pull'],
    ]);
  });

  it('that one pull waits for come although another one, which asked first, is cancelled', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { tokens, registry } = await withTokens({ anonymous: true, wait: () => gate });
    const { registries } = client(registry);
    const controller = new AbortController();
    const reference = parseReference(`${registry.host}/app:1`);
    const first = registries.resolve(reference, { signal: controller.signal });
    while (tokens.requests.length < 1) await new Promise((resolve) => setImmediate(resolve));
    const second = registries.resolve(reference, { signal });
    // it joins the wait without asking anybody
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'Cancelled' });
    release();
    expect((await second).document.kind).toBe('manifest');
    expect(tokens.requests).toHaveLength(1);
  });

  it('are renewed when they are refused before their time, in the middle of a pull', async () => {
    const { tokens, registry } = await withTokens({ anonymous: true, expiresIn: 3600 });
    const { source } = client(registry);
    await source.resolve({ tag: 'v1' }, { signal });
    const { headers, renew } = await source.blobRequest(BLOB, { signal });
    expect(headers).toEqual({ Authorization: 'Bearer token-1' });
    tokens.expire();
    expect(await source.blob(BLOB, 'config', { signal })).toEqual(CONFIG);
    // one that was sent before is replaced by the one that is there now
    const refused = {
      challenge: `Bearer realm="${tokens.origin}/token"`,
      sent: 'Bearer token-1',
      attempt: 1,
    };
    expect(await renew?.(refused)).toEqual({ Authorization: 'Bearer token-2' });
    expect(tokens.given).toHaveLength(2);
    expect(await renew?.({ ...refused, sent: 'Bearer token-2' })).toEqual({
      Authorization: 'Bearer token-3',
    });
    expect(await renew?.({ ...refused, sent: 'Bearer token-3', attempt: 2 })).toBeUndefined();
    // an hour later, for another part of the same blob
    expect(await renew?.({ ...refused, sent: 'Bearer token-3' })).toEqual({
      Authorization: 'Bearer token-4',
    });
  });

  it('are renewed when their time is over, before anything is refused', async () => {
    let time = 0;
    const { tokens, registry } = await withTokens({ anonymous: true, expiresIn: 100 });
    const { source } = client(registry, { now: () => time });
    await source.resolve({ tag: 'v1' }, { signal });
    const { renew } = await source.blobRequest(BLOB, { signal });
    time = 89_999;
    expect(await renew?.(undefined)).toEqual({ Authorization: 'Bearer token-1' });
    time = 90_000;
    expect(await renew?.(undefined)).toEqual({ Authorization: 'Bearer token-2' });
    expect(tokens.given).toHaveLength(2);
  });

  it('of an identity are had by POST, and a login keeps the identity instead of the password', async () => {
    const { tokens, registry } = await withTokens({ identity: 'identity+of me' });
    const { source, login, credentials } = client(registry);
    await login();
    expect(await credentials.get(registry.host)).toMatchObject({ kind: 'identity', username: USER });
    expect((await credentials.get(registry.host))?.secret.reveal()).toBe('identity+of me');
    await source.resolve({ tag: 'v1' }, { signal });
    const last = client(registry);
    await last.login('<token>', 'identity+of me');
    expect(tokens.given.map(({ to }) => to)).toContain('identity');
    const post = tokens.requests.find(({ method }) => method === 'POST');
    expect(post?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(post?.path).toBe('/token');
  });

  it('are had by POST where the service takes no GET', async () => {
    const { tokens, registry } = await withTokens({ get: 405 });
    const { login } = client(registry);
    await login();
    expect(tokens.given.at(-1)?.to).toBe(USER);
    expect(tokens.requests.map(({ method }) => method).slice(0, 2)).toEqual(['GET', 'POST']);
  });
});

describe('several challenges', () => {
  it.each<[string, (bearer: string) => string | string[]]>([
    ['in one header', (bearer) => `Negotiate, Basic realm="x", ${bearer}`],
    ['in several', (bearer) => ['Negotiate abc==', 'Basic realm="x"', bearer]],
    ['of which one has no usable realm', (bearer) => `Bearer realm="/token", ${bearer}`],
  ])('%s: the token is taken, for who has no account', async (_, challenge) => {
    const { registry } = await withTokens({ anonymous: true }, { challenge });
    await client(registry).source.resolve({ tag: 'v1' }, { signal });
  });

  it('are answered with the password where the token service refuses it', async () => {
    const tokens = keep(await startServer((_, response) => response.writeHead(403).end()));
    const registry = keep(
      await startRegistry(
        ({ headers }) => headers.authorization === basic(USER, PASSWORD),
        () => [`Bearer realm="${tokens.origin}/token"`, 'Basic realm="x"'],
      ),
    );
    const { source, credentials } = client(registry);
    await credentials.set(registry.host, passwordCredential(USER, PASSWORD), { keep: false });
    expect((await source.resolve({ tag: 'v1' }, { signal })).kind).toBe('manifest');
  });

  const bearers = (...services: RealServer[]) =>
    services.map(({ origin }) => `Bearer realm="${origin}/token"`);
  const refusing = async () => keep(await startServer((_, response) => response.writeHead(403).end()));

  it.each([false, true])(
    'of two token services, of which the first refuses, are answered by the other (logged in: %s)',
    async (isLoggedIn) => {
      const [first, second] = [await refusing(), keep(await startTokenService({ anonymous: true }))];
      const registry = keep(
        await startRegistry(
          ({ headers }) => second.isGood(headers.authorization),
          () => bearers(first, second),
        ),
      );
      const { source, credentials } = client(registry);
      if (isLoggedIn) {
        await credentials.set(registry.host, passwordCredential(USER, PASSWORD), { keep: false });
      }
      expect((await source.resolve({ tag: 'v1' }, { signal })).kind).toBe('manifest');
      expect(await source.blob(BLOB, 'config', { signal })).toEqual(CONFIG);
      expect(second.given[0]?.to).toBe(isLoggedIn ? USER : 'anybody');
      // what was learnt is not asked for again
      expect(first.requests).toHaveLength(1);
    },
  );

  const giving = async (letter: string) => {
    let count = 0;
    return keep(
      await startServer((_, response) => {
        count += 1;
        json(response, 200, { token: `${letter}${count}`, expires_in: 3600 });
      }),
    );
  };

  it('of three token services are answered by the last where the registry takes no other tokens', async () => {
    // the first one gives again what it gave, which is not sent twice
    const same = keep(
      await startServer((_, response) => json(response, 200, { token: 'a', expires_in: 3600 })),
    );
    const services = [same, await giving('b'), await giving('c')];
    let good = /^Bearer a/;
    const registry = keep(
      await startRegistry(
        ({ headers: { authorization = '' } }) => good.test(authorization),
        () => bearers(...services),
      ),
    );
    const { source } = client(registry);
    await source.resolve({ tag: 'v1' }, { signal });
    good = /^Bearer c/;
    await source.resolve({ tag: 'v1' }, { signal });
    expect(await source.blob(BLOB, 'config', { signal })).toEqual(CONFIG);
    expect(authorizations(registry)).toEqual([
      undefined,
      'Bearer a',
      'Bearer a',
      'Bearer b1',
      'Bearer c1',
      'Bearer c1',
    ]);
    const fresh = client(registry);
    expect(await fresh.source.blob(BLOB, 'config', { signal })).toEqual(CONFIG);
  });

  it('of three token services and Basic are answered with the password where nothing else is taken', async () => {
    const services = [await giving('a'), await giving('b'), await giving('c')];
    const registry = keep(
      await startRegistry(
        ({ headers }) => headers.authorization === basic(USER, PASSWORD),
        () => [...bearers(...services), 'Basic realm="x"'],
      ),
    );
    const { source, credentials } = client(registry);
    await credentials.set(registry.host, passwordCredential(USER, PASSWORD), { keep: false });
    expect((await source.resolve({ tag: 'v1' }, { signal })).kind).toBe('manifest');
  });

  it('of two token services are answered by the other for anybody, once the first gives nothing any more', async () => {
    let time = 0;
    const services = [await giving('a'), await giving('b')];
    let isRefusing = false;
    const fickle = keep(
      await startServer((_, response) => {
        if (isRefusing) response.writeHead(403).end();
        else json(response, 200, { token: 'f', expires_in: 100 });
      }),
    );
    const registry = keep(
      await startRegistry(
        ({ headers }) => headers.authorization !== undefined,
        () => bearers(fickle, ...services),
      ),
    );
    const { source } = client(registry, { now: () => time });
    await source.resolve({ tag: 'v1' }, { signal });
    time = 100_000;
    isRefusing = true;
    await source.resolve({ tag: 'v1' }, { signal });
    expect(authorizations(registry)).toEqual([undefined, 'Bearer f', 'Bearer a1']);
  });

  it('without end are answered three times', async () => {
    const service = await refusing();
    const many = Array.from({ length: 50 }, (_, i) => `Bearer realm="${service.origin}/${i}"`);
    const registry = keep(
      await startRegistry(
        () => false,
        () => many.join(', '),
      ),
    );
    const failure = client(registry).source.resolve({ tag: 'v1' }, { signal });
    await expect(failure).rejects.toMatchObject({ code: 'RegistryDenied' });
    expect(service.requests.map(({ path }) => path.split('?')[0])).toEqual(['/0', '/1', '/2']);
  });

  it('that cannot be answered are the registry’s refusal', async () => {
    const registry = keep(
      await startRegistry(
        () => false,
        () => 'Negotiate, Digest realm="x"',
      ),
    );
    const { source } = client(registry);
    await expect(source.resolve({ tag: 'v1' }, { signal })).rejects.toMatchObject({
      code: 'RegistryDenied',
      message: expect.stringContaining('docker login'),
    });
    expect(registry.requests).toHaveLength(1);
  });
});

describe('what a password or a token is for', () => {
  it('does not go to where a redirect leads (Node’s fetch takes Authorization away, as the Fetch standard says)', async () => {
    const elsewhere = keep(await startServer((_, response) => void response.end(CONFIG)));
    const registry = keep(
      await startServer((request, response) => {
        if (request.headers.authorization !== basic(USER, PASSWORD)) {
          response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
        } else if (request.path === '/v2/') response.end('{}');
        else response.writeHead(307, { Location: `${elsewhere.origin}/store` }).end();
      }),
    );
    const { source, login } = client(registry);
    await login();
    expect(await source.blob(BLOB, 'config', { signal })).toEqual(CONFIG);
    expect(authorizations(registry)).toContain(basic(USER, PASSWORD));
    expect(authorizations(elsewhere)).toEqual([undefined]);
  });

  it('does not go in a POST to where a token service leads', async () => {
    const elsewhere = keep(await startServer((_, response) => void response.end('{}')));
    const service = keep(
      await startServer((_, response) => void response.writeHead(307, { Location: elsewhere.origin }).end()),
    );
    const registry = keep(
      await startRegistry(
        () => false,
        () => `Bearer realm="${service.origin}"`,
      ),
    );
    const { login } = client(registry);
    await expect(login('<token>', 'an identity')).rejects.toMatchObject({ code: 'RegistryUnreachable' });
    expect(service.requests[0]?.body).toContain('an%20identity');
    expect(elsewhere.requests).toEqual([]);
  });

  it.each([['http://auth.example/token'], ['http://10.0.0.1/token']])(
    'does not go to %s, which is not encrypted',
    async (realm) => {
      const registry = keep(
        await startRegistry(
          () => false,
          () => `Bearer realm="${realm}"`,
        ),
      );
      const { login } = client(registry);
      await expect(login()).rejects.toThrow('which is not encrypted: it was not sent');
    },
  );

  it('does not go to a mirror that is not encrypted', async () => {
    const asked: string[] = [];
    const credentials = new Credentials();
    await credentials.set('mirror.example:8080', passwordCredential(USER, PASSWORD), { keep: false });
    const registries = new Registries({
      mirrors: { 'docker.io': 'http://mirror.example:8080' },
      fetch: async (url, init) => {
        asked.push(`${url} ${new Headers(init?.headers).get('authorization')}`);
        throw new TypeError('Failed to fetch');
      },
      events: new EventStream(() => 0),
      now: () => 0,
      patience: AT_ONCE,
      credentials,
    });
    await expect(registries.resolve(parseReference('app'), { signal })).rejects.toThrow(
      'the password for mirror.example:8080 is not sent to http://mirror.example:8080',
    );
    expect(asked.filter((line) => !line.endsWith(' null'))).toEqual([]);
  });

  it.each(['https://user:pw@auth.example/token', 'ftp://auth.example/', 'data:,x'])(
    'does not go to %s',
    async (realm) => {
      const registry = keep(
        await startRegistry(
          () => false,
          () => `Bearer realm="${realm}"`,
        ),
      );
      await expect(client(registry).login()).rejects.toMatchObject({ code: 'RegistryDenied' });
    },
  );

  it('is not in errors, events or what is printed of it', async () => {
    const { tokens, registry } = await withTokens({ identity: 'identity-secret' });
    const told: unknown[] = [];
    const right = client(registry);
    await right.login();
    await right.source.resolve({ tag: 'v1' }, { signal });
    const wrong = client(registry);
    told.push(await wrong.login(USER, 'wrong-secret').catch((error: unknown) => error));
    await tokens.close();
    told.push(
      await right.registries
        .resolve(parseReference(`${registry.host}/b`), { signal })
        .catch((e: unknown) => e),
    );
    const credential = await right.registries.credential(registry.host);
    const shown = [
      ...told.map(
        (error) => `${error} ${JSON.stringify(error)} ${error instanceof Error ? error.stack : ''}`,
      ),
      JSON.stringify([right.seen, wrong.seen, credential]),
      String(credential?.secret),
    ].join('\n');
    for (const secret of [
      PASSWORD,
      encodeURIComponent(PASSWORD),
      'identity-secret',
      'wrong-secret',
      'token-1',
      basic(USER, PASSWORD),
    ]) {
      expect(shown).not.toContain(secret);
    }
    expect(told.every((error) => error instanceof Error)).toBe(true);
  });
});

describe('a login', () => {
  it.each<[string, string, string, string]>([
    ['Basic', 'Basic realm="x"', 'LoginFailed', 'failed with status: 401 Unauthorized'],
    ['a service that is none', 'Bearer realm="x"', 'RegistryDenied', 'is no web address'],
    ['a scheme that nobody knows', 'Digest realm="x"', 'LoginFailed', 'failed with status: 401 Unauthorized'],
  ])('that %s refuses fails, and changes nothing', async (_, challenge, code, words) => {
    const registry = keep(
      await startRegistry(
        () => false,
        () => challenge,
      ),
    );
    const { login, credentials } = client(registry);
    const failure = await login().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).toContain(words);
    expect(await credentials.get(registry.host)).toBeUndefined();
  });

  it('that a token service refuses says so in Docker’s words', async () => {
    const { registry } = await withTokens();
    await expect(client(registry).login(USER, 'wrong')).rejects.toMatchObject({
      code: 'LoginFailed',
      message: `Get "${registry.origin}/v2/": unauthorized: incorrect username or password`,
      data: { server: registry.host, status: 401 },
    });
  });
});
