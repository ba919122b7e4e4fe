/**
 * The content store port, after containerd's model.
 *
 * Vocabulary. A *blob* is bytes under their digest: manifests, configs and
 * compressed layers verbatim as the registry sent them, and the uncompressed
 * tar of a layer under its diffID. An *ingest* is a blob on its way in, under
 * an ID of its own; nothing of it can be read.
 *
 * Lifecycle. `ingest(id)` opens a writer and drops what an earlier ingest of
 * that ID left; `write` appends and resolves when the bytes may be let go;
 * `finish` says that they were the last; `commit` makes the blob visible in one small transaction, or does nothing
 * when it is there already. Whoever commits has verified the digest. An ingest
 * that is neither committed nor aborted is what a killed tab left behind:
 * `pendingIngests` names it, `abortIngest` reclaims it.
 *
 *     const writer = await content.ingest('pull-1/sha256:...');
 *     for await (const chunk of body) await writer.write(chunk);
 *     await writer.commit(digest);
 */

import type { Digest } from '../oci/digest.ts';

export interface ContentStore {
  /** Size in bytes, or undefined when there is no such blob. */
  stat(digest: Digest): Promise<{ readonly size: number } | undefined>;
  /**
   * `length` bytes from `offset` (default: all from there), fewer at the end.
   * Throws ContentMissingError when there is no such blob.
   */
  read(digest: Digest, offset?: number, length?: number): Promise<Uint8Array<ArrayBuffer>>;
  list(): Promise<readonly { readonly digest: Digest; readonly size: number }[]>;
  /** Removing what is not there is no error. */
  delete(digest: Digest): Promise<void>;
  ingest(id: string): Promise<ContentWriter>;
  pendingIngests(): Promise<readonly string[]>;
  abortIngest(id: string): Promise<void>;
}

export interface ContentWriter {
  /** Bytes written so far. */
  readonly size: number;
  /** The chunk may be transferred away by its owner only once this resolved. */
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  /**
   * Nothing more will be written: what is held back for a larger piece goes on its way, while the
   * caller still verifies. Optional before a commit; a failure shows there.
   */
  finish(): void;
  /** Visible under `digest` once this resolved. The writer can't be used after it. */
  commit(digest: Digest): Promise<void>;
  abort(): Promise<void>;
}
