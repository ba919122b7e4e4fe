import { execFileSync } from 'node:child_process';
import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  BlobUnknownError,
  CorruptLayerError,
  DiffIDMismatchError,
  DigestMismatchError,
  LayerboxError,
  RegistryDeniedError,
  RegistryResponseError,
  RegistryUnreachableError,
  SizeMismatchError,
  StorageFullError,
  UnsupportedMediaTypeError,
} from '../../../src/engine/errors.ts';
import { ingestLayer, largestTar } from '../../../src/engine/image/ingest-layer.ts';
import { InlineIngestor } from '../../../src/engine/image/inline-ingestor.ts';
import type { IngestProgress, IngestRequest } from '../../../src/engine/image/layer-ingestor.ts';
import { openLayerIndex } from '../../../src/engine/layer/packed-layer-index.ts';
import type { Digest } from '../../../src/engine/oci/digest.ts';
import type { ContentStore } from '../../../src/engine/store/content.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { endOfArchive, file, header, joined } from '../archive/tar-bytes.ts';
import {
  changedAt,
  gz,
  ingest,
  noise,
  requestFor,
  send,
  served,
  serveLayers,
  sha,
  tar,
  unpackers,
  what,
} from './served-layer.ts';

// long enough that most of it is still to come when the damage shows
const badTar = joined(
  file('good', 'x'),
  header({ name: 'bad', checksum: '0000001\0' }),
  file('noise', noise(500_000)),
);
/** Without a Content-Length, in two pieces. */
const sendChunked =
  (bytes: Uint8Array): RequestListener =>
  (_, response) => {
    response.write(bytes.subarray(0, bytes.length >> 1));
    response.end(bytes.subarray(bytes.length >> 1));
  };

serveLayers();

describe('ingestLayer', () => {
  it('refuses a layer that unpacks to more than it may, and keeps nothing of it', async () => {
    const zeros = joined(file('zeros', '\0'.repeat(3_000_000)), endOfArchive);
    const bomb = Uint8Array.from(gzipSync(zeros));
    served.answer = send(bomb);
    const content = new MemoryContentStore();
    const options = { signal: new AbortController().signal, onProgress: () => undefined };
    const dependencies = { fetch: (url: string) => fetch(url), content, unpackers };
    const refused = ingestLayer(
      requestFor(bomb, zeros),
      { ...dependencies, largestTar: (compressed) => 100 * compressed },
      options,
    );
    await expect(refused).rejects.toThrow(CorruptLayerError);
    await expect(refused).rejects.toThrow(`${100 * bomb.length} bytes`);
    expect(await content.list()).toEqual([]);
    expect(await content.pendingIngests()).toEqual([]);
    // what real layers come to is far from it
    expect((await ingestLayer(requestFor(bomb, zeros), dependencies, options)).size).toBe(zeros.length);
    expect(largestTar(1000)).toBe(4 * 2 ** 30);
    expect(largestTar(100 * 2 ** 20)).toBe(20_000 * 2 ** 20);
  });

  it('knows a layer by its first bytes however few of them come at once', async () => {
    served.answer = (_, response) => {
      // each in a chunk of its own: the next one is written when the last one was sent
      const send = (at: number) => {
        if (at === 4) response.end(gz.subarray(4));
        else response.write(gz.subarray(at, at + 1), () => setImmediate(send, at + 1));
      };
      send(0);
    };
    expect((await ingest(requestFor(gz, tar))).size).toBe(tar.length);
  });

  it.each<[string, Uint8Array, Uint8Array]>([
    ['a gzip layer', gz, tar],
    ['a zstd layer, labelled gzip', Uint8Array.from(execFileSync('zstd', ['-qc'], { input: tar })), tar],
    [
      'two gzip members and padding',
      joined(gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700)), new Uint8Array(9)),
      tar,
    ],
    ['a plain tar, whatever its label says', tar, tar],
    ['an empty layer', endOfArchive, endOfArchive],
    ['no bytes at all', new Uint8Array(0), new Uint8Array(0)],
  ])('brings in %s', async (_, bytes, unpacked) => {
    const content = new MemoryContentStore();
    for (const how of [send, sendChunked]) {
      served.answer = how(bytes);
      const record = await ingest(requestFor(bytes, unpacked), content);
      expect(record).toMatchObject({ id: sha(unpacked), size: unpacked.length });
      expect(openLayerIndex(record.index).diffID).toBe(sha(unpacked));
    }
    expect(Buffer.from(await content.read(sha(bytes))).equals(bytes)).toBe(true);
    expect(Buffer.from(await content.read(sha(unpacked))).equals(unpacked)).toBe(true);
    expect(await content.list()).toHaveLength(sha(bytes) === sha(unpacked) ? 1 : 2);
    expect(await content.pendingIngests()).toEqual([]);
  });

  it('gives an index that leads to the content', async () => {
    served.answer = send(gz);
    const content = new MemoryContentStore();
    const index = openLayerIndex((await ingest(requestFor(gz, tar), content)).index);
    const { offset, size } = index.entry(index.find('etc/motd') ?? -1);
    expect(new TextDecoder().decode(await content.read(index.diffID, offset, size))).toBe('hello\n');
  });

  it('stores a plain tar under both names where one is a sha512', async () => {
    served.answer = send(tar);
    const content = new MemoryContentStore();
    await ingest(requestFor(tar, tar, { digest: sha(tar, 'sha512') }), content);
    expect((await content.list()).map((blob) => blob.digest).sort()).toEqual([sha(tar), sha(tar, 'sha512')]);
  });

  it('sends the headers it was given', async () => {
    let authorization: string | undefined;
    served.answer = (request, response) => {
      authorization = request.headers.authorization;
      send(gz)(request, response);
    };
    await ingest({ ...requestFor(gz, tar), headers: { authorization: 'Bearer abc' } });
    expect(authorization).toBe('Bearer abc');
  });

  it('reports bytes that arrive, then verifying, then extracting', async () => {
    served.answer = send(gz);
    const seen: IngestProgress[] = [];
    const ingestor = new InlineIngestor({
      fetch: (url, init) => fetch(url, init),
      content: new MemoryContentStore(),
      unpackers,
    });
    const options = {
      signal: new AbortController().signal,
      onProgress: (progress: IngestProgress) => seen.push(progress),
    };
    await ingestor.ingest(requestFor(gz, tar), options);
    await ingestor.close();
    const downloading = seen.filter(({ status }) => status === 'downloading').map(({ bytes }) => bytes);
    expect(downloading.at(-1)).toBe(gz.length);
    expect(downloading).toEqual([...downloading].sort((a, b) => a - b));
    expect(seen.slice(downloading.length)).toEqual([
      { status: 'verifying', bytes: gz.length },
      { status: 'extracting', bytes: gz.length },
    ]);
  });

  it('asks once even where the fast decoder gives up', async () => {
    const bytes = joined(gzipSync(tar.subarray(0, 512)), gzipSync(tar.subarray(512)));
    let requests = 0;
    served.answer = (request, response) => {
      requests += 1;
      send(bytes)(request, response);
    };
    await ingest(requestFor(bytes, tar));
    expect(requests).toBe(1);
  });
});

