/** docker network over a host of names: what is made, what is refused, and what is left behind. */

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeMachine } from '../container/fake-machine.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';
import type { FakeHostNetwork } from './fake-host-network.ts';

let sandbox: TestSandbox;
let network: FakeHostNetwork;

beforeEach(async () => {
  const machine = new FakeMachine({
    true: async () => 0,
    sleep: async ({ killed }) => 128 + (await killed),
  });
  network = machine.network;
  sandbox = await openWithBusybox({ machine });
});

const docker = (line: string) => sandbox.docker(line.split(' '));
async function ok(line: string): Promise<string> {
  const { code, out, err } = await docker(line);
  if (code !== 0) throw new Error(`docker ${line}: ${err}`);
  return out.trim();
}

describe('docker network', () => {
  it('lists, inspects and removes', async () => {
    const id = await ok('network create --label a=b --attachable --internal -o x=y lan');
    expect(await ok('network ls --format {{.Name}}:{{.Driver}}:{{.Scope}}')).toBe(
      'bridge:bridge:local\nhost:host:local\nlan:bridge:local\nnone:null:local',
    );
    expect(await ok('network ls -q --no-trunc -f name=lan')).toBe(id);
    for (const filter of [`id=${id.slice(0, 12)}`, 'label=a=b', 'type=custom', 'dangling=true']) {
      expect(await ok(`network ls -f ${filter} --format {{.Name}}`), filter).toBe('lan');
    }
    expect(await ok('network ls -f driver=null --format {{.Name}}')).toBe('none');
    expect(await ok('network ls -q -f scope=swarm')).toBe('');
    expect(await ok('network ls -q --no-trunc -f name=lan -f scope=local')).toBe(id);
    expect(JSON.parse(await ok('network inspect lan'))).toMatchObject([
      {
        Name: 'lan',
        Id: id,
        Driver: 'bridge',
        Internal: true,
        Attachable: true,
        IPAM: { Driver: 'default', Config: [{ Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }] },
        Containers: {},
        Options: { x: 'y' },
        Labels: { a: 'b' },
      },
    ]);
    expect([...network.bridges.values()]).toEqual([
      { name: `br-${id.slice(0, 12)}`, mac: '02:42:ac:12:00:01', address: '172.18.0.1/16' },
    ]);
    expect(await ok(`network rm ${id.slice(0, 4)}`)).toBe(id.slice(0, 4));
    expect(network.bridges.size).toBe(0);
    expect(await ok('network rm -f lan')).toBe('');
  });

  it('lists apart what a container is on, and what nobody uses', async () => {
    await ok('network create used');
    await ok('network create idle');
    await ok('run -d --name box --network used busybox sleep');
    const names = (flags: string) => ok(`network ls ${flags} --format {{.Name}}`);
    expect(await names('-f dangling=true')).toBe('idle');
    expect(await names('-f dangling=false')).toBe('bridge\nhost\nnone\nused');
    await ok('rm -f box');
    expect(await names('-f dangling=1')).toBe('idle\nused');
  });

  it('keeps the options of the one that gives addresses', async () => {
    await ok('network create --ipam-opt a=b --ipam-opt c lan');
    expect(await ok('network inspect -f {{.IPAM.Options}} lan')).toBe('map[a:b c:]');
  });

  const refused: readonly (readonly [string, string])[] = [
    ['network rm nosuch', 'Error response from daemon: network nosuch not found\nexit status 1\n'],
    [
      'network rm bridge',
      'Error response from daemon: bridge is a pre-defined network and cannot be removed\nexit status 1\n',
    ],
    [
      'network create host',
      'Error response from daemon: operation is not permitted on predefined host network\n',
    ],
    ['network create taken', 'Error response from daemon: network with name taken already exists\n'],
    [
      'network create -d overlay x',
      'Error response from daemon: the network driver "overlay" is not supported by Layerbox: use bridge\n',
    ],
    [
      'network create --subnet 172.17.8.0/24 x',
      'Error response from daemon: invalid pool request: Pool overlaps with other one on this address space\n',
    ],
    [
      'network create --subnet 10.0.0.1/24 x',
      'Error response from daemon: invalid subnet 10.0.0.1/24: it should be 10.0.0.0/24\n',
    ],
    ['network create --gateway 1.2.3.4 x', 'every ip-range or gateway must have a corresponding subnet\n'],
    ['network create --subnet 10.0.0.0/24 --gateway 1.2.3.4 x', 'no matching subnet for gateway 1.2.3.4\n'],
    [
      'network create --subnet 10.0.0.0/24 --subnet 10.0.0.0/25 x',
      'multiple overlapping subnet configuration is not supported\n',
    ],
    [
      'network create --subnet 10.0.0.0/24 --ip-range 10.1.0.0/25 x',
      'no matching subnet for range 10.1.0.0/25\n',
    ],
    ['network create --subnet 10.0.0.0/24 --ip-range y x', 'invalid CIDR address: y\n'],
    [
      'network create --subnet 10.0.0.0/24 --aux-address a=10.1.1.1 x',
      'no matching subnet for aux-address 10.1.1.1\n',
    ],
    [
      'network create -o com.docker.network.driver.mtu=9000 x',
      'Error response from daemon: the network option com.docker.network.driver.mtu is not supported by Layerbox\n',
    ],
    [
      'network connect host box',
      'Error response from daemon: container cannot be disconnected from host network or connected to host network\n',
    ],
    [
      'network connect none box',
      'Error response from daemon: container cannot be connected to multiple networks with one of the networks in private (none) mode\n',
    ],
    ['network connect nosuch box', 'Error response from daemon: network nosuch not found\n'],
    ['network inspect nosuch', 'Error response from daemon: network nosuch not found\n'],
    ['network ls -f scope=x', "Error response from daemon: invalid filter 'scope=x'\n"],
  ];
  it.each(refused)('%s: %s', async (line, message) => {
    await ok('network create taken');
    await ok('create --name box busybox true');
    const { code, err } = await docker(line);
    expect(err).toBe(message);
    expect(code).toBe(1);
  });

  it('keeps what somebody uses from being pruned', async () => {
    await ok('network create used');
    await ok('network create --label keep idle');
    await ok('network create idle2');
    await ok('run -d --name box --network used busybox sleep');
    expect(await ok('network prune -f --filter label!=keep')).toBe('Deleted Networks:\nidle2');
    await ok('rm -f box');
    expect(await ok('network prune -f')).toBe('Deleted Networks:\nidle\nused');
    expect(await ok('network prune -f')).toBe('');
  });

  it.each([
    ['network prune -f', ''],
    ['system prune -f', 'Total reclaimed space: 0B'],
  ])('%s keeps what is younger than --filter until', async (prune, end) => {
    await ok('network create lan');
    expect(await ok(`${prune} --filter until=1h`)).toBe(end);
    sandbox.clock.now += 2 * 3_600_000;
    expect(await ok(`${prune} --filter until=1h`)).toBe(`Deleted Networks:\nlan\n\n${end}`.trimEnd());
  });
});

