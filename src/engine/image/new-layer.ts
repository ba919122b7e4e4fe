/**
 * A tar that becomes a layer of an image: stored twice in one pass, as it is under its diffID and in gzip under the
 * digest that a manifest names it by, and indexed, so that the image can be run at once and pushed as it is.
 */

import { gzipped, inPieces } from '../archive/gzip-stream.ts';
import { LayerFromTar } from '../layer/layer-from-tar.ts';
import type { DiffID, Digest } from '../oci/digest.ts';
import type { Lease } from '../store/leases.ts';
import type { LayerRecord } from '../store/records.ts';
import { HashedBlob } from './hashed-blob.ts';
import type { ImageParts } from './image-parts.ts';
import { unpackersOf } from './unpackers-of.ts';

export interface NewLayer {
  readonly diffID: DiffID;
  /** Of the compressed layer. */
  readonly digest: Digest;
  readonly size: number;
  /** To be committed with the image. */
  readonly record: LayerRecord;
  /** The tar has no entry. */
  readonly isEmpty: boolean;
}

const PIECE = 1 << 20;

/**
 * Stores the tar, kept by the lease. Errors: CorruptLayer for what is no tar of a layer, what the source throws,
 * StorageFull, StorageFailed. Nothing stays staged after one.
 */
export async function storeLayer(
  parts: ImageParts,
  tar: AsyncIterable<Uint8Array>,
  lease: Lease,
): Promise<NewLayer> {
  const unpackers = unpackersOf(parts);
  const staged: HashedBlob[] = [];
  const open = async (part: string) => {
    const blob = await HashedBlob.open(parts.content, unpackers, `${lease.id}-${part}`);
    staged.push(blob);
    return blob;
  };
  try {
    const plain = await open('tar');
    const packed = await open('gzip');
    const layer = new LayerFromTar();
    const passing = async function* () {
      for await (const piece of inPieces(tar, PIECE)) {
        layer.push(piece);
        await plain.write(piece);
        yield piece;
      }
    };
    for await (const piece of gzipped(passing())) await packed.write(piece);
    const diffID = await plain.finish();
    const digest = await packed.finish();
    const index = layer.finish(diffID);
    await lease.extend({ content: [digest], layers: [diffID] });
    await plain.commit(diffID);
    await packed.commit(digest);
    const record = { id: diffID, size: plain.size, index: index.buffer };
    const isEmpty = index.count === 1 && index.entry(0).implicit;
    return { diffID, digest, size: packed.size, record, isEmpty };
  } catch (error) {
    for (const blob of staged) await blob.abort();
    throw error;
  }
}
