/** Content that a descriptor carries in itself (image-spec, descriptor.md, "data"). */

import { InvalidDocumentError } from '../errors.ts';

/** The bytes of a `data` member. InvalidDocumentError when it is no base64 (RFC 4648, section 4). */
export function embeddedBytes(data: string, what: string): Uint8Array<ArrayBuffer> {
  let decoded: string;
  try {
    // atob takes white space and missing padding, which the specification does not
    if (!/^[0-9A-Za-z+/]*={0,2}$/.test(data) || data.length % 4 !== 0) throw new TypeError('not base64');
    decoded = atob(data);
  } catch (cause) {
    throw new InvalidDocumentError(
      `the data that the descriptor of ${what} carries is no base64`,
      { what, field: 'data' },
      { cause },
    );
  }
  const bytes = new Uint8Array(decoded.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = decoded.charCodeAt(i);
  return bytes;
}
