/** What the DNS server of containers answers, asked for and read by `dig` over real sockets. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerQuery, type NamedEndpoint } from '../../../src/engine/network/name-service.ts';
import { type Dug, readDug } from '../../support/dig.ts';
import { freePort } from '../../support/free-port.ts';
import { run } from '../../support/run.ts';

const endpoints: readonly NamedEndpoint[] = [
  { network: 'lan', address: 0xac120002, names: ['web', 'www', 'w3'] },
  { network: 'lan', address: 0xac120003, names: ['Api_1', 'www'] },
  { network: 'lan', address: 0xac120004, names: ['dots..1', '0123456789ab'] },
  { network: 'lan', address: 0xac120005, names: [`${'x'.repeat(64)}.y`] },
  ...Array.from({ length: 60 }, (_, i) => ({ network: 'big', address: 0xac130002 + i, names: ['many'] })),
];

let udp: Socket;
let tcp: Server;
let port: number;
/** Every query as it came, by datagram or not. */
const queries: Buffer[] = [];

function answer(query: Buffer, isDatagram: boolean): Uint8Array {
  queries.push(query);
  const found = answerQuery(query, endpoints, { hasServers: false, isDatagram, turn: 0 });
  if (found === undefined || found === 'forward') throw new Error('no answer');
  return found;
}

beforeAll(async () => {
  port = await freePort();
  udp = createSocket('udp4');
  udp.on('message', (query, from) => udp.send(answer(query, true), from.port, from.address));
  tcp = createServer((socket) => {
    // dig sends a query in one piece and closes the connection itself
    socket.on('data', (bytes) => {
      const found = answer(bytes.subarray(2), false);
      socket.write(Buffer.concat([Buffer.from([found.length >> 8, found.length & 0xff]), found]));
    });
  });
  udp.bind(port, '127.0.0.1');
  tcp.listen(port, '127.0.0.1');
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
});
afterAll(() => {
  udp.close();
  tcp.close();
});

async function dig(line: string): Promise<Dug> {
  const options = ['-r', '-p', String(port), '@127.0.0.1', '+tries=1', '+time=5'];
  return readDug(await run('dig', [...options, ...line.split(' ')]));
}

describe('dig', () => {
  const rows: readonly (readonly [string, Partial<Dug>])[] = [
    ['web', { status: 'NOERROR', answers: ['web. 600 IN A 172.18.0.2'], over: 'UDP' }],
    ['WEB.lan A', { status: 'NOERROR', answers: ['WEB.lan. 600 IN A 172.18.0.2'] }],
    [
      'www',
      { status: 'NOERROR', answers: ['www. 600 IN A 172.18.0.2', 'www. 600 IN A 172.18.0.3'], over: 'UDP' },
    ],
    ['w3.lan', { status: 'NOERROR', answers: ['w3.lan. 600 IN A 172.18.0.2'] }],
    ['api_1', { status: 'NOERROR', answers: ['api_1. 600 IN A 172.18.0.3'] }],
    ['web AAAA', { status: 'NOERROR', answers: [] }],
    ['web MX', { status: 'NOERROR', answers: [] }],
    ['web ANY', { status: 'NOERROR', answers: ['web. 600 IN A 172.18.0.2'], over: 'TCP' }],
    ['nosuch', { status: 'NXDOMAIN', answers: [] }],
    ['nosuch AAAA', { status: 'NXDOMAIN', answers: [] }],
    ['web CH TXT', { status: 'NXDOMAIN', answers: [] }],
    ['-x 172.18.0.2', { status: 'NOERROR', answers: ['2.0.18.172.in-addr.arpa. 600 IN PTR web.lan.'] }],
    ['-x 172.18.0.3', { status: 'NOERROR', answers: ['3.0.18.172.in-addr.arpa. 600 IN PTR Api_1.lan.'] }],
    ['-x 172.18.9.9', { status: 'NXDOMAIN', answers: [] }],
    ['-x fe80::1', { status: 'NXDOMAIN', answers: [] }],
    ['+tcp web', { status: 'NOERROR', answers: ['web. 600 IN A 172.18.0.2'], over: 'TCP' }],
    ['+tcp nosuch', { status: 'NXDOMAIN', answers: [], over: 'TCP' }],
    ['+noedns web', { status: 'NOERROR', answers: ['web. 600 IN A 172.18.0.2'] }],
    ['+nocookie +dnssec +nsid +subnet=10.0.0.0/8 web', { status: 'NOERROR' }],
    ['+padding=256 +cookie=0123456789abcdef web', { status: 'NOERROR' }],
    ['+norecurse +noadflag web', { status: 'NOERROR', flags: 'qr ra' }],
    ['+noedns +opcode=notify web', { status: 'NOTIMP', answers: [] }],
    // RFC 6891, section 6.1.3: a version of EDNS that is not known is answered with the known one
    ['+edns=1 +noednsnegotiation web', { status: 'BADVERS', answers: [] }],
  ];
  it.each(rows)('%s', async (line, want) => {
    const found = await dig(line);
    expect(found).toMatchObject({ flags: 'qr rd ra', ...want });
    expect(found.complaints).toEqual([]);
  });

  it('is told when a datagram has not room for all, and asks again over TCP', async () => {
    const cut = await dig('+noedns many');
    expect(cut.complaints).toEqual([';; Truncated, retrying in TCP mode.']);
    expect(cut.answers).toHaveLength(60);
    expect(cut.over).toBe('TCP');
    expect(await dig('many')).toMatchObject({ over: 'UDP', complaints: [] });
    expect(await dig('+bufsize=600 +ignore many')).toMatchObject({ flags: 'qr tc rd ra', over: 'UDP' });
  });

  it('is given a name that can be one', async () => {
    // container names may have what a domain name (RFC 1035, section 2.3.4) has not
    expect(await dig('-x 172.18.0.4')).toMatchObject({
      answers: ['4.0.18.172.in-addr.arpa. 600 IN PTR 0123456789ab.lan.'],
      complaints: [],
    });
    expect(await dig('-x 172.18.0.5')).toMatchObject({ status: 'NOERROR', answers: [], complaints: [] });
  });

  it('asks with EDNS and a cookie, as this server is otherwise not asked', async () => {
    queries.length = 0;
    await dig('web');
    const [query] = queries;
    // one question, one record besides; an OPT record of 1232 bytes with option 10 (RFC 7873)
    expect(query?.subarray(4, 12).toString('hex')).toBe('0001000000000001');
    expect(query?.subarray(21).toString('hex')).toMatch(/^00002904d0000000000000?c?000a0008/);
  });
});
