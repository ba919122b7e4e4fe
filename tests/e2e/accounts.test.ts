import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { CommandResult } from '../../src/rpc/sandbox.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import {
  type Deployment,
  startBasic,
  startBearer,
  startBearerFor,
  startPlain,
} from '../support/deployment.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import type { Logged, Nginx } from '../support/nginx.ts';
import { listTree } from '../support/real-tree.ts';
import { type PushedManifest, pushLayout, readManifest } from '../support/registry.ts';
import { docker, dockerOk, listUnion, openSandbox, storedText } from '../support/sandbox-page.ts';
import type { TokenService } from '../support/token-service.ts';

/** Registries that want to know who asks: CNCF Distribution with each auth behind nginx, as in `deploy/`. */

const learner = { name: 'learner', password: 'correct horse: ünd battery' };
const basicText = Buffer.from(`${learner.name}:${learner.password}`).toString('base64');
const accounts = { [learner.name]: learner.password };

let chromium: Chromium;
let page: Page;
let basic: Deployment;
let bearer: Deployment & { tokens: TokenService };
/** In front of each, where something has to go wrong, and of a registry that everybody may read. */
let beforeBasic: FaultyRegistry;
let beforeBearer: FaultyRegistry;
let elsewhere: FaultyRegistry;
let plain: Deployment;
let manifest: PushedManifest;
/** All events of the page, as JSON. */
const events = () => page.evaluate(() => JSON.stringify(Reflect.get(window, 'seenEvents')));

beforeAll(async () => {
  [chromium, basic, bearer, plain] = await Promise.all([
    startChromium(),
    startBasic(accounts),
    startBearer(accounts),
    startPlain(),
  ]);
  [beforeBasic, beforeBearer, elsewhere] = await Promise.all([
    startFaultyRegistry(basic),
    startFaultyRegistry(bearer),
    startFaultyRegistry(plain),
  ]);
  for (const server of [basic, bearer, plain]) {
    await pushLayout(
      inject('layout'),
      'busybox',
      server,
      'test/busybox:latest',
      server === plain ? undefined : learner,
    );
  }
  await pushLayout(inject('layout'), 'busybox', bearer, 'private/busybox:latest', learner);
  manifest = await readManifest(plain, 'test/busybox', 'latest');
  page = await openSandbox(chromium, inject('site'));
});
afterAll(async () => {
  await chromium.close();
  await Promise.all([beforeBasic, beforeBearer, elsewhere].map((proxy) => proxy.close()));
  await Promise.all([basic, bearer, plain].map((server) => server.close()));
});
beforeEach(async () => {
  for (const proxy of [beforeBasic, beforeBearer, elsewhere]) {
    proxy.faults.clear();
    proxy.forget();
  }
  bearer.tokens.requests.length = 0;
  await page.evaluate(() => {
    const seen: unknown[] = [];
    Reflect.set(window, 'seenEvents', seen);
    window.sandbox.events().subscribe((event) => seen.push(event));
  });
});
afterEach(async () => {
  for (const server of [basic, bearer, beforeBasic, beforeBearer]) await docker(page, 'logout', server.host);
  const ids = (await dockerOk(page, 'images', '-aq')).split('\n').filter((id) => id !== '');
  if (ids.length > 0) await dockerOk(page, 'rmi', '-f', ...ids);
  // layers that no image needs any more are collected when the sandbox is opened; what is in memory is gone as well
  await page.reload();
});

/** A registry that believes the same tokens, and sends its readers elsewhere for them. */
async function startBearerAt(realm: string): Promise<Deployment> {
  const registry = await startBearerFor(bearer.tokens, realm);
  await pushLayout(inject('layout'), 'busybox', registry, 'test/busybox:latest', learner);
  return registry;
}

const login = (host: string, password: string, ...flags: string[]): Promise<CommandResult> =>
  page.evaluate(([argv, stdin]) => window.sandbox.docker(argv, { stdin }), [
    ['login', ...flags, '-u', learner.name, '--password-stdin', host],
    password,
  ] as const);

const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);

async function expectWhole(reference: string): Promise<void> {
  const walked = await listUnion(page, reference);
  expect(walked.toSorted(byPath)).toEqual(listTree(inject('roots').busybox).toSorted(byPath));
}

