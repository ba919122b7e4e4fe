/**
 * Running codecs.wasm before there is anything to decode. A browser compiles a module twice: at once, to code that is
 * slow, and what is run often once more, while the slow code runs on. That takes as long as an image of some megabytes does,
 * and is kept as long as anybody has the module.
 */

import { gzipped } from './gzip-stream.ts';
import { joinBytes } from './join-bytes.ts';
import { Sha256 } from './sha256.ts';
import { Unpacker } from './unpacker.ts';

/** Bytes that each decoder puts out, and that are hashed: about twice as many as make a browser compile it again. */
const rehearsedLength = 8 << 20;
const textLength = 64 << 10;
/** Output that is held at once. */
const stepLength = 1 << 20;
/** Of the same text, what zstdFrame has. */
const frameLength = 1 << 10;

/** The first 1,024 bytes of the text: `zstd -3 --no-check`. There are no compressors of zstd in browsers. */
const zstdFrame =
  'KLUv/QBYBREAVihmFJBlB/DbVvT4Ne0jCfD//w/O168TYABfAF8Au6x1NwcX1hNIFgoEWcsqAwTY0xXDeybYBRbRTH+oCTMoXyLJ' +
  'T+gxN/A7aJ7X6YH4IQvF80AyITTAqVde+9BBztBAAcng3enRuYf4CjajlyZbWbTofESRH/IJ/pxyuIQCBA5oRbdei3mZ46QM1GyF' +
  '5DyaytA4Ehg8e2XacH8N5XlIet7P7Pwr7/THH0OMw9WinESY2UBbcbu+2Yqhkw7QUeISimXmBn8+IcCj5s1sQCLJAKcJ1eN5bCFq' +
  'NM+pV2DijE5R1LEzQIIsPk4d5K1ziuSexaURo7KVccWqdXBXkkteQFKog8X+cIf7WIKqymrogw71zUEqXMhALd3zC5aslZYHqdk1' +
  'VT8atnRnDveIqV3sXtza7Z7u5zB5ir70AoFaun+GzAcl7YkGQDALnKaUf0sYuhPAddk67i2005haT/O0hJka+yQg5ZJUYeabaI5o' +
  '61ctA0BKlXYQ1DfT4n2gk2dVRYRPfLsIlAXIfoM0FJwX2UGxgKG+skjpwzgHMyAgQkKUsnpJZQBHGpdB6mXSqPGCJOZYYUuSwTAL' +
  'q1I5ZMGeMvgLAMnoyLRsNx8aQOuZdcRwUla2rZ7fnpiLJTqQ0FBT9GImHIQPYHZpFAJyiUHK7rs0kwzDKpIL7bITIeEd5u0GDCQI' +
  'RG4EbmMDTFqnhNaGOYXkfORSz8sTBosw+Yy4cQ==';

/** Text of which about as much is repeated as in files: the first so many bytes of it. */
export function rehearsalText(length: number): Uint8Array<ArrayBuffer> {
  let state = 1;
  // a linear congruential generator (Knuth, The Art of Computer Programming, 3.3.4)
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const words = Array.from({ length: 200 }, () =>
    String.fromCharCode(...Array.from({ length: 2 + next(8) }, () => 97 + next(26))),
  );
  let text = '';
  while (text.length < length)
    text += `${words[Math.min(next(200), next(200))]}${next(12) === 0 ? '\n' : ' '}`;
  return new TextEncoder().encode(text.slice(0, length));
}

/** Decodes and hashes until a browser has compiled it for good, a piece in a turn; stops between two of them when the signal is aborted. */
export async function rehearseCodecs(module: WebAssembly.Module, signal: AbortSignal): Promise<void> {
  const text = rehearsalText(textLength);
  const turn = () => new Promise<void>((resolve) => setTimeout(resolve));
  for (const format of ['gzip', 'zstd'] as const) {
    const stream = await rehearsalStream(format);
    const unpacker = await Unpacker.create(module);
    unpacker.start({ format, capacity: stepLength });
    while (unpacker.end < rehearsedLength) {
      if (signal.aborted) return;
      for (const _ of unpacker.push(stream)) unpacker.drop(unpacker.end);
      await turn();
    }
    unpacker.finish();
  }
  const hash = await Sha256.create(module);
  for (let hashed = 0; hashed < rehearsedLength; hashed += text.length) {
    if (signal.aborted) return;
    hash.update(text);
    await turn();
  }
}

/** A stream that unpacks to 64 KB: all of that text, or its first KB in one frame after the other (RFC 8878, section 3). */
export async function rehearsalStream(format: 'gzip' | 'zstd'): Promise<Uint8Array> {
  if (format === 'zstd') {
    const frame = Uint8Array.from(atob(zstdFrame), (character) => character.charCodeAt(0));
    return joinBytes(Array.from({ length: textLength / frameLength }, () => frame));
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of gzipped(wholeText())) chunks.push(chunk);
  return joinBytes(chunks);
}

async function* wholeText() {
  yield rehearsalText(textLength);
}
