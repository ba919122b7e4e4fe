/** Links, namespaces, docker-proxy and the resolver on the real kernel. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostPorts, publish } from '../../../src/engine/network/published-ports.ts';
import { Resolver } from '../../../src/engine/network/resolver.ts';
import { hostSpec, run, testMachine } from '../../support/machine.ts';

const machine = testMachine();
const { network } = machine;

beforeAll(() => machine.start(), 120_000);
afterAll(() => machine.close(), 60_000);

/** Runs a line of shell in a namespace, or on the host. */
async function sh(line: string, namespace?: string): Promise<string> {
  const { out, err } = await run(machine, {
    ...hostSpec(line),
    ...(namespace !== undefined && { network: namespace }),
  });
  return out + err;
}

const fail = (error: unknown) => {
  throw error;
};

async function join(namespace: string, address: string, bridge = 'br-one'): Promise<void> {
  await network.makeNamespace(namespace);
  await network.connect({
    namespace,
    hostLink: `veth${namespace}`,
    bridge,
    name: 'eth0',
    mac: `02:42:00:00:00:${address.split('.')[3]?.padStart(2, '0')}`,
    address: `${address}/16`,
  });
}

describe('links', () => {
  it('join namespaces over a bridge of the host', async () => {
    await network.makeBridge({ name: 'br-one', mac: '02:42:ac:12:00:01', address: '172.18.0.1/16' });
    await join('a', '172.18.0.2');
    await join('b', '172.18.0.3');
    expect(await sh('ip addr show eth0', 'a')).toMatch(
      /02:42:00:00:00:02 brd[\s\S]*inet 172\.18\.0\.2\/16 brd 172\.18\.255\.255/,
    );
    expect(await sh('ping -c 1 -W 2 172.18.0.3', 'a')).toContain('1 packets received');
    expect(await sh('ping -c 1 -W 2 172.18.0.2')).toContain('1 packets received');
  });

  it('of another bridge are out of reach, also by the host', async () => {
    await network.makeBridge({ name: 'br-two', mac: '02:42:ac:13:00:01', address: '172.19.0.1/16' });
    await join('c', '172.19.0.2', 'br-two');
    await network.setGateway('a', '172.18.0.1');
    await network.setGateway('c', '172.19.0.1');
    expect(await sh('ping -c 1 -W 1 172.19.0.2', 'a')).toContain('0 packets received');
    expect(await sh('ip route', 'a')).toContain('default via 172.18.0.1 dev eth0');
    await network.setGateway('a', undefined);
    await network.setGateway('a', undefined);
    expect(await sh('ip route', 'a')).not.toContain('default');
  });

  it('go with their namespace, and by name', async () => {
    await network.removeLink('vethc');
    await network.removeNamespace('c');
    await network.removeLink('br-two');
    expect(await sh('ip link')).not.toMatch(/br-two|vethc/);
  });

  const wrong: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    [
      'a bridge twice',
      () => network.makeBridge({ name: 'br-one', mac: '02:42:ac:12:00:01', address: '172.18.0.1/16' }),
      'EEXIST',
    ],
    [
      'a bridge without an address',
      () => network.makeBridge({ name: 'br-x', mac: '02:42:ac:12:00:01', address: 'x/16' }),
      'EINVAL',
    ],
    [
      'a name that is too long',
      () =>
        network.makeBridge({ name: 'br-0123456789abcdef', mac: '02:42:ac:12:00:01', address: '10.0.0.1/8' }),
      'EINVAL',
    ],
    ['a namespace twice', () => network.makeNamespace('a'), 'EEXIST'],
    ['the name of the host', () => network.makeNamespace('host'), 'EEXIST'],
    ['a namespace that is not there', () => network.removeNamespace('nosuch'), 'ENOENT'],
    ['a link that is not there', () => network.removeLink('nosuch'), 'ENODEV'],
    [
      'a bridge that is not there',
      () =>
        network.connect({
          namespace: 'a',
          hostLink: 'v',
          bridge: 'br-none',
          name: 'eth9',
          mac: '02:42:ac:12:00:09',
          address: '10.0.0.9/8',
        }),
      'ENODEV',
    ],
  ];
  it.each(wrong)('refuse %s', async (_, act, errno) => {
    await expect(act()).rejects.toMatchObject({ errno });
    expect(await sh('ip link')).not.toContain('br-x');
  });

  it('a program is refused in a network that is not there', async () => {
    await expect(machine.spawn({ ...hostSpec('true'), network: 'nosuch' })).rejects.toThrow('network');
  });
});

