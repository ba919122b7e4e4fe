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
