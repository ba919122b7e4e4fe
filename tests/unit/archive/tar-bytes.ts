/** Tars made by hand, block by block, for what no tool writes. */

export interface HeaderFields {
  readonly name?: string | Uint8Array;
  readonly mode?: string;
  readonly uid?: string | Uint8Array;
  readonly gid?: string;
  readonly size?: number | string | Uint8Array;
  readonly mtime?: string | Uint8Array;
  readonly type?: string;
  readonly link?: string;
  readonly magic?: string;
  readonly devices?: readonly [string, string];
  readonly prefix?: string;
  /** In place of the right one. */
  readonly checksum?: string;
  /** Old tars added bytes as signed numbers. */
  readonly signed?: boolean;
  /** Written over the block, before the checksum. */
  readonly raw?: readonly (readonly [number, string])[];
}

export const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** One 512-byte header: by default an empty ustar file `f`. */
export function header(fields: HeaderFields = {}): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(512);
  const put = (at: number, value: string | Uint8Array) =>
    block.set(typeof value === 'string' ? new TextEncoder().encode(value) : value, at);
  const { size = 0 } = fields;
  put(0, fields.name ?? 'f');
  put(100, fields.mode ?? '0000644\0');
  put(108, fields.uid ?? '0000000\0');
  put(116, fields.gid ?? '0000000\0');
  put(124, typeof size === 'number' ? `${size.toString(8).padStart(11, '0')}\0` : size);
  put(136, fields.mtime ?? '00000000000\0');
  put(156, fields.type ?? '0');
  put(157, fields.link ?? '');
  put(257, fields.magic ?? 'ustar\x0000');
  put(329, fields.devices?.[0] ?? '');
  put(337, fields.devices?.[1] ?? '');
  put(345, fields.prefix ?? '');
  for (const [at, text] of fields.raw ?? []) put(at, text);
  put(148, '        ');
  const sum = block.reduce(
    (total, byte) => total + (fields.signed === true && byte > 127 ? byte - 256 : byte),
    0,
  );
  put(148, fields.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** Content with its padding. */
export function padded(content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === 'string' ? latin1(content) : content;
  const blocks = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
  blocks.set(bytes);
  return blocks;
}

/** A file with content. */
export const file = (name: string, content: string, fields: HeaderFields = {}) =>
  joined(header({ name, size: content.length, ...fields }), padded(content));

/** A pax header of type `x` or `g`; values may be latin-1 for bytes that are no UTF-8. Pairs where a keyword repeats. */
export function pax(
  records: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
  type = 'x',
): Uint8Array<ArrayBuffer> {
  let text = '';
  for (const [keyword, value] of Array.isArray(records) ? records : Object.entries(records)) {
    const rest = ` ${keyword}=${value}\n`;
    let length = rest.length + 1;
    while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
    text += `${length}${rest}`;
  }
  return joined(header({ name: 'PaxHeaders/f', type, size: text.length }), padded(text));
}

export const endOfArchive = new Uint8Array(1024);

export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