async function during(server: Nginx, act: () => Promise<unknown>): Promise<readonly Logged[]> {
  const mark = (await server.requests()).length;
  await act();
  return (await server.requests()).slice(mark);
}

/** A browser asks leave for what carries a password or a token: once for an address, and never for what carries none. */
function expectNoNeedlessPreflight(requests: readonly Logged[]): void {
  const asked = requests.filter(({ method }) => method === 'OPTIONS').map(({ path }) => path);
  expect(new Set(asked).size).toBe(asked.length);
  const withCredential = requests.filter(({ authorization }) => authorization !== '').map(({ path }) => path);
  expect(asked.filter((path) => !withCredential.includes(path))).toEqual([]);
}

/** Blobs come once each, and nothing that needs a login is asked for a second time without one. */
function expectBlobsOnce(requests: readonly Logged[]): void {
  const blobs = requests.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
  const wanted = [manifest.config, ...manifest.layers].map(({ digest }) => digest);
  expect(blobs.map(({ path, status }) => `${path.split('/').at(-1)} ${status}`).toSorted()).toEqual(
    wanted.map((digest) => `${digest} 200`).toSorted(),
  );
}

async function expectNoSecretsKept(...secrets: readonly string[]): Promise<void> {
  const told = await events();
  const stored = await storedText(page);
  const said = chromium.complaints.join('\n');
  for (const secret of [learner.password, basicText, ...secrets]) {
    expect(told).not.toContain(secret);
    expect(stored).not.toContain(secret);
    expect(said).not.toContain(secret);
  }
}

describe('Basic', () => {
  it('docker login, pull, and every byte is right', async () => {
    const reference = `${basic.host}/test/busybox`;
    const requests = await during(basic, async () => {
      expect(await login(basic.host, `${learner.password}\n`)).toMatchObject({
        exitCode: 0,
        stdout: 'Login Succeeded\n',
      });
      await dockerOk(page, 'pull', reference);
    });
    await expectWhole(reference);
    expectBlobsOnce(requests);
    expectNoNeedlessPreflight(requests);
    await expectNoSecretsKept();
  });

  it('a wrong password has the words of Docker, and logs nobody in', async () => {
    const result = await login(basic.host, 'wrong');
    expect(result).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `Error response from daemon: login attempt to http://${basic.host}/v2/ failed with status: 401 Unauthorized\n`,
    });
    expect((await docker(page, 'pull', `${basic.host}/test/busybox`)).exitCode).toBe(1);
  });

  it('without a login the pull says so, and asks no leave for what it does not send', async () => {
    const requests = await during(basic, async () => {
      const result = await docker(page, 'pull', `${basic.host}/test/busybox`);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toMatch(/docker login/);
      expect(result.stderr).toContain(basic.host);
    });
    expect(requests.filter(({ method }) => method === 'OPTIONS')).toEqual([]);
  });

  it('after docker logout nothing is sent any more', async () => {
    await login(basic.host, learner.password);
    expect(await dockerOk(page, 'logout', basic.host)).toContain(
      `Removing login credentials for ${basic.host}`,
    );
    const requests = await during(basic, async () => {
      expect((await docker(page, 'pull', `${basic.host}/test/busybox`)).exitCode).toBe(1);
    });
    expect(requests.filter(({ authorization }) => authorization !== '')).toEqual([]);
  });

  it('a login ends with the page, unless it was asked to be kept', async () => {
    await login(basic.host, learner.password);
    await page.reload();
    expect((await docker(page, 'pull', `${basic.host}/test/busybox`)).exitCode).toBe(1);
    const kept = await login(basic.host, learner.password, '--keep');
    expect(kept).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/WARNING.*unencrypted/i) });
    // the same look as elsewhere finds it where it is
    expect(await storedText(page)).toContain(learner.password);
    await page.reload();
    await dockerOk(page, 'pull', `${basic.host}/test/busybox`);
    await dockerOk(page, 'logout', basic.host);
    expect(await storedText(page)).not.toContain(learner.password);
  });

  it('the password of one registry is not sent to another', async () => {
    await login(basic.host, learner.password);
    const requests = await during(plain, () => dockerOk(page, 'pull', `${plain.host}/test/busybox`));
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.filter(({ authorization }) => authorization !== '')).toEqual([]);
  });

  it('nor to another origin that the registry sends its readers on to', async () => {
    await login(beforeBasic.host, learner.password);
    beforeBasic.faults.set('/blobs/', { kind: 'redirect', origin: `http://${elsewhere.host}` });
    const reference = `${beforeBasic.host}/test/busybox`;
    await dockerOk(page, 'pull', reference);
    await expectWhole(reference);
    expect(elsewhere.seen.filter(({ method }) => method === 'GET').length).toBe(4);
    expect(JSON.stringify(elsewhere.seen)).not.toContain(basicText);
    expect(elsewhere.seen.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
    await expectNoSecretsKept();
  });

  it('nor when the connection there breaks and the rest is fetched', async () => {
    await login(beforeBasic.host, learner.password);
    const layer = manifest.layers[0]?.digest ?? '';
    beforeBasic.faults.set('/blobs/', { kind: 'redirect', origin: `http://${elsewhere.host}` });
    elsewhere.faults.set(layer, { kind: 'cut', after: 700_000, times: 1 });
    const reference = `${beforeBasic.host}/test/busybox`;
    await dockerOk(page, 'pull', reference);
    await expectWhole(reference);
    expect(elsewhere.seen.filter(({ path, method }) => method === 'GET' && path.includes(layer)).length).toBe(
      2,
    );
    expect(elsewhere.seen.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });
});

