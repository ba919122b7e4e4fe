import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Unpackers } from '../../../src/engine/archive/unpackers.ts';
import { CancelledError, DiffIDMismatchError } from '../../../src/engine/errors.ts';
import { hashingWriters } from '../../../src/engine/image/hashing-writer.ts';
import { ingestLayer } from '../../../src/engine/image/ingest-layer.ts';
import { InlineIngestor } from '../../../src/engine/image/inline-ingestor.ts';
import { MemoryContentStore } from '../../../src/engine/store/memory-content.ts';
import { endOfArchive, file, joined } from '../archive/tar-bytes.ts';
import { codecsModule } from '../archive/unpacking.ts';
import { gz, noise, requestFor, send, served, serveLayers, tar, unpackers } from './served-layer.ts';

serveLayers();

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
      served.answer = send(bytes);
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
    served.answer = send(bytes);
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
    served.answer = (request, response) => {
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
        { ...requestFor(bytes, unpacked), id: `pull-${n}`, url: `${served.origin}/blob/${n}` },
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
