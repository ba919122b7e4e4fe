import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/engine/oci/digest.ts';
import { isVerified, writeVerified } from '../../../src/mirror/verified-file.ts';
import { temporaryFolder } from './place.ts';

const bytes = new TextEncoder().encode('what a layer may hold\n'.repeat(1000));
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** In pieces; then its end, or a failure. */
function streamOf(
  content: Uint8Array<ArrayBuffer>,
  failure?: Error,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < content.length) controller.enqueue(content.slice(at, at + 4096));
      else if (failure === undefined) controller.close();
      else controller.error(failure);
      at += 4096;
    },
  });
}

const write = (
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  descriptor: { readonly digest: Awaited<ReturnType<typeof digestOf>>; readonly size: number },
  signal = new AbortController().signal,
) =>
  writeVerified(join(folder.path, 'whole'), descriptor, stream, {
    partial: join(folder.path, 'partial'),
    what: 'layer x',
    signal,
  });

describe('a file', () => {
  it.each(['sha256', 'sha512'] as const)('has its name when its %s is right', async (algorithm) => {
    const descriptor = { digest: await digestOf(bytes, algorithm), size: bytes.length };
    await write(streamOf(bytes), descriptor);
    expect(await readdir(folder.path)).toEqual(['whole']);
    expect(new Uint8Array(await readFile(join(folder.path, 'whole')))).toEqual(bytes);
    expect(await isVerified(join(folder.path, 'whole'), descriptor)).toBe(true);
  });

  it.each([
    ['DigestMismatch', () => streamOf(bytes.map((byte) => byte ^ 1)), 0],
    ['SizeMismatch', () => streamOf(bytes), 1],
    ['SizeMismatch', () => streamOf(bytes), -1],
    ['RegistryUnreachable', () => streamOf(bytes.slice(0, 9000), new TypeError('terminated')), 0],
  ])('is not there after %s, nor is any part of it', async (code, stream, more) => {
    const descriptor = { digest: await digestOf(bytes), size: bytes.length + more };
    await expect(write(stream(), descriptor)).rejects.toMatchObject({ code });
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('stays as it was when what should replace it fails', async () => {
    await writeFile(join(folder.path, 'whole'), 'old');
    const descriptor = { digest: await digestOf(bytes), size: bytes.length };
    await expect(write(streamOf(bytes.slice(0, 10)), descriptor)).rejects.toMatchObject({
      code: 'SizeMismatch',
    });
    expect(await readFile(join(folder.path, 'whole'), 'utf8')).toBe('old');
  });

  it('that is too long is not read to its end', async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        pulled += 4096;
        controller.enqueue(new Uint8Array(4096));
      },
    });
    await expect(write(endless, { digest: await digestOf(bytes), size: 10_000 })).rejects.toThrow(
      'layer x is larger than the 10000 bytes announced',
    );
    expect(pulled).toBeLessThan(50_000);
  });

  it('is not there when it was given up', async () => {
    const controller = new AbortController();
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(to) {
        to.enqueue(new Uint8Array(100));
        controller.abort(new Error('enough'));
      },
    });
    const descriptor = { digest: await digestOf(bytes), size: bytes.length };
    await expect(write(stream, descriptor, controller.signal)).rejects.toMatchObject({ code: 'Cancelled' });
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('that cannot be written says which', async () => {
    const descriptor = { digest: await digestOf(bytes), size: bytes.length };
    const other = join(folder.path, 'no', 'such', 'partial');
    const options = { partial: other, what: 'layer x', signal: new AbortController().signal };
    await expect(
      writeVerified(join(folder.path, 'whole'), descriptor, streamOf(bytes), options),
    ).rejects.toMatchObject({
      code: 'StorageFailed',
      message: expect.stringContaining(`cannot use ${other}: ENOENT`),
    });
  });
});
