import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Credential } from '../../../src/engine/registry/credentials.ts';
import { readDockerAccounts } from '../../../src/mirror/docker-config.ts';
import { startBasic, startBearer } from '../../support/deployment.ts';
import { run } from '../../support/run.ts';
import { makeLayout } from './images.ts';
import { mirror, namesIn, temporaryFolder } from './place.ts';

const ACCOUNTS = { teacher: 'a pass: with a colon' };
let layout: Awaited<ReturnType<typeof makeLayout>>;
let basic: Awaited<ReturnType<typeof startBasic>>;
let bearer: Awaited<ReturnType<typeof startBearer>>;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let to: string;

beforeAll(async () => {
  layout = await makeLayout(['linux/386']);
  [basic, bearer] = await Promise.all([startBasic(ACCOUNTS), startBearer(ACCOUNTS)]);
  for (const { direct } of [basic, bearer]) {
    await run('skopeo', [
      ...['copy', '--quiet', '--insecure-policy', '--dest-tls-verify=false'],
      `--dest-creds=teacher:${ACCOUNTS.teacher}`,
      `oci:${layout.path}:linux-386`,
      `docker://${direct.host}/private/app:1`,
    ]);
  }
});
afterAll(async () => {
  await Promise.all([basic.close(), bearer.close()]);
  await layout.remove();
});
beforeEach(async () => {
  folder = await temporaryFolder();
  to = join(folder.path, 'images');
});
afterEach(() => folder.remove());

const base64 = (text: string) => Buffer.from(text).toString('base64');

async function writeDockerConfig(content: unknown): Promise<NodeJS.ProcessEnv> {
  const path = join(folder.path, 'docker');
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'config.json'), JSON.stringify(content));
  return { DOCKER_CONFIG: path };
}

describe.each([
  ['Basic', () => basic.host],
  ['Bearer', () => bearer.host],
])('a registry with %s', (kind, host) => {
  const image = () => `${host()}/private/app:1`;
  const none = { DOCKER_CONFIG: '/nonexistent' };

  it('refuses who has no account, and says how one is given', async () => {
    const done = await mirror(['--to', to, image()]);
    expect(done.code).toBe(1);
    // a token that is for less is a denial, as Docker has it
    expect(done.stderr).toContain(
      kind === 'Basic' ? `${host()} denies access` : `pull access denied for ${host()}/private/app, `,
    );
    expect(done.stderr).toContain('--username and --password-stdin');
  });

  it('is read with a password from standard input', async () => {
    const done = await mirror(['--to', to, '-u', 'teacher', '--password-stdin', image()], {
      input: `${ACCOUNTS.teacher}\n`,
    });
    expect(done).toMatchObject({ code: 0 });
    expect(Object.keys(await namesIn(to))).toEqual([image()]);
  });

  it('is read with an account of the environment', async () => {
    const env = { ...none, LAYERBOX_USERNAME: 'teacher', LAYERBOX_PASSWORD: ACCOUNTS.teacher };
    expect(await mirror(['--to', to, image()], { env })).toMatchObject({ code: 0 });
  });

  it("is read with an account of Docker's config.json", async () => {
    const auth = base64(`teacher:${ACCOUNTS.teacher}`);
    const env = await writeDockerConfig({ auths: { [host()]: { auth } } });
    expect(await mirror(['--to', to, image()], { env })).toMatchObject({ code: 0 });
  });

  it('refuses a wrong password, which is not shown', async () => {
    const env = { ...none, LAYERBOX_PASSWORD: 'not-the-right-one' };
    const done = await mirror(['--to', to, '--username', 'teacher', image()], { env });
    expect(done.code).toBe(1);
    expect(done.stderr).toContain(`${host()} denies access`);
    expect(done.stdout + done.stderr).not.toContain('not-the-right-one');
  });

  it('is told of when its account is kept where it is not looked for', async () => {
    const env = await writeDockerConfig({ auths: { [host()]: {} }, credsStore: 'secretservice' });
    const done = await mirror(['--to', to, image()], { env });
    expect(done.code).toBe(1);
    expect(done.stderr).toContain(
      `Docker keeps its account for ${host()} with docker-credential-secretservice, which is not asked`,
    );
  });

  it('needs a password with a name', async () => {
    const done = await mirror(['--to', to, '--username', 'teacher', image()], { env: none });
    expect(done.stderr).toContain('the account "teacher" needs a password');
  });
});