describe('a container that runs', () => {
  const gateways = () => [...network.gateways.values()];
  const endpoint = (of: string, field: string) =>
    ok(`inspect -f {{.NetworkSettings.Networks.${of}.${field}}} box`);

  it('leads out by the network of the highest --gw-priority', async () => {
    await ok('network create --subnet 10.1.0.0/16 zzz');
    await ok('network create --subnet 10.2.0.0/16 zz');
    await ok('run -d --name box busybox sleep');
    await ok('network connect zz box');
    expect(gateways()).toEqual(['172.17.0.1']);
    await ok('network connect --gw-priority 1 zzz box');
    expect(gateways()).toEqual(['10.1.0.1']);
    expect(await endpoint('zzz', 'GwPriority')).toBe('1');
    await ok('network disconnect zzz box');
    await ok('network connect --gw-priority=-1 zzz box');
    expect(gateways()).toEqual(['172.17.0.1']);
    await ok('rm -f box');
  });

  it('has the address that --ip asks for, now and at its next start', async () => {
    await ok('network create --subnet 10.9.0.0/24 own');
    await ok('run -d --name box busybox sleep');
    await ok('network connect --ip 10.9.0.50 own box');
    const addresses = () => [...network.links.values()].map(({ address }) => address);
    expect(addresses()).toEqual(['172.17.0.2/16', '10.9.0.50/24']);
    expect(await endpoint('own', 'IPAddress')).toBe('10.9.0.50');
    await ok('restart box');
    expect(addresses()).toContain('10.9.0.50/24');
    await ok('rm -f box');
  });

  it('is taken off a network whose link cannot be removed by -f, and not without it', async () => {
    await ok('network create lan');
    for (const [force, code, left] of [
      ['', 1, 'bridge lan'],
      ['-f ', 0, 'bridge'],
    ] as const) {
      await ok('run -d --name box busybox sleep');
      await ok('network connect lan box');
      const removing = vi.spyOn(network, 'removeLink').mockRejectedValueOnce(new Error('the link is stuck'));
      const { code: ended, err } = await docker(`network disconnect ${force}lan box`);
      expect([ended, err]).toEqual([code, code === 0 ? '' : expect.stringContaining('the link is stuck')]);
      removing.mockRestore();
      const names = '{{range $name, $at := .NetworkSettings.Networks}}{{$name}} {{end}}';
      expect((await sandbox.docker(['inspect', '-f', names, 'box'])).out.trim()).toBe(left);
      await ok('rm -f box');
    }
  });
});

