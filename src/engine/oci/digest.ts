/** Digests as image-spec, descriptor.md, "Digests" has them: `algorithm:hex`. */

import { InvalidDigestError } from '../errors.ts';

/** A checked digest: only `parseDigest` and the digesting functions make one. */
export type Digest = `sha256:${string}` | `sha512:${string}`;
/** The digest of a layer's uncompressed tar (image-spec, config.md, "Layer DiffID"). */
export type DiffID = Digest;

/** True when the text is a sha256 or sha512 digest in lower-case hex of the right length. */
export function isDigest(text: string): text is Digest {
  return /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);
}

/** The digest, or InvalidDigestError naming the text. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new InvalidDigestError(
    `invalid digest ${JSON.stringify(text)}: it must be sha256: and 64, or sha512: and 128, lower-case hexadecimal digits`,
    { digest: text },
  );
}

/** `sha256` or `sha512`, and the hex part. */
export function splitDigest(digest: Digest): { algorithm: 'sha256' | 'sha512'; hex: string } {
  const hex = digest.slice(7);
  return digest.startsWith('sha256:') ? { algorithm: 'sha256', hex } : { algorithm: 'sha512', hex };
}

/** The digest of bytes that are all there, by WebCrypto. */
export async function digestOf(
  bytes: Uint8Array<ArrayBuffer>,
  algorithm: 'sha256' | 'sha512' = 'sha256',
): Promise<Digest> {
  const hash = await crypto.subtle.digest(algorithm === 'sha256' ? 'SHA-256' : 'SHA-512', bytes);
  return `${algorithm}:${hexOf(new Uint8Array(hash))}`;
}

/** Lower-case hexadecimal. */
export function hexOf(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}
