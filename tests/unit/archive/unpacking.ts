/** Streams unpacked by codecs.wasm in tests. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Unpacker, UnpackerOptions } from '../../../src/engine/archive/unpacker.ts';

export const codecsModule = new WebAssembly.Module(
  readFileSync(join(import.meta.dirname, '../../../codecs/codecs.wasm')),
);

/** What `bytes` decode to when they come in chunks of `length`. */
export function unpack(
  unpacker: Unpacker,
  bytes: Uint8Array,
  options: UnpackerOptions,
  length = bytes.length,
): Buffer {
  unpacker.start(options);
  let stepped = 0;
  for (let at = 0; at < bytes.length; at += length) {
    for (const piece of unpacker.push(bytes.subarray(at, at + length))) stepped += piece.length;
  }
  unpacker.finish();
  const output = Buffer.from(unpacker.view(0, unpacker.end));
  if (stepped !== output.length) throw new Error(`steps gave ${stepped} of ${output.length} bytes`);
  return output;
}

/** Words in an order that repeats nothing for long, the same each time. */
export function text(length: number): Uint8Array {
  const words = [
    'layer',
    'tar',
    'whiteout',
    'of',
    'the',
    'registry',
    '\n',
    'blob',
    'digest',
    'a',
    'and',
    'x86',
  ];
  let state = 12_345;
  let result = '';
  while (result.length < length) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    result += `${words[(state >> 8) % words.length]} `;
  }
  return new TextEncoder().encode(result.slice(0, length));
}