describe('Bearer', () => {
  it('nobody in particular may pull what is open, with one token for all of it', async () => {
    const reference = `${bearer.host}/test/busybox`;
    const requests = await during(bearer, () => dockerOk(page, 'pull', reference));
    await expectWhole(reference);
    expectBlobsOnce(requests);
    expectNoNeedlessPreflight(requests);
    expect(bearer.tokens.requests).toEqual([
      {
        method: 'GET',
        by: 'nothing',
        account: undefined,
        scopes: ['repository:test/busybox:pull'],
        status: 200,
      },
    ]);
    await expectNoSecretsKept(...bearer.tokens.tokens);
  });

  it('docker login, and a pull of what is not open', async () => {
    const reference = `${bearer.host}/private/busybox`;
    const refused = await docker(page, 'pull', reference);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/private\/busybox.*docker login/s);
    const requests = await during(bearer, async () => {
      expect(await login(bearer.host, learner.password)).toMatchObject({
        exitCode: 0,
        stdout: 'Login Succeeded\n',
      });
      await dockerOk(page, 'pull', reference);
    });
    await expectWhole(reference);
    expectBlobsOnce(requests);
    expectNoNeedlessPreflight(requests);
    // the registry itself never sees the password: its token service alone does
    const withPassword = requests.filter(({ authorization }) => authorization.startsWith('Basic '));
    expect(withPassword.every(({ path }) => path.startsWith('/token'))).toBe(true);
    await expectNoSecretsKept(...bearer.tokens.tokens);
  });

  it('a wrong password has the words of Docker', async () => {
    const result = await login(bearer.host, 'wrong');
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toBe(
      `Error response from daemon: Get "http://${bearer.host}/v2/": unauthorized: incorrect username or password\n`,
    );
  });

  it('a token in the place of the password is taken where there is one, and the password forgotten', async () => {
    bearer.tokens.offline = true;
    await login(bearer.host, learner.password, '--keep');
    bearer.tokens.offline = false;
    expect(await storedText(page)).not.toContain(learner.password);
    await page.reload();
    const reference = `${bearer.host}/private/busybox`;
    bearer.tokens.requests.length = 0;
    await dockerOk(page, 'pull', reference);
    await expectWhole(reference);
    expect(bearer.tokens.requests.map(({ method, by, account }) => [method, by, account])).toEqual([
      ['POST', 'identity', learner.name],
    ]);
  });

  it.each(['token', 'access_token'] as const)(
    'the answer may call it %s, and not say when it ends',
    async (field) => {
      bearer.tokens.field = field;
      bearer.tokens.told = undefined;
      await dockerOk(page, 'pull', `${bearer.host}/test/busybox`);
      bearer.tokens.field = 'token';
      bearer.tokens.told = 300;
    },
  );

  it('a service that gives nobody a token is named', async () => {
    bearer.tokens.anonymous = false;
    const result = await docker(page, 'pull', `${bearer.host}/test/busybox`);
    bearer.tokens.anonymous = true;
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/docker login|unauthorized|denied/i);
    expect(result.stderr).toContain(bearer.host);
  });

  it('a service that cannot answer for a moment is asked again', async () => {
    const realm = await startFaultyRegistry(bearer);
    const registry = await startBearerAt(`http://${realm.host}/token`);
    realm.faults.set('/token', { kind: 'status', status: 503, times: 2 });
    realm.forget();
    expect((await docker(page, 'pull', `${registry.host}/test/busybox`)).exitCode).toBe(0);
    expect(realm.seen.map(({ status }) => status)).toEqual([503, 503, 200]);
    await registry.close();
    await realm.close();
  });

  it('a service that pages may not read is named', async () => {
    const registry = await startBearerAt(`http://${bearer.tokens.host}/token`);
    const result = await docker(page, 'pull', `${registry.host}/test/busybox`);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/CORS/);
    expect(result.stderr).toContain(bearer.tokens.host);
    await registry.close();
  });
});

