/**
 * One layer from a registry into the content store, in one pass: the compressed
 * bytes are staged as they come and decoded meanwhile; what they decode to is
 * staged, too, and indexed. Only when size, digest and diffID are right does
 * any of it become visible. A layer that is a plain tar is stored once.
 */

import { detectCompression, signatureLength } from '../archive/compression.ts';
import { CopiedBytes, type GatheredBytes } from '../archive/gathered-bytes.ts';
import type { Unpacker } from '../archive/unpacker.ts';
import type { Unpackers } from '../archive/unpackers.ts';
import {
  CorruptLayerError,
  DiffIDMismatchError,
  DigestMismatchError,
  UnsupportedMediaTypeError,
} from '../errors.ts';
import { LayerFromTar } from '../layer/layer-from-tar.ts';
import { type Digest, splitDigest } from '../oci/digest.ts';
import { layerCompression } from '../oci/media-type.ts';
import { openBlob } from '../registry/blob.ts';
import type { Fetch } from '../registry/request.ts';
import type { ContentStore } from '../store/content.ts';
import type { LayerRecord } from '../store/records.ts';
import { hashingWriters, type OpenHashingWriter } from './hashing-writer.ts';
import { cancelled, peekStart, readBody } from './ingest-source.ts';
import { IngestStage, pieceLength } from './ingest-stage.ts';
import type { IngestProgress, IngestRequest, RegistryLine } from './layer-ingestor.ts';

export interface IngestDependencies {
  readonly fetch: Fetch;
  readonly content: ContentStore;
  readonly unpackers: Unpackers;
  /** Where there is one, it hashes and stores what is unpacked, beside the unpacking. */
  readonly openBeside?: OpenHashingWriter;
  /**
   * Waits until no other layer has a window of more than `ordinaryWindow`; what it gives is called when this one has none
   * any more. Default: nobody waits.
   */
  readonly takeLargeWindow?: (signal: AbortSignal) => Promise<() => void>;
  /** How many bytes a layer of so many compressed ones may unpack to. Default: `largestTar`. */
  readonly largestTar?: (compressed: number) => number;
}

export interface IngestOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: IngestProgress) => void;
  readonly line?: RegistryLine;
}

/** Bytes of a blob, and of what it unpacks to, that are in memory at once: a piece, and one that is begun. */
const capacity = 2 * pieceLength;

/** Bytes of a window that each of the layers on their way may have: the memory of an unpacker comes to twice as much. */
export const ordinaryWindow = 32 << 20;

/** Milliseconds between two reports of bytes that arrive: more often than anybody sees is waste. */
const reportInterval = 50;

/**
 * Bytes that a layer of so many compressed ones may unpack to: much more than any layer of files does, and too little
 * to fill a disk with. Real layers come to 2 to 10 times their compressed size, files of zeros to 1,000 and more.
 */
export function largestTar(compressed: number): number {
  return Math.max(4 * 2 ** 30, 200 * compressed);
}

/** As `LayerIngestor.ingest` (layer-ingestor.ts) has it, in place. */
export async function ingestLayer(
  request: IngestRequest,
  dependencies: IngestDependencies,
  options: IngestOptions,
): Promise<LayerRecord> {
  const { what, blob } = request;
  const { signal } = options;
  try {
    layerCompression(blob.mediaType);
    const opening = openBlob(
      {
        url: request.url,
        headers: request.headers,
        what,
        size: blob.size,
        piece: request.piece,
        embedded: blob.data,
      },
      { ...options.line, fetch: dependencies.fetch, signal, reuses: true },
    );
    return await new Ingest(request, dependencies, options).run(opening);
  } catch (error) {
    if (signal.aborted) throw cancelled(what, error);
    for (const Class of [CorruptLayerError, UnsupportedMediaTypeError]) {
      if (!(error instanceof Class)) continue;
      throw new Class(`${what}: ${error.message}`, { ...error.data, what }, { cause: error });
    }
    throw error;
  }
}

interface Unpacking {
  readonly unpacker: Unpacker;
  readonly tarStage: IngestStage;
}

