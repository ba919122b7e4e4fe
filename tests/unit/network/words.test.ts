/** Words and messages: ports and networks of the command line, addresses, DNS, HTTP answers. */

import { describe, expect, it } from 'vitest';
import { NETWORK_FLAGS, networkOptions } from '../../../src/engine/cli/network-flags.ts';
import { parseCommandLine } from '../../../src/engine/cli/parse.ts';
import { parseExpose, parsePublish } from '../../../src/engine/cli/port-spec.ts';
import { readResponse } from '../../../src/engine/container/port-response.ts';
import { AddressPool, defaultGateway, freeSubnet } from '../../../src/engine/network/address-pool.ts';
import { formatAddress, parseAddress, parseSubnet, type Subnet } from '../../../src/engine/network/ipv4.ts';
import { answerQuery } from '../../../src/engine/network/name-service.ts';
import { linkTarget } from '../../../src/ui/ports/port-page.ts';

const publish = (text: string) =>
  parsePublish(text)
    .map(({ hostIP, hostPorts, containerPort, protocol }) => {
      const ports = hostPorts === undefined ? '*' : `${hostPorts.first}-${hostPorts.last}`;
      return `${hostIP}:${ports}:${containerPort}/${protocol}`;
    })
    .join(' ');

describe('--publish', () => {
  const good: readonly (readonly [string, string])[] = [
    ['80', ':*:80/tcp'],
    ['8080:80', ':8080-8080:80/tcp'],
    ['80/udp', ':*:80/udp'],
    ['8080:80/TCP', ':8080-8080:80/tcp'],
    ['127.0.0.1::80', '127.0.0.1:*:80/tcp'],
    ['127.0.0.1:8080:80', '127.0.0.1:8080-8080:80/tcp'],
    ['0:80', ':*:80/tcp'],
    [':80', ':*:80/tcp'],
    ['8000-8001:80-81', ':8000-8000:80/tcp :8001-8001:81/tcp'],
    ['8000-8010:80', ':8000-8010:80/tcp'],
    ['80-81', ':*:80/tcp :*:81/tcp'],
    ['target=80,published=8080,protocol=udp', ':8080-8080:80/udp'],
  ];
  it.each(good)('%s is %s', (text, want) => expect(publish(text)).toBe(want));

  // as docker 28.2.2 refuses them
  const wrong: readonly (readonly [string, string])[] = [
    ['99999:80', 'invalid hostPort: 99999'],
    ['80:80:80:80', 'invalid IP address: 80:80'],
    ['abc', 'invalid containerPort: abc'],
    ['80-82:90-91', 'invalid ranges specified for container and host Ports: 90-91 and 80-82'],
    ['1.2.3:80:80', 'invalid IP address: 1.2.3'],
    ['8080:80/foo', 'invalid proto: foo'],
    ['8080:', 'no port specified: 8080:<empty>'],
    ['80-70:1', 'invalid hostPort: 80-70'],
    ['a=b', 'no port specified: :/tcp<empty>'],
    ['target=80,x', "invalid publish opts format (should be name=value but got 'x')"],
    ['65536', 'invalid containerPort: 65536'],
    // what Docker takes, and this does not
    ['80/sctp', 'the protocol sctp is not supported by Layerbox: use tcp or udp'],
    ['[::1]:80:80', 'the address [::1] is of IPv6, which is not supported by Layerbox'],
  ];
  it.each(wrong)('%s: %s', (text, message) => expect(() => publish(text)).toThrow(message));
});

describe('--expose', () => {
  it('is a port or a range', () => {
    expect(parseExpose('80')).toEqual(['80/tcp']);
    expect(parseExpose('80-82/udp')).toEqual(['80/udp', '81/udp', '82/udp']);
  });

  const wrong: readonly (readonly [string, string])[] = [
    [
      'abc',
      'invalid range format for --expose: abc, error: strconv.ParseUint: parsing "abc": invalid syntax',
    ],
    ['80:90', 'invalid port format for --expose: 80:90'],
    ['90-80', 'invalid range format for --expose: 90-80, error: invalid range specified for port: 90-80'],
    ['', 'invalid range format for --expose: , error: empty string specified for ports'],
  ];
  it.each(wrong)('%s: %s', (text, message) => expect(() => parseExpose(text)).toThrow(message));
});

