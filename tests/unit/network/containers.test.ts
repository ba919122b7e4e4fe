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

const sh = (line: string) => sandbox.sh(line);

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
    expect(await sh('ip link | grep veth; ls /run/layerbox/containers')).toBe('0');
  });
});

describe('a network that somebody made', () => {
  it('has a DNS server that knows names, aliases and IDs, and nothing else', async () => {
    await ok('network create lan');
    await ok(
      'run -d --name web -h webhost --network lan --network-alias www --net-alias w3 busybox sleep 1000',
    );
    await ok('run -d --name api --network name=lan,alias=www busybox sleep 1000');
    const id = await ok('ps -q -f name=web');
    const answers = await ok(
      'run --rm --network lan busybox sh -c',
      `cat /etc/resolv.conf; for n in web webhost w3 web.lan WEB ${id}; do nslookup -type=a $n | grep 'Address: 172'; done; nslookup 172.18.0.2; nslookup -type=a www; nslookup example.com; nslookup nosuch; true`,
    );
    expect(answers).toContain('nameserver 127.0.0.11\noptions ndots:0\n');
    expect(answers.match(/Address: 172\.18\.0\.2\n/g)).toHaveLength(7);
    expect(answers).toContain('name = web.lan');
    expect(answers).toContain('Address: 172.18.0.3\n');
    expect(answers).toContain("can't find example.com: NXDOMAIN");
    expect(answers).toContain("can't find nosuch: NXDOMAIN");
    expect(await ok('run --rm --network lan busybox ping -c 1 -W 2 web')).toContain('1 packets received');
    expect(await ok('exec api hostname')).not.toBe('');
  });

  it('is out of reach of others, until a container is connected', async () => {
    await ok('run -d --name far busybox sleep 1000');
    expect((await docker('exec far ping -c 1 -W 1 172.18.0.2')).code).toBe(1);
    expect(await ok('network connect --alias away --ip 172.18.0.9 lan far').catch(String)).toContain(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
    await ok('network connect --alias away lan far');
    expect(await ok('exec far ping -c 1 -W 2 web')).toContain('1 packets received');
    expect(await ok('exec far cat /etc/hosts')).toContain('172.18.0.4\t');
    expect(await ok('exec web ping -c 1 -W 2 away')).toContain('172.18.0.4');
    expect(
      await ok(
        'inspect -f',
        '{{range $n, $e := .NetworkSettings.Networks}}{{$n}}={{$e.IPAddress}} {{end}}',
        'far',
      ),
    ).toBe('bridge=172.17.0.2 lan=172.18.0.4');
    expect((await docker('network connect lan far')).err).toBe(
      'Error response from daemon: endpoint with name far already exists in network lan\n',
    );
    expect(await ok('exec far ip route')).toContain('default via 172.17.0.1');
    await ok('network disconnect bridge far');
    expect(await ok('exec far ip route')).toContain('default via 172.18.0.1');
    await ok('network disconnect -f lan far');
    expect((await docker('exec web ping -c 1 -W 1 away')).err).toContain("bad address 'away'");
    expect(await ok('exec far ip addr')).not.toContain('eth');
    await ok('rm -f far');
  });

  it('is in use while containers are on it', async () => {
    expect((await docker('network rm lan')).err).toMatch(
      /^Error response from daemon: error while removing network: network lan has active endpoints \(name:"(?:web|api)" id:"[0-9a-f]{12}"\)\nexit status 1|^Error response from daemon: error while removing network: network lan has active endpoints/,
    );
    expect(
      await ok('network inspect -f', '{{range .Containers}}{{.Name}} {{.IPv4Address}}\n{{end}}', 'lan'),
    ).toContain('web 172.18.0.2/16');
    expect(await ok('ps -q -f network=lan')).toMatch(/^\w{12}\n\w{12}$/);
    await ok('rm -f web api');
    expect(await ok('network prune -f')).toBe('Deleted Networks:\nlan');
    expect(await sh('ip link | grep br-')).toBe('1');
  });

  it('has the subnet, the gateway, the range and the way out that were asked for', async () => {
    await ok(
      'network create --subnet 10.9.0.0/24 --gateway 10.9.0.254 --ip-range 10.9.0.128/25 --aux-address me=10.9.0.128 own',
    );
    const line = 'hostname -i; ip route | head -1; cat /sys/class/net/eth0/address';
    expect(await ok('run --rm --network own busybox sh -c', line)).toBe(
      '10.9.0.129\ndefault via 10.9.0.254 dev eth0 \n02:42:0a:09:00:81',
    );
    expect(
      await ok('run --rm --network own --ip 10.9.0.7 --mac-address 02:42:00:00:00:77 busybox sh -c', line),
    ).toBe('10.9.0.7\ndefault via 10.9.0.254 dev eth0 \n02:42:00:00:00:77');
    await ok('network create --internal inside');
    const inside = await ok('run --rm --network inside -p 8099:80 busybox ip route');
    expect(inside).not.toContain('default');
    // the way out is by the network of the highest priority, then of the first name
    const both = 'run --rm --network own --network';
    await ok('network create zzz');
    expect(await ok(`${both} zzz busybox ip route`)).toContain('default via 10.9.0.254');
    expect(await ok(`${both} name=zzz,gw-priority=1 busybox ip route`)).toMatch(/default via 172\.\d+\.0\.1/);
    await ok('network rm own inside zzz');
  });
});

describe('the network of others', () => {
  it("is the host's, or another container's, or none at all", async () => {
    expect(await ok('run --rm --network host busybox sh -c', 'hostname; ip link')).toMatch(
      /^host\n[\s\S]*docker0/,
    );
    expect(await ok('run --rm --net none busybox ip link')).not.toContain('eth0');
    await ok('run -d --name owner -h ownhost busybox httpd -f -p 7777 -h /etc');
    expect(
      await ok(
        'run --rm --network container:owner busybox sh -c',
        'hostname; cat /etc/hosts; until wget -qO- 127.0.0.1:7777/hostname; do :; done',
      ),
    ).toMatch(/^ownhost\n[\s\S]*172\.17\.0\.2\townhost\nownhost$/);
    await ok('create --name guest --network container:owner busybox true');
    await ok('rm -f owner');
    expect((await docker('start guest')).err).toContain(
      'cannot join network namespace of a non running container',
    );
    await ok('rm guest');
  });
});

describe('published ports', () => {
  const web = 'mkdir -p /www && echo hello from $(hostname) > /www/index.html && exec httpd -f -h /www';

  it('are served at the host, and shown', async () => {
    await ok(
      'run -d --name web -h web -p 8080:80 -p 127.0.0.1::81 --expose 9000-9001 -p 5300:53/udp busybox sh -c',
      web,
    );
    expect(await sh('until wget -qO- localhost:8080 2>/dev/null; do :; done')).toBe('hello from web\n0');
    expect(await ok('port web')).toBe(
      '53/udp -> 0.0.0.0:5300\n80/tcp -> 0.0.0.0:8080\n81/tcp -> 127.0.0.1:32768',
    );
    expect(await ok('port web 80')).toBe('0.0.0.0:8080');
    expect(await docker('port web 9000')).toEqual({
      code: 1,
      out: '',
      err: "Error: No public port '9000' published for web\n",
    });
    expect(await ok('ps --format {{.Ports}}')).toBe(
      '9000-9001/tcp, 0.0.0.0:5300->53/udp, 0.0.0.0:8080->80/tcp, 127.0.0.1:32768->81/tcp',
    );
  });

  it('are served again after a restart, and to other containers by the gateway', async () => {
    await ok('stop -t 0 web');
    expect(await sh('wget -qO- localhost:8080 2>&1')).toContain("can't connect");
    await ok('start web');
    expect(await sh('until wget -qO- localhost:8080 2>/dev/null; do :; done')).toBe('hello from web\n0');
    expect(await ok('run --rm busybox wget -qO- 172.17.0.1:8080')).toBe('hello from web');
  });

  it('are given to one container at a time', async () => {
    const { code, err } = await docker('run --name other -p 8080:80 busybox true');
    expect(code).toBe(125);
    expect(err).toMatch(
      /^docker: Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint other \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8080 failed: port is already allocated\n/,
    );
    expect(await ok('ps -a --format {{.Names}}:{{.State}} -f name=other')).toBe('other:created');
    await ok('rm other');
    const busy = await docker('run --rm -p 8080-8081:80 busybox true');
    expect(busy.code).toBe(0);
    await ok('rm -f web');
    await ok('run --rm -p 8080:80 busybox true');
  });

  it('are those of the image too, with -P', async () => {
    await ok('run -d --name all -P --expose 80 --expose 53/udp busybox sleep 1000');
    expect(await ok('port all')).toMatch(/^53\/udp -> 0\.0\.0\.0:327\d\d\n80\/tcp -> 0\.0\.0\.0:327\d\d$/);
    await ok('rm -f all');
  });
});

describe('files of names', () => {
  beforeAll(async () => void (await ok('network create lan2')));
  const lines: readonly (readonly [string, string, RegExp])[] = [
    ['--add-host db:10.0.0.5', '/etc/hosts', /\n10\.0\.0\.5\tdb\n/],
    ['--add-host=up=host-gateway', '/etc/hosts', /\n172\.17\.0\.1\tup\n/],
    ['-h box --domainname lan.test', '/etc/hosts', /\n172\.17\.0\.2\tbox\.lan\.test box\n/],
    ['--network host --add-host db:10.0.0.5', '/etc/hosts', /127\.0\.1\.1\thost\n10\.0\.0\.5\tdb\n/],
    [
      '--dns 10.0.0.53 --dns 10.0.0.54',
      '/etc/resolv.conf',
      /\nnameserver 10\.0\.0\.53\nnameserver 10\.0\.0\.54\n/,
    ],
    [
      '--network lan2 --dns 10.0.0.53',
      '/etc/resolv.conf',
      /nameserver 127\.0\.0\.11\n[\s\S]*ExtServers: \[10\.0\.0\.53\]/,
    ],
    ['--dns-search a.test --dns-search b.test', '/etc/resolv.conf', /\nsearch a\.test b\.test\n/],
    ['--dns-option ndots:3', '/etc/resolv.conf', /\noptions ndots:3\n/],
  ];
  it.each(lines)('say what %s asks for', async (flags, file, want) => {
    expect(`${await ok(`run --rm ${flags} busybox cat ${file}`)}\n`).toMatch(want);
  });

  it('can be written, and are no change of the container', async () => {
    await ok('run --name scribe busybox sh -c', 'echo 1.2.3.4 more >> /etc/hosts; grep -c more /etc/hosts');
    expect(await ok('diff scribe')).toBe('');
    expect((await docker('run --rm --read-only busybox sh -c', 'echo x >> /etc/hosts')).code).toBe(1);
    await ok('rm scribe');
  });
});
