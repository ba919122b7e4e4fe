import { LoginFailedError } from '../../errors.ts';
import { type Credential, passwordCredential } from '../../registry/credentials.ts';
import type { Command, Invocation } from '../command.ts';
import { LineReader } from '../line-reader.ts';
import { refusal } from '../refusal.ts';
import { DOCKER_HUB, serverName } from '../server-name.ts';

export const login: Command = {
  usage: '[OPTIONS] [SERVER]',
  summary: 'Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.',
  aliases: [],
  flags: [
    {
      long: 'keep',
      type: 'bool',
      help: 'Keep the credentials in this browser, unencrypted, for later visits (Layerbox only)',
    },
    { long: 'password', short: 'p', type: 'string', help: 'Password or Personal Access Token (PAT)' },
    {
      long: 'password-stdin',
      type: 'bool',
      help: 'Take the Password or Personal Access Token (PAT) from stdin',
    },
    { long: 'username', short: 'u', type: 'string', help: 'Username' },
  ],
  wordCount: { min: 0, max: 1 },
  run: async (invocation) => {
    const { words, flags, host, stdio, print } = invocation;
    const server = serverName(words[0] ?? '');
    const keep = flags.bool('keep');
    const known = await whoItIs(invocation);
    const isAsked = known.username === '' && known.password === undefined;
    const there = isAsked ? await host.registries.credential(server) : undefined;
    if (there !== undefined) {
      await print.line(`Authenticating with existing credentials... [Username: ${there.username}]`);
      try {
        await host.registries.login(server, there, { signal: stdio.signal, keep });
        return await succeeded(invocation, keep);
      } catch (error) {
        if (!(error instanceof LoginFailedError)) throw error;
        await print.error(`Login did not succeed, error: ${error.message}`);
      }
    }
    const credential = await ask(invocation, server, known);
    await host.registries.login(server, credential, { signal: stdio.signal, keep });
    return succeeded(invocation, keep);
  },
};

/** What the flags say; the password is undefined when it is in none. UsageError in Docker's words. */
async function whoItIs({
  flags,
  stdio,
  print,
}: Invocation): Promise<{ readonly username: string; readonly password: string | undefined }> {
  const username = flags.string('username');
  const isPiped = flags.bool('password-stdin');
  if (flags.given('password')) {
    if (isPiped) throw refusal('conflicting options: cannot specify both --password and --password-stdin');
    await print.error('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
  }
  if (username === '' && flags.given('username')) throw refusal('username is empty');
  if (!isPiped) return { username, password: flags.given('password') ? flags.string('password') : undefined };
  if (username === '') throw refusal('the --password-stdin option requires --username to be set');
  const piped = await new LineReader(stdio).rest();
  return { username, password: piped.replace(/\n$/, '').replace(/\r$/, '') };
}

const HUB_WORDS =
  'Log in with your Docker ID or email address to push and pull images from Docker Hub. ' +
  "If you don't have a Docker ID, head over to https://hub.docker.com/ to create one.\n" +
  'You can log in with your password or a Personal Access Token (PAT). ' +
  'Using a limited-scope PAT grants better security and is required for organizations using SSO. ' +
  'Learn more at https://docs.docker.com/go/access-tokens/\n';

/** Asks at the terminal for what is not known yet; the password is not shown. */
async function ask(
  { stdio, print }: Invocation,
  server: string,
  known: { readonly username: string; readonly password: string | undefined },
): Promise<Credential> {
  let { username, password } = known;
  const reader = new LineReader(stdio);
  if (username === '' || password === undefined) {
    if (!stdio.terminal.stdin) {
      throw refusal('Error: Cannot perform an interactive login from a non TTY device');
    }
    if (username === '') {
      if (server === DOCKER_HUB) await print.line(HUB_WORDS);
      username = (await reader.line('Username: ')).trim();
      if (username === '') throw refusal('Error: Non-null Username Required');
    }
    password ??= await reader.hiddenLine('Password: ');
  }
  if (password === '') throw refusal('Error: Password Required');
  return passwordCredential(username, password);
}

async function succeeded({ print }: Invocation, keep: boolean): Promise<number> {
  if (keep) await print.error('\nWARNING! Your credentials are stored unencrypted in this browser.\n');
  await print.line('Login Succeeded');
  return 0;
}