const shown = (credential: Credential | undefined) =>
  credential && [credential.kind, credential.username, credential.secret.reveal()];

describe("Docker's config.json", () => {
  const read = async (content: unknown) => {
    await writeDockerConfig(content);
    return readDockerAccounts(join(folder.path, 'docker', 'config.json'));
  };

  it.each([
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['ghcr.io', 'ghcr.io'],
    ['https://registry.example:5000/v2/', 'registry.example:5000'],
    ['http://localhost:5000', 'localhost:5000'],
  ])('names %s for %s', async (key, registry) => {
    const { accounts } = await read({ auths: { [key]: { auth: base64('me:pw') } } });
    expect([...accounts.keys()]).toEqual([registry]);
    expect(shown(accounts.get(registry))).toEqual(['password', 'me', 'pw']);
  });

  it('may have name and password apart, as other tools write them', async () => {
    const { accounts } = await read({ auths: { 'a.example': { username: 'me', password: 'pw' } } });
    expect(shown(accounts.get('a.example'))).toEqual(['password', 'me', 'pw']);
  });

  it("may have a token service's token in the password's place", async () => {
    const entry = { auth: base64('00000000-0000-0000-0000-000000000000:'), identitytoken: 'long' };
    const { accounts } = await read({ auths: { 'a.example': entry } });
    expect(shown(accounts.get('a.example'))).toEqual(['identity', expect.stringMatching(/^0{8}-/), 'long']);
  });

  it('says of accounts that are kept elsewhere where', async () => {
    const docker = await read({
      auths: { 'a.example': {}, 'd.example': { auth: base64('me:') } },
      credHelpers: { 'c.example': 'gcloud' },
    });
    expect(docker.unusable('a.example')).toContain('names a.example without a password');
    expect(docker.unusable('c.example')).toContain('docker-credential-gcloud, which is not asked');
    expect(docker.unusable('d.example')).toContain('names d.example without a password');
    expect(docker.unusable('e.example')).toBeUndefined();
  });

  it('may be missing', async () => {
    expect((await readDockerAccounts(join(folder.path, 'none'))).accounts.size).toBe(0);
  });

  it.each([
    [{ auths: [] }, /auths must be an object/],
    [{ auths: { 'a.example': { auth: base64('nocolon-secret') } } }, /auth must be base64 of user:password/],
    [{ auths: { 'a.example': 'x' } }, /must be an object/],
  ])('%j is refused', async (content, says) => {
    const failure = await read(content).catch(String);
    expect(failure).toMatch(says);
    expect(failure).not.toContain('nocolon');
  });
});

it('shows a password to the registry that it is for, once it asks, and to no other', async () => {
  const sent: { origin: string; authorization: string | null }[] = [];
  const fetch = async (url: string, init?: RequestInit) => {
    const authorization = new Headers(init?.headers).get('authorization');
    sent.push({ origin: new URL(url).origin, authorization });
    const headers = { 'www-authenticate': 'Basic realm="x"' };
    return new Response('', authorization === null ? { status: 401, headers } : { status: 404 });
  };
  const env = await writeDockerConfig({ auths: { 'a.example': { auth: base64('me:pw') } } });
  const done = await mirror(['--to', to, '--jobs=1', 'a.example/x', 'b.example/x'], { fetch, env });
  expect(done.code).toBe(1);
  const header = `Basic ${base64('me:pw')}`;
  const sentTo = (origin: string) => sent.filter((request) => request.origin === origin);
  expect(sentTo('https://a.example').map(({ authorization }) => authorization)).toEqual(
    expect.arrayContaining([null, header]),
  );
  expect(sentTo('https://a.example')[0]?.authorization).toBeNull();
  expect(sentTo('https://b.example').map(({ authorization }) => authorization)).toEqual(
    sentTo('https://b.example').map(() => null),
  );
  expect(sentTo('https://b.example').length).toBeGreaterThan(0);
});

it('speaks http with every registry when told so, and https with those elsewhere when not', async () => {
  const asked: string[] = [];
  const fetch = async (url: string) => {
    asked.push(url);
    return new Response('', { status: 404 });
  };
  const words = ['--to', to, 'registry.example/a:1'];
  await mirror(words, { fetch });
  await mirror(['--plain-http', ...words], { fetch });
  expect([...new Set(asked.map((url) => new URL(url).origin))]).toEqual([
    'https://registry.example',
    'http://registry.example',
  ]);
});
