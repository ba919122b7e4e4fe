/** `dig` itself, Debian's for i386, in a container on a network that somebody made: over the real kernel to the DNS server there. */

import { createReadStream } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dug, makeDigTar, readAllDug } from '../../support/dig.ts';
import { testMachine } from '../../support/machine.ts';
import { openWithBusybox, type TestSandbox } from '../container/sandbox.ts';

let sandbox: TestSandbox;

beforeAll(async () => {
  const tar = await makeDigTar();
  sandbox = await openWithBusybox({ machine: testMachine() });
  await ok(['import', '-', 'dig'], createReadStream(tar));
  await ok('network create lan');
  await ok('run -d --name web --network lan --network-alias www --network-alias w3 busybox sleep 100000');
  await ok('run -d --name api --network lan --network-alias www busybox sleep 100000');
  await ok('run -d --name far busybox sleep 100000');
}, 300_000);
afterAll(() => sandbox.engine.close(), 60_000);

async function ok(line: string | readonly string[], from?: AsyncIterable<Uint8Array>): Promise<string> {
  const { code, out, err } = await sandbox.docker(line, from === undefined ? {} : { input: from });
  expect({ line, code, err }).toEqual({ line, code: 0, err: '' });
  return out;
}
const WEB = '172.18.0.2';
const API = '172.18.0.3';
/** Each with its own options after it: one dig asks them all, as each takes the machine seconds to start. */
const rows: readonly (readonly [string, Partial<Dug>])[] = [
  ['web', { answers: [`web. 600 IN A ${WEB}`], over: 'UDP' }],
  ['web AAAA', { answers: [] }],
  ['w3.lan', { answers: [`w3.lan. 600 IN A ${WEB}`] }],
  ['www', { answers: expect.toSatisfy(both) }],
  [`-x ${API}`, { answers: [`3.0.18.172.in-addr.arpa. 600 IN PTR api.lan.`] }],
  ['web +tcp', { answers: [`web. 600 IN A ${WEB}`], over: 'TCP' }],
  ['nosuch', { status: 'NXDOMAIN', answers: [] }],
  ['example.com AAAA', { status: 'NXDOMAIN', answers: [] }],
  // of another network
  ['far', { status: 'NXDOMAIN', answers: [] }],
];

/** True for the answers of all who share a name, whoever comes first. */
function both(answers: readonly string[]): boolean {
  return answers.toSorted().join() === [`www. 600 IN A ${WEB}`, `www. 600 IN A ${API}`].join();
}

describe('dig in a container', () => {
  let output: string;
  beforeAll(async () => {
    output = await ok([
      'run',
      '--rm',
      '--network',
      'lan',
      'dig',
      'dig',
      ...rows.flatMap(([line]) => line.split(' ')),
    ]);
  }, 120_000);

  it.each(rows.map(([line, want], i) => [line, want, i] as const))('%s', (_, want, i) => {
    const found = readAllDug(output);
    expect(found).toHaveLength(rows.length);
    expect(found[i]).toMatchObject({ status: 'NOERROR', flags: 'qr rd ra', complaints: [], ...want });
  });

  it('asks the address that resolv.conf names', () => {
    const servers = output.match(/^;; SERVER: .*#53\(127\.0\.0\.11\) \((?:UDP|TCP)\)$/gm);
    expect(servers).toHaveLength(rows.length);
  });
});