class Ingest {
  readonly #request: IngestRequest;
  readonly #dependencies: IngestDependencies;
  readonly #options: IngestOptions;
  /** Not committed yet, each with the ID of its ingest. */
  readonly #staged = new Map<IngestStage, string>();
  readonly #layer: LayerFromTar;
  readonly #openHere: OpenHashingWriter;
  #unpacker: Unpacker | undefined;
  #giveLargeWindowBack: (() => void) | undefined;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(request: IngestRequest, dependencies: IngestDependencies, options: IngestOptions) {
    this.#request = request;
    this.#layer = new LayerFromTar({
      maxSize: dependencies.largestTar?.(request.blob.size) ?? largestTar(request.blob.size),
    });
    this.#dependencies = dependencies;
    this.#options = options;
    const { content, unpackers } = dependencies;
    this.#openHere = hashingWriters(content, () => unpackers.module());
  }

  /** What the bytes go to is opened while the registry is asked for them. */
  async run(opening: Promise<ReadableStream<Uint8Array<ArrayBuffer>>>): Promise<LayerRecord> {
    const { blob } = this.#request;
    let body: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
    let source: ReturnType<typeof readBody> | undefined;
    try {
      const bytes = new CopiedBytes(capacity);
      const staging = this.#open('blob', blob.digest, bytes);
      const unpacking = layerCompression(blob.mediaType) === 'none' ? undefined : this.#openUnpacking();
      // when one of them has failed, no other is being opened any more
      await Promise.allSettled([opening, staging, unpacking]);
      body = await opening;
      const blobStage = await staging;
      const opened = await unpacking;
      source = readBody(body, this.#request, this.#options.signal, async (chunk, received) => {
        bytes.append(chunk);
        await blobStage.advance();
        this.#report(received);
      });
      const { tarStage, damage } = await this.#unpack(source, blobStage, opened);
      return await this.#verify(blobStage, tarStage, damage);
    } finally {
      // of a source that was never read this would not reach the body
      await source?.return();
      if (source === undefined) await body?.cancel().catch(() => undefined);
      if (this.#unpacker !== undefined) this.#dependencies.unpackers.giveBack(this.#unpacker);
      this.#unpacker = undefined;
      this.#giveLargeWindowBack?.();
      await this.#abort();
    }
  }

  /**
   * Leaves nothing staged. Never rejects: what is told is why the layer did not come, and what could not be dropped
   * is found by its ID, when the layer is tried again or the sandbox is opened.
   */
  async #abort(): Promise<void> {
    const { content } = this.#dependencies;
    // a writer whose worker ended cannot do it itself
    const aborts = [...this.#staged].map(([stage, id]) => stage.abort().catch(() => content.abortIngest(id)));
    await Promise.allSettled(aborts);
  }

  /** The stage for the blob that comes to lie in `bytes` and is to have a digest like `digest`. */
  async #open(
    part: 'blob' | 'tar',
    digest: Digest,
    bytes: GatheredBytes,
    open = this.#openHere,
  ): Promise<IngestStage> {
    const id = `${this.#request.id}/${part}`;
    const stage = new IngestStage(await open(id, splitDigest(digest).algorithm), bytes);
    this.#staged.set(stage, id);
    return stage;
  }

  async #drop(stage: IngestStage): Promise<void> {
    await stage.abort();
    this.#staged.delete(stage);
  }

  #report(received: number): void {
    const now = performance.now();
    if (now - this.#reportedAt < reportInterval && received < this.#request.blob.size) return;
    this.#reportedAt = now;
    this.#options.onProgress({ status: 'downloading', bytes: received });
  }

  /** An unpacker, which is not started yet, and the stage for what comes to lie in it. */
  async #openUnpacking(): Promise<Unpacking> {
    const { unpackers, openBeside } = this.#dependencies;
    const unpacker = await unpackers.take();
    this.#unpacker = unpacker;
    return { unpacker, tarStage: await this.#open('tar', this.#request.diffID, unpacker, openBeside) };
  }

  /** Reads the source to its end; `unpacking` was opened for what its label says. `damage` is why the layer cannot be unpacked. */
  async #unpack(
    source: AsyncGenerator<Uint8Array<ArrayBuffer>, void>,
    blobStage: IngestStage,
    unpacking: Unpacking | undefined,
  ): Promise<{ tarStage: IngestStage; damage?: { readonly reason: unknown } }> {
    const { blob, diffID } = this.#request;
    let tarStage = blobStage;
    try {
      const { start, chunks } = await peekStart(source, signatureLength);
      const compression = detectCompression(start);
      if (compression === 'none') {
        // the digest of a plain tar is its diffID, unless one is a sha512
        if (unpacking !== undefined) await this.#drop(unpacking.tarStage);
        const isOneBlob = splitDigest(blob.digest).algorithm === splitDigest(diffID).algorithm;
        const tar = new CopiedBytes(isOneBlob ? 0 : capacity);
        if (!isOneBlob) tarStage = await this.#open('tar', diffID, tar);
        for await (const bytes of chunks) {
          this.#layer.push(bytes);
          if (isOneBlob) continue;
          tar.append(bytes);
          await tarStage.advance();
        }
      } else if (compression === 'gzip' || compression === 'zstd') {
        const { unpacker, tarStage: stage } = unpacking ?? (await this.#openUnpacking());
        tarStage = stage;
        unpacker.start({ format: compression, capacity });
        for await (const chunk of chunks) {
          for (const bytes of unpacker.push(chunk)) {
            this.#layer.push(bytes);
            await tarStage.advance();
            // behind the bytes, whose view is good until the next step
            if (unpacker.window > ordinaryWindow) await this.#takeLargeWindow();
          }
        }
        unpacker.finish();
      } else throw unsupported(compression);
      return { tarStage };
    } catch (reason) {
      // bytes that were changed or cut off on the way are to be called that, not a bad archive
      if (!(reason instanceof CorruptLayerError)) throw reason;
      for (let next = await source.next(); next.done !== true; ) next = await source.next();
      return { tarStage, damage: { reason } };
    }
  }

  async #takeLargeWindow(): Promise<void> {
    this.#giveLargeWindowBack ??= await this.#dependencies.takeLargeWindow?.(this.#options.signal);
  }

  async #verify(
    blobStage: IngestStage,
    tarStage: IngestStage,
    damage: { readonly reason: unknown } | undefined,
  ): Promise<LayerRecord> {
    const { what, blob, diffID } = this.#request;
    const { signal, onProgress } = this.#options;
    onProgress({ status: 'verifying', bytes: blob.size });
    const [digest, actual] = await Promise.all([
      blobStage.finish(),
      damage === undefined && tarStage !== blobStage ? tarStage.finish() : undefined,
    ]);
    if (digest !== blob.digest) {
      throw new DigestMismatchError(
        `${what}: the bytes that came have the digest ${digest}, not the one its manifest promises; they were changed in the registry or on the way`,
        { what, expected: blob.digest, actual: digest },
      );
    }
    if (damage !== undefined) throw damage.reason;
    const unpacked = actual ?? digest;
    if (unpacked !== diffID) {
      throw new DiffIDMismatchError(
        `${what}: unpacked it has the diffID ${unpacked}, but the config of its image promises ${diffID}; the image was put together wrongly`,
        { what, expected: diffID, actual: unpacked },
      );
    }
    onProgress({ status: 'extracting', bytes: blob.size });
    const { buffer } = this.#layer.finish(diffID);
    if (signal.aborted) throw cancelled(what, signal.reason);
    const commits = [...new Map([[blobStage, blob.digest]]).set(tarStage, unpacked)].map(
      async ([stage, name]) => {
        await stage.commit(name);
        this.#staged.delete(stage);
      },
    );
    // both are over, well or not, before anything is aborted
    const failed = (await Promise.allSettled(commits)).find((commit) => commit.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return { id: diffID, size: tarStage.size, index: buffer };
  }
}

function unsupported(compression: string): Error {
  return new UnsupportedMediaTypeError(
    `it is compressed with ${compression}, and only gzip, zstd and plain tars can be unpacked; ` +
      'copy the image with `skopeo copy --dest-compress-format gzip --dest-force-compress-format`',
    { compression },
  );
}
