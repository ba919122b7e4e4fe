import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Unpackers } from '../../../src/engine/archive/unpackers.ts';
import {
  BlobUnknownError,
  CancelledError,
  CorruptLayerError,
  DiffIDMismatchError,
  DigestMismatchError,
  LayerboxError,
  RegistryDeniedError,
  RegistryResponseError,
  RegistryUnreachableError,
  SizeMismatchError,
  StorageFailedError,
  StorageFullError,
  UnsupportedMediaTypeError,
} from '../../../src/engine/errors.ts';
import { hashingWriters, type OpenHashingWriter } from '../../../src/engine/image/hashing-writer.ts';
import { ingestLayer, largestTar } from '../../../src/engine/image/ingest-layer.ts';
import { InlineIngestor } from '../../../src/engine/image/inline-ingestor.ts';
import type { IngestProgress, IngestRequest } from '../../../src/engine/image/layer-ingestor.ts';
import { openLayerIndex } from '../../../src/engine/layer/packed-layer-index.ts';
import type { Digest } from '../../../src/engine/oci/digest.ts';
import type { ContentStore } from '../../../src/engine/store/content.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { endOfArchive, file, header, joined } from '../archive/tar-bytes.ts';
import { codecsModule } from '../archive/unpacking.ts';
import { AT_ONCE } from '../registry/made-up-registry.ts';