describe('the flags of networks', () => {
  const parse = (line: string) =>
    networkOptions(parseCommandLine(line.split(' '), { flags: NETWORK_FLAGS }).flags);

  it('make endpoints, the first with what the other flags say', () => {
    const { mode, endpoints } = parse(
      '--net name=a,gw-priority=-2 --network-alias two --ip 10.0.0.5 --mac-address 02:42:00:00:00:01',
    );
    expect(mode).toBe('a');
    expect(endpoints).toEqual({
      a: { aliases: ['two'], address: '10.0.0.5', mac: '02:42:00:00:00:01', gatewayPriority: -2 },
    });
    expect(Object.keys(parse('--network a --network b').endpoints)).toEqual(['a', 'b']);
    expect(parse('--network host').endpoints).toEqual({});
    expect(parse('--add-host a=1.2.3.4 --add-host b:host-gateway').extraHosts).toEqual([
      'a:1.2.3.4',
      'b:host-gateway',
    ]);
  });

  // as docker 28.2.2 refuses them
  const wrong: readonly (readonly [string, string])[] = [
    ['--network a --network a', 'network "a" is specified multiple times'],
    [
      '--network name=a,ip=1.2.3.4 --ip 1.2.3.5',
      'conflicting options: cannot specify both --ip and per-network IPv4 address',
    ],
    [
      '--network name=a,alias=x --network-alias y',
      'conflicting options: cannot specify both --network-alias and per-network alias',
    ],
    ['--mac-address zz', 'zz is not a valid mac address'],
    [
      '--network bridge --network a',
      'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
    ],
    ['--network-alias x', 'network-scoped aliases are only supported for user-defined networks'],
    ['--network name=a,bad=1', 'invalid argument "name=a,bad=1" for "--network" flag: invalid field key bad'],
    ['--network ip=1.2.3.4', 'for "--network" flag: network name/id is not specified'],
    ['--add-host foo', 'invalid argument "foo" for "--add-host" flag: bad format for add-host: "foo"'],
    ['--add-host foo:bar', 'for "--add-host" flag: invalid IP address in add-host: "bar"'],
    ['--dns abc', 'invalid argument "abc" for "--dns" flag: IP address is not correctly formatted: abc'],
    ['--dns-search ...', 'invalid argument "..." for "--dns-search" flag: ... is not a valid domain'],
  ];
  it.each(wrong)('%s: %s', (line, message) => expect(() => parse(line)).toThrow(message));
});

describe('addresses', () => {
  it('are four numbers without leading zeros', () => {
    expect(formatAddress(parseAddress('255.1.0.9') ?? 0)).toBe('255.1.0.9');
    for (const text of ['1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4.5', '', 'a.b.c.d', '1.2.3.-4']) {
      expect(parseAddress(text), text).toBeUndefined();
    }
    for (const text of ['1.2.3.4', '1.2.3.4/33', '1.2.3.4/', '/8'])
      expect(parseSubnet(text), text).toBeUndefined();
  });

  it("come in Docker's default subnets, one that overlaps none", () => {
    const used: Subnet[] = [];
    for (let i = 0; i < 31; i += 1) used.push(freeSubnet(used));
    const names = used.map(({ base, prefix }) => `${formatAddress(base)}/${prefix}`);
    expect([names[0], names[14], names[15], names[30]]).toEqual([
      '172.17.0.0/16',
      '172.31.0.0/16',
      '192.168.0.0/20',
      '192.168.240.0/20',
    ]);
    expect(() => freeSubnet(used)).toThrow('all predefined address pools have been fully subnetted');
  });

  it('are given out lowest first, out of the range, and again when they are free', () => {
    const subnet = { base: 0x0a000000, prefix: 29 };
    const pool = new AddressPool(subnet, { base: 0x0a000004, prefix: 30 }, [0x0a000005]);
    expect(formatAddress(defaultGateway(subnet, undefined))).toBe('10.0.0.1');
    expect([pool.take(), pool.take()].map(formatAddress)).toEqual(['10.0.0.4', '10.0.0.6']);
    expect(() => pool.take()).toThrow('no available IPv4 addresses');
    expect(pool.take(0x0a000002)).toBe(0x0a000002);
    for (const taken of [0x0a000002, 0x0a000000, 0x0a000007, 0x0b000001]) {
      expect(() => pool.take(taken)).toThrow('Address already in use');
    }
    pool.release(0x0a000004);
    expect(pool.take()).toBe(0x0a000004);
  });
});