describe('docker-proxy', () => {
  it('passes connections on, and more of them at once', async () => {
    const server = await machine.spawn({
      ...hostSpec('while :; do echo "hello $(head -c 4)" | nc -l -p 80; done'),
      network: 'a',
    });
    const ports = new HostPorts();
    const bindings = [
      { containerPort: 80, protocol: 'tcp' as const, hostIP: '', hostPorts: { first: 8080, last: 8080 } },
    ];
    const { ports: published, stop } = await publish(network, ports, bindings, '172.18.0.2', fail);
    expect(published).toEqual([{ containerPort: 80, protocol: 'tcp', hostIP: '0.0.0.0', hostPort: 8080 }]);
    expect(await sh('netstat -tln; ps')).toMatch(
      /0\.0\.0\.0:8080[\s\S]*docker-proxy -proto tcp -host-ip 0\.0\.0\.0 -host-port 8080 -container-ip 172\.18\.0\.2 -container-port 80/,
    );
    stop();
    server.signal(9);
    expect(bindings.map((binding) => ports.take(binding, '0.0.0.0').hostPort)).toEqual([8080]);
  });

  it('carries a megabyte both ways, and each half ends by itself', async () => {
    const server = await machine.spawn({ ...hostSpec('nc -l -p 81 -e md5sum'), network: 'a' });
    const { stop } = await publish(
      network,
      new HostPorts(),
      [{ containerPort: 81, protocol: 'tcp', hostIP: '127.0.0.1' }],
      '172.18.0.2',
      fail,
    );
    const sum = await sh(
      'head -c 1000000 /dev/zero | tee /tmp/zeros | nc 127.0.0.1 32768; md5sum < /tmp/zeros',
    );
    const [over, here] = sum.split('\n');
    expect(over).toBe(here);
    stop();
    server.signal(9);
  });

  it('says which port a program of the host has', async () => {
    const other = await machine.spawn(hostSpec('nc -l -p 9000'));
    await sh('until netstat -tln | grep -q :9000; do :; done');
    const taken = {
      containerPort: 80,
      protocol: 'tcp' as const,
      hostIP: '',
      hostPorts: { first: 9000, last: 9000 },
    };
    await expect(publish(network, new HostPorts(), [taken], '172.18.0.2', fail)).rejects.toThrow(
      'failed to bind host port for 0.0.0.0:9000:172.18.0.2:80/tcp: address already in use',
    );
    const range = { ...taken, hostPorts: { first: 9000, last: 9001 } };
    const { ports, stop } = await publish(network, new HostPorts(), [range], '172.18.0.2', fail);
    expect(ports[0]?.hostPort).toBe(9001);
    stop();
    other.signal(9);
  });
});

