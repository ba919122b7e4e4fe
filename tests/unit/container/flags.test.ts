/** Flags of create, run, start and exec by their effect, those that no other file here is about. */

import { describe, expect, it } from 'vitest';
import { FakeClient } from './fake-client.ts';
import type { ProgramCode } from './fake-machine.ts';
import { openSandbox, openWithBusybox, until } from './sandbox.ts';

const programs: Record<string, ProgramCode> = {
  env: async ({ spec, out }) => {
    await out(`${spec.env.filter((entry) => /^[AB]_/.test(entry)).join(' ')}\n`);
    return 0;
  },
  sh: async ({ out, killed }) => {
    await out('$ ');
    return 128 + (await killed);
  },
  sleep: async ({ killed }) => 128 + (await killed),
};

describe('--pull', () => {
  const asked =
    /^latest: Pulling from library\/busybox\n\w{12}: Already exists\nDigest: sha256:\w{64}\nStatus: Image is up to date for busybox:latest\n$/;
  const rows: readonly (readonly [string, RegExp])[] = [
    ['', /^$/],
    ['--pull missing', /^$/],
    ['--pull never', /^$/],
    ['--pull always', asked],
    ['--pull always -q', /^$/],
    ['--pull always --quiet', /^$/],
  ];
  it.each(rows)('run %s asks for an image that is here, or does not', async (flags, err) => {
    const { docker } = await openWithBusybox({ programs });
    for (const command of ['run', 'create']) {
      const told = await docker(`${command} ${flags} busybox env`);
      expect(told).toMatchObject({ code: 0, err: expect.stringMatching(err) });
    }
  });

  it.each(['create', 'run'])('%s -q says nothing of the image that it brings', async (command) => {
    const { docker } = await openSandbox({ programs });
    expect(await docker(`${command} -q busybox env`)).toMatchObject({ code: 0, err: '' });
    const loud = await (await openSandbox({ programs })).docker(`${command} busybox env`);
    expect(loud.err).toMatch(/^Unable to find image 'busybox:latest' locally\n/);
  });
});

describe('--platform', () => {
  it.each(['create', 'run'])(
    '%s takes the image that is here only when it is of that one',
    async (command) => {
      const { docker } = await openWithBusybox({ programs });
      expect(await docker(`${command} --platform linux/386 busybox env`)).toMatchObject({ code: 0, err: '' });
      const other = await docker(`${command} --platform linux/arm64 busybox env`);
      expect(other.code).not.toBe(0);
      expect(other.err).toContain(
        'its platform (linux/386) does not match the specified platform (linux/arm64)',
      );
    },
  );
});

describe('--memory-swap', () => {
  it('is twice the memory unless it is said, and the memory cannot grow beyond it', async () => {
    const { docker } = await openWithBusybox({ programs });
    const swapOf = async (flags: string) => {
      const id = (await docker(`create ${flags} busybox env`)).out.trim();
      return { id, swap: (await docker(['inspect', '-f', '{{.HostConfig.MemorySwap}}', id])).out.trim() };
    };
    expect(await swapOf('-m 8m')).toMatchObject({ swap: '16777216' });
    expect(await swapOf('-m 8m --memory-swap -1')).toMatchObject({ swap: '-1' });
    const { id, swap } = await swapOf('-m 8m --memory-swap 12m');
    expect(swap).toBe('12582912');
    expect((await docker(`update -m 14m ${id}`)).err).toContain(
      'Memory limit should be smaller than already set memoryswap limit',
    );
    expect((await docker(`update -m 10m ${id}`)).code).toBe(0);
  });
});

describe('--detach-keys', () => {
  const rows = ['start -ai --detach-keys ctrl-x', 'exec -it --detach-keys ctrl-x'];
  it.each(rows)('%s', async (line) => {
    const { docker, machine } = await openWithBusybox({ programs });
    await docker('create -it --name box-a busybox sh');
    if (line.startsWith('exec')) await docker('start box-a');
    const client = new FakeClient(`${line} box-a${line.startsWith('exec') ? ' sh' : ''}`, true);
    machine.connect(client);
    await until('the prompt', () => client.out === '$ ');
    client.type('\x18');
    await client.exited;
    expect((await docker('ps --format {{.Names}}')).out).toBe('box-a\n');
    await docker('rm -f box-a');
  });
});

describe('exec --env-file', () => {
  it('gives the program the variables of a file', async () => {
    const { docker, machine } = await openWithBusybox({ programs });
    await docker('run -d --name box-a busybox sleep');
    const home = machine.trees.get('host');
    if (home === undefined) throw new Error('no home');
    const ino = home.create(home.root, 'vars', 0o644, { uid: 0, gid: 0 });
    home.write(ino, 0, new TextEncoder().encode('A_FILE=1\nB_FLAG=file\n'));
    const client = new FakeClient('exec --env-file vars -e B_FLAG=2 box-a env', false);
    machine.connect(client);
    expect(await client.exited).toBe(0);
    expect(client.out).toBe('A_FILE=1 B_FLAG=2\n');
    await docker('rm -f box-a');
  });
});