const unpackers = new Unpackers(async () => codecsModule);
const noise = (length: number) => {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 2_654_435_761) >>> 24;
  return bytes.toString('latin1');
};
const tar = joined(file('etc/motd', 'hello\n'), file('noise', noise(200_000)), endOfArchive);
const gz = Uint8Array.from(gzipSync(tar));
// long enough that most of it is still to come when the damage shows
const badTar = joined(
  file('good', 'x'),
  header({ name: 'bad', checksum: '0000001\0' }),
  file('noise', noise(500_000)),
);
const sha = (bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
const what = 'layer sha256:0123456789ab of busybox:latest';
const changedAt = (bytes: Uint8Array, at: number) => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

/** What the server does with the next request. */
let answer: RequestListener = (_, response) => response.end();
const send =
  (bytes: Uint8Array, length = bytes.length): RequestListener =>
  (_, response) => {
    response.setHeader('content-length', length);
    response.end(bytes);
  };
/** Without a Content-Length, in two pieces. */
const sendChunked =
  (bytes: Uint8Array): RequestListener =>
  (_, response) => {
    response.write(bytes.subarray(0, bytes.length >> 1));
    response.end(bytes.subarray(bytes.length >> 1));
  };
let server: Server;
let origin = '';
beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  origin = `http://127.0.0.1:${address.port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const requestFor = (
  bytes: Uint8Array,
  unpacked: Uint8Array,
  rest: Partial<IngestRequest['blob']> = {},
): IngestRequest => ({
  id: 'pull-1',
  url: `${origin}/blob`,
  headers: { accept: '*/*' },
  what,
  blob: {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: sha(bytes),
    size: bytes.length,
    ...rest,
  },
  diffID: sha(unpacked),
});
function ingest(
  request: IngestRequest,
  content: ContentStore = new MemoryContentStore(),
  signal = new AbortController().signal,
  onProgress: (progress: IngestProgress) => void = () => undefined,
) {
  return ingestLayer(
    request,
    { fetch: (url, init) => fetch(url, init), content, unpackers },
    { signal, onProgress, line: { patience: AT_ONCE } },
  );
}

describe('ingestLayer', () => {
  it('refuses a layer that unpacks to more than it may, and keeps nothing of it', async () => {
    const zeros = joined(file('zeros', '\0'.repeat(3_000_000)), endOfArchive);
    const bomb = Uint8Array.from(gzipSync(zeros));
    answer = send(bomb);
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
    answer = (_, response) => {
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
      answer = how(bytes);
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
    answer = send(gz);
    const content = new MemoryContentStore();
    const index = openLayerIndex((await ingest(requestFor(gz, tar), content)).index);
    const { offset, size } = index.entry(index.find('etc/motd') ?? -1);
    expect(new TextDecoder().decode(await content.read(index.diffID, offset, size))).toBe('hello\n');
  });

  it('stores a plain tar under both names where one is a sha512', async () => {
    answer = send(tar);
    const content = new MemoryContentStore();
    await ingest(requestFor(tar, tar, { digest: sha(tar, 'sha512') }), content);
    expect((await content.list()).map((blob) => blob.digest).sort()).toEqual([sha(tar), sha(tar, 'sha512')]);
  });

  it('sends the headers it was given', async () => {
    let authorization: string | undefined;
    answer = (request, response) => {
      authorization = request.headers.authorization;
      send(gz)(request, response);
    };
    await ingest({ ...requestFor(gz, tar), headers: { authorization: 'Bearer abc' } });
    expect(authorization).toBe('Bearer abc');
  });

  it('reports bytes that arrive, then verifying, then extracting', async () => {
    answer = send(gz);
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
    answer = (request, response) => {
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
    answer = listener;
    const error: unknown = await ingest(request, content).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Class);
    expect(error instanceof LayerboxError ? error.message : '').toMatch(sentence);
    expect(await content.list()).toEqual([]);
    expect(await content.pendingIngests()).toEqual([]);
  });

  it.each(['blob', 'tar'] as const)('a store that is full, and leaves nothing staged: %s', async (part) => {
    answer = send(gz);
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

describe('a layer with a large window', () => {
  // from a pipe, so that zstd does not know how little it is
  const zstd = (bytes: Uint8Array, ...options: string[]) =>
    Uint8Array.from(execFileSync('zstd', ['-qc', ...options], { input: bytes, maxBuffer: 1 << 28 }));
  const long = joined(file('noise', noise(3_000_000)), endOfArchive);
  const other = joined(file('other', noise(3_000_000)), endOfArchive);
  const dependencies = { fetch: (url: string) => fetch(url), content: new MemoryContentStore(), unpackers };
  const options = { signal: new AbortController().signal, onProgress: () => undefined };

  it('waits until nobody else has one, and gives it back when it is here or has failed', async () => {
    const told: string[] = [];
    const takeLargeWindow = async () => {
      told.push('taken');
      return () => void told.push('given back');
    };
    const ingesting = (bytes: Uint8Array, unpacked = long) => {
      answer = send(bytes);
      return ingestLayer(requestFor(bytes, unpacked), { ...dependencies, takeLargeWindow }, options);
    };
    await ingesting(gz, tar);
    await ingesting(zstd(long, '-3'));
    // what tools make without being told to
    await ingesting(zstd(long, '--zstd=wlog=25'));
    expect(told).toEqual([]);
    await ingesting(zstd(long, '--long=26'));
    expect(told).toEqual(['taken', 'given back']);
    await expect(ingesting(zstd(long, '--long=27'), tar)).rejects.toThrow(DiffIDMismatchError);
    expect(told).toEqual(['taken', 'given back', 'taken', 'given back']);
  });

  it('has unpacked next to nothing when it waits, and can be cancelled', async () => {
    const bytes = zstd(long, '--long=27');
    answer = send(bytes);
    const content = new MemoryContentStore();
    let size = 0;
    const counting = hashingWriters(content, () => unpackers.module());
    const controller = new AbortController();
    const ingesting = ingestLayer(
      requestFor(bytes, long),
      {
        ...dependencies,
        content,
        openBeside: async (id, algorithm) => {
          const writer = await counting(id, algorithm);
          const { write } = writer;
          writer.write = async (chunk) => {
            size += chunk.length;
            await write.call(writer, chunk);
          };
          return writer;
        },
        takeLargeWindow: (signal) => {
          setTimeout(() => controller.abort());
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        },
      },
      { ...options, signal: controller.signal },
    );
    await expect(ingesting).rejects.toThrow(CancelledError);
    expect(size).toBeLessThanOrEqual(1 << 20);
    expect(await content.pendingIngests()).toEqual([]);
  });

  it('comes after the other one where layers are unpacked in place', async () => {
    const layers = [long, other].map((unpacked) => ({ unpacked, bytes: zstd(unpacked, '--long=27') }));
    let sendRest: () => void = () => undefined;
    answer = (request, response) => {
      const n = Number(request.url?.slice(-1));
      const bytes = layers[n]?.bytes ?? gz;
      if (n === 1) return send(bytes)(request, response);
      response.setHeader('content-length', bytes.length);
      response.write(bytes.subarray(0, -10));
      sendRest = () => response.end(bytes.subarray(-10));
    };
    const content = new MemoryContentStore();
    const written = [0, 0];
    const open = hashingWriters(content, () => unpackers.module());
    const ingestor = new InlineIngestor({
      ...dependencies,
      content,
      openBeside: async (id, algorithm) => {
        const writer = await open(id, algorithm);
        const { write } = writer;
        const n = Number(id.split('/')[0]?.slice(-1));
        writer.write = async (chunk) => {
          written[n] = (written[n] ?? 0) + chunk.length;
          await write.call(writer, chunk);
        };
        return writer;
      },
    });
    const [first, second] = layers.map(({ bytes, unpacked }, n) =>
      ingestor.ingest(
        { ...requestFor(bytes, unpacked), id: `pull-${n}`, url: `${origin}/blob/${n}` },
        options,
      ),
    );
    const turns = async (isOver: () => boolean) => {
      for (let turn = 0; turn < 10_000 && !isOver(); turn++) await new Promise((next) => setImmediate(next));
    };
    // one of them goes on to what has come, the other stops before its first piece, however much time it gets
    await turns(() => written.every((bytes) => bytes >= 2 << 20));
    expect(written.toSorted((a, b) => a - b)).toEqual([0, 2 << 20]);
    sendRest();
    expect((await first)?.size).toBe(long.length);
    expect((await second)?.size).toBe(other.length);
  });

  it('leaves no unpacker with its memory behind', async () => {
    const own = new Unpackers(async () => codecsModule);
    const unpacker = await own.take();
    own.giveBack(unpacker);
    expect(await own.take()).toBe(unpacker);
    unpacker.start({ format: 'zstd', capacity: 1 << 20 });
    for (const _ of unpacker.push(zstd(new Uint8Array(120 << 20), '-1', '--long=27')))
      unpacker.drop(unpacker.end);
    own.giveBack(unpacker);
    expect(unpacker.memoryLength).toBeGreaterThan(100 << 20);
    expect(await own.take()).not.toBe(unpacker);
  });
});

describe('ingestLayer when what stores its parts is gone', () => {
  /** Opens writers that can do nothing any more from their first write on, not even give up. */
  const dyingWith =
    (death: Error, content: ContentStore): OpenHashingWriter =>
    async (id) => {
      const writer = await content.ingest(id);
      const dead = async () => {
        throw death;
      };
      return {
        size: writer.size,
        write: dead,
        finish: () => undefined,
        digest: dead,
        commit: dead,
        abort: dead,
      };
    };

  it('says so, leaves nothing staged of either part, and gives its unpacker back', async () => {
    answer = send(gz);
    const content = new MemoryContentStore();
    const own = new Unpackers(async () => codecsModule);
    const unpacker = await own.take();
    own.giveBack(unpacker);
    const death = new StorageFailedError('a stage worker of this page ended');
    const ingesting = ingestLayer(
      requestFor(gz, tar),
      { fetch: (url) => fetch(url), content, unpackers: own, openBeside: dyingWith(death, content) },
      { signal: new AbortController().signal, onProgress: () => undefined },
    );
    await expect(ingesting).rejects.toBe(death);
    expect(await content.pendingIngests()).toEqual([]);
    expect(await own.take()).toBe(unpacker);
  });

  it('lets go of the connection where there are no decoders', async () => {
    const closed = new Promise<void>((resolve) => {
      answer = (_, response) => {
        response.setHeader('content-length', gz.length);
        response.write(gz.subarray(0, 5000));
        response.on('close', resolve);
      };
    });
    const content = new MemoryContentStore();
    const none = new Unpackers(() => Promise.reject(new StorageFailedError('the decoders cannot be loaded')));
    const ingesting = ingestLayer(
      // of sha512, which needs none of them
      requestFor(gz, tar, { digest: sha(gz, 'sha512') }),
      { fetch: (url) => fetch(url), content, unpackers: none },
      { signal: new AbortController().signal, onProgress: () => undefined },
    );
    await expect(ingesting).rejects.toThrow('the decoders cannot be loaded');
    await closed;
    expect(await content.pendingIngests()).toEqual([]);
  });

  it('tells why the layer did not come, not why something of it may be left', async () => {
    answer = send(changedAt(gz, gz.length >> 1));
    const content = new MemoryContentStore();
    const dropped: string[] = [];
    const stubborn: ContentStore = Object.assign(Object.create(content), {
      stat: content.stat.bind(content),
      ingest: async (id: string) => ({
        size: 0,
        write: async () => undefined,
        finish: () => undefined,
        commit: async () => undefined,
        abort: async () => {
          dropped.push(id);
          throw new StorageFailedError('the database is gone');
        },
      }),
      abortIngest: async () => {
        throw new StorageFailedError('the database is gone');
      },
    });
    await expect(ingest(requestFor(gz, tar), stubborn)).rejects.toThrow(DigestMismatchError);
    expect(dropped).toEqual(['pull-1/blob', 'pull-1/tar']);
  });
});

describe('ingestLayer when it is aborted', () => {
  it('stops a download that hangs, and leaves nothing staged', async () => {
    const content = new MemoryContentStore();
    const controller = new AbortController();
    const closed = new Promise<void>((resolve) => {
      answer = (_, response) => {
        response.setHeader('content-length', gz.length);
        response.write(gz.subarray(0, 5000));
        response.on('close', resolve);
      };
    });
    const ingesting = ingest(requestFor(gz, tar), content, controller.signal, () => controller.abort());
    await expect(ingesting).rejects.toThrow(CancelledError);
    await expect(ingesting).rejects.toThrow(`cancelled while fetching ${what}`);
    await closed;
    expect(await content.list()).toEqual([]);
    expect(await content.pendingIngests()).toEqual([]);
  });

  it.each(['verifying', 'extracting'] as const)(
    'commits nothing when that happens while %s',
    async (status) => {
      answer = send(gz);
      const content = new MemoryContentStore();
      const controller = new AbortController();
      const ingesting = ingest(requestFor(gz, tar), content, controller.signal, (progress) => {
        if (progress.status === status) controller.abort();
      });
      await expect(ingesting).rejects.toThrow(CancelledError);
      expect(await content.list()).toEqual([]);
      expect(await content.pendingIngests()).toEqual([]);
    },
  );

  it('ends the wait for a body that does not know of the signal', async () => {
    answer = (_, response) => {
      response.setHeader('content-length', gz.length);
      response.write(gz.subarray(0, 5000));
    };
    const content = new MemoryContentStore();
    const controller = new AbortController();
    const ingesting = ingestLayer(
      requestFor(gz, tar),
      { fetch: (url) => fetch(url), content, unpackers },
      { signal: controller.signal, onProgress: () => setTimeout(() => controller.abort()) },
    );
    await expect(ingesting).rejects.toThrow(CancelledError);
    expect(await content.pendingIngests()).toEqual([]);
  });

  it('does not begin', async () => {
    let requests = 0;
    answer = () => {
      requests += 1;
    };
    await expect(ingest(requestFor(gz, tar), undefined, AbortSignal.abort())).rejects.toThrow(CancelledError);
    expect(requests).toBe(0);
  });
});
