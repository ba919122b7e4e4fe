/** What the sandbox can't do without, and what of it this browser lacks. */

/** A module with one function: it makes a vector of an integer, and nothing of it. */
const simdModule = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // one function, which gives a vector
  ...[1, 5, 1, 0x60, 0, 1, 0x7b],
  ...[3, 2, 1, 0],
  // i32.const 0, i8x16.splat, end
  ...[10, 8, 1, 6, 0, 0x41, 0, 0xfd, 0x0f, 0x0b],
);

const features: readonly { readonly name: string; readonly isThere: () => boolean }[] = [
  // without it the next two are missing as well, and it is the one that the reader can do something about
  { name: 'a secure page (https, or localhost)', isThere: () => window.isSecureContext },
  { name: 'WebAssembly', isThere: () => typeof WebAssembly === 'object' },
  { name: 'WebAssembly SIMD', isThere: () => WebAssembly.validate(simdModule) },
  { name: 'Web Crypto', isThere: () => typeof crypto?.subtle === 'object' },
  { name: 'decompression streams', isThere: () => typeof DecompressionStream === 'function' },
  { name: 'Promise.withResolvers', isThere: () => typeof Promise.withResolvers === 'function' },
  { name: 'AbortSignal.any', isThere: () => typeof AbortSignal.any === 'function' },
];

/** Empty when all is there. */
export function missingFeatures(): readonly string[] {
  return features.filter(({ isThere }) => !isThere()).map(({ name }) => name);
}
