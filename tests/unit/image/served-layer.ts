/** A small layer, and a server on loopback from which it is ingested in place. */

import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll } from 'vitest';
import { Unpackers } from '../../../src/engine/archive/unpackers.ts';
import { ingestLayer } from '../../../src/engine/image/ingest-layer.ts';
import type { IngestProgress, IngestRequest } from '../../../src/engine/image/layer-ingestor.ts';
import type { Digest } from '../../../src/engine/oci/digest.ts';
import type { ContentStore } from '../../../src/engine/store/content.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { endOfArchive, file, joined } from '../archive/tar-bytes.ts';
import { codecsModule } from '../archive/unpacking.ts';
import { AT_ONCE } from '../registry/made-up-registry.ts';

export const unpackers = new Unpackers(async () => codecsModule);
export const noise = (length: number) => {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 2_654_435_761) >>> 24;
  return bytes.toString('latin1');
};
export const tar = joined(file('etc/motd', 'hello\n'), file('noise', noise(200_000)), endOfArchive);
export const gz = Uint8Array.from(gzipSync(tar));
export const sha = (bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
export const what = 'layer sha256:0123456789ab of busybox:latest';
export const changedAt = (bytes: Uint8Array, at: number) => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

export const send =
  (bytes: Uint8Array, length = bytes.length): RequestListener =>
  (_, response) => {
    response.setHeader('content-length', length);
    response.end(bytes);
  };

interface Served {
  /** What the server does with the next request. */
  answer: RequestListener;
  origin: string;
}

export const served: Served = { answer: (_, response) => void response.end(), origin: '' };

/** Has the server up while the tests of a file run. */
export function serveLayers(): void {
  const server = createServer((request, response) => served.answer(request, response));
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('no port');
    served.origin = `http://127.0.0.1:${address.port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
}

export const requestFor = (
  bytes: Uint8Array,
  unpacked: Uint8Array,
  rest: Partial<IngestRequest['blob']> = {},
): IngestRequest => ({
  id: 'pull-1',
  url: `${served.origin}/blob`,
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

export function ingest(
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
