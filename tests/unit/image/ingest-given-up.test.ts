import { describe, expect, it } from 'vitest';
import { Unpackers } from '../../../src/engine/archive/unpackers.ts';
import { CancelledError, DigestMismatchError, StorageFailedError } from '../../../src/engine/errors.ts';
import type { OpenHashingWriter } from '../../../src/engine/image/hashing-writer.ts';
import { ingestLayer } from '../../../src/engine/image/ingest-layer.ts';
import type { ContentStore } from '../../../src/engine/store/content.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { codecsModule } from '../archive/unpacking.ts';
import {
  changedAt,
  gz,
  ingest,
  requestFor,
  send,
  served,
  serveLayers,
  sha,
  tar,
  unpackers,
  what,
} from './served-layer.ts';

serveLayers();

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
    served.answer = send(gz);
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
      served.answer = (_, response) => {
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
    served.answer = send(changedAt(gz, gz.length >> 1));
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
      served.answer = (_, response) => {
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
      served.answer = send(gz);
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
    served.answer = (_, response) => {
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
    served.answer = () => {
      requests += 1;
    };
    await expect(ingest(requestFor(gz, tar), undefined, AbortSignal.abort())).rejects.toThrow(CancelledError);
    expect(requests).toBe(0);
  });
});
