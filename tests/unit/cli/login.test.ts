/** `docker login` and `docker logout`, in the words of docker 28.2.2. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClient } from '../container/fake-client.ts';
import { input, openSandbox, type Stores, until } from '../container/sandbox.ts';
import { PASSWORD, startRegistry, USER } from '../registry/made-up-accounts.ts';
import { basic, type RealServer } from '../registry/real-server.ts';

let registry: RealServer;
beforeEach(async () => {
  registry = await startRegistry(
    ({ headers }) => headers.authorization === basic(USER, PASSWORD),
    () => 'Basic realm="x"',
  );
});
afterEach(() => registry.close());

const open = (stores?: Stores) =>
  openSandbox({ fetch: (url, init) => fetch(url, init), ...(stores !== undefined && { stores }) });
const insecure = 'WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n';
const notATerminal = 'Error: Cannot perform an interactive login from a non TTY device\n';

describe('docker login', () => {
  it('with a password from standard input succeeds', async () => {
    const { docker } = await open();
    const result = await docker(['login', '-u', USER, '--password-stdin', registry.host], {
      input: input(PASSWORD.slice(0, 3), `${PASSWORD.slice(3)}\r\n`),
    });
    expect(result).toEqual({ code: 0, out: 'Login Succeeded\n', err: '' });
    // without it the registry would not even say that the image is none
    const { err } = await docker(`pull ${registry.host}/app:v1`);
    expect(err).not.toContain('denies access');
  });

  it('with a password among the words succeeds with a warning', async () => {
    const { docker } = await open();
    const result = await docker(['login', '-u', USER, '-p', PASSWORD, `http://${registry.host}/v2/`]);
    expect(result).toEqual({ code: 0, out: 'Login Succeeded\n', err: insecure });
  });

  it('with the wrong password fails as Docker does, and names no secret', async () => {
    const { docker } = await open();
    const result = await docker(['login', '-u', USER, '-p', 'wrong', registry.host]);
    expect(result).toEqual({
      code: 1,
      out: '',
      err: `${insecure}Error response from daemon: login attempt to ${registry.origin}/v2/ failed with status: 401 Unauthorized\n`,
    });
  });

  it.each<[readonly string[], string]>([
    [[], notATerminal],
    [['-u', 'me'], notATerminal],
    [['-p', 'pw'], insecure + notATerminal],
    [['--password-stdin'], 'the --password-stdin option requires --username to be set\n'],
    [['-u', '', '-p', 'x'], `${insecure}username is empty\n`],
    [['-u', 'me', '--password-stdin'], 'Error: Password Required\n'],
    [
      ['-u', 'me', '-p', 'x', '--password-stdin'],
      'conflicting options: cannot specify both --password and --password-stdin\n',
    ],
  ])('%j is refused', async (flags, err) => {
    const { docker } = await open();
    expect(await docker(['login', ...flags, registry.host])).toEqual({ code: 1, out: '', err });
    expect(registry.requests).toEqual([]);
  });

  it.each([['bad host'], ['a_b'], ['-x.example'], ['host:port'], ['user@host']])(
    'to %j is refused',
    async (server) => {
      const { docker } = await open();
      const { code, err } = await docker(['login', '-u', 'me', '-p', 'x', '--', server]);
      expect(code).toBe(1);
      expect(err).toContain('unable to parse server address');
    },
  );

  it('has its line in the help, and two in its own', async () => {
    const { docker } = await open();
    expect((await docker('--help')).out).toContain(
      '\n  login       Authenticate to a registry\n  logout      Log out from a registry\n',
    );
    expect((await docker('logout --help')).out).toBe(
      'Usage:  docker logout [SERVER]\n\nLog out from a registry.\nIf no server is specified, the default is defined by the daemon.\n',
    );
    expect((await docker('login --help')).out).toContain(
      'Defaults to Docker Hub if no server is specified.\n',
    );
  });

  it('takes one server at most', async () => {
    const { docker } = await open();
    const { code, err } = await docker('login a b');
    expect(code).toBe(1);
    expect(err).toContain("'docker login' requires at most 1 argument");
  });

  it('again uses what is known', async () => {
    const { docker } = await open();
    await docker(['login', '-u', USER, '-p', PASSWORD, registry.host]);
    expect(await docker(['login', registry.host])).toEqual({
      code: 0,
      out: `Authenticating with existing credentials... [Username: ${USER}]\nLogin Succeeded\n`,
      err: '',
    });
  });
});

describe('docker login at a terminal', () => {
  async function typed(line: readonly string[], ...answers: readonly [prompt: string, answer: string][]) {
    const sandbox = await open();
    const client = new FakeClient(['login', ...line], true);
    sandbox.machine.connect(client);
    for (const [prompt, answer] of answers) {
      await until(prompt, () => client.out.endsWith(prompt));
      client.type(answer);
    }
    return { code: await client.exited, client };
  }

  it('asks for both, and hides the password', async () => {
    const { code, client } = await typed(
      [registry.host],
      ['Username: ', `${USER}\n`],
      ['Password: ', `${PASSWORD}\r`],
    );
    expect(code).toBe(0);
    expect(client.out).toBe('Username: Password: \r\nLogin Succeeded\n');
    expect(client.attached).toEqual({ stdin: false, raw: false, signals: false });
  });

  it('lets a password be corrected', async () => {
    const { code } = await typed(
      ['-u', USER, registry.host],
      ['Password: ', `nonsense\u0015${PASSWORD.slice(0, 2)}ü\u007f${PASSWORD.slice(2)}\r`],
    );
    expect(code).toBe(0);
  });

  it('ends with Ctrl-C while the password is asked for', async () => {
    const { code, client } = await typed(['-u', USER, registry.host], ['Password: ', 'abc\u0003']);
    expect(code).toBe(130);
    expect(client.attached?.raw).toBe(false);
    expect(registry.requests).toEqual([]);
  });

  it.each([
    [[['Username: ', '\n']] as [string, string][], 'Error: Non-null Username Required\n'],
    [
      [
        ['Username: ', 'me\n'],
        ['Password: ', '\r'],
      ] as [string, string][],
      'Error: Password Required\n',
    ],
  ])('refuses %j', async (answers, err) => {
    const { code, client } = await typed([registry.host], ...answers);
    expect({ code, err: client.err }).toEqual({ code: 1, err });
  });
});

describe('a credential', () => {
  it('is forgotten with the sandbox', async () => {
    const first = await open();
    await first.docker(['login', '-u', USER, '-p', PASSWORD, registry.host]);
    expect(JSON.stringify(await first.stores.records.list('meta'))).not.toContain(USER);
    await first.engine.close();
    const second = await open(first.stores);
    expect(await second.docker(['login', registry.host])).toMatchObject({ code: 1, err: notATerminal });
  });

  it('is kept when that was asked for, with a warning, until docker logout', async () => {
    const first = await open();
    const kept = await first.docker(['login', '--keep', '-u', USER, '-p', PASSWORD, registry.host]);
    expect(kept.err).toContain('WARNING! Your credentials are stored unencrypted in this browser.');
    await first.engine.close();
    const second = await open(first.stores);
    expect(await second.docker(['login', '--keep', registry.host])).toMatchObject({ code: 0 });
    expect(await second.docker(['logout', registry.host])).toEqual({
      code: 0,
      out: `Removing login credentials for ${registry.host}\n`,
      err: '',
    });
    expect(await first.stores.records.list('meta')).toEqual([]);
    expect(await second.docker(['login', registry.host])).toMatchObject({ code: 1, err: notATerminal });
  });

  it('that is not to be kept takes the place of the kept one', async () => {
    const { docker, stores } = await open();
    await docker(['login', '--keep', '-u', USER, '-p', PASSWORD, registry.host]);
    await docker(['login', '-u', USER, '-p', PASSWORD, registry.host]);
    expect(await stores.records.list('meta')).toEqual([]);
  });

  it('that was kept and cannot be read is none', async () => {
    const { docker, stores } = await open();
    for (const value of ['{', '{"kind":"password"}', '[]', 5]) {
      await stores.records.commit([{ kind: 'meta', put: { id: `credential/${registry.host}`, value } }]);
      expect(await docker(['login', registry.host])).toMatchObject({ code: 1, err: notATerminal });
    }
  });

  it('shows in no event, and not in docker info', async () => {
    const { docker, events } = await open();
    await docker(['login', '--keep', '-u', USER, '-p', PASSWORD, registry.host]);
    await docker(`pull ${registry.host}/app:v1`);
    const shown = [
      JSON.stringify(events),
      (await docker('info')).out,
      (await docker('info -f json')).out,
    ].join();
    for (const secret of [PASSWORD, JSON.stringify(PASSWORD).slice(1, -1), basic(USER, PASSWORD)]) {
      expect(shown).not.toContain(secret);
    }
  });
});

describe('docker logout', () => {
  it('of Docker Hub and of what nobody is logged in to', async () => {
    const { docker } = await open();
    expect((await docker('logout')).out).toBe('Removing login credentials for https://index.docker.io/v1/\n');
    expect((await docker('logout http://registry.example/v2/')).out).toBe(
      'Removing login credentials for registry.example\n',
    );
  });
});
