/**
 * Extended attributes of one entry as bytes: for each a u32 length and the
 * bytes of its name, then a u32 length and the bytes of its value.
 */

import { CorruptLayerError } from '../errors.ts';
import { decodeName, encodeName } from '../names.ts';

export type Xattrs = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** What `unpackXattrs` reads; no bytes for no attributes. */
export function packXattrs(xattrs: Xattrs): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const [name, value] of xattrs) {
    const bytes = encodeName(name);
    parts.push(bytes, value);
    length += 8 + bytes.length + value.length;
  }
  const packed = new Uint8Array(length);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length, true);
    packed.set(part, at + 4);
    at += 4 + part.length;
  }
  return packed;
}

/** The attributes, each value in bytes of its own. Throws CorruptLayerError when a length leads outside. */
export function unpackXattrs(packed: Uint8Array): Map<string, Uint8Array<ArrayBuffer>> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const xattrs = new Map<string, Uint8Array<ArrayBuffer>>();
  let at = 0;
  const next = () => {
    const length = at + 4 <= packed.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + 4 + length > packed.length) {
      throw new CorruptLayerError('the stored layer index is damaged: an extended attribute ends too early');
    }
    const bytes = packed.slice(at + 4, at + 4 + length);
    at += 4 + length;
    return bytes;
  };
  while (at < packed.length) {
    const name = decodeName(next());
    xattrs.set(name, next());
  }
  return xattrs;
}
