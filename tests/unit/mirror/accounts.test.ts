import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accountFetch } from '../../../src/mirror/account-fetch.ts';
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
])('a registry with %s', (_, host) => {
  const image = () => `${host()}/private/app:1`;
  const none = { DOCKER_CONFIG: '/nonexistent' };

  it('refuses who has no account, and says how one is given', async () => {
    const done = await mirror(['--to', to, image()]);
    expect(done.code).toBe(1);
    expect(done.stderr).toContain(`${host()} denies access`);
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
    expect([...accounts]).toEqual([[registry, { username: 'me', password: 'pw' }]]);
  });

  it('may have name and password apart, as other tools write them', async () => {
    const { accounts } = await read({ auths: { 'a.example': { username: 'me', password: 'pw' } } });
    expect(accounts.get('a.example')).toEqual({ username: 'me', password: 'pw' });
  });

  it('says of accounts that are kept elsewhere where', async () => {
    const docker = await read({
      auths: { 'a.example': {}, 'b.example': { identitytoken: 'x' }, 'd.example': { auth: base64('me:') } },
      credHelpers: { 'c.example': 'gcloud' },
    });
    expect(docker.unusable('a.example')).toContain('is a token');
    expect(docker.unusable('b.example')).toContain('is a token');
    expect(docker.unusable('c.example')).toContain('docker-credential-gcloud, which is not asked');
    expect(docker.unusable('d.example')).toContain('is a token');
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

describe('a password', () => {
  const account = { username: 'me', password: 'secret' };
  const header = `Basic ${base64('me:secret')}`;
  const answers = (challenge: string) => {
    const sent: { url: string; authorization: string | null }[] = [];
    const fetch = async (url: string, init?: RequestInit) => {
      const authorization = new Headers(init?.headers).get('authorization');
      sent.push({ url, authorization });
      return authorization === null
        ? new Response('', { status: 401, headers: { 'www-authenticate': challenge } })
        : new Response('ok');
    };
    return { sent, fetch: accountFetch(fetch, 'https://registry.example', account) };
  };

  it('goes to a registry that asks for it, once it asked, and nowhere else', async () => {
    const { sent, fetch } = answers('Basic realm="x"');
    expect((await fetch('https://registry.example/v2/a')).status).toBe(200);
    await fetch('https://registry.example/v2/b');
    await fetch('https://blobs.example/c');
    await fetch('http://registry.example/v2/d');
    expect(sent.map(({ url, authorization }) => [url, authorization])).toEqual([
      ['https://registry.example/v2/a', null],
      ['https://registry.example/v2/a', header],
      ['https://registry.example/v2/b', header],
      ['https://blobs.example/c', null],
      ['http://registry.example/v2/d', null],
    ]);
  });

  it('goes to the token service that the registry names, and not to the registry', async () => {
    const { sent, fetch } = answers('Bearer realm="https://auth.example/token",service="s"');
    await fetch('https://registry.example/v2/a');
    await fetch('https://auth.example/token?service=s');
    await fetch('https://auth.example/other');
    await fetch('https://registry.example/v2/a');
    expect(sent.map(({ authorization }) => authorization)).toEqual([null, header, null, null]);
  });

  it('goes to no token service without TLS that a registry with TLS names', async () => {
    const { fetch } = answers('Bearer realm="http://auth.example/token"');
    await expect(fetch('https://registry.example/v2/a')).rejects.toThrow(
      'names a token service without TLS, http://auth.example, which gets no password',
    );
  });
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
