/** What the machine refuses while a container runs: the container is then where it was, and nothing is lost by it. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeMachine } from '../container/fake-machine.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';
import type { FakeHostNetwork } from './fake-host-network.ts';

let sandbox: TestSandbox;
let network: FakeHostNetwork;

beforeEach(async () => {
  const machine = new FakeMachine({ sleep: async ({ killed }) => 128 + (await killed) });
  network = machine.network;
  sandbox = await openWithBusybox({ machine });
  await ok('network create --subnet 10.1.0.0/16 lan');
  await ok('network create --subnet 10.2.0.0/16 other');
  await ok('run -d --name box -p 8080:80 busybox sleep');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await ok('rm -f box');
});

async function ok(line: string): Promise<string> {
  const { code, out, err } = await sandbox.docker(line);
  expect({ line, code, err }).toEqual({ line, code: 0, err: '' });
  return out.trim();
}

/** The host does this no more than once. */
function failOnce(work: 'run' | 'setGateway' | 'removeLink'): void {
  vi.spyOn(network, work).mockRejectedValueOnce(new Error('out of memory'));
}

async function fails(line: string): Promise<void> {
  const { code, err } = await sandbox.docker(line);
  expect({ line, code, err }).toEqual({ line, code: 1, err: expect.stringContaining('out of memory') });
}

const addresses = () => [...network.links.values()].map(({ address }) => address);
const proxies = () =>
  network.running('docker-proxy').map((words) => / -container-ip (\S+) /.exec(words)?.[1]);
/** `connect lan`, `disconnect lan`: what was told of networks and containers. */
const told = () =>
  sandbox.events.flatMap((event) =>
    event.type === 'network' && event.action.endsWith('connect') ? [`${event.action} ${event.name}`] : [],
  );

describe('a network that a container cannot be connected to', () => {
  const rows = [
    ['its way out', 'setGateway', []],
    ['its DNS server', 'run', []],
    // which has its DNS server
    ['the program of its ports', 'run', ['other']],
  ] as const;
  it.each(rows)('has nothing of it when %s fails', async (_, work, before) => {
    for (const name of before) await ok(`network connect ${name} box`);
    const [had, heard] = [addresses(), told()];
    failOnce(work);
    await fails('network connect --gw-priority 1 lan box');
    expect(addresses()).toEqual(had);
    expect(told()).toEqual([...heard, 'connect lan', 'disconnect lan']);
    // it leads out, and is published, as it was
    expect([...network.gateways.values()]).toEqual(['172.17.0.1']);
    expect(proxies()).toEqual(['172.17.0.2']);
    // the same address is free for the next attempt, and the network for its removal
    await ok('network connect --gw-priority 1 lan box');
    expect(addresses()).toEqual([...had, '10.1.0.2/16']);
    expect(proxies()).toEqual(['10.1.0.2']);
    await ok('network disconnect lan box');
    await ok('network rm lan');
  });
});

describe('a link that cannot be removed', () => {
  it('keeps no address, and the container leads out and is published by what it has left', async () => {
    await ok('network connect --gw-priority 1 lan box');
    failOnce('removeLink');
    await ok('network disconnect -f lan box');
    expect(told()).toEqual(['connect bridge', 'connect lan', 'disconnect lan']);
    expect([...network.gateways.values()]).toEqual(['172.17.0.1']);
    expect(proxies()).toEqual(['172.17.0.2']);
    await ok('run -d --name next --network lan busybox sleep');
    expect(await ok('inspect -f {{.NetworkSettings.Networks.lan.IPAddress}} next')).toBe('10.1.0.2');
    await ok('rm -f next');
  });
});

describe('ports that could not be published', () => {
  it('are at the next change of networks', async () => {
    await ok('network connect --gw-priority 1 lan box');
    failOnce('run');
    await fails('network disconnect lan box');
    expect(proxies()).toEqual([]);
    await ok('network connect other box');
    expect(proxies()).toEqual(['172.17.0.2']);
    expect(await ok('port box')).toBe('80/tcp -> 0.0.0.0:8080');
  });
});
