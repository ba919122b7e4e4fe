/** Hashes of bytes that come in pieces. Of those that are all there, `digestOf` (oci/digest.ts) is about twice as fast. */

import { createSHA512 } from 'hash-wasm';
import { Sha256 } from './sha256.ts';

export interface StreamingHash {
  /** Takes the next bytes. */
  update(bytes: Uint8Array): void;
  /** The hash of everything in lower-case hexadecimal; nothing may be added after it. */
  digest(): string;
}

/** The hash of nothing yet; `codecs` gives codecs/codecs.wasm, compiled. */
export async function streamingHash(
  algorithm: 'sha256' | 'sha512',
  codecs: () => Promise<WebAssembly.Module>,
): Promise<StreamingHash> {
  return algorithm === 'sha256' ? Sha256.create(await codecs()) : createSHA512();
}
