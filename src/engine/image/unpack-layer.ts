/** A layer that is in the store as a blob, made ready to be run: its tar under its diffID, and its index. */

import { detectCompression, signatureLength } from '../archive/compression.ts';
import { CorruptLayerError, DiffIDMismatchError, UnsupportedMediaTypeError } from '../errors.ts';
import { LayerFromTar } from '../layer/layer-from-tar.ts';
import type { DiffID, Digest } from '../oci/digest.ts';
import { DOCKER_LAYER, DOCKER_LAYER_GZIP } from '../oci/media-type.ts';
import type { ContentStore } from '../store/content.ts';
import type { Lease } from '../store/leases.ts';
import type { LayerRecord } from '../store/records.ts';
import { uncompressed } from './archive-files.ts';
import { HashedBlob } from './hashed-blob.ts';
import type { ImageParts } from './image-parts.ts';
import { largestTar } from './ingest-layer.ts';
import { unpackersOf } from './unpackers-of.ts';

const PIECE = 1 << 20;

export interface StoredLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly diffID: DiffID;
  /** In words, for errors. */
  readonly what: string;
}

/**
 * The record of the layer, to be committed with its image; the tar is stored, kept by the lease. Errors: CorruptLayer,
 * DiffIDMismatch, UnsupportedMediaType, ContentMissing, StorageFull. Nothing stays staged after one.
 */
export async function unpackLayer(
  parts: ImageParts,
  layer: StoredLayer,
  lease: Lease,
  onProgress: (bytes: number) => void,
): Promise<LayerRecord> {
  const { digest, size, diffID, what } = layer;
  const index = new LayerFromTar({ maxSize: largestTar(size) });
  await lease.extend({ layers: [diffID] });
  // a plain tar is stored once: its digest is its diffID
  const isPlain = digest === diffID;
  const tar = isPlain
    ? undefined
    : await HashedBlob.open(parts.content, unpackersOf(parts), `${lease.id}-unpacked`);
  try {
    for await (const bytes of uncompressed(parts, readBlob(parts.content, digest, size, onProgress))) {
      index.push(bytes);
      await tar?.write(bytes);
    }
    const found = tar === undefined ? digest : await tar.finish();
    if (found !== diffID) {
      throw new DiffIDMismatchError(
        `${what}: unpacked it has the diffID ${found}, but the config of its image promises ${diffID}; the image was put together wrongly`,
        { what, expected: diffID, actual: found },
      );
    }
    const { buffer } = index.finish(diffID);
    await tar?.commit(diffID);
    return { id: diffID, size: tar?.size ?? size, index: buffer };
  } catch (error) {
    await tar?.abort();
    for (const Class of [CorruptLayerError, UnsupportedMediaTypeError]) {
      if (error instanceof Class && !error.message.startsWith(what)) {
        throw new Class(`${what}: ${error.message}`, error.data, { cause: error });
      }
    }
    throw error;
  }
}

/** A blob of the store in pieces. `onProgress` is told how many bytes were read. ContentMissingError. */
export async function* readBlob(
  content: Pick<ContentStore, 'read'>,
  digest: Digest,
  size: number,
  onProgress: (bytes: number) => void = () => undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  for (let at = 0; at < size; ) {
    const piece = await content.read(digest, at, PIECE);
    if (piece.length === 0) throw new CorruptLayerError(`${digest} has ${at} bytes, not ${size}`, { digest });
    yield piece;
    at += piece.length;
    onProgress(at);
  }
}

/** The media type of a layer of a docker-archive, which says none: by how it begins. */
export async function layerTypeOf(content: Pick<ContentStore, 'read'>, digest: Digest): Promise<string> {
  const compression = detectCompression(await content.read(digest, 0, signatureLength));
  if (compression === 'none') return DOCKER_LAYER;
  return compression === 'zstd' ? 'application/vnd.docker.image.rootfs.diff.tar.zstd' : DOCKER_LAYER_GZIP;
}