describe('the resolver', () => {
  it('answers at 127.0.0.11, over UDP and TCP, and knows nothing of the world', async () => {
    const endpoints = [
      { network: 'lan', address: 0xac120003, names: ['web', 'www'] },
      { network: 'lan', address: 0xac120002, names: ['me'] },
    ];
    const resolver = await Resolver.start(network, {
      namespace: 'a',
      endpoints: () => endpoints,
      servers: [],
      onFailure: fail,
    });
    expect(await sh('nslookup web 127.0.0.11', 'a')).toContain('Address: 172.18.0.3');
    expect(await sh('nslookup WWW.lan 127.0.0.11', 'a')).toContain('Address: 172.18.0.3');
    expect(await sh('nslookup 172.18.0.3 127.0.0.11', 'a')).toContain('web.lan');
    expect(await sh('nslookup example.com 127.0.0.11', 'a')).toMatch(/NXDOMAIN/);
    endpoints.push({ network: 'lan', address: 0xac120009, names: ['late'] });
    expect(await sh('nslookup late 127.0.0.11', 'a')).toContain('Address: 172.18.0.9');
    // a query for the A records of `web` by hand: its length before it, as TCP has it
    const query =
      '\\x00\\x15\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x03web\\x00\\x00\\x01\\x00\\x01';
    const hex = await sh(`printf '${query}' | nc -w 2 127.0.0.11 53 | od -An -tx1 | tr -d ' \\n'`, 'a');
    expect(hex).toBe(
      '0025' + '123481800001000100000000' + '0377656200' + '00010001' + 'c00c00010001000002580004ac120003',
    );
    resolver.stop();
  });

  it('asks the servers that were named for what is not known, in turn; by way of a published UDP port', async () => {
    // a name server of the world in the network `b`, at its address there and at a port of the host
    const world = await Resolver.start(network, {
      namespace: 'b',
      endpoints: () => [{ network: 'world', address: 0x09090909, names: ['outside'] }],
      servers: [],
      onFailure: fail,
    });
    const ear = ['-proto', 'udp', '-host-ip', '172.18.0.3', '-host-port', '53'];
    const behind = ['-container-ip', '127.0.0.11', '-container-port', '53'];
    const proxy = await network.run(['/usr/lib/layerbox/docker-proxy', ...ear, ...behind], 'b');
    const resolver = await Resolver.start(network, {
      namespace: 'a',
      endpoints: () => [],
      servers: ['172.18.0.77', '172.18.0.3'],
      onFailure: fail,
    });
    expect(await sh('nslookup -type=a outside 127.0.0.11', 'a')).toContain('Address: 9.9.9.9');
    const { stop } = await publish(
      network,
      new HostPorts(),
      [{ containerPort: 53, protocol: 'udp', hostIP: '', hostPorts: { first: 5353, last: 5353 } }],
      '172.18.0.3',
      fail,
    );
    const zeros = '\\x00\\x00\\x00\\x00\\x00\\x00';
    const query = `\\x12\\x34\\x01\\x00\\x00\\x01${zeros}\\x07outside\\x00\\x00\\x01\\x00\\x01`;
    const ask = `exec 3<>/dev/udp/127.0.0.1/5353; printf '${query}' >&3; head -c 41 <&3 | tail -c 4 | od -An -tx1`;
    expect((await sh(ask)).trim()).toBe('09 09 09 09');
    stop();
    resolver.stop();
    proxy.signal(9);
    world.stop();
  }, 60_000);
});

describe('dial', () => {
  it('reads and writes a port of the host', async () => {
    const server = await machine.spawn(hostSpec('nc -l -p 7000 -e tr a-z A-Z'));
    await sh('until netstat -tln | grep -q :7000; do :; done');
    const connection = await machine.dial(7000);
    await connection.write(new TextEncoder().encode('over the wire'));
    connection.end();
    let text = '';
    for await (const bytes of connection.input) text += new TextDecoder().decode(bytes);
    expect(text).toBe('OVER THE WIRE');
    server.signal(9);
  });

  it('of a port where nobody listens is at an end at once', async () => {
    const connection = await machine.dial(7001);
    let bytes = 0;
    for await (const piece of connection.input) bytes += piece.length;
    expect(bytes).toBe(0);
    await expect(machine.dial(0)).rejects.toThrow('A TCP port is a number from 1 to 65535, not 0.');
  });
});
