/** Bytes from the network into a file, which gets its name when size and digest are what was promised. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import {
  CancelledError,
  DigestMismatchError,
  RegistryUnreachableError,
  SizeMismatchError,
  StorageFailedError,
} from '../engine/errors.ts';
import type { Descriptor } from '../engine/oci/descriptor.ts';
import { splitDigest } from '../engine/oci/digest.ts';

export interface VerifiedFileOptions {
  /** A name of its own on the same filesystem; nothing is left there, whatever happens. */
  readonly partial: string;
  /** In words, for errors: `layer sha256:... of busybox:latest`. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Told of each piece, bytes. */
  readonly onBytes?: (count: number) => void;
}

/**
 * Writes a stream to `path`, hashing on the way: the file is whole, on the disk and right before it has
 * that name. Errors: SizeMismatch (what is too long is not read to its end), DigestMismatch,
 * RegistryUnreachable when the connection breaks, Cancelled, StorageFailed.
 */
export async function writeVerified(
  path: string,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  options: VerifiedFileOptions,
): Promise<void> {
  try {
    await writePartial(descriptor, stream, options);
    await onDisk(path, () => rename(options.partial, path));
  } finally {
    await rm(options.partial, { force: true });
  }
}

async function writePartial(
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  options: VerifiedFileOptions,
): Promise<void> {
  const { partial, what, signal } = options;
  const { algorithm } = splitDigest(descriptor.digest);
  const hash = createHash(algorithm);
  const reader = stream.getReader();
  let size = 0;
  try {
    const file = await onDisk(partial, () => open(partial, 'wx'));
    try {
      for (;;) {
        const step = await readStep(reader, { what, size, signal });
        if (step === undefined) break;
        size += step.length;
        if (size > descriptor.size) {
          throw new SizeMismatchError(`${what} is larger than the ${descriptor.size} bytes announced`, {
            what,
            expected: descriptor.size,
          });
        }
        hash.update(step);
        await onDisk(partial, () => file.writeFile(step));
        options.onBytes?.(step.length);
      }
      if (size !== descriptor.size) {
        throw new SizeMismatchError(`${what} has ${size} bytes, not the ${descriptor.size} announced`, {
          what,
          expected: descriptor.size,
          found: size,
        });
      }
      const found = `${algorithm}:${hash.digest('hex')}`;
      if (found !== descriptor.digest) {
        throw new DigestMismatchError(
          `${what} is not what was asked for: its digest is ${found}, not ${descriptor.digest}`,
          { what, expected: descriptor.digest, found },
        );
      }
      await onDisk(partial, () => file.sync());
    } finally {
      await file.close();
    }
  } catch (error) {
    // a stream that has failed already says so again, which adds nothing
    await reader.cancel().catch(() => undefined);
    throw error;
  }
}

async function readStep(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  about: { readonly what: string; readonly size: number; readonly signal: AbortSignal },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { what, size, signal } = about;
  try {
    if (signal.aborted) throw signal.reason;
    return (await reader.read()).value;
  } catch (cause) {
    if (signal.aborted) throw new CancelledError(`cancelled while fetching ${what}`, { what }, { cause });
    throw new RegistryUnreachableError(
      `the connection broke after ${size} bytes of ${what}`,
      { what },
      { cause },
    );
  }
}

/** True when the file is there and has this size and digest. StorageFailed when it can't be read. */
export async function isVerified(
  path: string,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
): Promise<boolean> {
  const { algorithm, hex } = splitDigest(descriptor.digest);
  return onDisk(path, async () => {
    const found = await stat(path).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found === undefined || !found.isFile() || found.size !== descriptor.size) return false;
    const hash = createHash(algorithm);
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece);
    return hash.digest('hex') === hex;
  });
}

/** What the work gives; a failure of the filesystem as StorageFailedError naming the path. */
export async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new StorageFailedError(`cannot use ${path}: ${error.message}`, { path }, { cause: error });
  }
}
