/** What the sandbox can't do without, and what of it this browser lacks. */

const features: readonly { readonly name: string; readonly isThere: () => boolean }[] = [
  // without it the next two are missing as well, and it is the one that the reader can do something about
  { name: 'a secure page (https, or localhost)', isThere: () => window.isSecureContext },
  { name: 'WebAssembly', isThere: () => typeof WebAssembly === 'object' },
  { name: 'IndexedDB', isThere: () => typeof indexedDB === 'object' },
  { name: 'Web Locks', isThere: () => 'locks' in navigator },
  { name: 'Web Crypto', isThere: () => typeof crypto?.subtle === 'object' },
  { name: 'decompression streams', isThere: () => typeof DecompressionStream === 'function' },
  { name: 'Promise.withResolvers', isThere: () => typeof Promise.withResolvers === 'function' },
  { name: 'AbortSignal.any', isThere: () => typeof AbortSignal.any === 'function' },
];

/** Empty when all is there. */
export function missingFeatures(): readonly string[] {
  return features.filter(({ isThere }) => !isThere()).map(({ name }) => name);
}
