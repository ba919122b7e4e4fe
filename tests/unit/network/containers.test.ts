/** Containers on networks, over the real kernel. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testMachine } from '../../support/machine.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

let sandbox: TestSandbox;

beforeAll(async () => {
  sandbox = await openWithBusybox({ machine: testMachine() });
}, 120_000);
afterAll(() => sandbox.engine.close(), 60_000);

const docker = (line: string, ...more: string[]) => sandbox.docker([...line.split(' '), ...more]);

/** What the command printed; it must succeed. */
async function ok(line: string, ...more: string[]): Promise<string> {
  const { code, out, err } = await docker(line, ...more);
  if (code !== 0) throw new Error(`docker ${line}: ${code}\n${out}${err}`);
  return out.trim();
}

async function host(line: string): Promise<string> {
  let text = '';
  await sandbox.engine.sh(line, {
    input: undefined,
    signal: new AbortController().signal,
    write: async (_, bytes) => {
      text += new TextDecoder().decode(bytes);
    },
  });
  return text;
}

describe('the default bridge', () => {
  it('gives each container an address, a name file, and no names', async () => {
    expect(
      await ok(
        'run --rm -h box busybox sh -c',
        'ip -4 addr show eth0; ip route; cat /etc/hosts /etc/resolv.conf',
      ),
    ).toMatch(
      /inet 172\.17\.0\.2\/16 brd 172\.17\.255\.255[\s\S]*default via 172\.17\.0\.1 dev eth0[\s\S]*127\.0\.0\.1\tlocalhost[\s\S]*172\.17\.0\.2\tbox\n[\s\S]*# The sandbox has no name server\./,
    );
  });

  it('lets them reach each other by address, and frees what is not used', async () => {
    await ok('run -d --name one busybox sleep 1000');
    await ok('run -d --name two busybox sleep 1000');
    const address = await ok('inspect -f {{.NetworkSettings.IPAddress}} two');
    expect(address).toBe('172.17.0.3');
    expect(await ok('exec one ping -c 1 -W 2 172.17.0.3')).toContain('1 packets received');
    expect((await docker('exec one ping -c 1 -W 1 two')).code).not.toBe(0);
    await ok('rm -f one');
    expect(await ok('run --rm busybox hostname -i')).toBe('172.17.0.2');
    await ok('rm -f two');
    expect(await host('ip link | grep veth; ls /run/layerbox/containers')).toBe('');
  });
});
