import { afterEach, describe, expect, it } from 'vitest';
import { StorageFailedError } from '../../src/engine/errors.ts';
import type { OpenHashingWriter } from '../../src/engine/image/hashing-writer.ts';
import { digestOf } from '../../src/engine/oci/digest.ts';
import { ContentFiles } from '../../src/storage/content-files.ts';
import { deleteSandboxDatabase, SandboxDatabase } from '../../src/storage/database.ts';
import { IndexedDBContentStore } from '../../src/storage/indexeddb-content.ts';
import { StageWriters } from '../../src/storage/stage-writer.ts';
import { loadCodecs } from '../../workers/codecs.ts';
import { countingBytes, sameBytes } from '../conformance/bytes.ts';
import { freshSandbox } from '../conformance/sandbox-name.ts';

const bufferLength = 1 << 20;

describe('a writer in a stage worker', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function opened(): Promise<{
    open: OpenHashingWriter;
    content: IndexedDBContentStore;
    workers: readonly Worker[];
  }> {
    const sandbox = freshSandbox('stage');
    const database = await SandboxDatabase.open(sandbox);
    const workers: Worker[] = [];
    const spawn = () => {
      const worker = new Worker(new URL('../../workers/stage.worker.ts', import.meta.url), {
        type: 'module',
        name: sandbox,
      });
      workers.push(worker);
      return worker;
    };
    closing.push(async () => {
      for (const worker of workers) worker.terminate();
      database.close();
      await deleteSandboxDatabase(sandbox);
    });
    const content = new IndexedDBContentStore(database, await ContentFiles.open(sandbox));
    const { open } = new StageWriters({ spawn, codecs: loadCodecs, bufferLength });
    return { open, content, workers };
  }

  it.each(['sha256', 'sha512'] as const)('hashes with %s and stores what it is given', async (algorithm) => {
    const { open, content } = await opened();
    const bytes = countingBytes(9 * bufferLength + 77);
    const digest = await digestOf(bytes, algorithm);
    const writer = await open('one', algorithm);
    for (const length of [0, 5, bufferLength, 3 * bufferLength + 1, bytes.length]) {
      const end = Math.min(bytes.length, writer.size + length);
      const chunk = bytes.slice(writer.size, end);
      await writer.write(chunk);
      // it has its own copy
      chunk.fill(0);
      expect(writer.size).toBe(end);
    }
    writer.finish();
    expect(await writer.digest()).toBe(digest);
    expect(await content.stat(digest)).toBeUndefined();
    await writer.commit(digest);
    expect(sameBytes(await content.read(digest), bytes)).toBe(true);
    expect(await content.pendingIngests()).toEqual([]);
  });

  it('keeps several apart', async () => {
    const { open, content } = await opened();
    const blobs = [1, 2, 3].map((seed) => countingBytes(2 * bufferLength + seed, seed));
    await Promise.all(
      blobs.map(async (bytes, n) => {
        const writer = await open(`several-${n}`, 'sha256');
        for (let at = 0; at < bytes.length; at += 300_000) await writer.write(bytes.slice(at, at + 300_000));
        writer.finish();
        await writer.commit(await writer.digest());
      }),
    );
    for (const bytes of blobs) expect(sameBytes(await content.read(await digestOf(bytes)), bytes)).toBe(true);
  });

  it('leaves nothing of what is given up, and takes no more', async () => {
    const { open, content } = await opened();
    const writer = await open('given up', 'sha256');
    await writer.write(countingBytes(9 * bufferLength));
    await writer.abort();
    expect(await content.pendingIngests()).toEqual([]);
    expect(await content.list()).toEqual([]);
    await expect(writer.commit(await digestOf(countingBytes(1)))).rejects.toThrow('is over');
  });

  it('fails with the store’s own error', async () => {
    const { open } = await opened();
    const first = await open('same', 'sha256');
    await first.write(countingBytes(10));
    await open('same', 'sha256');
    first.finish();
    await expect(first.commit(await first.digest())).rejects.toThrow(StorageFailedError);
  });

  it('says so when its worker ends; the next one is in another worker, which nothing of the first hinders', async () => {
    const { open, content, workers } = await opened();
    // more than are on their way at once: some are stored
    const bytes = countingBytes(9 * bufferLength);
    const writer = await open('dying', 'sha256');
    await writer.write(bytes);
    workers[0]?.dispatchEvent(new ErrorEvent('error', { message: 'out of memory', cancelable: true }));
    await expect(writer.digest()).rejects.toThrow('a stage worker of this page ended: out of memory');
    // its file was let go, and can be removed
    const left = async () => {
      for (const id of await content.pendingIngests()) await content.abortIngest(id);
      return content.pendingIngests();
    };
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    await expect(writer.abort()).rejects.toThrow(StorageFailedError);

    for (const id of ['dying', 'another']) {
      const next = await open(id, 'sha256');
      await next.write(bytes);
      next.finish();
      await next.commit(await next.digest());
    }
    expect(workers).toHaveLength(2);
    expect(sameBytes(await content.read(await digestOf(bytes)), bytes)).toBe(true);
    expect(await content.pendingIngests()).toEqual([]);
  });
});