describe('a container that starts', () => {
  it('leaves nothing behind, whether it ran or not', async () => {
    await ok('network create lan');
    await ok('run --rm --network lan -p 8080:80 busybox true');
    expect((await docker('run --rm --network lan -p 8080:80 busybox nosuch')).code).toBe(127);
    expect((await docker('run --rm --network nosuch busybox true')).err).toContain(
      'failed to set up container networking: network nosuch not found',
    );
    expect([
      network.namespaces.size,
      network.links.size,
      network.running('docker-proxy'),
      network.running('resolver'),
    ]).toEqual([0, 0, [], []]);
    expect([...network.files.keys()]).toEqual(['/etc/hosts']);
  });

  it('has its ports, its name servers and its networks', async () => {
    await ok('network create lan');
    await ok(
      'run -d --name box --network lan --dns 10.0.0.9 -p 8080:80 -p 9000-9001:9000-9001 busybox sleep',
    );
    expect(network.running('resolver')).toEqual(['10.0.0.9']);
    expect(network.running('docker-proxy')[0]).toContain(
      '-proto tcp -host-ip 0.0.0.0 -host-port 9001 -container-ip 172.18.0.2 -container-port 9001',
    );
    const [inspection] = JSON.parse(await ok('inspect box'));
    expect(inspection.HostConfig).toMatchObject({
      NetworkMode: 'lan',
      PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
      Dns: ['10.0.0.9'],
    });
    expect(inspection.NetworkSettings).toMatchObject({
      Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] },
      Networks: {
        lan: {
          IPAddress: '172.18.0.2',
          Gateway: '172.18.0.1',
          DNSNames: ['box', inspection.Id.slice(0, 12)],
        },
      },
    });
    await ok('network disconnect lan box');
    expect(network.running('docker-proxy')).toEqual([]);
    await ok('network connect lan box');
    expect(network.running('docker-proxy')).toHaveLength(1);
    await ok('rm -f box');
  });

  it('is on the bridge, and published at the address, that options of its network name', async () => {
    const [bridge, binding] = ['bridge.name=mybr', 'bridge.host_binding_ipv4=127.0.0.1'];
    await ok(`network create -o com.docker.network.${bridge} -o com.docker.network.${binding} lan`);
    await ok('run -d --name box --network lan -p 8080:80 busybox sleep');
    expect([...network.bridges.keys()]).toEqual(['mybr']);
    expect(await ok('port box')).toBe('80/tcp -> 127.0.0.1:8080');
    await ok('rm -f box');
  });

  it('of the host publishes nothing, and is told so', async () => {
    const { code, err } = await docker('run --rm --network host -p 8080:80 busybox true');
    expect([code, err]).toEqual([0, 'WARNING: Published ports are discarded when using host network mode\n']);
    expect(network.programs).toEqual([]);
  });

  it('passes over a port of a range that a program of the host has', async () => {
    network.busyPorts.add(8080);
    await ok('run -d --name box -p 8080-8081:80 busybox sleep');
    expect(await ok('port box')).toBe('80/tcp -> 0.0.0.0:8081');
    const { code, err } = await docker('run --rm -p 8080:80 busybox true');
    expect(code).toBe(125);
    expect(err).toContain(
      'failed to bind host port for 0.0.0.0:8080:172.17.0.3:80/tcp: address already in use',
    );
    await ok('rm -f box');
  });

  const conflicts: readonly (readonly [string, string])[] = [
    ['-h x --network container:other', 'conflicting options: hostname and the network mode'],
    ['--dns 1.1.1.1 --network container:other', 'conflicting options: dns and the network mode'],
    [
      '--add-host a:1.1.1.1 --network container:other',
      'conflicting options: custom host-to-IP mapping and the network mode',
    ],
    [
      '-p 80 --network container:other',
      'conflicting options: port publishing and the container type network mode',
    ],
    [
      '--expose 80 --network container:other',
      'conflicting options: port exposing and the container type network mode',
    ],
    ['--network container:nosuch', 'No such container: nosuch'],
    [
      '--ip 172.17.0.9',
      'invalid config for network bridge: invalid endpoint settings:\nuser specified IP address is supported on user defined networks only',
    ],
    [
      '--network own --ip 10.7.0.1',
      'invalid config for network own: invalid endpoint settings:\nno configured subnet contains IP address 10.7.0.1',
    ],
  ];
  it.each(conflicts)('%s: %s', async (flags, message) => {
    await ok('network create --subnet 10.6.0.0/16 own');
    await ok('create --name other busybox true');
    const { code, err } = await docker(`run ${flags} busybox true`);
    expect(err).toContain(`docker: Error response from daemon: ${message}`);
    expect(code).toBe(125);
  });
});
