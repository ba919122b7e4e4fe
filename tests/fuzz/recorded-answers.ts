/** What real servers and programs say, taken off the connection. */

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pushLayout, putBlob, type Registry } from '../support/registry.ts';

/** An answer with what was asked for before it; without what differs from one day to the next. */
async function recorded(asked: string, address: string, headers = {}): Promise<Buffer> {
  const [message]: IncomingMessage[] = await once(request(address, { headers }).end(), 'response');
  if (message === undefined) throw new Error(`${address} did not answer`);
  const lines = [`${asked} HTTP/1.1 ${message.statusCode} ${message.statusMessage}`];
  for (let at = 0; at < message.rawHeaders.length; at += 2) {
    const name = message.rawHeaders[at] ?? '';
    if (name !== 'Date') lines.push(`${name}: ${message.rawHeaders[at + 1]}`);
  }
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), await buffer(message)]);
}

/** Answers of CNCF Distribution with this layout's image as `app:v1` and `app:v2`. */
export async function registryAnswers(
  registry: Registry,
  layout: string,
): Promise<Readonly<Record<string, Uint8Array>>> {
  for (const tag of ['v1', 'v2']) await pushLayout(layout, 'image', registry, `app:${tag}`);
  const base = `http://${registry.host}/v2/app`;
  const blob = Buffer.from('thirty bytes are in this blob.');
  const digest = await putBlob(registry, 'app', Uint8Array.from(blob));
  const Accept = 'application/vnd.oci.image.manifest.v1+json';
  return {
    'distribution-tags': await recorded('tags', `${base}/tags/list?n=1`),
    'distribution-manifest': await recorded('manifest', `${base}/manifests/v1`, { Accept }),
    'distribution-part': await recorded('blob', `${base}/blobs/${digest}`, { Range: 'bytes=10-19' }),
    'distribution-referrers': await recorded('referrers', `${base}/referrers/${digest}`),
    'refused-distribution-manifest': await recorded('manifest', `${base}/manifests/none`, { Accept }),
    'refused-distribution-tags': await recorded('tags', `http://${registry.host}/v2/none/tags/list`),
    'refused-distribution-blob': await recorded('blob', `${base}/blobs/sha256:${'0'.repeat(64)}`),
  };
}

/** What `dig` asks a name server. */
export async function digQuery(): Promise<Uint8Array> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const dig = spawn('dig', [
    '@127.0.0.1',
    '-p',
    String(socket.address().port),
    '+tries=1',
    '+time=1',
    'web.lan',
  ]);
  const [query]: Buffer[] = await once(socket, 'message');
  dig.kill();
  socket.close();
  return query ?? new Uint8Array(0);
}

/** Answers of Node's own server, off the connection: in chunks, and with a length. */
export async function portAnswers(): Promise<Readonly<Record<string, Uint8Array>>> {
  const server = createServer((asked, response) => {
    response.sendDate = false;
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    if (asked.url === '/chunks') response.write('<p>one');
    response.end('<p>two');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answers: Record<string, Uint8Array> = {};
  for (const name of ['chunks', 'length']) {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`GET /${name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    answers[name] = await buffer(socket);
  }
  server.close();
  return answers;
}
