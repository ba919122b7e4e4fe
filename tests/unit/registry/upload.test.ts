/** Blobs into a repository: in one request, in chunks, mounted, and on from where they were cut off. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SandboxEvent } from '../../../src/engine/events.ts';
import { parseReference } from '../../../src/engine/oci/reference.ts';
import { Registries } from '../../../src/engine/registry/registries.ts';
import { CHUNK } from '../../../src/engine/registry/upload.ts';
import { noise } from '../../support/made-image.ts';
import { AT_ONCE } from './made-up-registry.ts';
import { sha256, startUploadServer, type UploadServer } from './upload-server.ts';

let server: UploadServer;
beforeEach(async () => {
  server = await startUploadServer();
});
afterEach(() => server.close());

const small = new Uint8Array(noise(1, 1000));
const large = new Uint8Array(noise(2, 2 * CHUNK + 12_345));

async function upload(bytes: Uint8Array<ArrayBuffer>, mountFrom: readonly string[] = []) {
  const events: SandboxEvent[] = [];
  const registries = new Registries({
    mirrors: {},
    fetch,
    now: Date.now,
    patience: AT_ONCE,
    events: { emit: (event) => events.push(event) },
  });
  const progress: number[] = [];
  const read: [number, number][] = [];
  const target = registries.pushTarget(parseReference(`${server.host}/app`), mountFrom);
  const result = await target.upload(
    {
      digest: sha256(bytes),
      size: bytes.length,
      read: async (offset, length) => {
        read.push([offset, length]);
        return bytes.slice(offset, offset + length);
      },
    },
    'layer of the test',
    { signal: new AbortController().signal, mountFrom, onProgress: (count) => progress.push(count) },
  );
  return { result, progress, read, events };
}

const stored = (bytes: Uint8Array) =>
  server.blobs.get(`app@${sha256(bytes)}`)?.equals(Buffer.from(bytes)) ?? false;
const methods = () => server.requests.map(({ method }) => method).join(' ');
const sent = () => server.requests.reduce((sum, { length }) => sum + length, 0);

describe('a blob', () => {
  it('that is there is not sent', async () => {
    server.blobs.set(`app@${sha256(small)}`, Buffer.from(small));
    expect((await upload(small)).result).toEqual({ how: 'exists' });
    expect(methods()).toBe('HEAD');
  });

  it('that is small goes in one request', async () => {
    const { result, progress } = await upload(small);
    expect(result).toEqual({ how: 'uploaded' });
    expect(methods()).toBe('HEAD POST PUT');
    expect(stored(small)).toBe(true);
    expect(progress).toEqual([1000]);
  });

  it('without a byte can be sent, too', async () => {
    await upload(new Uint8Array(0));
    expect(stored(new Uint8Array(0))).toBe(true);
  });

  it('that is large goes in chunks, each in its place', async () => {
    const { progress, read } = await upload(large);
    expect(methods()).toBe('HEAD POST PATCH PATCH PUT');
    expect(server.requests.map(({ range }) => range)).toEqual([
      undefined,
      undefined,
      `0-${CHUNK - 1}`,
      `${CHUNK}-${2 * CHUNK - 1}`,
      `${2 * CHUNK}-${large.length - 1}`,
    ]);
    expect(stored(large)).toBe(true);
    expect(progress).toEqual([CHUNK, 2 * CHUNK, large.length]);
    // never more in memory than a chunk
    expect(Math.max(...read.map(([, length]) => length))).toBe(CHUNK);
  });

  it('goes in chunks as large as the registry wants them', async () => {
    server.headers['OCI-Chunk-Min-Length'] = String(CHUNK + 1000);
    await upload(large);
    expect(server.requests[2]?.range).toBe(`0-${CHUNK + 999}`);
    expect(stored(large)).toBe(true);
  });

  it('that another repository has is mounted', async () => {
    server.blobs.set(`other@${sha256(large)}`, Buffer.from(large));
    const { result } = await upload(large, ['third', 'other']);
    // the first that does not have it opens a session, which is used as it is
    expect(result).toEqual({ how: 'uploaded' });
    server.blobs.delete(`app@${sha256(large)}`);
    server.requests.length = 0;
    expect((await upload(large, ['other'])).result).toEqual({ how: 'mounted', from: 'other' });
    expect(methods()).toBe('HEAD POST');
    expect(server.requests[1]?.path).toBe(
      `/v2/app/blobs/uploads/?mount=${encodeURIComponent(sha256(large))}&from=other`,
    );
    expect(stored(large)).toBe(true);
  });

  it('that may not be mounted from one repository is from the next', async () => {
    server.blobs.set(`other@${sha256(small)}`, Buffer.from(small));
    server.faults.push({ matches: /from=secret/, act: { kind: 'status', status: 403 } });
    expect((await upload(small, ['secret', 'other'])).result).toEqual({ how: 'mounted', from: 'other' });
  });
});

describe('an upload that was cut off', () => {
  it('in the middle of a chunk goes on where the registry has it', async () => {
    const kept = CHUNK + 1_000_000;
    server.faults.push({ matches: /^PATCH .*step=3/, act: { kind: 'cut', after: 1_000_000 } });
    const { read, events } = await upload(large);
    expect(methods()).toBe('HEAD POST PATCH PATCH GET PUT');
    expect(read[2]).toEqual([kept, large.length - kept]);
    expect(server.requests.at(-1)?.range).toBe(`${kept}-${large.length - 1}`);
    expect(stored(large)).toBe(true);
    expect(events.filter(({ type }) => type === 'retry')).toMatchObject([
      { status: 0, reason: 'the connection broke', attempt: 1 },
    ]);
  });

  it('behind a chunk whose answer was lost does not send it again', async () => {
    server.faults.push({ matches: /^PATCH/, act: { kind: 'deaf' } });
    await upload(large);
    expect(methods()).toBe('HEAD POST PATCH GET PATCH PUT');
    expect(sent()).toBe(large.length);
    expect(stored(large)).toBe(true);
  });

  it('goes on after "not now"', async () => {
    server.faults.push({ matches: /^PATCH/, act: { kind: 'status', status: 503 } });
    await upload(large);
    expect(methods()).toBe('HEAD POST PATCH GET PATCH PATCH PUT');
    expect(stored(large)).toBe(true);
  });

  it('waits while the registry cannot say how far it came', async () => {
    server.faults.push(
      { matches: /^PATCH/, act: { kind: 'cut', after: 10 } },
      { matches: /^GET/, act: { kind: 'status', status: 502 } },
    );
    await upload(large);
    expect(stored(large)).toBe(true);
  });

  it('begins again when the registry has lost it', async () => {
    server.faults.push({ matches: /^PATCH .*step=3/, act: { kind: 'forget' } });
    await upload(large);
    expect(methods()).toBe('HEAD POST PATCH PATCH GET HEAD POST PATCH PATCH PUT');
    expect(stored(large)).toBe(true);
  });

  it('is over when only the last answer was lost', async () => {
    server.faults.push({ matches: /^PUT/, act: { kind: 'deaf' } });
    expect((await upload(small)).result).toEqual({ how: 'uploaded' });
    expect(methods()).toBe('HEAD POST PUT GET HEAD');
    expect(sent()).toBe(small.length);
  });

  it('again and again is given up', async () => {
    for (let i = 0; i < 20; i++) {
      server.faults.push({ matches: /^PUT/, act: { kind: 'status', status: 503 } });
    }
    await expect(upload(small)).rejects.toMatchObject({ code: 'RegistryResponse', data: { status: 503 } });
    expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(AT_ONCE.retries + 1);
  });

  it('that makes progress each time is not', async () => {
    const bytes = new Uint8Array(9 * CHUNK).fill(7);
    for (let step = 1; step < 40; step++) {
      server.faults.push({
        matches: new RegExp(`^PATCH .*step=${step}$`),
        act: { kind: 'cut', after: CHUNK - 7 },
      });
    }
    await upload(bytes);
    expect(server.requests.filter(({ method }) => method === 'GET').length).toBeGreaterThan(AT_ONCE.retries);
    expect(server.blobs.get(`app@${sha256(bytes)}`)?.length).toBe(bytes.length);
  });
});

describe('a registry that', () => {
  const refused = (status: number, code: string, message: string) => ({
    matches: /^POST/,
    act: { kind: 'status', status, body: JSON.stringify({ errors: [{ code, message }] }) } as const,
  });

  it.each([
    [
      401,
      'UNAUTHORIZED',
      'authentication required',
      /^unauthorized: authentication required: nothing may be pushed to \S+\/app without an account that may \(docker login 127/,
    ],
    [
      403,
      'DENIED',
      'requested access to the resource is denied',
      /^denied: requested access to the resource is denied: /,
    ],
  ])('answers %i says so in the words of docker', async (status, code, message, words) => {
    server.faults.push(refused(status, code, message));
    await expect(upload(small)).rejects.toMatchObject({
      code: 'RegistryDenied',
      message: expect.stringMatching(words),
    });
  });

  it('sends the bytes to another host is not followed', async () => {
    server.headers.Location = 'http://elsewhere.test/v2/app/blobs/uploads/1';
    server.faults.push({ matches: /^POST/, act: { kind: 'status', status: 202 } });
    await expect(upload(small)).rejects.toThrow(
      /wants layer of the test sent to another place: "http:\/\/elsewhere\.test/,
    );
    expect(methods()).toBe('HEAD POST');
  });

  it('does not say where the bytes go is told what it must expose', async () => {
    server.faults.push({ matches: /^POST/, act: { kind: 'status', status: 202 } });
    await expect(upload(small)).rejects.toThrow('it must name Location in Access-Control-Expose-Headers');
  });

  it('says that it has more than there is is not believed', async () => {
    server.headers.Location = '/v2/app/blobs/uploads/1';
    server.headers.Range = '0-5000';
    server.faults.push({ matches: /^POST/, act: { kind: 'status', status: 202 } });
    await expect(upload(small)).rejects.toThrow(
      /says that it has 5001 bytes of layer of the test, which has 1000/,
    );
  });

  it('finds another digest than was sent is asked to begin again, and then believed', async () => {
    for (let i = 0; i < 20; i++) {
      server.faults.push({
        matches: /^PUT/,
        act: {
          kind: 'status',
          status: 400,
          body: '{"errors":[{"code":"DIGEST_INVALID","message":"digest did not match"}]}',
        },
      });
    }
    await expect(upload(small)).rejects.toThrow(/answered 400 .* digest did not match/);
  });
});
