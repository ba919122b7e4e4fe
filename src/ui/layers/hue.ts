/** The one colour of a layer throughout the page: from its diffID, so that a shared layer looks shared. */

/**
 * How many hues there are; app.css has them as `--hue-0` and on. The nine of Paul Tol's "muted" scheme, which people
 * with any of the common colour vision deficiencies can tell apart.
 */
export const hueCount = 9;

/** Of one layer by itself: 0 to `hueCount` - 1; the same for the same diffID. */
export function hueOf(diffID: string): number {
  // a diffID is a hash already: any of its digits are as good as others. Anything else still gets a hue.
  const digits = /^[a-z0-9+._-]+:([0-9a-f]{8})/.exec(diffID)?.[1];
  if (digits !== undefined) return Number.parseInt(digits, 16) % hueCount;
  let sum = 0;
  for (const character of diffID) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return sum % hueCount;
}

/**
 * The hues of a stack, base first: each layer's own, or the next that is free among the eight below it. It depends on
 * what lies below alone, so that layers which images share, with what they stand on, look alike in all of them.
 */
export function huesOf(diffIDs: readonly string[]): number[] {
  const hues: number[] = [];
  for (const diffID of diffIDs) {
    const below = new Set(hues.slice(1 - hueCount));
    let hue = hueOf(diffID);
    while (below.has(hue)) hue = (hue + 1) % hueCount;
    hues.push(hue);
  }
  return hues;
}

/** `sha256:0123456789abcdef...` as `0123456789ab`. */
export function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1, digest.indexOf(':') + 13);
}