describe('ingestLayer refuses', () => {
  const status =
    (code: number): RequestListener =>
    (_, response) => {
      response.statusCode = code;
      response.end('{"errors":[]}');
    };
  const rows: [
    string,
    () => [IngestRequest, RequestListener],
    new (message: string) => LayerboxError,
    RegExp,
  ][] = [
    [
      'a longer body than promised',
      () => [requestFor(gz, tar, { size: gz.length - 10 }), sendChunked(gz)],
      SizeMismatchError,
      new RegExp(
        `^${what}: the registry sent at least 10 bytes more than the ${gz.length - 10} its manifest promises$`,
      ),
    ],
    [
      'a shorter body than promised',
      () => [requestFor(gz, tar, { size: gz.length + 1 }), sendChunked(gz)],
      SizeMismatchError,
      new RegExp(
        `: the download ended after ${gz.length} bytes of the ${gz.length + 1} its manifest promises; pull it again$`,
      ),
    ],
    [
      'a download cut off at a chunk',
      () => [requestFor(gz, tar), sendChunked(gz.subarray(0, gz.length >> 1))],
      SizeMismatchError,
      /the download ended after \d+ bytes/,
    ],
    [
      'a tampered gzip',
      () => [requestFor(gz, tar), send(changedAt(gz, gz.length >> 1))],
      DigestMismatchError,
      /: the bytes that came have the digest sha256:[0-9a-f]{64}, not the one its manifest promises/,
    ],
    [
      'a tampered first byte',
      () => [requestFor(gz, tar), send(changedAt(gz, 0))],
      DigestMismatchError,
      /changed in the registry/,
    ],
    [
      'a tampered tar',
      () => [requestFor(tar, tar), send(changedAt(tar, 3))],
      DigestMismatchError,
      /changed in the registry/,
    ],
    [
      'a wrong diffID',
      () => [{ ...requestFor(gz, tar), diffID: sha(gz) }, send(gz)],
      DiffIDMismatchError,
      /: unpacked it has the diffID sha256:[0-9a-f]{64}, but the config of its image promises sha256:/,
    ],
    [
      'a wrong diffID of a plain tar',
      () => [{ ...requestFor(tar, tar), diffID: sha(gz) }, send(tar)],
      DiffIDMismatchError,
      /unpacked/,
    ],
    [
      'a tar that is damaged at its source',
      () => [requestFor(gzipSync(badTar), badTar), send(gzipSync(badTar))],
      CorruptLayerError,
      new RegExp(`^${what}: the tar header of "bad" at byte 1024: its checksum is 1`),
    ],
    [
      'a plain tar that is damaged at its source',
      () => [requestFor(badTar, badTar), send(badTar)],
      CorruptLayerError,
      new RegExp(`^${what}: the tar header of "bad" at byte 1024: its checksum is 1`),
    ],
    [
      'a gzip that is damaged at its source',
      () => [requestFor(changedAt(gz, gz.length - 6), tar), send(changedAt(gz, gz.length - 6))],
      CorruptLayerError,
      new RegExp(`^${what}: its gzip data is damaged at byte \\d+: incorrect data check$`),
    ],
    [
      'a tar that ends too early',
      () => [requestFor(tar.subarray(0, 2048), tar.subarray(0, 2048)), send(tar.subarray(0, 2048))],
      CorruptLayerError,
      new RegExp(`^${what}: the tar ends at byte 2048 \\d+ bytes before the end of the content of "noise"$`),
    ],
    [
      'a zstd that ends too early',
      () => {
        const zstd = joined(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), new Uint8Array(20));
        return [requestFor(zstd, tar), send(zstd)];
      },
      CorruptLayerError,
      new RegExp(`^${what}: its zstd data ends too early, after 24 bytes$`),
    ],
    [
      'xz',
      () => {
        const xz = joined(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), new Uint8Array(20));
        return [requestFor(xz, tar), send(xz)];
      },
      UnsupportedMediaTypeError,
      new RegExp(`^${what}: it is compressed with xz`),
    ],
    [
      'what is no layer',
      () => [requestFor(gz, tar, { mediaType: 'application/vnd.cncf.helm.config.v1+json' }), send(gz)],
      UnsupportedMediaTypeError,
      /busybox:latest: unsupported layer media type "application\/vnd\.cncf\.helm/,
    ],
    ['404', () => [requestFor(gz, tar), status(404)], BlobUnknownError, /busybox/],
    ['401', () => [requestFor(gz, tar), status(401)], RegistryDeniedError, /busybox/],
    ['500', () => [requestFor(gz, tar), status(500)], RegistryResponseError, /500/],
    [
      'a registry that is down',
      () => [{ ...requestFor(gz, tar), url: 'http://127.0.0.1:1/blob' }, send(gz)],
      RegistryUnreachableError,
      /127\.0\.0\.1:1/,
    ],
    [
      'a connection that breaks',
      () => [
        requestFor(gz, tar),
        (_, response) => {
          response.setHeader('content-length', gz.length);
          response.write(gz.subarray(0, 1000), () => response.destroy());
        },
      ],
      RegistryUnreachableError,
      new RegExp(
        `^${what}: the connection to 127\\.0\\.0\\.1:\\d+ broke after \\d+ of ${gz.length} bytes; try again$`,
      ),
    ],
  ];
  it.each(rows)('%s', async (_, make, Class, sentence) => {
    const content = new MemoryContentStore();
    const [request, listener] = make();
    served.answer = listener;
    const error: unknown = await ingest(request, content).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Class);
    expect(error instanceof LayerboxError ? error.message : '').toMatch(sentence);
    expect(await content.list()).toEqual([]);
    expect(await content.pendingIngests()).toEqual([]);
  });

  it.each(['blob', 'tar'] as const)('a store that is full, and leaves nothing staged: %s', async (part) => {
    served.answer = send(gz);
    const content = new MemoryContentStore();
    const full: ContentStore = Object.assign(Object.create(content), {
      stat: content.stat.bind(content),
      list: content.list.bind(content),
      ingest: async (id: string) => {
        const writer = await content.ingest(id);
        if (!id.endsWith(part)) return writer;
        return {
          size: 0,
          write: async () => {
            throw new StorageFullError('no room');
          },
          commit: (digest: Digest) => writer.commit(digest),
          abort: () => writer.abort(),
        };
      },
    });
    await expect(ingest(requestFor(gz, tar), full)).rejects.toThrow(StorageFullError);
    expect(await content.list()).toEqual([]);
    expect(await content.pendingIngests()).toEqual([]);
  });
});