describe('a DNS query', () => {
  const endpoints = Array.from({ length: 60 }, (_, i) => ({
    network: 'Lan',
    address: 0xac120002 + i,
    names: [`c${i}`, 'all', ...(i === 0 ? ['Web'] : [])],
  }));
  const options = { hasServers: false, isDatagram: true, turn: 0 };

  function query(name: string, { type = 1, flags = 0x0100, count = 1, opt = 0 } = {}): Uint8Array {
    const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
    const size = opt === 0 ? [] : [0, 0, 41, opt >> 8, opt & 0xff, 0, 0, 0, 0, 0, 0];
    return Uint8Array.from([
      ...[0x12, 0x34, flags >> 8, flags & 0xff, 0, count, 0, 0, 0, 0, 0, opt === 0 ? 0 : 1],
      ...[...labels, 0, 0, type, 0, 1, ...size],
    ]);
  }
  const ask = (bytes: Uint8Array, changes = {}) => {
    const answer = answerQuery(bytes, endpoints, { ...options, ...changes });
    if (answer === undefined || answer === 'forward') return answer;
    const view = new DataView(answer.buffer);
    return {
      code: answer[3] === undefined ? -1 : answer[3] & 15,
      isCut: ((answer[2] ?? 0) & 2) !== 0,
      records: view.getUint16(6),
      length: answer.length,
      last: formatAddress(view.getUint32(answer.length - 4)),
    };
  };

  it('is answered by name, alias and network, whatever the case', () => {
    for (const name of ['web', 'WEB', 'c0', 'web.lan']) {
      expect(ask(query(name)), name).toMatchObject({ code: 0, records: 1, last: '172.18.0.2' });
    }
    expect(ask(query('web', { type: 28 }))).toMatchObject({ code: 0, records: 0 });
    expect(ask(query('web.other'))).toMatchObject({ code: 3, records: 0 });
    expect(ask(query('9.0.18.172.in-addr.arpa', { type: 12 }))).toMatchObject({ code: 0, records: 1 });
    expect(ask(query('example.com'), { hasServers: true })).toBe('forward');
    expect(ask(query('web'), { hasServers: true })).toMatchObject({ records: 1 });
  });

  it('has as many answers as fit, the first in turn, and says so when there are more', () => {
    expect(ask(query('all'))).toMatchObject({ records: 30, isCut: true });
    expect(ask(query('all', { opt: 1232 }))).toMatchObject({ records: 60, isCut: false });
    expect(ask(query('all', { opt: 1232 }))?.length).toBeLessThan(1232);
    expect(ask(query('all'), { isDatagram: false })).toMatchObject({
      records: 60,
      isCut: false,
      last: '172.18.0.61',
    });
    expect(ask(query('all'), { isDatagram: false, turn: 1 })).toMatchObject({ last: '172.18.0.2' });
  });

  it('that is none is refused, or not answered', () => {
    expect(ask(query('web', { flags: 0x8100 }))).toBeUndefined();
    expect(ask(new Uint8Array(5))).toBeUndefined();
    expect(ask(query('web', { flags: 0x2800 }))).toMatchObject({ code: 4 });
    expect(ask(query('web', { count: 2 }))).toMatchObject({ code: 1 });
    expect(ask(query('web').subarray(0, 15))).toMatchObject({ code: 1 });
    // a pointer to itself in place of a label
    expect(ask(Uint8Array.from([...query('').subarray(0, 12), 0xc0, 12, 0, 1, 0, 1]))).toMatchObject({
      code: 1,
    });
  });
});

describe('an answer of HTTP', () => {
  const read = async (...pieces: string[]) => {
    async function* input() {
      for (const piece of pieces) yield new TextEncoder().encode(piece);
    }
    const { status, headers, body } = await readResponse(input());
    return `${status} ${headers['content-type'] ?? ''} ${new TextDecoder().decode(body)}`;
  };

  it('ends with its connection, its length or its last chunk, in whatever pieces it comes', async () => {
    expect(await read('HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r', '\nbo', 'dy')).toBe('200 a/b body');
    expect(await read('HTTP/1.1 404 No\nCONTENT-length: 2\n\nbody')).toBe('404  bo');
    expect(
      await read(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nbo\r\n',
        '2\r\ndy\r\n0\r\n\r\n',
      ),
    ).toBe('200  body');
    expect(await read('HTTP/1.1 204 No\r\n\r\nx')).toBe('204  ');
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['', 'the port gave an empty answer'],
    ['SSH-2.0-dropbear\r\n\r\n', 'it is no answer of HTTP'],
    ['HTTP/1.1 200', 'it is no answer of HTTP'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody', '9 bytes were announced, and 4 came'],
    ['HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nbody', 'its Content-Length is no number'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nbo', 'its body in chunks is cut off'],
    [`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}`, 'its header is larger than 64 KB'],
  ];
  it.each(wrong)('%j is refused: %s', (text, message) => expect(read(text)).rejects.toThrow(message));
});

describe('a message from the frame', () => {
  const page = new URL('http://localhost:8080/docs/a.html');
  const rows: readonly (readonly [unknown, string | undefined])[] = [
    [{ type: 'layerbox-link', href: 'b.html?x=1' }, 'http://localhost:8080/docs/b.html?x=1'],
    [{ type: 'layerbox-link', href: '/c' }, 'http://localhost:8080/c'],
    [{ type: 'layerbox-link', href: 'http://localhost:8081/' }, undefined],
    [{ type: 'layerbox-link', href: '//evil.test/' }, undefined],
    [{ type: 'layerbox-link', href: 'javascript:alert(1)' }, undefined],
    [{ type: 'layerbox-link', href: `/${'x'.repeat(9000)}` }, undefined],
    [{ type: 'other', href: '/c' }, undefined],
    [{ type: 'layerbox-link', href: 5 }, undefined],
    ['layerbox-link', undefined],
    [null, undefined],
  ];
  it.each(rows)('%j leads to %s', (message, want) => expect(linkTarget(message, page)?.href).toBe(want));
});