describe('a token that ends in the middle of a pull', () => {
  /** Until the registry itself refuses it. */
  async function ended(token: string): Promise<void> {
    await expect
      .poll(
        async () => {
          const answer = await fetch(`http://${bearer.host}/v2/test/busybox/tags/list`, {
            headers: { Authorization: `Bearer ${token}` },
          });
          await answer.body?.cancel();
          return answer.status;
        },
        { timeout: 20_000 },
      )
      .toBe(401);
  }

  async function pullAcrossTheEnd(
    stalledAt: string,
    after: number,
    goOn: () => void | Promise<void>,
  ): Promise<void> {
    bearer.tokens.lifetime = 2;
    beforeBearer.faults.set(stalledAt, { kind: 'stall', after, times: 1 });
    const pull = docker(page, 'pull', `${beforeBearer.host}/test/busybox`);
    await expect.poll(() => beforeBearer.sent(stalledAt), { timeout: 20_000 }).toBe(after);
    await ended(bearer.tokens.tokens.at(-1) ?? '');
    bearer.tokens.lifetime = 300;
    await goOn();
    expect(await pull).toMatchObject({ exitCode: 0 });
    await expectWhole(`${beforeBearer.host}/test/busybox`);
  }

  it('is renewed once, between the config and the layers', async () => {
    await pullAcrossTheEnd(manifest.config.digest, 100, beforeBearer.release);
    expect(bearer.tokens.requests.length).toBe(2);
    const refused = beforeBearer.seen.filter(
      ({ path, status }) => path.includes('/blobs/') && status === 401,
    );
    expect(refused.length).toBeGreaterThan(0);
    for (const { digest, size } of [manifest.config, ...manifest.layers]) {
      const whole = beforeBearer.seen.filter(({ path, status }) => path.includes(digest) && status === 200);
      expect(whole.filter(({ method }) => method === 'GET').map(({ sent }) => sent)).toEqual([size]);
    }
  });

  it('and where a layer broke, the rest of it comes with a new one', async () => {
    const [layer] = manifest.layers;
    await pullAcrossTheEnd(layer?.digest ?? '', 500_000, async () => {
      // what came and was not read yet is lost with the connection
      const progress = page.getByRole('progressbar', { name: /^Pulling / });
      await expect
        .poll(async () => Number(await progress.getAttribute('value')), { timeout: 20_000 })
        .toBeGreaterThan(0);
      beforeBearer.cut();
    });
    const asked = beforeBearer.seen.filter(
      ({ path, method }) => method === 'GET' && path.includes(layer?.digest ?? 'no layer'),
    );
    // the page knows when its token ends and may have a new one before the registry refuses the old
    expect(asked.map(({ status }) => status).filter((status) => status !== 401)).toEqual([200, 206]);
    const start = Number(/^bytes=(\d+)-/.exec(asked.at(-1)?.range ?? '')?.[1]);
    expect(start).toBeGreaterThan(0);
    expect(asked.at(-1)?.sent).toBe((layer?.size ?? 0) - start);
    expect(bearer.tokens.requests.length).toBe(2);
  });
});

it('the page raised no error', () => {
  expect(chromium.complaints.filter((text) => !/Failed to load resource|CORS policy/.test(text))).toEqual([]);
});
